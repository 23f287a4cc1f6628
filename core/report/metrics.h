/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of metrics, and their computation from a record: the window's last sample minus its
 * first, never anything from before or after it.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include <bench/reporter.h>

#include "store/record.h"

/* Rows with "{role}" or "{hop}" in the name stand for one metric per role or hop; rows with "{event}"
 * for one per event and role. */
extern const struct bench_metric metric_table[];
extern const size_t metric_table_size;

struct metric_value {
    const struct bench_metric *metric; /* of the pool */
    struct bench_value value;
    const char *reason; /* owned by the record, or NULL */
};

/* Metrics by their full name, each made once; owns them. */
struct metric_pool {
    struct bench_metric **items;
    size_t count, capacity;
};
void metric_pool_release(struct metric_pool *pool);

struct metric_set {
    struct metric_value *items;
    size_t count, capacity;
};
/* All metrics of a repetition, in table order. A failed repetition gives an empty set. */
void metrics_compute(const struct repetition_record *r, struct metric_pool *pool,
                     struct metric_set *ret);
const struct metric_value *metric_set_find(const struct metric_set *s, const char *name);
void metric_set_release(struct metric_set *s);

#endif
