/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all repetitions of a run share: the host on which they run, store, clock, the wish to stop,
 * and where progress goes. Owned by the command; outlives the runner and its repetitions.
 */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "base/clock.h"
#include "plan/plan.h"
#include "site/site.h"
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
    int64_t remaining_ns;   /* of the whole plan, estimated */
    double bits_per_second; /* over the last ticks, NaN when unknown */
    const struct repetition_record *record;
};
typedef void (*progress_fn)(void *context, const struct progress *p);

struct session {
    struct host *host;
    struct store_writer *store;
    const struct clock *clock;
    int interrupt_fd; /* readable once the user wants to stop; never read here */
    progress_fn progress;
    void *progress_context;
};

#endif
