/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of one role, watched cheaply: how long they waited for a CPU, how often they lost it,
 * and how evenly those that accept connections share the work.
 *
 * Workers are threads that accept connections, see loops.h, told by what they wait for and not by
 * their names: beside them a process has threads for other work, often under the same name. Which
 * they are is known at the end only, so their CPU time is kept for every look until then.
 *
 * The list is made anew when that of the processes is; a look then reads two small files per
 * thread, about 4 µs. Of a role with more than TASKS_MOST threads nothing is known, because a
 * look would cost too much. What a thread had before it ended stays in the sums.
 *
 * Zeroed is empty and valid: tasks_look… → tasks_choose_workers → tasks_workers… → tasks_release.
 */
#ifndef CAPTURE_TASKS_H
#define CAPTURE_TASKS_H

#include <sys/types.h>

#include "capture/loops.h"
#include "capture/processes.h"

enum { TASKS_MOST = 64 };

struct task {
    pid_t pid, tid;
    int schedstat,
        status; /* files that stay open: of a reused number they tell nothing; -1: gone */
    int64_t cpu_ns, runqueue_ns, involuntary; /* at the last look */
    int loop;                                 /* as loops_find() tells, once it is known */
    bool worker;
    size_t first_look;
    int64_t *cpu_at; /* at each look from the first to the last at which it lived */
    size_t looks, capacity;
};

struct tasks {
    struct task *items; /* those that live, and workers that are gone */
    size_t count, capacity;
    struct loops loops;
    size_t looks;
    int64_t listed_ns; /* as processes.h: of the list that it was made from */
    int64_t ended_runqueue_ns, ended_involuntary; /* of threads that are gone */
    bool too_many;                                /* at some time: from then on nothing is known */
};

struct tasks_sums {
    int64_t runqueue_ns; /* ready to run, waiting for a CPU */
    int64_t involuntary; /* switches to another thread that nobody asked for */
};

/* Of these processes, which are the role's. False, and *ret untouched, when nothing is known; that
 * is no look. */
bool tasks_look(struct tasks *t, const struct processes *p, struct network *network,
                struct tasks_sums *ret);
/* The workers of all looks, while the role still lives; how many. */
size_t tasks_choose_workers(struct tasks *t, struct network *network);

struct workers {
    int64_t alive;
    int64_t cpu_ns;     /* of all together, cumulative */
    int64_t busiest_ns; /* of the one that has used most since the first look */
};

/* At look number `look`, from 0. */
void tasks_workers(const struct tasks *t, size_t look, struct workers *ret);
void tasks_release(struct tasks *t);

/* Whether this kernel tells what is read. */
bool tasks_supported(void);

#endif
