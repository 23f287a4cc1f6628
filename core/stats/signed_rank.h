/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Wilcoxon signed-rank family on one sample (repetitions, or differences of pairs): estimate,
 * interval and p of "symmetric about 0". Pure functions; NaN and ±∞ as in summary.h. An average of
 * −∞ and +∞ counts as 0: two failures against each other say nothing about the difference.
 */
#ifndef STATS_SIGNED_RANK_H
#define STATS_SIGNED_RANK_H

#include <stdbool.h>
#include <stddef.h>

struct stats_interval {
    double estimate; /* Hodges-Lehmann: median of the Walsh averages; NaN when n is 0 */
    bool has_interval;
    double low, high; /* NaN without interval */
    size_t k;         /* order statistic used, from 1; 0: none at this n and confidence */
};

/*
 * Hodges-Lehmann estimate and the exact interval from the Wilcoxon signed-rank null distribution
 * (f_0(0)=1, f_r(v)=½[f_{r−1}(v)+f_{r−1}(v−r)]; k = #{v: F(v) ≤ alpha/2}; [w_(k), w_(M+1−k)]).
 * Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed., 3.1 to 3.3.
 * Any n; above 200 the normal approximation gives k. With ties the interval, ends included, covers
 * at least as often as without (Noether 1967).
 */
void stats_signed_rank(const double *x, size_t n, double alpha, struct stats_interval *ret);

/*
 * Two-sided exact p. The statistic is the sum of the ranks of |x| of the positive x, mid-ranks for
 * ties; zeros take part in the ranking and in no sum (Pratt 1959). Its null distribution is that of
 * all 2^n flips of the signs given the |x|, summed by convolution instead of enumeration; above
 * n = 200 the normal approximation with the variance Σr²/4, which is the tie correction. Without
 * ties and zeros p ≤ alpha exactly when the interval at that alpha excludes 0. NaN for n = 0.
 */
double stats_signed_rank_p(const double *x, size_t n);

/* The least n for which there is an interval (and a p as small) at `alpha`: 1 + log2(1/alpha),
 * rounded up. 0 for an alpha outside (0, 1). */
size_t stats_signed_rank_least(double alpha);

#endif
