/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many quantities differ between two sides by more than noise, asked at once. What comes
 * back is adjusted for their number: of all that do not differ, the chance that any has a p of at
 * most x is at most x. Pure functions: no I/O, no clock, the same answer every time.
 */
#ifndef STATS_DIFFERENCE_H
#define STATS_DIFFERENCE_H

#include <stddef.h>
#include <bench/types.h>

/*
 * From repetitions, by permutation (Westfall and Young 1993, single-step max T): values[t * (n + m)
 * + i] is quantity t in repetition i, the first n of one side. All divisions of the repetitions
 * into n and m are tried, or 2000 random ones where there are more. For each, the largest statistic
 * of all quantities is noted; the p of a quantity is the share of divisions whose largest is at
 * least its own statistic. So whatever the quantities have in common is in the comparison, and
 * nothing is assumed of their distribution. The statistic is |difference of means| / (standard
 * deviation within the sides
 * + median over all quantities of the deviation regardless of sides): the latter keeps quantities
 * that by chance hardly vary from being the largest. The least p of 4 and 4 is .029, of 6 and 6
 * .002. n and m at least 2; ret_p[tests].
 */
void stats_permutation(const double *values, size_t tests, size_t n, size_t m, double *ret_p);

/*
 * Two-sided p that two counts of events have the same rate: given their sum, the second is binomial
 * with the share of its exposure; twice the smaller tail. Knows sampling noise only. NaN without
 * exposure or with a negative count; 1 when nothing was counted. Not adjusted.
 */
double stats_count_rates(double count_a, double exposure_a, double count_b, double exposure_b);

#endif
