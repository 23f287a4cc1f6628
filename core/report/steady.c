/* SPDX-License-Identifier: Apache-2.0 */
#include "report/steady.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "stats/onset.h"
#include "stats/summary.h"

static bool counted(const struct series *s, const char *name, size_t row)
{
    int column = series_find(s, name);

    return column >= 0 && series_at(s, row, (size_t)column) > 0;
}

double *steadiness_rates(const struct repetition_record *r, size_t *ret_n)
{
    struct metric_window w = metric_window(r);
    cleanup_free char *bytes = xasprintf("%s.bytes_received", r->delivered);
    double *rates = xcalloc(w.last - w.first + 1, sizeof(*rates));
    const char *name =
        counted(&r->series, "client.operations", w.last) ? "client.operations" : bytes;

    *ret_n = w.last - w.first;
    if (w.seconds > 0 && counted(&r->series, name, w.last) &&
        series_rates(&r->series, name, w.first, w.last, rates) == BENCH_OK)
        return rates;
    free(rates);
    *ret_n = 0;
    return NULL;
}

/* Not judged when the series does not show what was done. */
static struct onset judge(const struct repetition_record *r)
{
    size_t n;
    cleanup_free double *rates = steadiness_rates(r, &n);
    struct onset m = {0};

    if (rates)
        stats_onset(rates, n, &m);
    return m;
}

static double cut_seconds(const struct repetition_record *r, const struct onset *m)
{
    size_t first = metric_window(r).first;

    return (double)(r->series.times[first + m->cut] - r->series.times[first]) * 1e-9;
}

void steadiness_find(const struct observations *all, const char *arm, const char *point,
                     struct steadiness *ret)
{
    cleanup_free struct onset *m = xcalloc(all->count + 1, sizeof(*m));
    cleanup_free double *seconds = xcalloc(all->count + 1, sizeof(*seconds));
    cleanup_free double *ratio = xcalloc(all->count + 1, sizeof(*ratio));
    cleanup_free double *shift = xcalloc(all->count + 1, sizeof(*shift));
    int trend;

    *ret = (struct steadiness){.steady = true};
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        if (!r->ok || strcmp(r->arm, arm) != 0 || strcmp(r->point, point) != 0)
            continue;
        m[i] = judge(r);
        ret->judged += m[i].judged;
    }
    trend = stats_onset_majority(m, all->count);
    for (size_t i = 0; trend && i < all->count; i++) {
        if (m[i].trend != trend)
            continue;
        seconds[ret->unsteady] = cut_seconds(all->items[i]->record, &m[i]);
        ratio[ret->unsteady] = m[i].before / m[i].rest;
        shift[ret->unsteady++] = m[i].shift;
    }
    ret->steady = trend == 0;
    ret->seconds = stats_median(seconds, ret->unsteady);
    ret->ratio = stats_median(ratio, ret->unsteady);
    ret->shift = stats_median(shift, ret->unsteady);
}
