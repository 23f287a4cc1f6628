/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/changes.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/rank.h"
#include "stats/summary.h"

enum { PERMUTATIONS = 999, LEAST = STATS_CHANGE_SEGMENT };

#define MOST_SCORE 4.0           /* an outlier counts, but not for more than a clear change does */
#define STEP_OF_DEVIATION 0.9539 /* median of |difference| of two normals: .6745 √2 */

struct division {
    size_t at;
    double statistic;
};

/* The division of [begin, end) whose means differ most, if by more than `best` so far. `sums[i]` is
 * that of the first i scores. */
static void divide_interval(const double *sums, size_t begin, size_t end, struct division *best)
{
    double m = (double)(end - begin), all = sums[end] - sums[begin];

    for (size_t i = begin + LEAST; i + LEAST <= end; i++) {
        double k = (double)(i - begin);
        double apart = fabs(sums[i] - sums[begin] - all * k / m) * sqrt(m / (k * (m - k)));

        if (apart > best->statistic)
            *best = (struct division){i, apart};
    }
}

/* The best division of n scores over the whole, and over intervals of 1/√2 and 1/2 of it that
 * overlap by half. `sums` is room for n + 1. */
static struct division divide(const double *scores, size_t n, double *sums)
{
    struct division best = {0};
    double length = (double)n;

    sums[0] = 0;
    for (size_t i = 0; i < n; i++)
        sums[i + 1] = sums[i] + scores[i];
    for (int layer = 0; layer < 3; layer++, length /= M_SQRT2) {
        size_t l = (size_t)(length + 1e-6), count = 2 * ((n + l - 1) / l) - 1;

        for (size_t i = 0; i < count; i++) {
            size_t begin = count > 1 ? i * (n - l) / (count - 1) : 0;

            divide_interval(sums, begin, begin + l, &best);
        }
    }
    return best;
}

/* Distances from the median in standard deviations, cut at ±MOST_SCORE. The deviation is that from
 * one value to the next, so that a change does not make itself small. */
static void score(const double *x, size_t n, double *ret)
{
    double median = stats_median(x, n), deviation;

    for (size_t i = 0; i + 1 < n; i++)
        ret[i] = fabs(rank_difference(x[i], x[i + 1]));
    deviation = stats_median(ret, n - 1) / STEP_OF_DEVIATION;
    for (size_t i = 0; i < n; i++) {
        double apart = rank_difference(x[i], median) / deviation;

        ret[i] = isnan(apart) ? 0 : fmax(-MOST_SCORE, fmin(MOST_SCORE, apart));
    }
}

/* Whether the segment divides, and where. Ends as soon as p cannot be small enough. */
static bool find_change(const double *x, size_t n, double alpha, struct stats_change *ret)
{
    cleanup_free double *scores = xcalloc(n, sizeof(*scores));
    cleanup_free double *sums = xcalloc(n + 1, sizeof(*sums));
    struct random random = {.state = 1};
    struct division best;
    double most = alpha * (PERMUTATIONS + 1), as_large = 1;

    score(x, n, scores);
    best = divide(scores, n, sums);
    for (size_t i = 0; i < PERMUTATIONS && as_large <= most; i++) {
        rank_shuffle(&random, scores, n);
        as_large += divide(scores, n, sums).statistic >= best.statistic * (1 - 1e-9);
    }
    if (best.statistic == 0)
        return false;
    *ret = (struct stats_change){.at = best.at, .p = as_large / (PERMUTATIONS + 1)};
    return as_large <= most;
}

struct changes {
    struct stats_change *items;
    size_t count, capacity;
};

/* Those within [begin, end), in order. */
static void find_changes(const double *x, size_t begin, size_t end, double alpha,
                         struct changes *to)
{
    struct stats_change c;

    if (end - begin < 2 * LEAST || !find_change(x + begin, end - begin, alpha, &c))
        return;
    c.at += begin;
    find_changes(x, begin, c.at, alpha, to);
    to->items = grow(to->items, &to->capacity, to->count + 1, sizeof(*to->items));
    to->items[to->count++] = c;
    find_changes(x, c.at, end, alpha, to);
}

size_t stats_changes(const double *x, size_t n, double alpha, struct stats_change **ret)
{
    struct changes found = {0};

    *ret = NULL;
    if (rank_any_nan(x, n) || !(alpha > 0))
        return 0;
    find_changes(x, 0, n, alpha, &found);
    for (size_t i = 0; i < found.count; i++) {
        size_t at = found.items[i].at;
        size_t begin = i > 0 ? found.items[i - 1].at : 0;
        size_t end = i + 1 < found.count ? found.items[i + 1].at : n;

        found.items[i].before = stats_median(x + begin, at - begin);
        found.items[i].after = stats_median(x + at, end - at);
    }
    *ret = found.items;
    return found.count;
}
