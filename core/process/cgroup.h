/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups, one per role: the CPU limit, CPU time and throttling, and the means to find and
 * kill everything that a role started. libcgroup works on the `cpu` controller, wherever the host
 * mounts it: version 1 (cpu.cfs_quota_us), version 2 (cpu.max) or hybrid. A version 2 tree without
 * controllers (hybrid) still serves to count CPU time and to kill, through plain mkdir: libcgroup
 * must not touch it.
 *
 * "Disabled" is a full implementation: every call works and reports BENCH_NOT_SUPPORTED values, so
 * callers have no special case. It is used without privilege; a limit that was asked for is then an
 * error from cgroup_new().
 */
#ifndef PROCESS_CGROUP_H
#define PROCESS_CGROUP_H

#include <sys/types.h>

#include <bench/types.h>

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

struct cgroup_host {
    enum cgroup_version cpu;        /* where limits are set */
    char cpu_mount[128];            /* "/sys/fs/cgroup/cpu" */
    enum cgroup_version accounting; /* where CPU time is read: V2 when there is a v2 tree */
    char accounting_mount[128];
    char v2_mount[128]; /* "" without a v2 tree */
    /* The group below which ours are, in each hierarchy: the one that this process was started in,
     * so that what holds for it holds for every role. "" is the top. */
    char cpu_parent[256], accounting_parent[256], parent[256];
    char around[256]; /* the group of the cpu hierarchy that every role is in, or below */
    bool can_limit, can_group;
    bool must_move;    /* limits need this process to leave `parent` first: cgroup_host_enter() */
    char leaf[256];    /* the group that cgroup_host_enter() made for it, below `parent`, or "" */
    char why_not[256]; /* reason when one of them is false */
    char remedy[256];  /* what the user can do about it */
};

/* "bench-PIDNS-PID-STARTTIME" of the calling process: the top of its groups, unique on this host,
 * and what cgroup_sweep_stale() recognises. Writes at most `size` bytes and returns `out`. */
const char *cgroup_owner_id(char *out, size_t size);

/* Makes the top group of `id` in every hierarchy and locks it: as long as one of the descriptors is
 * open, here or in a child, cgroup_sweep_stale() leaves it alone. A lock depends on no clock and no
 * PID namespace. Where there can be no groups or no locks, the claim is empty. */
struct cgroup_claim {
    int fds[3];
};
void cgroup_claim(const struct cgroup_host *h, const char *id, struct cgroup_claim *ret);
void cgroup_claim_release(struct cgroup_claim *c);

/* Never fails: what is missing is written down. Initialises libcgroup. */
void cgroup_host_detect(struct cgroup_host *h);
/* A version 2 group of an ordinary user cannot hold processes and limits side by side: where that
 * is so, moves this process into the leaf "ID.self". Call it once, before anything is forked. Does
 * nothing where nothing is needed. */
int cgroup_host_enter(struct cgroup_host *h, const char *id, struct bench_error *err);
/* Undoes it: moves this process back and removes the leaf once its last process has left. After
 * cgroup_destroy_tree(); by the bench at its end, by the guardian when the bench is gone. */
void cgroup_host_leave(const struct cgroup_host *h);
/* "v1", "v2", "hybrid (limits v1, accounting v2)" or "none" for people. */
const char *cgroup_host_describe(const struct cgroup_host *h, char *out, size_t size);

struct cgroup;

struct cgroup_usage {
    struct bench_value cpu_ns; /* cumulative */
    struct bench_value user_ns, system_ns;
    /* Cumulative; 0 without a limit. Time is summed over CPUs: it may exceed the wall time. */
    struct bench_value throttled_ns;
    struct bench_value periods, throttled_periods;
};

/* What holds a group's processes back now. */
struct cgroup_hold {
    double cpus; /* the limit; 0: none, or none that is known */
    int64_t period_us;
    bool frozen; /* with the group or with one above it; version 2 tells */
};

/* Makes the group "ID/NAME" in every hierarchy that is needed. `cpu_limit` in CPUs, 0: none;
 * `period_ns` 1 ms to 1 s. ENVIRONMENT error with a hint when a limit cannot be set. The limit is
 * read back and compared. */
int cgroup_new(struct cgroup **ret, const struct cgroup_host *h, const char *id, const char *name,
               double cpu_limit, int64_t period_ns, struct bench_error *err);
/* For clone3(CLONE_INTO_CGROUP), so that the child is born in its version 2 group: 0.4 ms, where
 * moving there costs 7.5 ms (an RCU grace period). -1 where that is impossible. Stays with `g`. */
int cgroup_birth_fd(const struct cgroup *g);
/* Moves the calling process (one thread, before exec) into the group; what it was born into is left
 * alone. Async-signal-unsafe. */
int cgroup_attach_self(struct cgroup *g, struct bench_error *err);
/* One snapshot from descriptors that stay open. About 10 µs. */
void cgroup_read(struct cgroup *g, struct cgroup_usage *ret);
/* Its CPU time alone, for one read; NaN when it is not counted. */
double cgroup_cpu_ns(const struct cgroup *g);
/* From descriptors that stay open, too. About 3 µs. */
void cgroup_hold(struct cgroup *g, struct cgroup_hold *ret);
/* From cpu.max, or from the two files of version 1; leaves *ret alone when there is no limit. */
void cgroup_read_limit(const char *quota, const char *period, struct cgroup_hold *ret);
/* Host pids in the group. Caller frees *ret_pids. Returns the count, 0 when unknown. */
size_t cgroup_pids(struct cgroup *g, pid_t **ret_pids);
/* SIGKILL to every process in it: cgroup.kill where the kernel has it, else until none is left. */
void cgroup_kill(struct cgroup *g);
/* Waits up to a second for it to empty, removes the directories and checks that they are gone. */
int cgroup_remove(struct cgroup *g, struct bench_error *err);
/* Closes and frees; removes nothing. NULL is fine. (libcgroup owns the name cgroup_free, and the
 * program's symbol would take the place of the library's inside the library itself.) */
void cgroup_close(struct cgroup *g);

/* Kills and removes the group tree "ID" in every hierarchy: the guardian's and the sweep's tool.
 * Uses no libcgroup and no locks. Returns 0 when nothing is left. */
int cgroup_destroy_tree(const struct cgroup_host *h, const char *id);
/* Kills and removes every "bench-…" group tree, wherever in the hierarchies, that no living bench
 * has claimed. One of this PID namespace whose process lives (same pid and start time) is left
 * alone in any case. Returns how many ids. */
size_t cgroup_sweep_stale(const struct cgroup_host *h);

#endif
