/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/stats claims, as rates over simulated experiments (lab.h) with fixed seeds: how often a
 * verdict is wrong where the truth is known. tests/truth/statistics.c runs them in full and prints
 * them; the unit test runs a twentieth of each within bounds as much wider as chance is.
 */
#ifndef HARNESS_CALIBRATION_H
#define HARNESS_CALIBRATION_H

#include <stdlib.h>

#include "lab.h"
#include "stats/changes.h"
#include "stats/multiple.h"
#include "stats/order.h"
#include "stats/sequential.h"
#include "stats/sides.h"
#include "stats/summary.h"
#include "stats/verdict.h"

#define ALPHA 0.05
#define MARGIN 0.03

enum { SEED = 8812, MOST_N = 200 };

/* A quieter machine, on which a margin of 3% can be decided. */
#define QUIET_LAB(seed)                                                                     \
    {                                                                                       \
        .random = {.state = (seed)}, .correlation = 0.9, .drift_sd = 0.02, .noise_sd = 0.01 \
    }

static struct stats_verdict judge(const double *d, size_t n, double alpha, size_t m)
{
    struct stats_comparison c;
    struct stats_verdict v;

    stats_compare(d, n, alpha, m, &c);
    stats_verdict(&c, MARGIN, 0, &v);
    return v;
}

static bool says_same(const struct stats_verdict *v)
{
    return v->finding == STATS_SAME || v->finding == STATS_NEGLIGIBLE;
}

/* --- a fixed number of blocks ---------------------------------------------------------------- */

static double different(struct lab l, double effect, size_t n, size_t trials)
{
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        double d[MOST_N];

        lab_pairs(&l, effect, n, d);
        count += judge(d, n, ALPHA, 1).sign != 0;
    }
    return (double)count / (double)trials;
}

static double identical(size_t trials)
{
    return different((struct lab)LAB(SEED), 0, 10, trials);
}

static double identical_wild_drift(size_t trials)
{
    struct lab l = LAB(SEED);

    l.drift_sd = 0.5;
    l.correlation = 0.5;
    return different(l, 0, 10, trials);
}

static double coverage(size_t trials)
{
    struct lab l = LAB(SEED);
    const double effect = 0.05;
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        struct stats_comparison c;
        double d[10];

        lab_pairs(&l, effect, 10, d);
        stats_compare(d, 10, ALPHA, 1, &c);
        count += c.interval.low <= effect && effect <= c.interval.high;
    }
    return (double)count / (double)trials;
}

/* Whether any of three arms is called different from the baseline, all four being the same. */
static double family(size_t trials, bool holm)
{
    struct lab l = LAB(SEED);
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        double d[3][10], p[3];
        bool any = false;

        for (size_t i = 0; i < 10; i++) {
            double y[4];

            lab_block(&l, (double[]){0, 0, 0, 0}, 4, y);
            for (size_t j = 0; j < 3; j++)
                d[j][i] = y[j + 1] - y[0];
        }
        for (size_t j = 0; j < 3; j++)
            p[j] = stats_signed_rank_p(d[j], 10);
        stats_holm(p, 3, p);
        for (size_t j = 0; j < 3; j++)
            any |= holm ? p[j] <= ALPHA : judge(d[j], 10, ALPHA, 3).sign != 0;
        count += any;
    }
    return (double)count / (double)trials;
}

static double family_bonferroni(size_t trials)
{
    return family(trials, false);
}

static double family_holm(size_t trials)
{
    return family(trials, true);
}

static double same(double effect, size_t trials)
{
    struct lab l = QUIET_LAB(SEED);
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        double d[16];
        struct stats_verdict v;

        lab_pairs(&l, effect, 16, d);
        v = judge(d, 16, ALPHA, 1);
        count += says_same(&v);
    }
    return (double)count / (double)trials;
}

static double false_same(size_t trials)
{
    return same(log1p(MARGIN), trials);
}

static double true_same(size_t trials)
{
    return same(0, trials);
}

