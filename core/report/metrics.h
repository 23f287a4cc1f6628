/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of metrics, and their computation from a record: the window's last sample minus its
 * first, never anything from before or after it.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include <bench/reporter.h>

#include "store/record.h"

/* Row i of the table, or NULL behind the last. "{role}" and "{hop}" in a name stand for one metric
 * per role or relay hop, "{event}" for one per counted event. */
const struct bench_metric *metric_table_row(size_t i);

/* The full name that `name` stands for, of a run, a role, a hop or some event: itself, or the only
 * one that goes on behind it ("latency_p99"). NULL (USAGE) when a run could have none, or several.
 * Caller frees; `*ret_row` is the metric's row of the table. */
char *metric_resolve(const char *name, const struct bench_metric **ret_row,
                     struct bench_error *err);

/* The rows of the series that belong to the window, and the time between exactly these two. */
struct metric_window {
    size_t first, last;
    double seconds; /* 0: fewer than two samples in it */
};
struct metric_window metric_window(const struct repetition_record *r);

struct metric_value {
    const struct bench_metric *metric; /* of the pool */
    struct bench_value value;
    const char
        *reason;      /* why it is not a plain number, or NULL; owned by the record, or constant */
    const char *part; /* what part of the event was counted; NULL: all of it. Owned by the record */
    double missed;    /* share of the window in which its counters did not count, 0: none of it */
};

/* Metrics by their full name, each made once and sorted by it; owns them. */
struct metric_pool {
    struct bench_metric **items;
    size_t count, capacity;
};
void metric_pool_release(struct metric_pool *pool);

struct metric_set {
    struct metric_value *items;
    size_t count, capacity;
};
/* All metrics of a repetition, in table order; those that do not apply to it (a relay's CPU without
 * relay) are left out. A failed repetition gives an empty set. */
void metrics_compute(const struct repetition_record *r, struct metric_pool *pool,
                     struct metric_set *ret);
const struct metric_value *metric_set_find(const struct metric_set *s, const char *name);
void metric_set_release(struct metric_set *s);

#endif
