/* SPDX-License-Identifier: Apache-2.0 */
#include "report/spread_notes.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "stats/nested.h"

#define SHOWS 0.01 /* p below which blocks differ by more than their slices */

static bool is_of(const struct repetition_record *r, const char *arm, const char *point)
{
    return r->ok && strcmp(r->arm, arm) == 0 && strcmp(r->point, point) == 0;
}

static const struct repetition_record *of_block(const struct observations *all, const char *arm,
                                                const char *point, uint32_t block)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        if (r->block == block && is_of(r, arm, point))
            return r;
    }
    return NULL;
}

/* ln of the metric in each slice of a window that was joined (store/slices.h). */
static void slice_levels(const struct repetition_record *r, const char *metric, double *ret)
{
    struct repetition_record part = *r;
    struct metric_pool pool = {0};

    part.window_end_ns = r->window_begin_ns;
    for (size_t i = 0; i < r->n_slices; i++) {
        struct metric_set set = {0};
        const struct metric_value *v;

        part.window_begin_ns = part.window_end_ns;
        part.window_end_ns += r->slices[i].end_ns - r->slices[i].begin_ns;
        metrics_compute(&part, &pool, &set);
        v = metric_set_find(&set, metric);
        ret[i] = v ? log(v->value.value) : NAN;
        metric_set_release(&set);
    }
    metric_pool_release(&pool);
}

static bool is_rejected(const struct bench_document *d, uint32_t block)
{
    for (uint32_t i = 0; i < d->n_rejected; i++)
        if (d->rejected[i].block == block)
            return true;
    return false;
}

/* The ln ratios of all slices of blocks that count, block by block; 0 blocks when there are none to
 * compare. */
static size_t slice_ratios(const struct bench_document *d, const struct bench_comparison *c,
                           const struct observations *all, size_t *ret_slices, double **ret)
{
    size_t blocks = 0;

    *ret_slices = 0;
    *ret = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record, *base;
        cleanup_free double *level = NULL;
        double *ratio;

        if (!is_of(r, c->arm, c->point) || is_rejected(d, r->block) || !r->joined ||
            (blocks && r->n_slices != *ret_slices))
            continue;
        base = of_block(all, c->base, c->point, r->block);
        if (!base || !base->joined || base->n_slices != r->n_slices)
            continue;
        *ret_slices = r->n_slices;
        *ret = xrealloc(*ret, (blocks + 1) * r->n_slices * sizeof(**ret));
        ratio = *ret + blocks++ * r->n_slices;
        level = xcalloc(r->n_slices, sizeof(*level));
        slice_levels(r, c->metric->name, ratio);
        slice_levels(base, c->metric->name, level);
        for (size_t k = 0; k < r->n_slices; k++)
            ratio[k] -= level[k];
    }
    return blocks;
}

static void note(const struct bench_document *d, const struct bench_comparison *c,
                 const struct observations *all, struct strings *ret)
{
    cleanup_free double *ratios = NULL;
    size_t slices, blocks = slice_ratios(d, c, all, &slices, &ratios);
    cleanup_free char *of = *c->point ? xasprintf("%s at %s", c->arm, c->point) : xstrdup(c->arm);
    struct stats_nested spread;

    stats_nested(ratios, blocks, slices, &spread);
    if (isnan(spread.p))
        return;
    if (spread.p < SHOWS)
        strings_addf(
            ret,
            "%s of %s: the ratio varies by %.2g%% from block to block, where its %zu "
            "slices explain %.2g%%: %s",
            c->metric->title, of, spread.groups * 100, slices, spread.parts * 100,
            observed_pinned(all)
                ? "processes differ from block to block; only more blocks ('repeat') help"
                : "processes, or where the scheduler puts them, differ from block to block; "
                  "'cpus' gives roles CPUs of their own");
    else
        strings_addf(ret,
                     "%s of %s: the ratio varies by %.2g%% from block to block, as its %zu slices "
                     "do: a longer 'duration' narrows the interval as more blocks would",
                     c->metric->title, of, spread.groups * 100, slices);
}

void spread_notes(const struct bench_document *d, const struct observations *all,
                  struct strings *ret)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const char *finding = d->comparisons[i]->finding;

        if (strcmp(finding, "inconclusive") == 0 || strcmp(finding, "different") == 0)
            note(d, d->comparisons[i], all, ret);
    }
}
