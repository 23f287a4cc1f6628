/* SPDX-License-Identifier: Apache-2.0 */
#include "report/order_notes.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "stats/order.h"
#include "stats/summary.h"

#define SHOWS 0.01 /* p below which an order is mentioned */

/* ln y less the median of the arm at its point: what is left is what the order can explain. */
static double *levels(const struct bench_document *d, const struct observations *all,
                      const char *metric)
{
    double *x = xcalloc(all->count + 1, sizeof(*x));

    for (size_t i = 0; i < all->count; i++)
        x[i] = log(observed_number(all->items[i], metric));
    for (uint32_t a = 0; a < d->n_arms; a++) {
        cleanup_free double *own = xcalloc(all->count + 1, sizeof(*own));
        double median = NAN;
        size_t n = 0;

        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < all->count; i++) {
                const struct repetition_record *r = all->items[i]->record;

                if (strcmp(r->arm, d->arms[a]->name) != 0 ||
                    strcmp(r->point, d->arms[a]->point) != 0)
                    continue;
                if (pass == 0 && isfinite(x[i]))
                    own[n++] = x[i];
                else if (pass == 1)
                    x[i] -= median;
            }
            median = stats_median(own, n);
        }
    }
    return x;
}

/* Leaves out what is no number; the items are in order of execution, so blocks stand together. */
static size_t prepare(const struct observations *all, double *x, double *place, size_t *block)
{
    size_t n = 0, in_block = 0;

    for (size_t i = 0; i < all->count; i++) {
        in_block = i && all->items[i]->record->block == all->items[i - 1]->record->block
                       ? in_block + 1
                       : 0;
        if (!isfinite(x[i]))
            continue;
        x[n] = x[i];
        place[n] = (double)in_block;
        block[n++] = all->items[i]->record->block;
    }
    return n;
}

static void note(const struct bench_metric *metric, const struct observations *all, double *x,
                 struct strings *ret)
{
    cleanup_free double *place = xcalloc(all->count + 1, sizeof(*place));
    cleanup_free double *time = xcalloc(all->count + 1, sizeof(*time));
    cleanup_free size_t *block = xcalloc(all->count + 1, sizeof(*block));
    size_t n = prepare(all, x, place, block);
    struct stats_order order;

    for (size_t i = 0; i < n; i++)
        time[i] = (double)i;
    stats_order(x, time, NULL, n, &order);
    if (order.p < SHOWS)
        strings_addf(ret,
                     "%s %s over the run (rank correlation %+.2f with the order of execution): the "
                     "machine drifted; arms of a block met it alike",
                     metric->title, order.correlation > 0 ? "rose" : "fell", order.correlation);
    stats_order(x, place, block, n, &order);
    if (order.p < SHOWS)
        strings_addf(
            ret,
            "%s depends on the place in the block (rank correlation %+.2f): who comes later "
            "%s; the random order makes that noise",
            metric->title, order.correlation, order.correlation > 0 ? "gains" : "loses");
}

void order_notes(const struct bench_document *d, const struct observations *all,
                 struct strings *ret)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_metric *metric = d->comparisons[i]->metric;
        cleanup_free double *x = NULL;
        uint32_t before = 0;

        while (before < i && d->comparisons[before]->metric != metric)
            before++;
        if (before < i)
            continue;
        x = levels(d, all, metric->name);
        note(metric, all, x, ret);
    }
}
