/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What metrics are called. A row of the table stands for several names, one per role, hop or event;
 * people write a name as far as it says which is meant.
 */
#ifndef REPORT_METRIC_NAMES_H
#define REPORT_METRIC_NAMES_H

#include <bench/reporter.h>

/* The full name that `name` stands for, of a run, a role, a hop or some event: itself, or the only
 * one that goes on behind it ("latency_p99"), or the one that tables head so ("throughput",
 * "latency p99", "CPU relay_1"). NULL (USAGE) when a run could have none, or several. Caller frees;
 * `*ret_row` is the metric's row of the table. */
char *metric_resolve(const char *name, const struct bench_metric **ret_row,
                     struct bench_error *err);

/* Replaces "{role}" and "{hop}" by `role`, "{event}" by `event`, "{delivered}" by `delivered`.
 * Caller frees. */
char *metric_expand(const char *pattern, const char *role, const char *event,
                    const char *delivered);
/* "syscalls:sys_enter_write" → "syscalls_sys_enter_write", fit for a metric's name. Caller frees.
 */
char *metric_event_name(const char *event);

#endif
