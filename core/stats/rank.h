/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rank statistics share: order, mid-ranks, the k-th of many pairwise values without
 * building them, and the normal tail that takes over where exact distributions cost too much. Pure
 * functions. Infinities have a rank like every number; NaN has none: callers check first.
 */
#ifndef STATS_RANK_H
#define STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/random.h"

bool rank_any_nan(const double *x, size_t n);

double *rank_sorted(const double *x, size_t n); /* an ascending copy; caller frees */

/* Mid-ranks, from 1: equal values share the mean of their ranks. */
void rank_mid(const double *x, size_t n, double *ret);

/* (a + b) / 2 without overflow, and a − b; infinities cancel to 0. */
double rank_middle(double a, double b);
double rank_difference(double a, double b);

void rank_shuffle(struct random *r, double *x, size_t n);

/* The k-th smallest, k from 1, of a set that only `at_most` knows: how many of it are ≤ limit.
 * Exact: the answer is a member of the set. */
double rank_select(size_t (*at_most)(const void *set, double limit), const void *set, size_t k);

/* P(Z > z) of a standard normal, and the z with P(Z > z) = tail for tail ≤ 1/2. */
double rank_normal_tail(double z);
double rank_normal_quantile(double tail);

#endif
