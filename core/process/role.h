/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One role's processes. Between the bench and the component stands a small init:
 *
 *   bench ── init (own PID namespace where privileged, subreaper otherwise) ── component ── …
 *
 * Life: role_spawn → role_wait_held → (open counters on role_pid) → role_release → running →
 * role_stop → role_free. The init joins the control group and the network, then waits at the gate;
 * counters opened on it with `inherit` thus see the component from its first instruction on, and
 * everything that it forks. The init blocks while the component runs and prints nothing, and costs no
 * CPU. When the bench dies, the init kills everything below it and exits.
 *
 * The component starts with stdin from /dev/null unless the spec names another, the files "stdout"
 * and "stderr" of its directory (bounded, output.h), no other descriptor, as many descriptors as the
 * hard limit allows, default signals, and the bench's environment plus the description's. A `main` runs as "bench-NAME" with everything of the bench but its
 * descriptors.
 */
#ifndef PROCESS_ROLE_H
#define PROCESS_ROLE_H

#include <sys/types.h>

#include <bench/workload.h>

#include "plugin/host.h"
#include "process/cgroup.h"
#include "process/containment.h"
#include "process/network.h"

struct role_spec {
    const char *name;              /* "relay_1", "client", "server" */
    struct bench_process *process; /* resolved; stays with the caller, must outlive the role */
    const char *directory;         /* absolute, exists: cwd; files, stdout and stderr go there */
    struct cgroup *cgroup;         /* stays with the caller */
    struct network *network;       /* stays with the caller */
    const uint64_t *cpus;          /* affinity mask (UNITS_CPU_WORDS), NULL: inherited */
    const struct bench_role *role; /* for process->main; copied */
    const void *state;             /* for process->main */
    int input;      /* what becomes its standard input, stays with the caller; 0: /dev/null */
    bool whole_stdout; /* what it prints is a result: kept whatever its size */
    bool host_pids; /* it has to name other roles' processes: no PID namespace of its own */
};

struct role;

enum role_state { ROLE_STARTING, ROLE_HELD, ROLE_RUNNING, ROLE_EXITED };

/* Writes the files of the description, then forks the init. Does not wait. */
int role_spawn(struct role **ret, const struct containment *c, const struct role_spec *spec,
               struct bench_error *err);
/* Until the init stands at the gate inside its group. `deadline_ns` on CLOCK_MONOTONIC. */
int role_wait_held(struct role *r, int64_t deadline_ns, struct bench_error *err);
/* Lets it exec. A failed exec (or setup after the gate) comes back here with its errno. */
int role_release(struct role *r, struct bench_error *err);

/* The same without waiting; `err` may be NULL. 1: it is so, 0: not yet, -1: it never will be. */
int role_held(struct role *r, struct bench_error *err);
int role_let_go(struct role *r, struct bench_error *err);  /* 0 or -1 */
int role_started(struct role *r, struct bench_error *err); /* after role_let_go() */

const char *role_name(const struct role *r);
pid_t role_pid(const struct role *r); /* the init, in the bench's PID namespace */
/* Stops the component with all its threads, and lets it go on (SIGSTOP, SIGCONT); not what it
 * started. One that has ended is left to role_update(). */
void role_pause(struct role *r);
void role_resume(struct role *r);
pid_t role_component_pid(const struct role *r); /* the component, likewise; 0 when not running */
struct cgroup *role_cgroup(const struct role *r);
struct bench_page *role_page(const struct role *r); /* shared counters, NULL without a main */
/* Live processes of the role without its init, from the group or from /proc. Caller frees. */
size_t role_pids(const struct role *r, pid_t **ret_pids);

/* Readable when the state changed; call role_update() then. Not to be watched any more once the
 * role is ROLE_EXITED: it may then stay readable. */
int role_fd(const struct role *r);
enum role_state role_update(struct role *r);
enum role_state role_state(const struct role *r); /* as the last update found it */
int role_status(const struct role *r); /* wait status of the component, -1 before it exited */
/* An error for a component that ended although nobody asked: how it ended, its last stderr lines.
 */
int role_error(struct role *r, struct bench_error *err);

/* The end of what it has printed to stderr, or when that is nothing, to stdout; whole lines of at
 * most `limit` bytes, runs of the same line as one. Caller frees; NULL when there is nothing. */
char *role_last_lines(struct role *r, size_t limit);
/* After role_stop(): a sentence for each stream that was too much, or could not be kept. */
void role_describe_output(const struct role *r, struct strings *ret);

/* Asks with the description's signal, waits `grace_ns`, then kills all, reaps, and removes the
 * directories that the description asked for. Safe in every state. -1 only when something survived
 * SIGKILL. `ret_forced` (may be NULL): it had to be killed. */
int role_stop(struct role *r, int64_t grace_ns, bool *ret_forced, struct bench_error *err);
/* Ask several at once, then role_stop() each: their grace periods overlap. */
void role_ask_to_stop(struct role *r);
void role_free(struct role *r); /* stops first if need be; NULL is fine */

#endif
