/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hole in the progress of a window: for a while nothing was done at all, where everything else
 * says that something ought to have been.
 */
#ifndef STATS_HOLE_H
#define STATS_HOLE_H

#include <stddef.h>

#include <bench/types.h>

struct hole {
    size_t first, count; /* intervals in which nothing was done */
    double seconds;
};

/*
 * `amounts`: what was done in each of the n intervals, which lasted `seconds` each. `unit`: what
 * comes in one piece. True, with the longest hole, when
 *   - it lasts for at least `least` seconds and two intervals, with progress before and after it,
 *   - at the rate of the rest 20 pieces or more would have come in it, so that chance does not
 *     explain it, and
 *   - work that comes in bursts does not either: no other pause is longer than a quarter of it, and
 *     nine of ten of the other intervals have progress.
 */
bool stats_hole(const double *amounts, const double *seconds, size_t n, double unit, double least,
                struct hole *ret);

#endif
