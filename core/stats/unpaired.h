/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two samples that were not measured in pairs, such as runs saved on different days: Mann-Whitney
 * test and Hodges-Lehmann shift of ln y − ln base. Without shared blocks nothing cancels: what the
 * machine did between the two runs is in the difference, and no test can tell. Pure functions; NaN
 * and ±∞ as in summary.h.
 */
#ifndef STATS_UNPAIRED_H
#define STATS_UNPAIRED_H

#include "stats/signed_rank.h"

/*
 * Estimate: median of all x_i − y_j; ∞ − ∞ counts as 0. Interval: [D_(k), D_(nm+1−k)] of the nm
 * sorted differences, k = #{u: P(U ≤ u) ≤ alpha/2} of the Mann-Whitney U without ties, which with
 * ties covers at least as often. Exact while n, m ≤ 50, as in R's wilcox.test; else the normal
 * approximation. Hollander, Wolfe, Chicken, 4.2 and 4.3.
 */
void stats_unpaired(const double *x, size_t n, const double *y, size_t m, double alpha,
                    struct stats_interval *ret);

/*
 * Two-sided p of "x and y come from one distribution": rank sum of x with mid-ranks. Exact over all
 * choices of n among the n + m mid-ranks while n, m ≤ 50, ties included; else the normal
 * approximation with tie correction. NaN for an empty sample.
 */
double stats_unpaired_p(const double *x, size_t n, const double *y, size_t m);

/* The least n of two samples of n each for which there is an interval at `alpha`: 2 / C(2n, n) is
 * at most that. 0 for an alpha outside (0, 1). */
size_t stats_unpaired_least(double alpha);

#endif
