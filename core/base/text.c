/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bench/characters.h>

#include "base/memory.h"

void text_add_bytes(struct text *t, const void *bytes, size_t n)
{
    t->data = grow(t->data, &t->capacity, t->length + n + 1, 1);
    if (n)
        memcpy(t->data + t->length, bytes, n);
    t->length += n;
    t->data[t->length] = '\0';
}

void text_vadd(struct text *t, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return;
    t->data = grow(t->data, &t->capacity, t->length + (size_t)n + 1, 1);
    vsnprintf(t->data + t->length, (size_t)n + 1, fmt, ap);
    t->length += (size_t)n;
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    text_vadd(t, fmt, ap);
    va_end(ap);
}

const char *text_get(const struct text *t)
{
    return t->data ? t->data : "";
}

char *text_take(struct text *t)
{
    char *data = t->data ? t->data : xstrdup("");

    *t = (struct text){0};
    return data;
}

void text_release(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

/* Takes ownership of `item`. */
static void append(struct strings *s, char *item)
{
    s->items = grow(s->items, &s->capacity, s->count + 2, sizeof(*s->items));
    s->items[s->count++] = item;
    s->items[s->count] = NULL;
}

void strings_add(struct strings *s, const char *item)
{
    append(s, xstrdup(item));
}

void strings_addf(struct strings *s, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    append(s, text_take(&t));
}

bool strings_has(const struct strings *s, const char *item)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i], item) == 0)
            return true;
    return false;
}

void strings_split(struct strings *s, const char *line, const char *separators)
{
    while (*line) {
        size_t n = strcspn(line, separators);

        if (n)
            append(s, xstrndup(line, n));
        line += n;
        line += strspn(line, separators);
    }
}

void strings_release(struct strings *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i]);
    free(s->items);
    *s = (struct strings){0};
}

size_t utf8_length(const char *text)
{
    uint32_t c;

    return bench_character_at(text, &c);
}

/* Optimal string alignment distance (Damerau-Levenshtein without repeated edits of a substring). */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 64 };
    size_t n = strlen(a), m = strlen(b), d[3][MAX + 1];

    if (n > MAX || m > MAX)
        return MAX;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = d[i % 3], *above = d[(i + 2) % 3], *above2 = d[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return d[n % 3][m];
}

const char *nearest(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;

    for (; *candidates; candidates++) {
        size_t far = distance(word, *candidates), limit = strlen(*candidates) / 3;

        limit = limit < 1 ? 1 : limit > 3 ? 3 : limit;
        if (far <= limit && far < least) {
            least = far;
            best = *candidates;
        }
    }
    return best;
}

bool string_ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);

    return n >= m && strcmp(s + n - m, tail) == 0;
}

const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

bool same_but_for_numbers(const char *a, const char *b)
{
    static const char digits[] = "0123456789.";

    while (*a && *b) {
        size_t in_a = isdigit((unsigned char)*a) ? strspn(a, digits) : 0;
        size_t in_b = isdigit((unsigned char)*b) ? strspn(b, digits) : 0;

        if (in_a && in_b) {
            a += in_a;
            b += in_b;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static char *line_at(const char **at)
{
    size_t length = strcspn(*at, "\n");
    char *line = xasprintf("%.*s", (int)length, *at);

    *at += length + ((*at)[length] == '\n');
    return line;
}

/* What follows a line and is like it: one line stays, several become their number. */
static void end_run(struct text *out, const char *last, size_t more)
{
    if (more == 1)
        text_add(out, "%s\n", last);
    else if (more)
        text_add(out, "[and %zu more lines like this]\n", more);
}

char *text_collapse_lines(const char *text)
{
    cleanup_free char *first = NULL, *last = NULL;
    struct text out = {0};
    size_t more = 0;

    while (*text) {
        char *line = line_at(&text);

        if (first && *line && same_but_for_numbers(first, line)) {
            more++;
            free(last);
            last = line;
            continue;
        }
        end_run(&out, last, more);
        more = 0;
        text_add(&out, "%s\n", line);
        free(first);
        first = line;
    }
    end_run(&out, last, more);
    return text_take(&out);
}

char *text_last_lines(const char *text, size_t limit)
{
    size_t length = strlen(text);
    const char *begin = text, *line;

    if (length > limit) {
        begin += length - limit;
        line = strchr(begin, '\n');
        if (begin[-1] != '\n' && line && line[1])
            begin = line + 1;
    }
    return xstrdup(begin);
}

char *string_trimmed(const char *s)
{
    size_t n;

    s += strspn(s, " ");
    n = strlen(s);
    while (n && s[n - 1] == ' ')
        n--;
    return xstrndup(s, n);
}
