/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/verdict.h"

#include <math.h>

#include "base/memory.h"

/* Inconclusive means: 0 lies in the one interval, and an end of the other beyond the margin. So the
 * distance from the one's end to the other's other end is more than the margin, and when it has
 * shrunk to the margin one of the two is over, wherever the estimate then lies. It shrinks by √n.
 */
static size_t n_to_decide(const struct stats_comparison *c, double margin)
{
    double reach =
        fmax(c->equivalence.high - c->interval.low, c->interval.high - c->equivalence.low);
    double n = ceil((double)c->n * pow(reach / margin, 2));

    return n <= 1e9 ? (size_t)n : 0;
}

/* The same, if the estimate stays where it is: when the interval no longer reaches 0, or the other
 * lies within the margin. */
static size_t n_if_as_estimated(const struct stats_comparison *c, double margin)
{
    double estimate = c->interval.estimate;
    double towards_0 = estimate > 0 ? estimate - c->interval.low : c->interval.high - estimate;
    double differs = towards_0 / fabs(estimate);
    double same = fabs(estimate) < margin
                      ? fmax((c->equivalence.high - estimate) / (margin - estimate),
                             (estimate - c->equivalence.low) / (margin + estimate))
                      : INFINITY;
    double n = ceil((double)c->n * pow(fmin(differs, same), 2));

    if (!(n <= 1e9)) /* also where failures are infinite */
        return 0;
    return n > (double)c->n ? (size_t)n : c->n + 1;
}

static enum stats_finding find(const struct stats_comparison *c, double margin, int sign)
{
    bool beyond = sign > 0 ? c->interval.low >= margin : c->interval.high <= -margin;
    bool within = c->equivalence.low > -margin && c->equivalence.high < margin;

    if (!c->interval.has_interval || !(margin > 0))
        return STATS_INCONCLUSIVE;
    if (sign != 0)
        return beyond ? STATS_BEYOND : within ? STATS_NEGLIGIBLE : STATS_DIFFERENT;
    return within ? STATS_SAME : STATS_INCONCLUSIVE;
}

void stats_verdict(const struct stats_comparison *c, double margin, size_t failed,
                   struct stats_verdict *ret)
{
    double limit = log1p(margin);
    int sign = c->interval.low > 0 ? 1 : c->interval.high < 0 ? -1 : 0; /* of NaN 0 */

    *ret = (struct stats_verdict){.finding = STATS_FAILED, .margin = margin, .paired = c->paired};
    if ((double)failed > STATS_MOST_FAILED * (double)c->n)
        return;
    ret->finding = find(c, limit, sign);
    if (ret->finding >= STATS_NEGLIGIBLE)
        ret->sign = sign;
    if (ret->finding != STATS_INCONCLUSIVE || !(limit > 0))
        return;
    ret->too_few = !c->interval.has_interval && c->n < c->least;
    ret->needed = ret->too_few ? c->least : n_to_decide(c, limit);
    if (!ret->too_few && c->interval.has_interval)
        ret->if_as_estimated = n_if_as_estimated(c, limit);
}

static const char *word(const struct stats_verdict *v, enum stats_words words,
                        enum bench_direction better)
{
    bool above = v->sign > 0;

    if (words == STATS_LEVEL || better == BENCH_NEUTRAL)
        return above ? "HIGHER" : "LOWER";
    return above == (better == BENCH_HIGHER_IS_BETTER) ? "FASTER" : "SLOWER";
}

/* More than that is no advice, and no estimate either. */
#define MANY 1000

static char *inconclusive(const struct stats_verdict *v)
{
    const char *unit = v->paired ? "blocks" : "repetitions of each";

    bool hope = v->if_as_estimated && v->if_as_estimated <= MANY;
    cleanup_free char *estimated =
        hope && v->if_as_estimated <= v->needed / 2
            ? xasprintf(", %zu if it is as estimated", v->if_as_estimated)
            : xstrdup("");

    if (v->needed == 0)
        return xstrdup("INCONCLUSIVE");
    if (v->needed > MANY)
        return xasprintf("INCONCLUSIVE (more than %d %s would decide%s)", MANY, unit, estimated);
    return v->too_few ? xasprintf("INCONCLUSIVE (needs %zu %s)", v->needed, unit)
                      : xasprintf("INCONCLUSIVE (about %zu %s would decide%s)", v->needed, unit,
                                  estimated);
}

char *stats_verdict_text(const struct stats_verdict *v, enum stats_words words,
                         enum bench_direction better)
{
    double percent = 100 * v->margin;

    switch (v->finding) {
    case STATS_FAILED:
        return xstrdup("FAILED");
    case STATS_INCONCLUSIVE:
        return inconclusive(v);
    case STATS_SAME:
        return xasprintf("SAME within %.3g%%", percent);
    case STATS_NEGLIGIBLE:
        return xasprintf("differs, negligible (within %.3g%%)", percent);
    case STATS_DIFFERENT:
        return xasprintf("%s (size uncertain)", word(v, words, better));
    case STATS_BEYOND:
        return xasprintf("%s (by at least %.3g%%)", word(v, words, better), percent);
    }
    return NULL;
}
