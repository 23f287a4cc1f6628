/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was the bottleneck of a repetition: from CPU used, quota and throttling of every role, and idle
 * CPU of the machine. The rules and thresholds are in limit.c's table and docs/measurement.md.
 */
#ifndef REPORT_LIMIT_H
#define REPORT_LIMIT_H

#include "report/metrics.h"

struct limit {
    char role[32];  /* "relay_1", "client", "server", "cpu" (the machine), "nothing", "unknown" */
    char why[160];
    bool relay;     /* a relay hop was the limit */
};

/* `cpus`: CPUs online, from the environment; 0 when unknown. */
void limit_find(const struct repetition_record *r, const struct metric_set *m, double cpus,
                struct limit *ret);

#endif
