/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void template_set(struct template *t, const char *name, const char *fmt, ...)
{
    va_list ap;

    if (t->count == TEMPLATE_VALUES)
        abort();
    va_start(ap, fmt);
    if (vasprintf(&t->values[t->count].text, fmt, ap) < 0)
        abort();
    va_end(ap);
    t->values[t->count++].name = name;
}

void template_set_seconds(struct template *t, const char *name, int64_t ns)
{
    template_set(t, name, "%.9g", (double)ns / 1e9);
}

void template_release(struct template *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->values[i].text);
    t->count = 0;
}

/* --- placeholders -------------------------------------------------------------------------- */

/* Characters of the name in "{name}" at `s`; 0 when no such thing stands there. */
static size_t name_length(const char *s)
{
    size_t n;

    if (*s != '{')
        return 0;
    n = strspn(s + 1, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return n > 0 && s[1] >= 'a' && s[n + 1] == '}' ? n : 0;
}

/* Characters of the name in "{{name}}" at `s`, or 0. */
static size_t quoted_length(const char *s)
{
    size_t n = *s == '{' ? name_length(s + 1) : 0;

    return n > 0 && s[n + 3] == '}' ? n : 0;
}

bool template_uses(const char *text, const char *name)
{
    for (const char *s = text; s && *s; s++) {
        size_t n = name_length(s);

        if (quoted_length(s))
            s += quoted_length(s) + 3;
        else if (n == strlen(name) && strncmp(s + 1, name, n) == 0)
            return true;
    }
    return false;
}

static int unknown(const struct template *t, const char *option, const char *name, size_t n,
                   struct bench_error *err)
{
    char *known = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&known, &size);

    if (!out)
        abort();
    for (size_t i = 0; i < t->count; i++)
        fprintf(out, "%s{%s}", i ? ", " : "", t->values[i].name);
    fclose(out);
    t->host->fail(err, BENCH_ERROR_USAGE, "option '%s': unknown placeholder '{%.*s}'", option,
                  (int)n, name);
    t->host->hint(err, "known here: %s; the text itself is written '{{%.*s}}'", known, (int)n,
                  name);
    free(known);
    return -1;
}

/* Writes what stands at `s`: a value, or one character. Returns how much of `s` that was, or -1. */
static int expand_one(const struct template *t, const char *option, const char *s, FILE *out,
                      struct bench_error *err)
{
    size_t n = quoted_length(s);

    if (n > 0) {
        fprintf(out, "{%.*s}", (int)n, s + 2);
        return (int)n + 4;
    }
    n = name_length(s);
    if (n == 0) {
        fputc(*s, out);
        return 1;
    }
    for (size_t i = 0; i < t->count; i++) {
        if (strlen(t->values[i].name) == n && strncmp(t->values[i].name, s + 1, n) == 0) {
            fputs(t->values[i].text, out);
            return (int)n + 2;
        }
    }
    return unknown(t, option, s + 1, n, err);
}

/* --- command lines ------------------------------------------------------------------------- */

/* One word from `*s` on, which is advanced behind it. */
static int expand_word(const struct template *t, const char *option, const char **s, FILE *out,
                       struct bench_error *err)
{
    char quote = '\0';

    while (**s && (quote || !strchr(" \t\r\n", **s))) {
        int n = 1;

        if (!quote && (**s == '\'' || **s == '"')) {
            quote = **s;
        } else if (quote && **s == quote) {
            quote = '\0';
        } else if (**s == '\\' && (*s)[1] &&
                   (!quote || (quote == '"' && strchr("\"\\", (*s)[1])))) {
            fputc((*s)[1], out);
            n = 2;
        } else {
            n = expand_one(t, option, *s, out, err);
        }
        if (n < 0)
            return -1;
        *s += n;
    }
    if (!quote)
        return 0;
    return t->host->fail(err, BENCH_ERROR_USAGE, "option '%s': a quote (%c) is not closed", option,
                         quote);
}

int template_arguments(const struct template *t, const char *option, const char *line,
                       struct bench_process *p, struct bench_error *err)
{
    size_t words = 0;

    while (line && *(line += strspn(line, " \t\r\n"))) {
        char *word = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&word, &size);
        int result;

        if (!out)
            abort();
        result = expand_word(t, option, &line, out, err);
        fclose(out);
        if (result == 0)
            t->host->argument(p, "%s", word);
        free(word);
        if (result < 0)
            return -1;
        words++;
    }
    if (words > 0)
        return 0;
    return t->host->fail(err, BENCH_ERROR_USAGE, "option '%s' names no command", option);
}

/* --- files --------------------------------------------------------------------------------- */

int template_file(const struct template *t, const char *option, const char *text, const char *name,
                  struct bench_process *p, struct bench_error *err)
{
    char *content = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&content, &size);
    int n = 0;

    if (!out)
        abort();
    for (const char *s = text; *s && n >= 0; s += n > 0 ? n : 0)
        n = expand_one(t, option, s, out, err);
    fclose(out);
    if (n >= 0)
        t->host->file(p, name, "%s", content);
    free(content);
    return n < 0 ? -1 : 0;
}
