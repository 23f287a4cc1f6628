/* SPDX-License-Identifier: Apache-2.0 */
#include "store/series_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/fields.h"

#define MAX_COLUMNS 16384

static const char *const kind_names[] = {
    [SERIES_COUNTER] = "counter",
    [SERIES_GAUGE] = "gauge",
    NULL,
};

const char *const series_state_names[] = {
    [BENCH_OK] = "ok",
    [BENCH_SCALED] = "scaled",
    [BENCH_NOT_COUNTED] = "not_counted",
    [BENCH_NOT_SUPPORTED] = "not_supported",
    [BENCH_FAILED] = "failed",
    [BENCH_ABSENT] = "absent",
    NULL,
};

/* "-" stands for NULL, so a text that is "-" is escaped as well. */
static void add_escaped(struct text *t, const char *s)
{
    if (!s) {
        text_add(t, "-");
        return;
    }
    if (strcmp(s, "-") == 0)
        text_add(t, "\\");
    for (; *s; s++) {
        if (*s == '\t')
            text_add(t, "\\t");
        else if (*s == '\n')
            text_add(t, "\\n");
        else if (*s == '\\')
            text_add(t, "\\\\");
        else
            text_add_bytes(t, s, 1);
    }
}

static void add_header(struct text *t, const struct series *s)
{
    text_add(t, "time_ns");
    for (size_t i = 0; i < s->n_columns; i++) {
        text_add(t, "\t");
        add_escaped(t, s->columns[i].name);
    }
    text_add(t, "\n#kind");
    for (size_t i = 0; i < s->n_columns; i++)
        text_add(t, "\t%s", kind_names[s->columns[i].kind]);
    text_add(t, "\n#state");
    for (size_t i = 0; i < s->n_columns; i++)
        text_add(t, "\t%s", series_state_names[s->columns[i].state]);
    text_add(t, "\n#reason");
    for (size_t i = 0; i < s->n_columns; i++) {
        text_add(t, "\t");
        add_escaped(t, s->columns[i].reason);
    }
    text_add(t, "\n");
}

void series_to_text(const struct series *s, struct text *ret)
{
    add_header(ret, s);
    for (size_t row = 0; row < s->n_rows; row++) {
        text_add(ret, "%" PRId64, s->times[row]);
        for (size_t i = 0; i < s->n_columns; i++) {
            int64_t value = s->values[row * s->n_columns + i];

            if (value == SERIES_MISSING)
                text_add(ret, "\t-");
            else
                text_add(ret, "\t%" PRId64, value);
        }
        text_add(ret, "\n");
    }
}

/* Lines of the text, cut off at their newline as they are taken. */
struct lines {
    char *next, *end;
    size_t number; /* of the last one taken, from 1 */
};

static int at_line(const struct lines *l, struct bench_error *err)
{
    return error_context(err, "%zu", l->number);
}

/* NULL in *ret at the end of the text. */
static int take_line(struct lines *l, char **ret, struct bench_error *err)
{
    char *line = l->next, *newline;

    l->number++;
    if (line == l->end) {
        *ret = NULL;
        return 0;
    }
    newline = memchr(line, '\n', (size_t)(l->end - line));
    if (!newline) {
        error_set(err, BENCH_ERROR_RUN, "the line is cut off");
        return at_line(l, err);
    }
    if (memchr(line, '\0', (size_t)(newline - line))) {
        error_set(err, BENCH_ERROR_RUN, "the line holds a NUL byte");
        return at_line(l, err);
    }
    *newline = '\0';
    l->next = newline + 1;
    *ret = line;
    return 0;
}

/* The fields of a header line after its first, which must be `first`. They point into the line. */
struct header {
    char **fields;
    size_t count, capacity;
};

static void header_release(struct header *h)
{
    free(h->fields);
}

static int take_header(struct lines *l, const char *first, struct header *ret,
                       struct bench_error *err)
{
    char *line, *field;

    if (take_line(l, &line, err) < 0)
        return -1;
    field = line ? strsep(&line, "\t") : NULL;
    if (!field || strcmp(field, first) != 0) {
        error_set(err, BENCH_ERROR_RUN, "expected the line '%s'", first);
        return at_line(l, err);
    }
    while ((field = strsep(&line, "\t"))) {
        if (ret->count == MAX_COLUMNS) {
            error_set(err, BENCH_ERROR_RUN, "more than %d columns", MAX_COLUMNS);
            return at_line(l, err);
        }
        ret->fields = grow(ret->fields, &ret->capacity, ret->count + 1, sizeof(*ret->fields));
        ret->fields[ret->count++] = field;
    }
    return 0;
}

