/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/nested.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/rank.h"
#include "stats/summary.h"

enum { PERMUTATIONS = 1999, LEAST_GROUPS = 3, LEAST_PARTS = 2 };

static double deviation_of_means(const double *x, size_t groups, size_t parts)
{
    cleanup_free double *means = xcalloc(groups, sizeof(*means));

    for (size_t i = 0; i < groups; i++)
        means[i] = stats_mean(x + i * parts, parts);
    return stats_deviation(means, groups);
}

/* Root of the mean variance within the groups. */
static double deviation_within(const double *x, size_t groups, size_t parts)
{
    double sum = 0;

    for (size_t i = 0; i < groups; i++) {
        double d = stats_deviation(x + i * parts, parts);

        sum += d * d;
    }
    return sqrt(sum / (double)groups);
}

void stats_nested(const double *x, size_t groups, size_t parts, struct stats_nested *ret)
{
    cleanup_free double *shuffled = xcalloc(groups * parts + 1, sizeof(*shuffled));
    struct random random = {.state = 1};
    double observed, within;
    size_t as_large = 1;

    *ret = (struct stats_nested){NAN, NAN, NAN};
    if (groups < LEAST_GROUPS || parts < LEAST_PARTS)
        return;
    observed = deviation_of_means(x, groups, parts);
    within = deviation_within(x, groups, parts);
    if (!isfinite(observed) || !(within > 0))
        return;
    memcpy(shuffled, x, groups * parts * sizeof(*x));
    for (size_t i = 0; i < PERMUTATIONS; i++) {
        rank_shuffle(&random, shuffled, groups * parts);
        as_large += deviation_of_means(shuffled, groups, parts) >= observed * (1 - 1e-9);
    }
    *ret = (struct stats_nested){
        .groups = observed,
        .parts = within / sqrt((double)parts),
        .p = (double)as_large / (PERMUTATIONS + 1),
    };
}
