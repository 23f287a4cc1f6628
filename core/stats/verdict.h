/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a comparison says, by rules that are fixed before the run: the table "Verdicts" of
 * docs/measurement.md. The interval alone decides (p is never asked), so verdict and interval
 * cannot disagree. Pure functions.
 */
#ifndef STATS_VERDICT_H
#define STATS_VERDICT_H

#include "stats/compare.h"

/* More than this share of the blocks failed: no claim about speed or cost. */
#define STATS_MOST_FAILED 0.1

enum stats_finding {
    STATS_FAILED,       /* too many failures */
    STATS_INCONCLUSIVE, /* neither a difference nor sameness was shown */
    STATS_SAME,         /* the 90% interval lies within the margin */
    STATS_NEGLIGIBLE,   /* the same, and the interval excludes 0: a difference that matters not */
    STATS_DIFFERENT,    /* the interval excludes 0: size uncertain */
    STATS_BEYOND,       /* the interval lies beyond the margin */
};

struct stats_verdict {
    enum stats_finding finding;
    int sign; /* 1: above the baseline, −1: below, by STATS_NEGLIGIBLE and what follows it; or 0 */
    double margin;          /* as given: 0.03 is 3% */
    size_t needed;          /* STATS_INCONCLUSIVE: the n that would decide; 0: not known */
    size_t if_as_estimated; /* STATS_INCONCLUSIVE: … if the true difference is the estimate; 0 */
    bool too_few;           /* … the n that an interval needs */
    bool paired;            /* n is of blocks, else of repetitions */
};

/*
 * `margin` δ > 0: what counts as a difference, ±ln(1+δ). `failed`: blocks of the n in which this
 * arm failed, or the baseline did; the larger of the two. Anything that is not a number is
 * INCONCLUSIVE.
 */
void stats_verdict(const struct stats_comparison *c, double margin, size_t failed,
                   struct stats_verdict *ret);

/* How a difference is called. What practitioners say: a rate or a time is faster or slower, what
 * work costs (CPU, memory) is lower or higher, with no word of praise. */
enum stats_words { STATS_SPEED, STATS_LEVEL };

/* "FASTER (by at least 3%)", "SAME within 3%", …; caller frees. For STATS_SPEED `better` says which
 * side is the faster. */
char *stats_verdict_text(const struct stats_verdict *v, enum stats_words words,
                         enum bench_direction better);

#endif
