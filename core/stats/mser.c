/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/mser.h"

#include <math.h>

#include "base/memory.h"
#include "stats/summary.h"

/* The square of the standard error of the mean of what remains, but for a factor near 1. */
static double error_of_rest(const double *y, size_t n)
{
    double mean = stats_mean(y, n), squares = 0;

    for (size_t i = 0; i < n; i++)
        squares += (y[i] - mean) * (y[i] - mean);
    return squares / ((double)n * (double)n);
}

void stats_mser(const double *x, size_t n, struct stats_mser *ret)
{
    size_t k = n / MSER_BATCH, cut = 0;
    cleanup_free double *y = xcalloc(k + 1, sizeof(*y));
    double least = INFINITY;

    *ret = (struct stats_mser){0};
    if (k < MSER_LEAST || !isfinite(stats_mean(x, n)))
        return;
    for (size_t i = 0; i < k; i++)
        y[i] = stats_mean(x + i * MSER_BATCH, MSER_BATCH);
    for (size_t d = 0; d + MSER_BATCH <= k; d++) {
        double error = error_of_rest(y + d, k - d);

        if (error < least) {
            least = error;
            cut = d;
        }
    }
    *ret = (struct stats_mser){.judged = true, .cut = cut * MSER_BATCH, .steady = cut <= k / 2};
}
