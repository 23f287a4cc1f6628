/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner executes the steps of a plan and hands one record per repetition to the store. It
 * prints nothing. Any number of repetitions can be alive at once (repetition.h); the runner decides
 * how many.
 */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include "run/session.h"

enum runner_outcome { RUNNER_COMPLETE, RUNNER_INTERRUPTED };

/* Describes every arm of every point and asks its programs for their versions: a missing program, a
 * CPU that is not there, a capture that this machine cannot do or a configuration that cannot be is
 * found before there is a run, not after an hour. Comes before runner_run(). */
int runner_check(struct session *session, const struct plan *plan, struct bench_error *err);

/* Runs every step. A failed repetition is a record, not an error: *ret_failed counts them. -1 when
 * going on makes no sense (store not writable, limit impossible). */
int runner_run(struct session *session, const struct plan *plan, enum runner_outcome *ret_outcome,
               uint32_t *ret_failed, struct bench_error *err);

#endif
