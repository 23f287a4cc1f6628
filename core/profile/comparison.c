/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/comparison.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/difference.h"
#include "stats/multiple.h"

struct side {
    const struct profile *profiles;
    size_t n;
    double *mean, *self; /* by node of the common tree, normalised */
};

/* What the frames of one repetition weigh, normalised, by node of `tree`, which has them all. Only
 * one repetition at a time is laid out like this: there may be dozens, of millions of nodes. */
static double *totals_of(const struct profile *p, struct stacks *tree, double *self)
{
    cleanup_free double *own = stacks_totals(p->stacks);
    cleanup_free uint32_t *map = NULL;
    double *totals;

    stacks_merge(tree, p->stacks, 0, &map);
    totals = xcalloc(stacks_nodes(tree), sizeof(*totals));
    for (uint32_t k = 0; k < stacks_nodes(p->stacks); k++) {
        totals[map[k]] = own[k] / p->divisor;
        if (self)
            self[map[k]] += stacks_node(p->stacks, k)->self / p->divisor;
    }
    return totals;
}

static void weigh_side(struct side *side, struct stacks *tree)
{
    size_t nodes = stacks_nodes(tree);

    side->mean = xcalloc(nodes, sizeof(*side->mean));
    side->self = xcalloc(nodes, sizeof(*side->self));
    for (size_t i = 0; i < side->n; i++) {
        cleanup_free double *totals = totals_of(&side->profiles[i], tree, side->self);

        for (size_t k = 0; k < nodes; k++)
            side->mean[k] += totals[k];
    }
    for (size_t k = 0; k < nodes; k++) {
        side->mean[k] /= (double)side->n;
        side->self[k] /= (double)side->n;
    }
}

/* --- judging --------------------------------------------------------------------------------- */

/* The frames that are tested, and what they weigh in each repetition. */
struct tested {
    uint32_t *nodes; /* the root is the first */
    double *values;  /* [n][repetitions of the first side, then of the second] */
    size_t n, repetitions;
};

static void choose(struct tested *t, const struct side sides[2], size_t nodes, double share)
{
    const double least = share / 2 * (sides[0].mean[STACKS_ROOT] + sides[1].mean[STACKS_ROOT]);

    t->nodes = xcalloc(nodes, sizeof(*t->nodes));
    for (uint32_t i = 0; i < nodes; i++)
        if (sides[0].mean[i] + sides[1].mean[i] >= least)
            t->nodes[t->n++] = i;
}

static void weigh_tested(struct tested *t, const struct side sides[2], struct stacks *tree)
{
    size_t column = 0;

    t->repetitions = sides[0].n + sides[1].n;
    t->values = xcalloc(t->n * t->repetitions, sizeof(*t->values));
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < sides[s].n; i++, column++) {
            cleanup_free double *totals = totals_of(&sides[s].profiles[i], tree, NULL);

            for (size_t k = 0; k < t->n; k++)
                t->values[k * t->repetitions + column] = totals[t->nodes[k]];
        }
    }
}

/* The samples of a side in a tested frame, and its exposure: the samples that a weight of 1 in
 * every repetition would be. */
static double count_samples(const struct tested *t, size_t k, const struct side *side,
                            size_t column, double *ret_exposure)
{
    double count = 0;

    *ret_exposure = 0;
    for (size_t i = 0; i < side->n; i++, column++) {
        double per_weight = side->profiles[i].samples / t->values[column]; /* of the root */

        count += t->values[k * t->repetitions + column] * per_weight;
        *ret_exposure += per_weight;
    }
    return count;
}

static void judge_counts(const struct tested *t, const struct side sides[2], double *ret)
{
    for (size_t k = 0; k < t->n; k++) {
        double before, after;
        double count_before = count_samples(t, k, &sides[0], 0, &before);
        double count_after = count_samples(t, k, &sides[1], sides[0].n, &after);

        ret[k] = stats_count_rates(count_before, before, count_after, after);
    }
    stats_holm(ret, t->n, ret);
}

static void judge_repetitions(struct tested *t, const struct side sides[2], double *ret)
{
    for (size_t i = 0; i < t->n * t->repetitions; i++)
        t->values[i] = sqrt(t->values[i]);
    stats_permutation(t->values, t->n, sides[0].n, sides[1].n, ret);
}

static bool counts_samples(const struct side *side)
{
    for (size_t i = 0; i < side->n; i++)
        if (!(side->profiles[i].samples > 0) || !(stacks_total(side->profiles[i].stacks) > 0))
            return false;
    return true;
}

static enum comparison_rule rule_for(const struct side sides[2])
{
    if (sides[0].n >= COMPARISON_REPEATS && sides[1].n >= COMPARISON_REPEATS)
        return COMPARISON_REPEATED;
    return counts_samples(&sides[0]) && counts_samples(&sides[1]) ? COMPARISON_COUNTS
                                                                  : COMPARISON_NONE;
}

static double *judge(const struct side sides[2], enum comparison_rule rule, struct stacks *tree,
                     double share)
{
    size_t nodes = stacks_nodes(tree);
    double *p = xcalloc(nodes, sizeof(*p));
    cleanup_free double *found = NULL;
    struct tested t = {0};

    for (size_t i = 0; i < nodes; i++)
        p[i] = NAN;
    if (rule == COMPARISON_NONE)
        return p;
    choose(&t, sides, nodes, share);
    weigh_tested(&t, sides, tree);
    found = xcalloc(t.n, sizeof(*found));
    if (rule == COMPARISON_REPEATED)
        judge_repetitions(&t, sides, found);
    else
        judge_counts(&t, sides, found);
    for (size_t k = 0; k < t.n; k++)
        p[t.nodes[k]] = found[k];
    free(t.nodes);
    free(t.values);
    return p;
}

void comparison_make(struct comparison *ret, const struct profile *before, size_t n_before,
                     const struct profile *after, size_t n_after, double share)
{
    struct side sides[] = {{.profiles = before, .n = n_before}, {.profiles = after, .n = n_after}};
    struct stacks *tree = stacks_new();

    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sides[s].n; i++)
            stacks_merge(tree, sides[s].profiles[i].stacks, 0, NULL);
    stacks_sort(tree);
    weigh_side(&sides[0], tree);
    weigh_side(&sides[1], tree);
    *ret = (struct comparison){
        .tree = tree,
        .n_before = n_before,
        .n_after = n_after,
        .rule = rule_for(sides),
        .before = sides[0].mean,
        .after = sides[1].mean,
        .self_before = sides[0].self,
        .self_after = sides[1].self,
    };
    ret->p = judge(sides, ret->rule, tree, share);
}

void comparison_release(struct comparison *c)
{
    stacks_free(c->tree);
    free(c->before);
    free(c->after);
    free(c->self_before);
    free(c->self_after);
    free(c->p);
    *c = (struct comparison){0};
}
