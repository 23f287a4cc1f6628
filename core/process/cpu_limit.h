/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CPU limit as the kernel has it: in each period the group may run for quota = limit * period of
 * CPU time, over all CPUs together; then it waits for the next period.
 */
#ifndef PROCESS_CPU_LIMIT_H
#define PROCESS_CPU_LIMIT_H

#include "process/cgroup.h"

/* USAGE error, with what is possible, for a limit or period that the kernel would refuse. A limit
 * of 0 is none, whatever the period. */
int cpu_limit_check(double cpus, int64_t period_ns, struct bench_error *err);
/* Sets the limit of a group that exists, given by its path below the mount of controller `cpu`,
 * reads it back and compares. */
int cpu_limit_set(enum cgroup_version version, const char *group, double cpus, int64_t period_ns,
                  struct bench_error *err);

#endif
