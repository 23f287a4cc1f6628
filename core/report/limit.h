/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was the bottleneck of a repetition: from CPU used, quota and throttling of every role, and
 * idle CPU of the machine. The rules are in docs/measurement.md, their thresholds in thresholds.c.
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
    char role[32]; /* "relay_1", "client", "server", "cpu" (the machine), "quota" (around bench),
                      "nothing", … */
    char why[160];
    bool relay; /* a relay hop was the limit */
};

/* CPUs that the role used; NaN when unknown. By task-clock where `stat` counted it, because that is
 * right about whose time it was; of a role with a CPU limit by the scheduler's account, on which
 * the limit acts. */
bool limit_by_task_clock(const struct repetition_record *r, const struct metric_set *m,
                         const char *role);
double limit_cpus(const struct repetition_record *r, const struct metric_set *m, const char *role);

void limit_find(const struct repetition_record *r, const struct metric_set *m,
                const struct limit_context *context, struct limit *ret);

#endif
