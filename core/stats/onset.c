/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/onset.h"

#include <math.h>

#include "stats/summary.h"

#define MOST_AUTOCORRELATION 0.9

/* The sum of squares about the whole mean is fixed, so the split with the least about two means is
 * the one with the most between them. */
static size_t find_cut(const double *x, size_t n, double mean)
{
    double sum = 0, most = -1; /* sum: of the deviations before the split */
    size_t cut = 1;

    for (size_t i = 1; i <= n * 3 / 4; i++) {
        double between;

        sum += x[i - 1] - mean;
        between = sum * sum * (1 / (double)i + 1 / (double)(n - i));
        if (between > most) {
            most = between;
            cut = i;
        }
    }
    return cut;
}

/* Of the difference of the two means. What is positive in the lag-1 autocorrelation about them
 * widens it as in an AR(1) process. */
static double difference_error(const double *x, size_t n, const struct onset *m)
{
    double squares = 0, products = 0, last = 0, rho;

    for (size_t i = 0; i < n; i++) {
        double d = x[i] - (i < m->cut ? m->before : m->rest);

        squares += d * d;
        products += d * last;
        last = d;
    }
    if (squares == 0)
        return 0;
    rho = fmin(fmax(products / squares, 0), MOST_AUTOCORRELATION);
    return sqrt(squares / (double)(n - 2) * (1 + rho) / (1 - rho) *
                (1 / (double)m->cut + 1 / (double)(n - m->cut)));
}

void stats_onset(const double *x, size_t n, struct onset *ret)
{
    double all = stats_mean(x, n);

    *ret = (struct onset){.before = NAN, .rest = NAN, .shift = NAN};
    if (n < ONSET_LEAST || !isfinite(all))
        return;
    ret->judged = true;
    ret->cut = find_cut(x, n, all);
    ret->before = stats_mean(x, ret->cut);
    ret->rest = stats_mean(x + ret->cut, n - ret->cut);
    ret->shift = all / ret->rest - 1;
    if (fabs(all - ret->rest) <= ONSET_SHARE * fabs(ret->rest) ||
        fabs(ret->before - ret->rest) <= ONSET_ERRORS * difference_error(x, n, ret))
        return;
    ret->trend = ret->before < ret->rest ? 1 : -1;
}

int stats_onset_majority(const struct onset *items, size_t n)
{
    size_t judged = 0, low = 0, high = 0;

    for (size_t i = 0; i < n; i++) {
        judged += items[i].judged;
        low += items[i].trend > 0;
        high += items[i].trend < 0;
    }
    return 2 * low > judged ? 1 : 2 * high > judged ? -1 : 0;
}
