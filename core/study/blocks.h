/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of a comparison beyond those that were planned: as many again as had to be thrown away
 * (report/fitness.h), and as many as the precision that was asked for needs after its first stage
 * (stats/sequential.h). Both are decided by rules that were fixed before the run.
 */
#ifndef STUDY_BLOCKS_H
#define STUDY_BLOCKS_H

#include "run/runner.h"

/* Measures `more` blocks of a run that has *steps repetitions, for captures too, in `blocks`
 * blocks. *steps and *ret_failed are added to. */
int blocks_add(struct session *session, const struct scenario *s, const struct registry *r,
               size_t blocks, size_t more, uint32_t *steps, enum runner_outcome *ret_outcome,
               uint32_t *ret_failed, struct bench_error *err);

/* After `plan`, the measuring one of the run, was executed. Stops early when the
 * environment is unfit. *ret_failed is added to. */
int blocks_complete(struct session *session, const struct scenario *s, const struct registry *r,
                    const struct plan *plan, enum runner_outcome *ret_outcome, uint32_t *ret_failed,
                    struct bench_error *err);

#endif
