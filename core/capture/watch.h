/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the processes of one role for what is done to them from outside while they are measured:
 * stopped, replaced by others, moved to other CPUs, given another priority, their group frozen or
 * its limit changed.
 *
 * A look costs one read of a small file per process (at most WATCH_MOST of them, in turn), two of
 * the group, and a few system calls for WATCH_THREADS of the threads, in turn. The list of
 * processes is made at the begin, at the end, once per second and when a process has ended.
 *
 * What a role does to itself is left alone. Processes of one parent with one name are a kind:
 *   - A kind of which processes come and go anyway (a process per connection or per job) is told by
 *     one that lived for less than WATCH_LASTING_NS, or that ended before the window.
 *   - Only processes that were there when the client started can be replaced; all of the client's
 *     own are its business.
 *
 * Life: watch_init → watch_look… (warm-up) → watch_begin → watch_look… → watch_end → watch_release.
 */
#ifndef CAPTURE_WATCH_H
#define CAPTURE_WATCH_H

#include <sched.h>
#include <sys/types.h>

#include "capture/disturbances.h"
#include "process/role.h"

enum { WATCH_MOST = 64, WATCH_THREADS = 16 };
#define WATCH_LASTING_NS (200 * INT64_C(1000000))

struct watch_thread {
    pid_t tid;
    cpu_set_t cpus;
    int nice, policy;
};

struct watch_process {
    pid_t pid, parent;
    int stat; /* /proc/PID/stat, which stays bound to the process */
    char name[16];
    unsigned long long start; /* in clock ticks, as /proc tells it here */
    unsigned long long ticks; /* CPU time at the last look, likewise */
    int64_t seen_ns;          /* first */
    size_t kind;
    bool there;     /* when the window began */
    size_t stopped; /* 1 + index of the disturbance that goes on; 0: none */
    struct watch_thread *threads;
    size_t n_threads;
};

struct watch_kind {
    pid_t parent;
    char name[16];
    bool passing;        /* its processes come and go anyway */
    bool growing;        /* it had not its number yet when the client started */
    size_t there;        /* when the window began */
    size_t ended, began; /* in the window */
    pid_t gone, come;    /* the first of each; 0: none */
    bool gone_old;       /* `gone` was there when the client started */
    unsigned long long gone_ticks;
    int64_t gone_ns, come_ns;
    char gone_name[16];
};

struct watch {
    struct role *role; /* not owned */
    const char *name;
    struct disturbances *out; /* not owned */
    struct watch_process *items;
    size_t count, capacity;
    struct watch_kind *kinds;
    size_t n_kinds, kinds_capacity;
    bool measuring;
    bool client;
    int64_t listed_ns, first_ns;
    unsigned long long client_start;
    size_t next_process, next_thread; /* whose turn it is */
    struct cgroup_hold hold;          /* at the last look */
    size_t frozen;                    /* as `stopped` */
};

void watch_init(struct watch *w, struct role *role, struct disturbances *out);
/* `client_start`: of the client's process, by watch_start_of(); 0 while unknown. */
void watch_begin(struct watch *w, unsigned long long client_start, int64_t now);
void watch_look(struct watch *w, int64_t now);
void watch_end(struct watch *w, int64_t now);
void watch_release(struct watch *w);

/* When the process started, in clock ticks; 0 without such a process. */
unsigned long long watch_start_of(pid_t pid);

#endif
