/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two arms over the same blocks: per block the difference of the logarithms, over blocks the
 * Hodges-Lehmann estimate with its exact interval. exp() of what comes out is a ratio. Pure
 * functions; docs/measurement.md, "Comparisons", has the reasons.
 *
 * stats_log_ratio() per block → stats_compare() → stats_verdict() (verdict.h).
 */
#ifndef STATS_COMPARE_H
#define STATS_COMPARE_H

#include <bench/reporter.h>

#include "stats/signed_rank.h"

/* What one arm did in one block. A failure is an outcome worse than any number. */
struct stats_outcome {
    double value;
    bool failed; /* then `value` says nothing */
};

/* ln of the value: −∞ of 0, which is less than any number whether that is good or bad. A failure is
 * −∞ or +∞, whichever the direction calls worse. NaN (no observation) for a value that is negative
 * or not finite, and for a failure in a metric without direction. */
double stats_log(struct stats_outcome y, enum bench_direction better);

/* ln y − ln base of one block; 0 where both are the same infinity: both failed. */
double stats_log_ratio(struct stats_outcome y, struct stats_outcome base,
                       enum bench_direction better);

struct stats_comparison {
    bool paired;
    size_t n;                       /* blocks; unpaired: repetitions of the side that has fewer */
    size_t least;                   /* that n for which there is an interval at all */
    double alpha;                   /* of this comparison: that of the family / m */
    struct stats_interval interval; /* at 1 − alpha: the one that decides */
    struct stats_interval equivalence; /* at 1 − 2 · that of the family: two one-sided tests */
    double p;                          /* two-sided, of no difference, not adjusted */
};

/* `d` from stats_log_ratio(), one per block; `m` comparisons share `alpha` (Bonferroni). NaN among
 * them, n = 0 or m = 0: no interval that decides. */
void stats_compare(const double *d, size_t n, double alpha, size_t m, struct stats_comparison *ret);

/* Two samples from stats_log() that do not share blocks; unpaired.h says what that means. */
void stats_compare_unpaired(const double *y, size_t n, const double *base, size_t n_base,
                            double alpha, size_t m, struct stats_comparison *ret);

/*
 * The true difference, in ln, that a run of this n and spread calls different with 80% power:
 * w (1 + z(.2) / z(alpha/2)), w half the deciding interval, z(q) the normal quantile with the tail
 * q. NaN without an interval, infinite when failures make it so.
 */
double stats_detectable(const struct stats_comparison *c);

/* Standard deviation of the differences as the interval shows it, w √n / z(alpha/2): a block that
 * was disturbed does not inflate it. NaN and infinite as above. */
double stats_spread(const struct stats_comparison *c);

#endif
