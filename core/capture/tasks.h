/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of one role, watched cheaply: how long they waited for a CPU, how often they lost it,
 * and how evenly those that do the same work share it.
 *
 * Workers are the threads of a role that are alike: processes with one parent within the role, or
 * threads of one process without its first, that have one name but for digits at its end. Of
 * several such groups the one is meant whose busiest member has used most CPU.
 *
 * The list is made anew when that of the processes is; a sample then reads two small files per
 * thread, about 4 µs. Of a role with more than TASKS_MOST threads nothing is known, because a
 * sample would cost too much. What a thread had before it ended stays in the sums.
 *
 * Zeroed is empty and valid: tasks_sample… → tasks_release.
 */
#ifndef CAPTURE_TASKS_H
#define CAPTURE_TASKS_H

#include <sys/types.h>

#include "capture/processes.h"

enum { TASKS_MOST = 64 };

struct task {
    pid_t pid, tid;
    int schedstat, status; /* files that stay open: of a reused number they tell nothing */
    size_t group;
    int64_t cpu_ns, runqueue_ns, involuntary; /* at the last look */
};

/* Threads that are alike. */
struct task_group {
    char *key;            /* the parent or the process, and the name */
    int64_t ended_cpu_ns; /* of members that are gone */
};

struct tasks {
    struct task *items;
    size_t count, capacity;
    struct task_group *groups;
    size_t n_groups, groups_capacity;
    int64_t listed_ns; /* as processes.h: of the list that it was made from */
    int64_t ended_runqueue_ns, ended_involuntary; /* of threads that are gone */
    bool too_many;                                /* at some time: from then on nothing is known */
};

struct tasks_sums {
    int64_t runqueue_ns; /* ready to run, waiting for a CPU */
    int64_t involuntary; /* switches to another thread that nobody asked for */
    int64_t workers;     /* gauge: alive */
    int64_t workers_ns;  /* their CPU time together */
    int64_t busiest_ns;  /* of the one that has most */
};

/* Of these processes, which are the role's. False, and *ret untouched, when nothing is known. */
bool tasks_sample(struct tasks *t, const struct processes *p, struct tasks_sums *ret);
void tasks_release(struct tasks *t);

/* Whether this kernel tells what is read. */
bool tasks_supported(void);

#endif
