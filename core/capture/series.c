/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/series.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static size_t add_column(struct series *s, const char *name, enum series_kind kind,
                         enum bench_state state, const char *reason)
{
    s->columns = grow(s->columns, &s->columns_capacity, s->n_columns + 1, sizeof(*s->columns));
    s->columns[s->n_columns] = (struct series_column){
        .name = xstrdup(name), .kind = kind, .state = state, .reason = xstrdup(reason)};
    return s->n_columns++;
}

size_t series_add_column(struct series *s, const char *name, enum series_kind kind,
                         enum bench_state state, const char *reason)
{
    assert(s->n_rows == 0);
    return add_column(s, name, kind, state, reason);
}

void series_append_column(struct series *s, const char *name, enum series_kind kind,
                          const char *reason, const int64_t *values)
{
    size_t old = s->n_columns;
    int64_t *wide = xcalloc(s->n_rows * (old + 1), sizeof(*wide));

    for (size_t row = 0; row < s->n_rows; row++) {
        if (old)
            memcpy(wide + row * (old + 1), s->values + row * old, old * sizeof(*wide));
        wide[row * (old + 1) + old] = values[row];
    }
    free(s->values);
    s->values = wide;
    s->rows_capacity = s->n_rows;
    add_column(s, name, kind, BENCH_OK, reason);
}

int64_t *series_add_row(struct series *s, int64_t time_ns)
{
    int64_t *row;

    if (s->n_rows == s->rows_capacity) {
        size_t capacity = s->rows_capacity ? s->rows_capacity * 2 : 64;
        size_t width = s->n_columns ? s->n_columns : 1;

        s->times = xrealloc(s->times, capacity * sizeof(*s->times));
        s->values = xrealloc(s->values, capacity * width * sizeof(*s->values));
        s->rows_capacity = capacity;
    }
    s->times[s->n_rows] = time_ns;
    row = s->values + s->n_rows * s->n_columns;
    for (size_t i = 0; i < s->n_columns; i++)
        row[i] = SERIES_MISSING;
    s->n_rows++;
    return row;
}

void series_give_up(struct series *s, size_t column, enum bench_state state, const char *reason)
{
    xreplace(&s->columns[column].reason, reason);
    s->columns[column].state = state;
}

int64_t series_at(const struct series *s, size_t row, size_t column)
{
    if (row >= s->n_rows || column >= s->n_columns)
        return SERIES_MISSING;
    return s->values[row * s->n_columns + column];
}

int series_find(const struct series *s, const char *name)
{
    for (size_t i = 0; i < s->n_columns; i++)
        if (strcmp(s->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

int64_t series_difference(int64_t from, int64_t to)
{
    int64_t difference;

    if (from == SERIES_MISSING || to == SERIES_MISSING ||
        __builtin_sub_overflow(to, from, &difference))
        return SERIES_MISSING;
    return difference;
}

static struct bench_value no_value(enum bench_state state)
{
    return (struct bench_value){.value = NAN, .state = state};
}

/* The index of a column that holds numbers, or -1 with the state to report instead. */
static int usable(const struct series *s, const char *name, enum bench_state *ret_state)
{
    int column = series_find(s, name);

    *ret_state = column < 0 ? BENCH_ABSENT : s->columns[column].state;
    return bench_is_number(*ret_state) ? column : -1;
}

static bool falls(const struct series *s, size_t column, size_t first, size_t last)
{
    int64_t before = SERIES_MISSING; /* the least int64_t */

    for (size_t row = first; row <= last && row < s->n_rows; row++) {
        int64_t value = series_at(s, row, column);

        if (value == SERIES_MISSING)
            continue;
        if (value < before)
            return true;
        before = value;
    }
    return false;
}

bool series_goes_back(const struct series *s, const char *name, size_t first, size_t last)
{
    int column = series_find(s, name);

    return column >= 0 && s->columns[column].kind == SERIES_COUNTER &&
           falls(s, (size_t)column, first, last);
}

struct bench_value series_delta(const struct series *s, const char *name, size_t first, size_t last)
{
    enum bench_state state;
    int column = usable(s, name, &state);
    int64_t difference;

    if (column < 0)
        return no_value(state);
    difference =
        series_difference(series_at(s, first, (size_t)column), series_at(s, last, (size_t)column));
    if (difference == SERIES_MISSING ||
        (s->columns[column].kind == SERIES_COUNTER && falls(s, (size_t)column, first, last)))
        return no_value(BENCH_FAILED);
    return (struct bench_value){.value = (double)difference, .state = state};
}

struct bench_value series_maximum(const struct series *s, const char *name, size_t first,
                                  size_t last)
{
    enum bench_state state;
    int column = usable(s, name, &state);
    int64_t most = SERIES_MISSING; /* the least int64_t */

    if (column < 0)
        return no_value(state);
    for (size_t row = first; row <= last && row < s->n_rows; row++) {
        int64_t value = series_at(s, row, (size_t)column);

        if (value > most)
            most = value;
    }
    if (most == SERIES_MISSING)
        return no_value(BENCH_FAILED);
    return (struct bench_value){.value = (double)most, .state = state};
}

enum bench_state series_rates(const struct series *s, const char *name, size_t first, size_t last,
                              double *ret)
{
    enum bench_state state = BENCH_OK;

    for (size_t i = first; i < last; i++) {
        struct bench_value v = series_delta(s, name, i, i + 1);

        state = v.state;
        if (!bench_is_number(state))
            break;
        ret[i - first] = v.value / ((double)(s->times[i + 1] - s->times[i]) * 1e-9);
    }
    return state;
}

void series_release(struct series *s)
{
    for (size_t i = 0; i < s->n_columns; i++) {
        free(s->columns[i].name);
        free(s->columns[i].reason);
    }
    free(s->columns);
    free(s->times);
    free(s->values);
    *s = (struct series){0};
}
