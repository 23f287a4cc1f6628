/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sides of stacks, each one set per repetition, normalised (per byte, per operation) and laid
 * over each other: what every frame weighed before and after, and whether the change is more than
 * noise.
 *
 * The judgement, by the total of a frame over the repetitions; see stats/difference.h:
 *  - at least COMPARISON_REPEATS on both sides: permutation of the repetitions, on square roots,
 * whose sampling noise is the same for all frames;
 *  - fewer, and weights that count samples: the counts of each side as binomial. That knows
 * sampling noise only, no differences from one repetition to the next;
 *  - fewer, and other weights: none.
 * Tested is what has, both sides together, at least half of the share that is drawn: a choice that
 * does not look at the difference, and so does not disturb the test.
 */
#ifndef PROFILE_COMPARISON_H
#define PROFILE_COMPARISON_H

#include "profile/stacks.h"

enum { COMPARISON_REPEATS = 4 };
#define COMPARISON_LEVEL 0.05 /* chance that any frame is wrongly taken for different */

/* One repetition. */
struct profile {
    struct stacks *stacks;
    double divisor; /* bytes or operations behind it; 1: not normalised; > 0 */
    double samples; /* that its weights come from; 0: weights count no samples */
};

enum comparison_rule { COMPARISON_NONE, COMPARISON_COUNTS, COMPARISON_REPEATED };

struct comparison {
    struct stacks *tree; /* every stack of either side, sorted */
    size_t n_before, n_after;
    enum comparison_rule rule;
    /* By node of `tree`, with all below it; means over the repetitions. */
    double *before, *after;
    double *self_before, *self_after; /* without what is below */
    double *p;                        /* adjusted for the number of frames; NaN: not tested */
};

/* Both sides with at least one repetition; they stay the caller's. `share` as struct flamegraph has
 * it. */
void comparison_make(struct comparison *ret, const struct profile *before, size_t n_before,
                     const struct profile *after, size_t n_after, double share);
void comparison_release(struct comparison *c);

#endif
