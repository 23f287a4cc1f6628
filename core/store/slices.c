/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slices.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* What is taken out so far. */
struct cut {
    int64_t *counted; /* per column; SERIES_MISSING: nobody knows */
    int64_t time;
    double idle_cpu_ns, idle_ns;
};

/* The CPU clocks of its roles. */
static double cpu_between(const struct repetition_record *r, size_t from, size_t to)
{
    double sum = 0;

    for (size_t i = 0; i < r->n_roles; i++) {
        cleanup_free char *name = xasprintf("%s.cpu_ns", r->roles[i].name);
        struct bench_value v = series_delta(&r->series, name, from, to);

        if (v.state == BENCH_OK)
            sum += v.value;
    }
    return sum;
}

/* Rows [first, last) stand between two slices; each pair is the begin and the end of another's. */
static void add_idle(struct cut *cut, const struct repetition_record *r, size_t first, size_t last)
{
    for (size_t i = first; i + 1 < last; i += 2) {
        cut->idle_cpu_ns += cpu_between(r, i, i + 1);
        cut->idle_ns += (double)(r->series.times[i + 1] - r->series.times[i]);
    }
}

static int64_t sum_of(int64_t a, int64_t b)
{
    int64_t sum;

    return a == SERIES_MISSING || b == SERIES_MISSING || __builtin_add_overflow(a, b, &sum)
               ? SERIES_MISSING
               : sum;
}

/* Rows `from` and `to` become one. */
static void add_gap(struct cut *cut, const struct series *s, size_t from, size_t to)
{
    cut->time += s->times[to] - s->times[from];
    for (size_t c = 0; c < s->n_columns; c++) {
        int64_t before = series_at(s, from, c), after = series_at(s, to, c);

        if (s->columns[c].kind != SERIES_COUNTER || cut->counted[c] == SERIES_MISSING)
            continue;
        cut->counted[c] = sum_of(cut->counted[c], series_difference(before, after));
    }
}

static void move_row(struct series *s, size_t from, size_t to, const struct cut *cut)
{
    s->times[to] = s->times[from] - cut->time;
    for (size_t c = 0; c < s->n_columns; c++) {
        s->values[to * s->n_columns + c] =
            series_difference(cut->counted[c], series_at(s, from, c));
    }
}

/* The first row at or after `time`. */
static size_t row_at(const struct series *s, size_t row, int64_t time)
{
    while (row < s->n_rows && s->times[row] < time)
        row++;
    return row;
}

void record_join_slices(struct repetition_record *r)
{
    struct series *s = &r->series;
    struct cut cut = {0};
    size_t kept, row;

    if (r->n_slices < 2 || r->joined || row_at(s, 0, r->slices[0].end_ns) >= s->n_rows)
        return;
    cut.counted = xcalloc(s->n_columns + 1, sizeof(*cut.counted));
    kept = row = row_at(s, 0, r->slices[0].end_ns) + 1;
    for (size_t i = 1; i < r->n_slices && row < s->n_rows; i++) {
        size_t begin = row_at(s, row, r->slices[i].begin_ns),
               end = row_at(s, begin, r->slices[i].end_ns);

        if (end >= s->n_rows)
            break;
        add_idle(&cut, r, row, begin);
        add_gap(&cut, s, row - 1, begin);
        for (row = begin + 1; row <= end; row++)
            move_row(s, row, kept++, &cut);
    }
    for (; row < s->n_rows; row++)
        move_row(s, row, kept++, &cut);
    s->n_rows = kept;
    r->window_end_ns -= cut.time;
    r->joined = true;
    if (cut.idle_ns > 0)
        record_add_total(r, "idle_cpus", cut.idle_cpu_ns / cut.idle_ns);
    free(cut.counted);
}
