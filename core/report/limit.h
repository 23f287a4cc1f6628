/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was the bottleneck of a repetition: from CPU used, quota and throttling of every role, and
 * idle CPU of the machine. The rules and thresholds are in limit.c's table and docs/measurement.md.
 */
#ifndef REPORT_LIMIT_H
#define REPORT_LIMIT_H

#include "report/metrics.h"

/* What a repetition's record does not say; 0 when unknown. */
struct limit_context {
    double cpus;    /* online in the machine */
    double allowed; /* those of them on which the bench may run: taskset, a container's cpuset */
    double jobs;    /* concurrent communications of the workload */
};

struct limit {
    char role[32]; /* "relay_1", "client", "server", "cpu" (the machine), "nothing", "unknown" */
    char why[160];
    bool relay; /* a relay hop was the limit */
};

/* The thresholds, for the documentation and its test. */
struct limit_threshold {
    const char *name, *meaning;
    double value;
};
/* Row i, or NULL behind the last. */
const struct limit_threshold *limit_threshold_row(size_t i);

void limit_find(const struct repetition_record *r, const struct metric_set *m,
                const struct limit_context *context, struct limit *ret);

#endif
