/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics of a sample of repetitions. Pure functions: no I/O, no clock; every input is checked.
 *
 * NaN is no observation: one in the sample makes every result NaN (the caller leaves such values
 * out, and counts them). Infinities are observations: a pair that failed enters the signed-rank
 * functions as ±∞ and so keeps its rank.
 */
#ifndef STATS_SUMMARY_H
#define STATS_SUMMARY_H

#include <stddef.h>
#include <bench/types.h>

double stats_mean(const double *x, size_t n);      /* NaN when n is 0, as in the next three */
double stats_deviation(const double *x, size_t n); /* sample standard deviation, n − 1; n ≥ 2 */
double stats_cv(const double *x, size_t n); /* deviation / |mean|, NaN when n < 2 or mean 0 */
double stats_median(const double *x, size_t n);
double stats_autocorrelation(const double *x, size_t n); /* lag 1; NaN when n < 4 or constant */

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
 * Any n; above 200 the normal approximation gives k. An average of −∞ and +∞ counts as 0: two
 * failures against each other say nothing about the difference.
 */
void stats_signed_rank(const double *x, size_t n, double alpha, struct stats_interval *ret);

#endif
