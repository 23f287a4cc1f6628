/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rate: auto`: finds the highest rate at which every arm keeps up, so that all can then be
 * measured at the same rates below it. First every arm in a closed loop: the slowest one's
 * operations per second are the first guess. Then one repetition of every arm per rate that
 * stats/saturation.h wants to see; a rate at which an arm gave way is tried once more before it
 * counts, so that one disturbed second does not decide.
 *
 * Its repetitions are stored with the run, for PURPOSE_SEARCH, and count for nothing else.
 */
#ifndef STUDY_SATURATION_H
#define STUDY_SATURATION_H

#include "run/runner.h"

/* Rates that are then measured. */
#define SATURATION_RATES 6

struct saturation {
    double capacity; /* of the slowest arm in a closed loop, requests per second */
    double rate;     /* the highest at which every arm kept up */
    double gave_way; /* the lowest at which one did not; infinite: none was found */
    char *arm, *why; /* which, and how that showed; NULL: none was found */
    uint32_t steps;  /* repetitions of the run so far */
};

/* The search's first plan, for a scenario whose rate is RATE_AUTO: what store_create() is given. */
int saturation_first_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                          struct bench_error *err);
/* The same at a rate, to be checked: what a workload does without one, it may refuse with one. */
int saturation_rated_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                          struct bench_error *err);
/* runner_check() of that, so that a workload that knows none is found before anything starts. */
int saturation_check(struct session *session, const struct scenario *s, const struct registry *r,
                     struct bench_error *err);
/* Runs `first` and what follows from it, and notes the outcome in the store. After an interrupt
 * (*ret_outcome) there is none. -1 as well when an arm fails in the closed loop, or when there is
 * no rate at which every arm keeps up. */
int saturation_find(struct session *session, const struct plan *first, const struct registry *r,
                    struct saturation *ret, enum runner_outcome *ret_outcome,
                    struct bench_error *err);
/* The scenario that measures every arm at 20, 40, 60, 80, 90 and 95% of what was found. */
void saturation_scenario(struct scenario *ret, const struct scenario *s,
                         const struct saturation *found);
void saturation_release(struct saturation *s);

#endif
