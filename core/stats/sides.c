/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sides.h"

#include <math.h>

/* A disturbed block may say the opposite, however clearly. */
#define MOST_BET 0.9

void stats_sides_begin(struct stats_sides *s, double effect, double spread, double error)
{
    *s = (struct stats_sides){
        .effect = isfinite(effect) ? effect : 0,
        .spread = spread,
        .limit = error > 0 && error < 1 ? -log(error) : INFINITY,
    };
}

size_t stats_sides_least(double error)
{
    return error > 0 && error < 1 ? (size_t)ceil(-log(error) / log1p(MOST_BET)) : 0;
}

/* What a bet that x has the sign of `effect` makes of 1, in ln. */
static double bet(double effect, double spread, double x)
{
    double share = tanh(fabs(effect / spread * (x / spread)));

    if (isnan(share) || x == 0 || effect == 0)
        return 0;
    share = fmin(share, MOST_BET);
    return log1p((x > 0) == (effect > 0) ? share : -share);
}

enum stats_side stats_sides_tell(struct stats_sides *s, double to_good, double to_bad)
{
    s->n++;
    s->against_good += bet(s->effect, s->spread, to_good);
    s->against_bad += bet(-s->effect, s->spread, to_bad);
    if (fmax(s->against_good, s->against_bad) < s->limit)
        return STATS_UNDECIDED;
    if (s->against_bad == s->against_good)
        return fabs(to_good) < fabs(to_bad) ? STATS_LIKE_GOOD : STATS_LIKE_BAD;
    return s->against_bad > s->against_good ? STATS_LIKE_GOOD : STATS_LIKE_BAD;
}
