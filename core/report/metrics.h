/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of a record, as the table (metric_table.h) has them: the window's last sample minus
 * its first, never anything from before or after it.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include <bench/reporter.h>

#include "report/metric_names.h"
#include "report/metric_pool.h"
#include "report/window.h"
#include "store/record.h"

struct metric_value {
    const struct bench_metric *metric; /* of the pool */
    struct bench_value value;
    const char
        *reason;      /* why it is not a plain number, or NULL; owned by the record, or constant */
    const char *part; /* what part of the event was counted; NULL: all of it. Owned by the record */
    double missed;    /* share of the window in which its counters did not count, 0: none of it */
};

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
