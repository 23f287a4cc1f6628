/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "bisect.json": the question of a bisection and all that is known, which is what it goes on with.
 * bisect.h describes it. The object is the caller's, each of these fills a part of it.
 */
#ifndef STUDY_BISECT_STATE_H
#define STUDY_BISECT_STATE_H

#include <jansson.h>

#include "study/bisect.h"
#include "study/judges.h"

/* New references. */
json_t *bisect_state_new(const struct bisect_question *q, const char *repository);
int bisect_state_read(const char *directory, json_t **ret, struct bench_error *err);
/* Whole, or not at all. */
int bisect_state_write(const json_t *state, const char *directory, struct bench_error *err);

/* "" where there is none. */
const char *bisect_state_text(const json_t *object, const char *key);
/* NaN where there is none. */
double bisect_state_number(const json_t *object, const char *key);

/* Good against bad, of the trial in the directory `run`. */
void bisect_state_put_ends(json_t *state, const struct judge_ends *ends,
                           const struct trial_seen *seen, const char *run);
/* About `commit`, {commit, subject}, whose reference it takes. `seen` NULL: nothing was measured.
 */
void bisect_state_put_answer(json_t *state, json_t *commit, enum walk_answer answer,
                             const char *why, const char *run, const struct trial_seen *seen);
/* What was answered; false: it was not asked about. */
bool bisect_state_answer(const json_t *state, const char *commit, enum walk_answer *ret);
/* In words. */
const char *bisect_state_answer_text(enum walk_answer answer);

#endif
