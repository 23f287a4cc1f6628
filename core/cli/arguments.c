/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/say.h"

/* --- getopt's tables ------------------------------------------------------------------------- */

static const struct bench_option *options_of(const char *capture)
{
    static const struct bench_option none[] = {{0}};

    return capture ? capture_find(capture)->options : none;
}

static size_t count(const struct bench_option *table)
{
    size_t n = 0;

    while (table[n].name)
        n++;
    return n;
}

/* "--two-words" */
static char *flag_name(const char *name)
{
    char *flag = xasprintf("--%s", name);

    for (char *p = flag; *p; p++)
        *p = *p == '_' ? '-' : *p;
    return flag;
}

/* A flag for each row, whose `val` is `first` plus the row's number. Returns how many. */
static size_t add_rows(struct option *ret, const struct bench_option *table, int first)
{
    size_t n = count(table);

    for (size_t i = 0; i < n; i++) {
        cleanup_free char *flag = flag_name(table[i].name);

        ret[i] = (struct option){xstrdup(flag + 2), 1, NULL, first + (int)i};
    }
    return n;
}

static struct option *make_options(const struct flag *flags, size_t n, const char *capture)
{
    const struct bench_option *own = options_of(capture);
    struct option *options = xcalloc(n + count(scenario_keys) + count(own) + 1, sizeof(*options));

    for (size_t i = 0; i < n; i++)
        options[i] = flags[i].option;
    n += add_rows(options + n, scenario_keys, ARGUMENT_KEY);
    add_rows(options + n, own, ARGUMENT_OPTION);
    return options;
}

/* "-": words are told where they stand; ":": a value that is missing is told as such. */
static char *make_letters(const struct option *options)
{
    struct text letters = {0};

    text_add(&letters, "-:w:p:");
    for (const struct option *o = options; o->name; o++)
        if (o->val < ARGUMENT_SET)
            text_add(&letters, "%c%s", o->val, o->has_arg ? ":" : "");
    return text_take(&letters);
}

/* --- what is given --------------------------------------------------------------------------- */

static void add_word(struct arguments *a, const char *word)
{
    a->words = grow(a->words, &a->words_capacity, a->n_words + 1, sizeof(*a->words));
    a->words[a->n_words++] = word;
}

static void add_flag(struct arguments *a, int flag, const char *value, const char *word)
{
    a->given = grow(a->given, &a->capacity, a->n + 1, sizeof(*a->given));
    a->given[a->n++] = (struct argument){flag, value, word};
}

static void refuse_unknown(struct arguments *a, const char *word)
{
    const char *names[128] = {0}, *close;
    size_t n = 0;

    for (const struct option *o = a->options; o->name && n < ARRAY_SIZE(names) - 1; o++)
        names[n++] = o->name;
    close = nearest(word + strspn(word, "-"), names);
    error_set(&a->refused, BENCH_ERROR_USAGE, "unknown or ambiguous option '%s'", word);
    if (close)
        error_hint(&a->refused, "did you mean '--%s'?", close);
    else
        error_hint(&a->refused, "'bench %s --help' lists the options", a->command);
}

/* The first of an empty value. */
static void refuse_empty(struct arguments *a, int flag)
{
    const struct option *o = a->options;
    cleanup_free char *name = NULL;

    while (o->name && o->val != flag)
        o++;
    name = o->name ? xasprintf("--%s", o->name) : xasprintf("-%c", flag);
    if (a->refused.kind == BENCH_ERROR_NONE)
        cli_refuse_empty(name, &a->refused);
}

/* What getopt_long() has just refused. */
static void refuse(struct arguments *a, int c, const char *letters, char **argv)
{
    char word[3];

    if (a->refused.kind != BENCH_ERROR_NONE)
        return;
    if (c == ':')
        error_set(&a->refused, BENCH_ERROR_USAGE, "option '%s' needs a value", argv[optind - 1]);
    else
        refuse_unknown(a, cli_refused_option(argv, letters, word));
}