/* The power at what half of the experiments call the smallest difference that they can detect. */
static double power_at_detectable(size_t trials)
{
    struct lab l = LAB(SEED);
    double *detectable = calloc(trials, sizeof(*detectable)), effect;

    for (size_t t = 0; t < trials; t++) {
        struct stats_comparison c;
        double d[12];

        lab_pairs(&l, 0, 12, d);
        stats_compare(d, 12, ALPHA, 1, &c);
        detectable[t] = stats_detectable(&c);
    }
    effect = stats_median(detectable, trials);
    free(detectable);
    return different(l, effect, 12, trials);
}

/* Of experiments that could not decide, the share that is decided by as many blocks as were said,
 * or as n (w/δ)² says, at a true difference of half the margin: the hardest case. */
static double decided_later(size_t trials, bool by_half_width)
{
    enum { N = 20 };
    struct lab l = LAB(SEED);
    const double effect = log1p(MARGIN) / 2;
    size_t asked = 0, decided = 0;

    while (asked < trials) {
        struct stats_comparison c;
        struct stats_verdict v;
        double d[MOST_N];
        size_t n;

        lab_pairs(&l, effect, N, d);
        stats_compare(d, N, ALPHA, 1, &c);
        stats_verdict(&c, MARGIN, 0, &v);
        if (v.finding != STATS_INCONCLUSIVE)
            continue;
        asked++;
        n = v.needed;
        if (by_half_width)
            n = (size_t)ceil(N * pow((c.interval.high - c.interval.low) / 2 / log1p(MARGIN), 2));
        n = n < MOST_N ? n : MOST_N;
        lab_pairs(&l, effect, n, d);
        decided += judge(d, n, ALPHA, 1).finding != STATS_INCONCLUSIVE;
    }
    return (double)decided / (double)trials;
}

static double decided_as_said(size_t trials)
{
    return decided_later(trials, false);
}

static double decided_by_half_width(size_t trials)
{
    return decided_later(trials, true);
}

/* --- stopping early -------------------------------------------------------------------------- */

static double two_stages(size_t trials)
{
    struct lab l = LAB(SEED);
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        struct stats_comparison c;
        double d[STATS_MOST_BLOCKS];
        size_t n;

        lab_pairs(&l, 0, STATS_MOST_BLOCKS, d);
        stats_compare(d, STATS_FIRST_STAGE, ALPHA, 1, &c);
        n = stats_second_stage((c.interval.high - c.interval.low) / 2, 0.05);
        count += judge(d, n, ALPHA, 1).sign != 0;
    }
    return (double)count / (double)trials;
}

/* Those of O'Brien and Fleming, whose first one ten blocks cannot reach. */
static const struct stats_look steep[] = {{10, 0.00005}, {20, 0.0042}, {30, 0.0194}, {40, 0.0430}};

enum ends { AT_DIFFERENCE, AT_VERDICT };

/* Looks until there is what ends it. */
static struct stats_verdict look_on(struct lab *l, double effect, enum ends ends, bool by_steep,
                                    size_t *ret_n)
{
    double d[STATS_MOST_BLOCKS];
    struct stats_verdict v = {0};
    struct stats_look look;

    lab_pairs(l, effect, STATS_MOST_BLOCKS, d);
    for (size_t i = 0; stats_look(i, &look); i++) {
        if (by_steep)
            look = steep[i];
        v = judge(d, look.n, look.alpha, 1);
        *ret_n = look.n;
        if (v.sign != 0 || (ends == AT_VERDICT && v.finding != STATS_INCONCLUSIVE))
            break;
    }
    return v;
}

static double look_identical(size_t trials, bool by_steep)
{
    struct lab l = LAB(SEED);
    size_t count = 0, n;

    for (size_t t = 0; t < trials; t++)
        count += look_on(&l, 0, AT_DIFFERENCE, by_steep, &n).sign != 0;
    return (double)count / (double)trials;
}

static double looks_identical(size_t trials)
{
    return look_identical(trials, false);
}

static double steep_identical(size_t trials)
{
    return look_identical(trials, true);
}

static double looks_false_same(size_t trials)
{
    struct lab l = QUIET_LAB(SEED);
    size_t count = 0, n;

    for (size_t t = 0; t < trials; t++) {
        struct stats_verdict v = look_on(&l, log1p(MARGIN), AT_VERDICT, false, &n);

        count += says_same(&v);
    }
    return (double)count / (double)trials;
}

