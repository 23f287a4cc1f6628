/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/flags.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"

size_t flags_count(const struct bench_option *table)
{
    size_t n = 0;

    while (table[n].name)
        n++;
    return n;
}

size_t flags_add(struct option *ret, const struct bench_option *table, int first)
{
    size_t n = flags_count(table);

    for (size_t i = 0; i < n; i++) {
        char *name = xstrdup(table[i].name);

        for (char *p = name; *p; p++)
            *p = *p == '_' ? '-' : *p;
        ret[i] = (struct option){name, 1, NULL, first + (int)i};
    }
    return n;
}

void flags_free(struct option *options, int first)
{
    for (struct option *o = options; o->name; o++)
        if (o->val >= first)
            free((char *)o->name);
    free(options);
}

void flags_help(const struct option *flag, const struct bench_option *row)
{
    const char *brief = strcmp(flag->name, "workload") == 0   ? "-w, "
                        : strcmp(flag->name, "protocol") == 0 ? "-p, "
                                                              : "";
    cleanup_free char *left = xasprintf("%s--%s VALUE", brief, flag->name);
    cleanup_free char *kind = option_describe(row);
    cleanup_free char *right = xasprintf("%s (%s)", row->help, kind);

    cli_help_row(left, right);
}

int flags_set(struct scenario *s, const char *arg, struct bench_error *err)
{
    const char *equals = strchr(arg, '=');
    cleanup_free char *key = NULL;

    if (!equals || equals == arg)
        return error_set(err, BENCH_ERROR_USAGE, "--set: '%s' is not KEY=VALUE", arg);
    key = xstrndup(arg, (size_t)(equals - arg));
    return scenario_set(s, key, equals + 1, "--set", err);
}

int flags_set_key(struct scenario *s, const char *key, const char *flag, const char *arg,
                  struct bench_error *err)
{
    cleanup_free char *where = xasprintf("--%s", flag);

    for (char *p = where + 2; *p; p++)
        *p = *p == '_' ? '-' : *p;
    return scenario_set(s, key, arg, where, err);
}

int flags_unknown(const char *command, const char *word, const struct option *options,
                  struct bench_error *err)
{
    const char *names[128] = {0}, *close;
    size_t n = 0;

    for (const struct option *o = options; o->name && n < ARRAY_SIZE(names) - 1; o++)
        names[n++] = o->name;
    close = nearest(word + strspn(word, "-"), names);
    error_set(err, BENCH_ERROR_USAGE, "unknown or ambiguous option '%s'", word);
    if (close)
        error_hint(err, "did you mean '--%s'?", close);
    else
        error_hint(err, "'bench %s --help' lists the options", command);
    return -1;
}
