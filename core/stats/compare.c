/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/compare.h"

#include <math.h>

#include "stats/rank.h"
#include "stats/unpaired.h"

#define POWER 0.8

double stats_log(struct stats_outcome y, enum bench_direction better)
{
    if (y.failed && better != BENCH_NEUTRAL)
        return better == BENCH_HIGHER_IS_BETTER ? -INFINITY : INFINITY;
    return !y.failed && y.value >= 0 && isfinite(y.value) ? log(y.value) : NAN;
}

double stats_log_ratio(struct stats_outcome y, struct stats_outcome base,
                       enum bench_direction better)
{
    return rank_difference(stats_log(y, better), stats_log(base, better));
}

static struct stats_comparison begin(bool paired, size_t n, double alpha, size_t m)
{
    double level = m ? alpha / (double)m : NAN;

    return (struct stats_comparison){
        .paired = paired,
        .n = n,
        .least = paired ? stats_signed_rank_least(level) : stats_unpaired_least(level),
        .alpha = level,
    };
}

void stats_compare(const double *d, size_t n, double alpha, size_t m, struct stats_comparison *ret)
{
    *ret = begin(true, n, alpha, m);
    stats_signed_rank(d, n, ret->alpha, &ret->interval);
    stats_signed_rank(d, n, 2 * alpha, &ret->equivalence);
    ret->p = stats_signed_rank_p(d, n);
}

void stats_compare_unpaired(const double *y, size_t n, const double *base, size_t n_base,
                            double alpha, size_t m, struct stats_comparison *ret)
{
    *ret = begin(false, n < n_base ? n : n_base, alpha, m);
    stats_unpaired(y, n, base, n_base, ret->alpha, &ret->interval);
    stats_unpaired(y, n, base, n_base, 2 * alpha, &ret->equivalence);
    ret->p = stats_unpaired_p(y, n, base, n_base);
}

static double half_width(const struct stats_comparison *c)
{
    return c->interval.has_interval ? (c->interval.high - c->interval.low) / 2 : NAN;
}

double stats_detectable(const struct stats_comparison *c)
{
    return half_width(c) *
           (1 + rank_normal_quantile(1 - POWER) / rank_normal_quantile(c->alpha / 2));
}

double stats_spread(const struct stats_comparison *c)
{
    return half_width(c) * sqrt((double)c->n) / rank_normal_quantile(c->alpha / 2);
}
