/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the level of a history changed: the results of one scenario over commits or days. Pure
 * functions; the same answer every time.
 */
#ifndef STATS_CHANGES_H
#define STATS_CHANGES_H

#include <stddef.h>

enum { STATS_CHANGE_SEGMENT = 3 }; /* the least length of what lies between two changes */

struct stats_change {
    size_t at;            /* the first value of the new level */
    double before, after; /* medians of what lies between the changes */
    double p;             /* of no change in the segment that this one divided */
};

/*
 * Changes in order of time; returns how many, *ret is the caller's to free (NULL when there are
 * none).
 *
 * Of a segment, the scores: distances from its median, cut at ±4 standard deviations of what varies
 * from one value to the next. For every division of the whole and of its overlapping parts of 1/√2
 * and 1/2 (as in seeded binary segmentation, Kovács et al. 2023, so that a level which comes and
 * goes does not hide itself), the difference of the two mean scores in standard errors. The largest
 * is compared with that of 999 random orders of the segment; with p ≤ alpha it divides it, and both
 * sides are looked at in the same way. So a history without change gives a false alarm with a
 * chance of alpha, whatever its distribution. Values that depend on their predecessors (a machine
 * that drifts for days) are no such history: give the ratio to an arm that stays the same.
 *
 * NaN among the values: no changes; the caller leaves them out. At alpha = .01 fewer than about ten
 * values can show nothing.
 */
size_t stats_changes(const double *x, size_t n, double alpha, struct stats_change **ret);

#endif