/* Undoes add_escaped() in place; *ret is NULL for "-". */
static int unescape(char *s, char **ret)
{
    char *to = s;

    *ret = strcmp(s, "-") == 0 ? NULL : s;
    for (const char *from = s; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        from++;
        if (*from == 't')
            *to++ = '\t';
        else if (*from == 'n')
            *to++ = '\n';
        else if (*from == '\\' || *from == '-')
            *to++ = *from;
        else
            return -1;
    }
    *to = '\0';
    return 0;
}

static int name_index(const char *name, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static int take_columns(struct lines *l, struct series *s, struct bench_error *err)
{
    enum { NAME, KIND, STATE, REASON, HEADERS };
    static const char *const first[HEADERS] = {"time_ns", "#kind", "#state", "#reason"};
    __attribute__((cleanup(header_release))) struct header name = {0}, kind = {0}, state = {0},
                                                           reason = {0};
    struct header *const headers[HEADERS] = {&name, &kind, &state, &reason};

    for (int i = 0; i < HEADERS; i++) {
        if (take_header(l, first[i], headers[i], err) < 0)
            return -1;
        if (headers[i]->count != name.count) {
            error_set(err, BENCH_ERROR_RUN, "%zu columns, expected %zu", headers[i]->count,
                      name.count);
            return at_line(l, err);
        }
    }
    for (size_t i = 0; i < name.count; i++) {
        int k = name_index(kind.fields[i], kind_names),
            st = name_index(state.fields[i], series_state_names);
        char *column, *why;

        if (unescape(name.fields[i], &column) < 0 || !column || k < 0 || st < 0 ||
            unescape(reason.fields[i], &why) < 0)
            return error_set(err, BENCH_ERROR_RUN,
                             "column %zu: invalid name, kind, state or reason", i + 1);
        series_add_column(s, column, (enum series_kind)k, (enum bench_state)st, why);
    }
    return 0;
}

/* Reads an integer that ends at a tab or at the end of the line, and moves on behind it. */
static int take_integer(char **at, int64_t *ret)
{
    char *end;
    long long n;

    if (**at != '-' && (**at < '0' || **at > '9'))
        return -1;
    errno = 0;
    n = strtoll(*at, &end, 10);
    if (end == *at || errno || n == SERIES_MISSING || (*end != '\t' && *end != '\0'))
        return -1;
    *at = end;
    *ret = n;
    return 0;
}

static int take_value(char **at, int64_t *ret)
{
    if (**at != '\t')
        return -1;
    ++*at;
    if (**at == '-' && ((*at)[1] == '\t' || (*at)[1] == '\0')) {
        ++*at;
        *ret = SERIES_MISSING;
        return 0;
    }
    return take_integer(at, ret);
}

static int take_row(char *line, struct series *s, struct bench_error *err)
{
    int64_t time, *row;

    if (take_integer(&line, &time) < 0 || time < 0 || time > FIELD_TIME_MAX)
        return error_set(err, BENCH_ERROR_RUN, "expected a time in nanoseconds");
    if (s->n_rows && time < s->times[s->n_rows - 1])
        return error_set(err, BENCH_ERROR_RUN, "time goes backwards");
    row = series_add_row(s, time);
    for (size_t i = 0; i < s->n_columns; i++)
        if (take_value(&line, &row[i]) < 0)
            return error_set(err, BENCH_ERROR_RUN, "column '%s': expected an integer or '-'",
                             s->columns[i].name);
    if (*line)
        return error_set(err, BENCH_ERROR_RUN, "more than %zu columns", s->n_columns);
    return 0;
}

static int take_rows(struct lines *l, struct series *s, struct bench_error *err)
{
    for (;;) {
        char *line;

        if (take_line(l, &line, err) < 0)
            return -1;
        if (!line)
            return 0;
        if (take_row(line, s, err) < 0)
            return at_line(l, err);
    }
}

int series_from_text(struct series *ret, char *text, size_t length, struct bench_error *err)
{
    struct lines l = {.next = text, .end = text + length};

    if (take_columns(&l, ret, err) == 0 && take_rows(&l, ret, err) == 0)
        return 0;
    series_release(ret);
    return -1;
}
