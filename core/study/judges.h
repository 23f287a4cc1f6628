/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the trials of a bisection have seen enough, and what they then say: the judges of trial.h.
 * Pure: the same blocks give the same answer.
 */
#ifndef STUDY_JUDGES_H
#define STUDY_JUDGES_H

#include "stats/verdict.h"
#include "study/trial.h"
#include "study/walk.h"

/* Of a trial; that of the two ends has no candidate. */
enum judged_arm { JUDGED_GOOD, JUDGED_BAD, JUDGED_CANDIDATE };

/* Whether bad differs from good by the margin. Group-sequential: the looks of stats/sequential.h,
 * whose levels are lowered for an error below 5%. */
struct judge_ends {
    double error, margin;
    size_t most;                        /* blocks */
    struct stats_comparison comparison; /* of the last look */
    struct stats_verdict verdict;       /* STATS_FAILED as well when nothing was observed */
};

/* Blocks before the first look. */
size_t judge_ends_least(void);
size_t judge_ends(void *context, const struct trial_seen *seen);

/* Whether the candidate is like good or like bad (stats/sides.h), asked after every block. */
struct judge_commit {
    double effect, spread, error; /* as for stats_sides_begin() */
    size_t most;                  /* blocks */
    enum walk_answer answer;      /* WALK_BROKEN: an arm failed twice */
};

size_t judge_commit(void *context, const struct trial_seen *seen);

#endif
