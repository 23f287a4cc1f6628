/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A perf.data file of context switches → where threads were when they stopped running, and for how
 * long. Recorded as
 *
 *   perf record --event=context-switches --count=1 --call-graph=fp --switch-events …
 *
 * which, unlike the tracepoint sched:sched_switch, needs no tracefs. A thread goes off the CPU with
 * a sample, which has its stack, and a record SWITCH, which says whether it could have run on; it
 * comes back with another. The time between counts as blocked when it had to wait for something,
 * which includes the wait for a CPU after that, and as preempted when it could have run on. What
 * began before the recording has no sample and is not there: a thread that sleeps all the while is
 * not seen.
 */
#ifndef PROFILE_OFFCPU_H
#define PROFILE_OFFCPU_H

#include "base/text.h"
#include "profile/stacks.h"

/* A time away, by the recording's clock. */
typedef void (*offcpu_visit_fn)(void *context, bool preempted, uint64_t from_ns, uint64_t to_ns);

struct offcpu_options {
    uint64_t end_ns; /* of the window, by the recording's clock: who is away then is counted up to
                      * it. 0: the time of the last record */
    bool no_comm;    /* leave out the name of the thread */
    offcpu_visit_fn visit; /* told each; may be NULL */
    void *context;
};

#define OFFCPU_BLOCKED "[blocked]"
#define OFFCPU_PREEMPTED "[preempted]"

struct offcpu_summary {
    uint64_t switches;          /* that were counted */
    uint64_t ended;             /* of these, those that the window's end cut off */
    uint64_t unmatched;         /* that are not counted: the return was lost */
    double blocked, preempted;  /* microseconds */
    uint64_t lost, late;        /* as struct fold_summary has them */
    uint64_t with_user, broken; /* stacks, as struct fold_summary has them */
    char *broken_file;
    struct strings problems;
};

/* Adds microseconds. The outermost frame of each stack is one of the two above, then comes the name
 * of the thread. Caller releases `ret`, also after an error. */
int perf_fold_offcpu(int dirfd, const char *path, const struct offcpu_options *options,
                     struct stacks *stacks, struct offcpu_summary *ret, struct bench_error *err);
void offcpu_summary_release(struct offcpu_summary *s);

#define cleanup_offcpu_summary __attribute__((cleanup(offcpu_summary_release)))

#endif
