/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A perf.data file of context switches → where threads were when they stopped running, and for how
 * long. Recorded as
 *
 *   perf record --event=sched:sched_switch --call-graph=fp --switch-events …
 *
 * A thread goes off the CPU with a sample, which has its stack and the state that it left in, and
 * comes back with a record SWITCH; the time between counts as blocked when it had to wait for
 * something, which includes the wait for a CPU after that, and as preempted when it could have run
 * on. What began before the recording has no sample and is not there: a thread that sleeps all the
 * while is not seen.
 */
#ifndef PROFILE_OFFCPU_H
#define PROFILE_OFFCPU_H

#include "base/text.h"
#include "profile/stacks.h"

struct offcpu_options {
    uint64_t end_ns; /* of the window, by the recording's clock: who is still away then is counted
                      * up to it. 0: the time of the last record */
    bool no_comm;    /* leave out the name of the thread, which is the outermost frame */
};

struct offcpu_summary {
    uint64_t switches;         /* that were counted */
    uint64_t ended;            /* of these, those that the window's end cut off */
    uint64_t unmatched;        /* that are not counted: the return was lost */
    double blocked, preempted; /* microseconds */
    uint64_t lost, late;       /* as struct fold_summary has them */
    struct strings problems;
};

/* Adds microseconds to both. Caller releases `ret`, also after an error. */
int perf_fold_offcpu(const char *path, const struct offcpu_options *options, struct stacks *blocked,
                     struct stacks *preempted, struct offcpu_summary *ret, struct bench_error *err);
void offcpu_summary_release(struct offcpu_summary *s);

#define cleanup_offcpu_summary __attribute__((cleanup(offcpu_summary_release)))

#endif
