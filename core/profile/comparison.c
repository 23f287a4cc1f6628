/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/comparison.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/difference.h"
#include "stats/multiple.h"

/* One side in the numbering of the common tree; a missing node is 0. */
struct side {
    const struct profile *profiles;
    size_t n;
    uint32_t **maps; /* by repetition: node of its stacks → node of the tree */
    double **totals; /* by repetition and node of the tree, normalised */
    double *mean, *self;
};

static void map_side(struct side *side, struct stacks *tree)
{
    side->maps = xcalloc(side->n, sizeof(*side->maps));
    for (size_t i = 0; i < side->n; i++)
        stacks_merge(tree, side->profiles[i].stacks, 0, &side->maps[i]);
}

static void weigh_side(struct side *side, size_t nodes)
{
    side->totals = xcalloc(side->n, sizeof(*side->totals));
    side->mean = xcalloc(nodes, sizeof(*side->mean));
    side->self = xcalloc(nodes, sizeof(*side->self));
    for (size_t i = 0; i < side->n; i++) {
        const struct profile *p = &side->profiles[i];
        cleanup_free double *totals = stacks_totals(p->stacks);
        double n = (double)side->n;

        side->totals[i] = xcalloc(nodes, sizeof(**side->totals));
        for (uint32_t k = 0; k < stacks_nodes(p->stacks); k++) {
            uint32_t node = side->maps[i][k];

            side->totals[i][node] = totals[k] / p->divisor;
            side->mean[node] += totals[k] / p->divisor / n;
            side->self[node] += stacks_node(p->stacks, k)->self / p->divisor / n;
        }
    }
}

static void release_side(struct side *side)
{
    for (size_t i = 0; i < side->n; i++) {
        free(side->maps[i]);
        free(side->totals[i]);
    }
    free(side->maps);
    free(side->totals);
}

static bool counts_samples(const struct side *side)
{
    for (size_t i = 0; i < side->n; i++)
        if (!(side->profiles[i].samples > 0) || !(side->totals[i][STACKS_ROOT] > 0))
            return false;
    return true;
}

/* The samples in a node, and the exposure of the side: what a rate of 1 would have given. */
static double samples_in(const struct side *side, uint32_t node, double *ret_exposure)
{
    double count = 0;

    *ret_exposure = 0;
    for (size_t i = 0; i < side->n; i++) {
        const struct profile *p = &side->profiles[i];
        double per_weight = p->samples / side->totals[i][STACKS_ROOT];

        count += side->totals[i][node] * per_weight;
        *ret_exposure += per_weight;
    }
    return count;
}

static void judge_counts(const struct side *before, const struct side *after, const uint32_t *nodes,
                         size_t n, double *ret)
{
    for (size_t i = 0; i < n; i++) {
        double exposure[2], count[] = {samples_in(before, nodes[i], &exposure[0]),
                                       samples_in(after, nodes[i], &exposure[1])};

        ret[i] = stats_count_rates(count[0], exposure[0], count[1], exposure[1]);
    }
    stats_holm(ret, n, ret);
}

static void judge_repetitions(const struct side *before, const struct side *after,
                              const uint32_t *nodes, size_t n, double *ret)
{
    size_t both = before->n + after->n;
    cleanup_free double *roots = xcalloc(n * both, sizeof(*roots));

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < before->n; k++)
            roots[i * both + k] = sqrt(before->totals[k][nodes[i]]);
        for (size_t k = 0; k < after->n; k++)
            roots[i * both + before->n + k] = sqrt(after->totals[k][nodes[i]]);
    }
    stats_permutation(roots, n, before->n, after->n, ret);
}

static double *judge(const struct side *before, const struct side *after, enum comparison_rule rule,
                     size_t nodes, double share)
{
    const double least = share / 2 * (before->mean[STACKS_ROOT] + after->mean[STACKS_ROOT]);
    cleanup_free uint32_t *tested = xcalloc(nodes, sizeof(*tested));
    cleanup_free double *found = xcalloc(nodes, sizeof(*found));
    double *p = xcalloc(nodes, sizeof(*p));
    size_t n = 0;

    for (uint32_t i = 0; i < nodes; i++) {
        p[i] = NAN;
        if (before->mean[i] + after->mean[i] >= least)
            tested[n++] = i;
    }
    if (rule == COMPARISON_NONE)
        return p;
    if (rule == COMPARISON_REPEATED)
        judge_repetitions(before, after, tested, n, found);
    else
        judge_counts(before, after, tested, n, found);
    for (size_t i = 0; i < n; i++)
        p[tested[i]] = found[i];
    return p;
}

void comparison_make(struct comparison *ret, const struct profile *before, size_t n_before,
                     const struct profile *after, size_t n_after, double share)
{
    struct side sides[] = {{.profiles = before, .n = n_before}, {.profiles = after, .n = n_after}};
    struct stacks *tree = stacks_new();
    size_t nodes;

    map_side(&sides[0], tree);
    map_side(&sides[1], tree);
    stacks_sort(tree);
    nodes = stacks_nodes(tree);
    weigh_side(&sides[0], nodes);
    weigh_side(&sides[1], nodes);
    *ret = (struct comparison){
        .tree = tree,
        .n_before = n_before,
        .n_after = n_after,
        .rule = n_before >= COMPARISON_REPEATS && n_after >= COMPARISON_REPEATS
                    ? COMPARISON_REPEATED
                : counts_samples(&sides[0]) && counts_samples(&sides[1]) ? COMPARISON_COUNTS
                                                                         : COMPARISON_NONE,
        .before = sides[0].mean,
        .after = sides[1].mean,
        .self_before = sides[0].self,
        .self_after = sides[1].self,
    };
    ret->p = judge(&sides[0], &sides[1], ret->rule, nodes, share);
    release_side(&sides[0]);
    release_side(&sides[1]);
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
