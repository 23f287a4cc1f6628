/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was done to the roles of a repetition from outside while they were measured: kept raw, with
 * the time on CLOCK_MONOTONIC. The capture in disturbed.c fills the list, the record stores it.
 */
#ifndef CAPTURE_DISTURBANCES_H
#define CAPTURE_DISTURBANCES_H

#include <bench/types.h>

enum disturbance_kind {
    DISTURBANCE_STOPPED,  /* a process did not run: SIGSTOP, or a frozen control group */
    DISTURBANCE_REPLACED, /* a process gave way to another one */
    DISTURBANCE_LIMIT,    /* the CPU limit changed */
    DISTURBANCE_CPUS,     /* a thread may run on other CPUs than before */
    DISTURBANCE_PRIORITY, /* a thread has another nice value or scheduling policy than before */
    DISTURBANCE_ENDED,    /* a process that had done much of the work ended */
    DISTURBANCE_KINDS
};

struct disturbance {
    char *role;
    enum disturbance_kind kind;
    char *what;               /* "process 12 'nginx' was stopped" */
    int64_t begin_ns, end_ns; /* first and last time at which it was seen; equal for a change */
};

struct disturbances {
    struct disturbance *items;
    size_t count, capacity;
};

/* Takes `what`, copies `role`. Returns the index of the new one. */
size_t disturbances_add(struct disturbances *d, const char *role, enum disturbance_kind kind,
                        char *what, int64_t begin_ns, int64_t end_ns);
void disturbances_remove(struct disturbances *d, size_t i);
void disturbances_release(struct disturbances *d);

/* The name in the store, and back; -1 for an unknown one. */
const char *disturbance_name(enum disturbance_kind kind);
int disturbance_find(const char *name, enum disturbance_kind *ret);
/* Whether numbers of a window in which that happened cannot be used at all. */
bool disturbance_spoils(enum disturbance_kind kind);
/* Whether it was surely done from outside, and so is no outcome of what was measured. A process
 * that ended may have crashed. */
bool disturbance_is_outside(enum disturbance_kind kind);

#endif