static double look_blocks(size_t trials, bool by_steep)
{
    struct lab l = QUIET_LAB(SEED);
    size_t sum = 0, n;

    for (size_t t = 0; t < trials; t++) {
        look_on(&l, 0.05, AT_VERDICT, by_steep, &n);
        sum += n;
    }
    return (double)sum / (double)trials;
}

static double looks_blocks(size_t trials)
{
    return look_blocks(trials, false);
}

static double steep_blocks(size_t trials)
{
    return look_blocks(trials, true);
}

/* What the looks are for: the same without any. */
static double every_block(size_t trials)
{
    struct lab l = LAB(SEED);
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        double d[STATS_MOST_BLOCKS];
        bool found = false;

        lab_pairs(&l, 0, STATS_MOST_BLOCKS, d);
        for (size_t n = 6; n <= STATS_MOST_BLOCKS && !found; n++)
            found = stats_signed_rank_p(d, n) <= ALPHA;
        count += found;
    }
    return (double)count / (double)trials;
}

/* --- bisection ------------------------------------------------------------------------------- */

/* The answer about a candidate that truly is like good or like bad, within 60 blocks. */
static enum stats_side ask_side(struct lab *l, const struct stats_comparison *known, double effect,
                                bool is_bad, double error, size_t *blocks)
{
    enum stats_side side = STATS_UNDECIDED;
    struct stats_sides s;

    stats_sides_begin(&s, known->interval.estimate, stats_spread(known), error);
    while (side == STATS_UNDECIDED && s.n < 60) {
        double y[3];

        lab_block(l, (double[]){0, is_bad ? effect : 0, effect}, 3, y);
        side = stats_sides_tell(&s, y[1] - y[0], y[1] - y[2]);
    }
    *blocks += s.n;
    return side;
}

struct bisections {
    double wrong, undecided; /* shares of `trials` */
    double blocks;           /* per commit that was asked about */
};

/* Of 1000 commits one made everything slower by 5%, which ten pairs have shown. */
static struct bisections bisect(size_t trials)
{
    enum { COMMITS = 1000, STEPS = 10 };
    struct lab l = QUIET_LAB(SEED);
    const double effect = -0.05;
    size_t wrong = 0, undecided = 0, blocks = 0, asked = 0;

    for (size_t t = 0; t < trials; t++) {
        size_t culprit = 1 + random_below(&l.random, COMMITS), good = 0, bad = COMMITS;
        struct stats_comparison known;
        double d[10];

        do {
            lab_pairs(&l, effect, 10, d);
            stats_compare(d, 10, ALPHA, 1, &known);
        } while (known.interval.high >= 0); /* nothing was shown: nobody bisects */
        while (bad - good > 1) {
            size_t probe = (good + bad) / 2;
            enum stats_side side =
                ask_side(&l, &known, effect, probe >= culprit, ALPHA / STEPS, &blocks);

            asked++;
            if (side == STATS_UNDECIDED)
                break;
            *(side == STATS_LIKE_BAD ? &bad : &good) = probe;
        }
        undecided += bad - good > 1;
        wrong += bad - good == 1 && bad != culprit;
    }
    return (struct bisections){(double)wrong / (double)trials, (double)undecided / (double)trials,
                               (double)blocks / (double)asked};
}

static double bisect_wrong(size_t trials)
{
    return bisect(trials).wrong;
}

static double bisect_undecided(size_t trials)
{
    return bisect(trials).undecided;
}

static double bisect_blocks(size_t trials)
{
    return bisect(trials).blocks;
}

/* --- without blocks, and over time ----------------------------------------------------------- */

/* Two runs of 10, one after the other. */
static double unpaired(struct lab l, size_t trials)
{
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        double y[20];
        struct stats_comparison c;

        for (size_t i = 0; i < 20; i++)
            y[i] = lab_execute(&l);
        stats_compare_unpaired(y, 10, y + 10, 10, ALPHA, 1, &c);
        count += c.interval.low > 0 || c.interval.high < 0;
    }
    return (double)count / (double)trials;
}

