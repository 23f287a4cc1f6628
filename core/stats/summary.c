/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/summary.h"

#include <math.h>

#include "base/memory.h"
#include "stats/rank.h"

double stats_mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : NAN;
}

double stats_deviation(const double *x, size_t n)
{
    double mean = stats_mean(x, n), squares = 0;

    if (n < 2)
        return NAN;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return sqrt(squares / (double)(n - 1));
}

double stats_cv(const double *x, size_t n)
{
    double mean = stats_mean(x, n);

    return n < 2 || mean == 0 ? NAN : stats_deviation(x, n) / fabs(mean);
}

double stats_median(const double *x, size_t n)
{
    cleanup_free double *s = NULL;

    if (n == 0 || rank_any_nan(x, n))
        return NAN;
    s = rank_sorted(x, n);
    return rank_middle(s[(n - 1) / 2], s[n / 2]);
}

double stats_autocorrelation(const double *x, size_t n)
{
    double mean = stats_mean(x, n), products = 0, squares = 0;

    if (n < 4)
        return NAN;
    for (size_t i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        if (i > 0)
            products += (x[i] - mean) * (x[i - 1] - mean);
    }
    /* What is left of a constant sample is rounding. */
    return squares <= (double)n * pow(1e-12 * mean, 2) ? NAN : products / squares;
}
