/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live processes of one role, watched cheaply: memory, and CPU time where no control group
 * counts it.
 *
 * The list comes from role_pids() and is kept, with /proc/PID/statm open for each, until it is a
 * second old, empty, or a process turns out to be gone; a sample then costs one read per process.
 * What a process used before it ended stays in the CPU time. One that lives less than a second
 * between two looks may be missed entirely.
 *
 * Life: processes_init → processes_sample… → processes_release.
 */
#ifndef CAPTURE_PROCESSES_H
#define CAPTURE_PROCESSES_H

#include <sys/types.h>
#include <time.h>

#include "process/role.h"

struct watched {
    pid_t pid;
    int statm;
    clockid_t clock;
    int64_t cpu_ns; /* at the last look */
};

struct processes {
    const struct role *role; /* not owned */
    struct watched *items;
    size_t count, capacity;
    int64_t listed_ns;    /* CLOCK_MONOTONIC of the last list; 0: never */
    int64_t ended_cpu_ns; /* of those that are gone */
};

void processes_init(struct processes *p, const struct role *role);
/*
 * `ret_rss_bytes`: RssAnon + RssFile + RssShmem over the processes, so a page shared by two of them
 * counts twice; SERIES_MISSING when none is alive. `ret_cpu_ns` (may be NULL, then no clock is
 * read): user and system time of all that were ever seen.
 */
void processes_sample(struct processes *p, int64_t *ret_rss_bytes, int64_t *ret_cpu_ns);
void processes_release(struct processes *p);

#endif
