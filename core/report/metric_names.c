/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metric_names.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/metric_table.h"
#include "scenario/scenario.h"

char *metric_event_name(const char *event)
{
    char *name = xstrdup(event), *to = name;

    for (const char *from = event; *from; from++) {
        if (isalnum((unsigned char)*from))
            *to++ = (char)tolower((unsigned char)*from);
        else if (to > name && to[-1] != '_')
            *to++ = '_';
    }
    while (to > name && to[-1] == '_')
        to--;
    *to = '\0';
    return name;
}

char *metric_expand(const char *pattern, const char *role, const char *event, const char *delivered)
{
    const struct {
        const char *mark, *value;
    } marks[] = {{"{role}", role}, {"{hop}", role}, {"{event}", event}, {"{delivered}", delivered}};
    struct text out = {0};

    while (*pattern) {
        size_t i = *pattern == '{' ? 0 : ARRAY_SIZE(marks);

        while (i < ARRAY_SIZE(marks) && strncmp(pattern, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < ARRAY_SIZE(marks)) {
            text_add(&out, "%s", marks[i].value ? marks[i].value : "");
            pattern += strlen(marks[i].mark);
        } else {
            size_t plain = 1 + strcspn(pattern + 1, "{");

            text_add_bytes(&out, pattern, plain);
            pattern += plain;
        }
    }
    return text_take(&out);
}

/* The role of number i that metrics can have; NULL behind the last. Caller frees. */
static char *role_name(int i)
{
    return i == 0                      ? xstrdup("client")
           : i == 1                    ? xstrdup("server")
           : i < 2 + SCENARIO_MAX_HOPS ? xasprintf("relay_%d", i - 1)
                                       : NULL;
}

static bool is_of_role(const struct metric_row *row, const char *role)
{
    return row->scope != HOP || strncmp(role, "relay_", 6) == 0;
}

/* All names that a row stands for. */
static void row_names(const struct metric_row *row, struct strings *ret)
{
    bool several = strchr(row->metric.name, '{') != NULL;
    char *role;

    for (int i = 0; (several || i == 0) && (role = role_name(i)); i++) {
        char *name = metric_expand(row->metric.name, role, NULL, NULL);

        if (is_of_role(row, role))
            strings_add(ret, name);
        free(name);
        free(role);
    }
}

/* The role at the end of a metric's name, or NULL. Caller frees. */
static char *role_of(const char *name)
{
    size_t length = strlen(name);
    char *role;

    for (int i = 0; (role = role_name(i)); i++) {
        size_t n = strlen(role);

        if (length > n && name[length - n - 1] == '_' && strcmp(name + length - n, role) == 0)
            return role;
        free(role);
    }
    return NULL;
}

/* The row that a metric of this name comes from. An event may be called like anything. */
static const struct metric_row *row_of(const char *name)
{
    cleanup_free char *role = role_of(name);
    const struct metric_row *row;

    for (int events = 0; events < 2; events++)
        for (size_t i = 0; (row = metric_row(i)); i++) {
            cleanup_free char *pattern = metric_expand(row->metric.name, role, "*", NULL);

            if (!role && strchr(row->metric.name, '{'))
                continue;
            if ((row->scope == EVENT) == events && is_of_role(row, role ? role : "") &&
                fnmatch(pattern, name, 0) == 0)
                return row;
        }
    return NULL;
}

/* Those of them that go on behind `name`, and all of them. */
static void find_longer(const char *name, struct strings *ret, struct strings *ret_all)
{
    const struct metric_row *row;
    size_t n = strlen(name);

    for (size_t i = 0; (row = metric_row(i)); i++)
        if (row->scope != EVENT)
            row_names(row, ret_all);
    for (size_t i = 0; i < ret_all->count; i++)
        if (strncmp(ret_all->items[i], name, n) == 0 && ret_all->items[i][n] == '_')
            strings_add(ret, ret_all->items[i]);
}

/* "CPU relay_1" and "cpu_relay_1" head the same column. */
static bool same_title(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        const int x = *a == '_' ? ' ' : tolower((unsigned char)*a);
        const int y = *b == '_' ? ' ' : tolower((unsigned char)*b);

        if (x != y)
            return false;
    }
    return *a == *b;
}

/* The metrics that tables head so, of the run, a role or a hop. */
static void find_titled(const char *title, struct strings *ret)
{
    const struct metric_row *row;
    char *role;

    for (size_t i = 0; (row = metric_row(i)); i++) {
        const bool several = strchr(row->metric.title, '{') != NULL;

        for (int k = 0; row->scope != EVENT && (several || k == 0) && (role = role_name(k)); k++) {
            cleanup_free char *name = metric_expand(row->metric.name, role, NULL, NULL);
            cleanup_free char *head = metric_expand(row->metric.title, role, NULL, NULL);

            if (is_of_role(row, role) && same_title(head, title))
                strings_add(ret, name);
            free(role);
        }
    }
}

/* "cycles relay_1": what tables head events of a role with is their name in words. Caller frees. */
static char *in_words(const char *title)
{
    char *name = xstrdup(title);

    for (char *p = name; *p; p++)
        *p = *p == ' ' ? '_' : (char)tolower((unsigned char)*p);
    return name;
}

static void refuse_several(const char *name, const struct strings *names, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_USAGE, "'%s' may be any of %zu metrics", name, names->count);
    error_hint(err, "say which: %s, %s%s", names->items[0], names->items[1],
               names->count > 2 ? ", …" : "");
}

static void refuse_unknown(const char *name, const struct strings *all, struct bench_error *err)
{
    const char *close = nearest(name, (const char *const *)all->items);

    error_set(err, BENCH_ERROR_USAGE, "there is no metric '%s'", name);
    if (close)
        error_hint(err, "did you mean '%s'?", close);
    else
        error_hint(err, "docs/measurement.md lists them; 'bench report --format json' shows those "
                        "of a run");
}

/* Its names first, then the heads of tables. Caller frees; NULL with an error. */
static char *full_name(const char *name, struct bench_error *err)
{
    cleanup_strings struct strings longer = {0}, all = {0}, titled = {0};
    const struct metric_row *row = row_of(name);
    cleanup_free char *words = NULL;

    if (row && row->scope != EVENT)
        return xstrdup(name);
    find_longer(name, &longer, &all);
    if (longer.count == 1)
        return xstrdup(longer.items[0]);
    if (row)
        return xstrdup(name);
    find_titled(name, &titled);
    if (titled.count == 1)
        return xstrdup(titled.items[0]);
    if (titled.count || longer.count) {
        refuse_several(name, titled.count ? &titled : &longer, err);
        return NULL;
    }
    words = in_words(name);
    if (strchr(name, ' ') && row_of(words))
        return xstrdup(words);
    refuse_unknown(name, &all, err);
    return NULL;
}

char *metric_resolve(const char *name, const struct bench_metric **ret_row, struct bench_error *err)
{
    char *full = full_name(name, err);

    if (full)
        *ret_row = &row_of(full)->metric;
    return full;
}