void arguments_scan(struct arguments *a, const struct flag *flags, size_t n_flags,
                    const char *capture, int argc, char **argv)
{
    cleanup_free char *letters = NULL;
    int c;

    *a = (struct arguments){
        .command = argv[0],
        .capture = capture,
        .options = make_options(flags, n_flags, capture),
    };
    letters = make_letters(a->options);
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, letters, a->options, NULL)) != -1) {
        if (c == 1)
            add_word(a, optarg);
        else if (c == ':' || c == '?')
            refuse(a, c, letters, argv);
        else if (optarg && !*optarg)
            refuse_empty(a, c);
        else
            add_flag(a, c, optarg, argv[optind - 1]);
    }
    /* What stands behind "--". */
    for (; optind < argc; optind++)
        add_word(a, argv[optind]);
}

void arguments_release(struct arguments *a)
{
    for (struct option *o = a->options; o && o->name; o++)
        if (o->val >= ARGUMENT_KEY)
            free((char *)o->name);
    free(a->options);
    free(a->given);
    free(a->words);
    *a = (struct arguments){0};
}

int arguments_check(const struct arguments *a, struct bench_error *err)
{
    if (a->refused.kind != BENCH_ERROR_NONE) {
        *err = a->refused;
        return -1;
    }
    if (a->n_words > 1)
        return error_set(err, BENCH_ERROR_USAGE, "two scenarios: '%s' and '%s'", a->words[0],
                         a->words[1]);
    return 0;
}

bool arguments_have(const struct arguments *a, int flag)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->given[i].flag == flag)
            return true;
    return false;
}

const char *arguments_scenario(const struct arguments *a)
{
    return a->n_words ? a->words[0] : NULL;
}

/* --- what it sets ---------------------------------------------------------------------------- */

/* KEY=VALUE */
static int set_pair(struct scenario *s, const char *pair, struct bench_error *err)
{
    const char *equals = strchr(pair, '=');
    cleanup_free char *key = NULL;

    if (!equals || equals == pair)
        return error_set(err, BENCH_ERROR_USAGE, "--set: '%s' is not KEY=VALUE", pair);
    key = xstrndup(pair, (size_t)(equals - pair));
    return scenario_set(s, key, equals + 1, "--set", err);
}

static int set_row(struct scenario *s, const char *key, const char *name, const char *value,
                   struct bench_error *err)
{
    cleanup_free char *where = flag_name(name);

    return scenario_set(s, key, value, where, err);
}

int arguments_apply(const struct arguments *a, const struct argument *given, struct scenario *s,
                    struct bench_error *err)
{
    const char *name;
    cleanup_free char *key = NULL;

    switch (given->flag) {
    case 'r':
        return scenario_set(s, "relays", given->value, "--relay", err);
    case 'w':
        return scenario_set(s, "workload", given->value, "--workload", err);
    case 'p':
        return scenario_set(s, "protocol", given->value, "--protocol", err);
    case ARGUMENT_SET:
        return set_pair(s, given->value, err);
    }
    if (given->flag < ARGUMENT_OPTION) {
        name = scenario_keys[given->flag - ARGUMENT_KEY].name;
        return set_row(s, name, name, given->value, err);
    }
    name = options_of(a->capture)[given->flag - ARGUMENT_OPTION].name;
    key = xasprintf("capture.%s.%s", a->capture, name);
    return set_row(s, key, name, given->value, err);
}

/* --- help ------------------------------------------------------------------------------------ */

static void help_row(const struct option *flag, const struct bench_option *row)
{
    const char *brief = strcmp(flag->name, "workload") == 0   ? "-w, "
                        : strcmp(flag->name, "protocol") == 0 ? "-p, "
                                                              : "";
    cleanup_free char *left = xasprintf("%s--%s VALUE", brief, flag->name);
    cleanup_free char *kind = option_describe(row);
    cleanup_free char *right = xasprintf("%s (%s)", row->help, kind);

    cli_help_row(left, right);
}

void arguments_help(const struct arguments *a, const struct flag *flags, size_t n_flags)
{
    for (size_t i = 0; i < n_flags; i++)
        if (flags[i].usage)
            cli_help_row(flags[i].usage, flags[i].help);
    if (a->capture)
        say_out("\nOptions of the capture:\n");
    for (const struct option *o = a->options; o->name; o++)
        if (o->val >= ARGUMENT_OPTION)
            help_row(o, &options_of(a->capture)[o->val - ARGUMENT_OPTION]);
    say_out("\nScenario keys:\n");
    for (const struct option *o = a->options; o->name; o++)
        if (o->val >= ARGUMENT_KEY && o->val < ARGUMENT_OPTION)
            help_row(o, &scenario_keys[o->val - ARGUMENT_KEY]);
}
