/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a simulation, or a relay that starts, has warmed up: the truncation point by MSER-5. Pure
 * function.
 *
 * K. P. White: An Effective Truncation Heuristic for Bias Reduction in Simulation Output.
 * Simulation 69 (1997); in batches of five: White, Cobb, Spratt: A Comparison of Five Steady-State
 * Truncation Heuristics for Simulation. Winter Simulation Conference 2000.
 */
#ifndef STATS_MSER_H
#define STATS_MSER_H

#include <stdbool.h>
#include <stddef.h>

enum { MSER_BATCH = 5, MSER_LEAST = 10 /* batches that are judged at all */ };

struct stats_mser {
    bool judged; /* false: fewer than MSER_LEAST batches, or not all finite */
    size_t cut;  /* observations to leave out, a multiple of MSER_BATCH */
    bool steady; /* the cut is in the first half; if not, nobody knows whether it ended */
};

/*
 * Of the means y_1 … y_k of k batches the d for which Σ_{i>d} (y_i − mean of these)² / (k − d)² is
 * least, the first of several; the last MSER_BATCH batches are never left alone. What does not fill
 * a batch at the end is left out.
 */
void stats_mser(const double *x, size_t n, struct stats_mser *ret);

#endif
