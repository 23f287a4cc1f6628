/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics of a sample of repetitions. Pure functions: no I/O, no clock; every input is checked.
 *
 * NaN is no observation: one in the sample makes every result NaN (the caller leaves such values
 * out, and counts them). Infinities are observations: a pair that failed enters the rank functions
 * (signed_rank.h and others) as ±∞ and so keeps its rank.
 */
#ifndef STATS_SUMMARY_H
#define STATS_SUMMARY_H

#include <stddef.h>

double stats_mean(const double *x, size_t n);      /* NaN when n is 0, as in the next three */
double stats_deviation(const double *x, size_t n); /* sample standard deviation, n − 1; n ≥ 2 */
double stats_cv(const double *x, size_t n); /* deviation / |mean|, NaN when n < 2 or mean 0 */
double stats_median(const double *x, size_t n);
double stats_autocorrelation(const double *x, size_t n); /* lag 1; NaN when n < 4 or constant */

#endif
