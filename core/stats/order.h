/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether values follow the order in which they were measured: a drift, or a place in the block
 * that is always the slower one. Pure functions; the same answer every time.
 */
#ifndef STATS_ORDER_H
#define STATS_ORDER_H

#include <stddef.h>

struct stats_order {
    double correlation; /* −1 to 1: falls or rises with the position; NaN when it cannot be told */
    double p;           /* of no such order; NaN likewise */
};

/*
 * Spearman's rank correlation of x and position within groups, pooled: ranks about their group's
 * mean, one correlation over all of them. p by 1999 random permutations within the groups (and the
 * order itself), so ties and dependence between groups do no harm.
 *
 * `group`: equal numbers, side by side, are a group; NULL: all are one. The arms' own levels are
 * the caller's to take away (x = ln y − the arm's median). Place in the block: group = block.
 * Order of execution: NULL. NaN, fewer than 4 values or nothing that varies: not told. ±∞ has a
 * rank.
 */
void stats_order(const double *x, const double *position, const size_t *group, size_t n,
                 struct stats_order *ret);

#endif
