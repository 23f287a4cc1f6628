/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promise that nothing outlives the bench: no process, control group, network namespace or
 * port, however it ends (kill -9 included).
 *
 * Three parts keep it. Every role runs under a small init (role.h) that dies with the bench and
 * takes everything below it along. A guardian, in a session of its own, reads a pipe whose other
 * end only the bench holds; at end of file it kills what is left in our groups and removes them.
 * And at start, groups of benches that no longer exist are swept. An init that is killed without a
 * PID namespace leaves its descendants to the bench, a subreaper, which kills them.
 *
 * One containment per bench process; it must be started from the thread that later spawns roles
 * (parent-death signals follow the thread).
 */
#ifndef PROCESS_CONTAINMENT_H
#define PROCESS_CONTAINMENT_H

#include <sys/types.h>

#include "process/cgroup.h"

struct containment {
    char id[64]; /* "bench-PIDNS-PID-STARTTIME": top of our groups, unique on this host */
    struct cgroup_host host; /* what the host's control groups can do */
    bool pid_namespaces;     /* roles get their own (needs CAP_SYS_ADMIN) */
    bool network_namespaces; /* isolated networks are possible */
    pid_t guardian;
    int guardian_pipe;
    struct cgroup_claim claim;
    uint32_t next_group; /* number of the next repetition's groups */
    struct own_children *own;
};

/* Detects, sweeps stale groups and forks the guardian. Cannot be half done: -1 means nothing runs.
 */
int containment_start(struct containment *c, struct bench_error *err);
/* After all roles have been stopped: removes our groups, ends the guardian, reaps it. -1 when
 * something was left, with what it is; it has then been killed and removed as far as possible. */
int containment_stop(struct containment *c, struct bench_error *err);

/* A child that this process forked, until it has reaped it: an init. */
void containment_add_child(const struct containment *c, pid_t pid);
void containment_drop_child(const struct containment *c, pid_t pid);
/* Kills every child of this process that it did not fork: what an init that was killed left behind.
 * -1 when that survives. */
int containment_kill_adopted(const struct containment *c);

/* Has the guardian remove this directory tree should the bench die. */
void containment_remember(const struct containment *c, const char *path);
/* It has been removed, or is to stay. */
void containment_forget(const struct containment *c, const char *path);

#endif
