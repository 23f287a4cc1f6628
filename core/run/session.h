/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all repetitions of a run share: containment, store, identities, the wish to stop, and where
 * progress goes. Owned by the command; outlives the runner and its repetitions.
 */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "environment/identity.h"
#include "plan/plan.h"
#include "process/containment.h"
#include "run/versions.h"
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
    struct containment *containment;
    struct store_writer *store;
    struct identity_cache *identities;
    struct versions versions; /* filled by runner_check(), released by the owner */
    int interrupt_fd;         /* readable once the user wants to stop; never read here */
    progress_fn progress;
    void *progress_context;
};

#endif
