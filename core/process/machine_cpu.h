/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPU time of all processes of the machine, by the clock that also charges the groups of roles:
 * what none of them used, somebody else did. /proc/stat is too coarse for that: it counts whom a tick
 * of 10 ms meets.
 *
 * Version 1: cpuacct.usage of the root. Version 2, whose root counts by ticks too: the sum of the groups
 * just below it, so that processes in the root itself (kernel threads) are left out. What a
 * container does not see is not counted.
 */
#ifndef PROCESS_MACHINE_CPU_H
#define PROCESS_MACHINE_CPU_H

#include <stddef.h>
#include <stdint.h>

struct machine_cpu {
    int *files;
    size_t n_files;
    int64_t unit_ns; /* of what they count: 1 or 1000 */
};

/* Opens what there is; 0 files where nothing counts. Groups that appear later are not seen. */
void machine_cpu_open(struct machine_cpu *m);
/* Cumulative; -1 when unknown. */
int64_t machine_cpu_read(const struct machine_cpu *m);
void machine_cpu_close(struct machine_cpu *m);

#endif
