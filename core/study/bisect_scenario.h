/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario of a bisection: one relay, which every commit is built into. What stands in it for
 * the directory of a build is replaced for each.
 */
#ifndef STUDY_BISECT_SCENARIO_H
#define STUDY_BISECT_SCENARIO_H

#include "scenario/scenario.h"

/* What stands for the directory of a build in an arm's path, environment and options. */
#define BISECT_BUILD "{build}"
/* Blocks per comparison, unless `repeat` says otherwise. */
#define BISECT_MOST_BLOCKS 40

/* After scenario_check(): leaves the arm `name` (NULL: there is but one), with `path` (NULL: its
 * own, or the build's directory), and checks the rest. */
int bisect_prepare(struct scenario *s, const char *name, const char *path, struct bench_error *err);

/* Calls the arm `name`, and points it to what was built in `tree`. */
void bisect_point_arm(struct arm *arm, const char *name, const char *tree);

#endif
