/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics by their full name, each made once: what values and documents point to. The pool owns
 * them. Zeroed is empty: metric_pool_get… → metric_pool_release.
 */
#ifndef REPORT_METRIC_POOL_H
#define REPORT_METRIC_POOL_H

#include <bench/reporter.h>

struct metric_row; /* metric_table.h */

struct metric_pool {
    struct bench_metric **items; /* sorted by name */
    size_t count, capacity;
};

/* The metric of a row for a role and an event, as far as the row has them, else NULL; `name` is what
 * the row's name becomes with them. */
const struct bench_metric *metric_pool_get(struct metric_pool *pool, const struct metric_row *row,
                                           const char *name, const char *role, const char *event);
void metric_pool_release(struct metric_pool *pool);

/* Clocks count nanoseconds and their metrics are in seconds; other events count themselves. */
bool metric_is_clock(const char *event);

#endif
