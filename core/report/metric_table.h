/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of metrics: what each is called and means, and what of a record it is computed
 * from. A new metric is a new row. metrics.h computes them, metric_names.h finds them by name.
 */
#ifndef REPORT_METRIC_TABLE_H
#define REPORT_METRIC_TABLE_H

#include <bench/reporter.h>

/* How often a row is computed. */
enum metric_scope { RUN, ROLE, HOP, HOPS, EVENT, STATISTIC };

/* What the difference (or maximum) of the columns is divided by. */
enum metric_per {
    TOTAL,
    MAXIMUM,   /* of a gauge, not a difference */
    VARIATION, /* coefficient of variation of the rate from sample to sample */
    SECOND,
    GIGABYTE,
    BYTE,
    OPERATION,
    COLUMNS, /* the sum of the columns in `divisor` */
    OTHERS, /* per second, less the column in `divisor` of each role and the bench; never below 0 */
    CYCLES, /* the role's event "cycles" */
    QUANTILE, /* of the latency distribution */
    MEAN,     /* of it */
    LARGEST,  /* of it */
};

struct metric_row {
    struct bench_metric metric; /* "{role}", "{hop}", "{event}" are replaced in its texts */
    enum metric_scope scope;
    enum metric_per per;
    double scale;        /* from the columns' unit to the metric's */
    const char *columns; /* summed; separated by spaces; "{role}", "{delivered}" are replaced */
    const char *divisor; /* of QUANTILE: the share of the operations */
};

/* Row i of the table, or NULL behind the last. "{role}" and "{hop}" in a name stand for one metric
 * per role or relay hop, "{event}" for one per counted event. */
const struct metric_row *metric_row(size_t i);

#endif
