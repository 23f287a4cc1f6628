/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `warmup: auto`: how long the arms take until they are steady. Every arm is measured from cold a
 * few times, in windows twice as long as those that will count; MSER-5 (stats/mser.h) says where
 * each of these has settled, and all arms get half as long again as the slowest needs. Fixed before
 * anything counts, and noted in the store ("warmup").
 *
 * Its repetitions are stored with the run, for PURPOSE_PILOT, and count for nothing else.
 */
#ifndef STUDY_WARMUP_H
#define STUDY_WARMUP_H

#include "run/runner.h"

/* Of every arm at every point. */
#define WARMUP_PILOTS 3

struct warmup {
    int64_t ns;
    bool steady;    /* false: an arm had not settled when most of its pilots ended */
    uint32_t steps; /* repetitions that this took */
};

/* The pilots, for a scenario whose warm-up is WARMUP_AUTO: what store_create() is given. */
int warmup_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                struct bench_error *err);
/* Runs them and notes the outcome in the store. After an interrupt (*ret_outcome) there is none. -1
 * as well when one fails, or when the samples do not show what an arm does. */
int warmup_find(struct session *session, const struct plan *pilots, struct warmup *ret,
                enum runner_outcome *ret_outcome, struct bench_error *err);

#endif
