/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a run a comparison: enough blocks, arms in turn where that is possible, and a rule
 * that is stored before the first repetition, so that nobody can choose afterwards what should
 * decide.
 */
#ifndef STUDY_COMPARISON_H
#define STUDY_COMPARISON_H

#include <jansson.h>

#include "scenario/scenario.h"

/* Of all comparisons of a run together: the chance that any arm is called different that is not. */
#define COMPARISON_ALPHA 0.05

/* Blocks unless `repeat` says otherwise: for one comparison, and for several. */
#define COMPARISON_BLOCKS 12
#define COMPARISON_BLOCKS_SEVERAL 16

/* After scenario_check(): fills what was not set. -1 (USAGE) when there is nothing to compare, or a
 * metric that does not exist. */
int comparison_prepare(struct scenario *s, struct bench_error *err);
/* Blocks and interleaving for so many comparisons, unless they were set. */
void comparison_defaults(struct scenario *s, size_t comparisons);
/* For a run that compares nothing: -1 (USAGE) when a flag asks for what only a comparison does. In
 * a file it may stand, which other commands read too. */
int comparison_refuse(const struct scenario *s, struct bench_error *err);
/* Whether `metric` names metrics that a run could have; a beginning that fits one only will do. */
int comparison_check_metrics(const struct scenario *s, struct bench_error *err);
/* The rule, for run.json ("comparison"): metrics by their full names, margin, alpha. New reference.
 */
json_t *comparison_rule(const struct scenario *s);

#endif