static double unpaired_steady(size_t trials)
{
    struct lab l = LAB(SEED);

    l.drift_sd = 0;
    return unpaired(l, trials);
}

static double unpaired_drift(size_t trials)
{
    return unpaired((struct lab)LAB(SEED), trials);
}

static double order_alarms(size_t trials)
{
    struct lab l = LAB(SEED);
    size_t count = 0;

    for (size_t t = 0; t < trials; t++) {
        double x[30], place[30];
        size_t block[30];
        struct stats_order o;

        for (size_t i = 0; i < 30; i++) {
            x[i] = lab_execute(&l);
            place[i] = (double)(i % 3);
            block[i] = i / 3;
        }
        stats_order(x, place, block, 30, &o);
        count += o.p <= ALPHA;
    }
    return (double)count / (double)trials;
}

/* How often 30 results show a change at 1%, of which the last `bad` are `effect` worse. */
static double changes(size_t bad, double effect, size_t trials)
{
    struct lab l = LAB(SEED);
    size_t count = 0;

    l.drift_sd = 0;
    for (size_t t = 0; t < trials; t++) {
        struct stats_change *c;
        double x[30];

        for (size_t i = 0; i < 30; i++)
            x[i] = lab_execute(&l) - (i + bad >= 30 ? effect : 0);
        count += stats_changes(x, 30, 0.01, &c) > 0;
        free(c);
    }
    return (double)count / (double)trials;
}

static double change_alarms(size_t trials)
{
    return changes(0, 0, trials);
}

static double change_found(size_t trials)
{
    return changes(6, 0.08, trials);
}

/* --- the list -------------------------------------------------------------------------------- */

static const struct calibration {
    const char *what;
    double (*measure)(size_t trials);
    size_t trials;
    double low, high; /* what it must be */
} calibrations[] = {
    {"identical, n 10: called different", identical, 40000, 0.043, 0.055},
    {"the same under a wild drift", identical_wild_drift, 40000, 0.043, 0.055},
    {"true 5%, n 10: interval covers it", coverage, 10000, 0.94, 1},
    {"4 identical, n 10: any different", family_bonferroni, 10000, 0, 0.05},
    {"the same, by Holm's p", family_holm, 10000, 0, 0.05},
    {"true 3%, n 16: called same within 3%", false_same, 10000, 0, 0.05},
    {"identical, n 16: called same within 3%", true_same, 2000, 0.5, 1},
    {"power at what is called detectable", power_at_detectable, 10000, 0.7, 0.87},
    {"decided by the blocks that are said", decided_as_said, 1000, 0.9, 1},
    {"decided by n (w/margin)^2 blocks", decided_by_half_width, 1000, 0.3, 0.8},
    {"two stages, identical: different", two_stages, 10000, 0, 0.055},
    {"looks, identical: different", looks_identical, 10000, 0.04, 0.055},
    {"looks, true 3%: same within 3%", looks_false_same, 5000, 0, 0.05},
    {"looks, true 5%: blocks", looks_blocks, 2000, 10, 18},
    {"O'Brien-Fleming, identical: different", steep_identical, 10000, 0.04, 0.055},
    {"O'Brien-Fleming, true 5%: blocks", steep_blocks, 2000, 20, 24},
    {"every block, identical: different", every_block, 1000, 0.15, 0.4},
    {"bisection of 1000: wrong commit", bisect_wrong, 1000, 0, 0.05},
    {"bisection of 1000: undecided", bisect_undecided, 1000, 0, 0.05},
    {"bisection of 1000: blocks a commit", bisect_blocks, 1000, 9, 20},
    {"no blocks, steady: called different", unpaired_steady, 5000, 0.03, 0.055},
    {"no blocks, drift: called different", unpaired_drift, 5000, 0.15, 1},
    {"place in the block: called important", order_alarms, 1000, 0.01, 0.06},
    {"history of 30: change where none is", change_alarms, 2000, 0, 0.017},
    {"last 6 of 30 8% slower: change found", change_found, 500, 0.8, 1},
};

#endif
