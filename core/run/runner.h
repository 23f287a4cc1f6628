/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner executes the steps of a plan and hands one record per repetition to the store. It
 * prints nothing: progress goes to a callback. Any number of repetitions can be alive at once
 * (repetition.h); the runner decides how many.
 */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include "environment/identity.h"
#include "plan/plan.h"
#include "process/containment.h"
#include "store/store.h"

enum progress_phase {
    PROGRESS_START,
    PROGRESS_WARMUP,
    PROGRESS_WINDOW,
    PROGRESS_STOP,
    PROGRESS_DONE, /* the repetition is stored; `record` is set */
};

struct progress {
    enum progress_phase phase;
    const struct plan *plan;
    const struct step *step;
    int64_t remaining_ns;  /* of the whole plan, estimated */
    double bits_per_second; /* over the last ticks, NaN when unknown */
    const struct repetition_record *record;
};
typedef void (*progress_fn)(void *context, const struct progress *p);

struct runner {
    struct containment *containment;
    struct store_writer *store;
    struct identity_cache *identities;
    int interrupt_fd; /* readable once the user wants to stop; never read here */
    progress_fn progress;
    void *progress_context;
};

enum runner_outcome { RUNNER_COMPLETE, RUNNER_INTERRUPTED };

/* Runs every step. A failed repetition is a record, not an error: *ret_failed counts them. -1 when
 * going on makes no sense (store not writable, limit impossible). */
int runner_run(struct runner *r, const struct plan *plan, enum runner_outcome *ret_outcome,
               uint32_t *ret_failed, struct bench_error *err);

#endif
