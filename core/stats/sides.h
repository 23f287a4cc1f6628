/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a candidate behaves like the good or like the bad one of two that are known to differ,
 * block by block, stopping as soon as that is known: what a bisection asks at every commit.
 *
 * Each block has all three in random order. Were the candidate the same as the good one, their
 * difference x in a block would be as likely as −x, whatever happened before. So a bet on its sign
 * is fair: who starts with 1 and multiplies it by 1 ± g, g < 1 chosen before the sign is seen, has
 * at some time more than 1/error with a chance of at most `error` (Ville 1939; Shafer 2021), for
 * any number of looks. When the bets against "like good" have won that much, it is not like good;
 * and the same for bad. Nothing is assumed of the distribution; effect and spread only make the
 * bets good ones: g = tanh(effect |x| / spread²), best for normal differences, at most 0.9.
 *
 * Life: stats_sides_begin() → stats_sides_tell() per block until it says a side, or the caller has
 * had enough. Pure functions. Candidates between the two go to the nearer side. So do those that
 * are shown to be like neither at once: where good and bad lie far apart, every bet is the largest.
 */
#ifndef STATS_SIDES_H
#define STATS_SIDES_H

#include <stddef.h>

enum stats_side { STATS_UNDECIDED, STATS_LIKE_GOOD, STATS_LIKE_BAD };

struct stats_sides {
    double effect, spread, limit;
    double against_good, against_bad; /* ln of what the bets have made */
    size_t n;                         /* blocks told */
};

/*
 * `effect`: ln bad − ln good, not 0; `spread`: standard deviation of such a difference within a
 * block (stats_spread() of their comparison), both as measured; `error`: of a wrong answer, in (0,
 * 1). For a whole bisection, its error divided by the number of commits that will be asked about.
 * What is out of range is never decided.
 */
void stats_sides_begin(struct stats_sides *s, double effect, double spread, double error);
/* The fewest blocks that any answer takes; 0 for an `error` that is out of range. */
size_t stats_sides_least(double error);

/* ln candidate − ln good, and − ln bad, of one block; ±∞ for failures, NaN for no observation. */
enum stats_side stats_sides_tell(struct stats_sides *s, double to_good, double to_bad);

#endif
