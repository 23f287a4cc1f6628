/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes below another one, as /proc shows them. A snapshot: whoever kills by it repeats
 * until nothing is left.
 */
#ifndef PROCESS_DESCENDANTS_H
#define PROCESS_DESCENDANTS_H

#include <stdint.h>
#include <sys/types.h>

/* Live descendants of `root` (zombies and `root` itself left out). Caller frees. Returns the count.
 */
size_t descendants_find(pid_t root, pid_t **ret_pids);
/* One round of SIGKILL to all of them. Returns how many were found. */
size_t descendants_kill(pid_t root);

/* Kills and reaps the children of this process, and all below them, that are not among the `n` of
 * `own`: what lost its parent and came to this process, a subreaper. Repeats until none is left or
 * the deadline (CLOCK_MONOTONIC) has passed; then -1. */
int descendants_kill_adopted(const pid_t *own, size_t n, int64_t deadline_ns);

/* The parent that only waits for this process (cli/supervisor.h); 0: there is none. */
void supervisor_is(pid_t pid);
pid_t supervisor_pid(void);

#endif
