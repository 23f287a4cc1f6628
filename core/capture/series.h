/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples of a repetition: one row per tick, one column per cumulative counter or gauge, all
 * int64_t. A column that could not be opened keeps its place with a state and a reason; a single
 * value that is missing is SERIES_MISSING. The unit is in the column's name, which reads
 * "ROLE.QUANTITY": "relay_1.cpu_ns", "server.bytes_received", "relay_2.event:task-clock".
 */
#ifndef CAPTURE_SERIES_H
#define CAPTURE_SERIES_H

#include <bench/types.h>

#define SERIES_MISSING INT64_MIN

enum series_kind { SERIES_COUNTER, SERIES_GAUGE };

/* `to` − `from`, or SERIES_MISSING when one of them is, or when no int64_t holds it: values that
 * far apart are no counter's. */
int64_t series_difference(int64_t from, int64_t to);

struct series_column {
    char *name;
    enum series_kind kind;
    enum bench_state state;
    char *reason; /* why, when state is not OK; else a note on how it was obtained, or NULL */
};

struct series {
    struct series_column *columns;
    size_t n_columns, columns_capacity;
    int64_t *times;  /* CLOCK_MONOTONIC ns, one per row */
    int64_t *values; /* row-major, n_columns per row */
    size_t n_rows, rows_capacity;
};

/* Before the first row only. `reason` is copied. Returns the column's index. */
size_t series_add_column(struct series *s, const char *name, enum series_kind kind,
                         enum bench_state state, const char *reason);
/* One that is complete, after the last row: a value for each. */
void series_append_column(struct series *s, const char *name, enum series_kind kind,
                          const char *reason, const int64_t *values);
/* Appends a row of SERIES_MISSING; the pointer is valid until the next call. */
int64_t *series_add_row(struct series *s, int64_t time_ns);
/* The column turns out to have no numbers: none of its values counts. `reason` is copied. */
void series_give_up(struct series *s, size_t column, enum bench_state state, const char *reason);
int64_t series_at(const struct series *s, size_t row, size_t column);
/* Index of the column, or -1. */
int series_find(const struct series *s, const char *name);
/* Whether it is a counter that falls somewhere in the rows [first, last]: it was set back, or counts
 * something else since. */
bool series_goes_back(const struct series *s, const char *name, size_t first, size_t last);
/* Last minus first over rows [first, last]; BENCH_ABSENT without the column, its state when not OK,
 * BENCH_FAILED when an end is missing or is no row, when they are too far apart, or when a counter
 * goes back. The value is NaN unless the state is OK. */
struct bench_value series_delta(const struct series *s, const char *name, size_t first,
                                size_t last);
/* Maximum over the rows [first, last], leaving out missing values; states as series_delta's,
 * BENCH_FAILED when all are missing. */
struct bench_value series_maximum(const struct series *s, const char *name, size_t first,
                                  size_t last);
/* The difference per second from each row of [first, last) to the next, as last − first numbers;
 * the state as series_delta's, of the first that has no number or of the last. */
enum bench_state series_rates(const struct series *s, const char *name, size_t first, size_t last,
                              double *ret);
void series_release(struct series *s);

#endif
