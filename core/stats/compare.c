/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/compare.h"

#include <math.h>

#include "stats/rank.h"

#define POWER 0.8

double stats_log_ratio(struct stats_outcome y, struct stats_outcome base,
                       enum bench_direction better)
{
    double worst = better == BENCH_HIGHER_IS_BETTER ? -INFINITY : INFINITY;

    if (y.failed || base.failed) {
        if (better == BENCH_NEUTRAL)
            return NAN;
        return y.failed && base.failed ? 0 : y.failed ? worst : -worst;
    }
    if (!(y.value > 0 && base.value > 0) || isinf(y.value) || isinf(base.value))
        return NAN;
    return log(y.value) - log(base.value);
}

void stats_compare(const double *d, size_t n, double alpha, size_t m, struct stats_comparison *ret)
{
    *ret = (struct stats_comparison){.n = n, .alpha = m ? alpha / (double)m : NAN};
    stats_signed_rank(d, n, ret->alpha, &ret->interval);
    stats_signed_rank(d, n, STATS_EQUIVALENCE, &ret->equivalence);
    ret->p = stats_signed_rank_p(d, n);
}

double stats_detectable(const struct stats_comparison *c)
{
    double half = (c->interval.high - c->interval.low) / 2;

    if (!c->interval.has_interval)
        return NAN;
    return half * (1 + rank_normal_quantile(1 - POWER) / rank_normal_quantile(c->alpha / 2));
}
