/* SPDX-License-Identifier: Apache-2.0 */
#include "report/load.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/units.h"

static double number(const struct metric_set *set, const char *metric, double fallback)
{
    const struct metric_value *v = metric_set_find(set, metric);

    return v && v->value.state <= BENCH_SCALED ? v->value.value : fallback;
}

enum { BACKLOG_POINTS = 100 }; /* of a long series: pairs are many */

/* How fast the requests that are due and not done become more, over the ticks of the window. */
static double backlog_of(const struct repetition_record *r)
{
    struct metric_window w = metric_window(r);
    const struct series *s = &r->series;
    int due = series_find(s, "client.due"), done = series_find(s, "client.operations");
    cleanup_free double *x = NULL, *y = NULL;
    size_t n = 0;

    if (due < 0 || done < 0 || w.seconds <= 0)
        return NAN;
    x = xcalloc(w.last - w.first + 1, sizeof(*x));
    y = xcalloc(w.last - w.first + 1, sizeof(*y));
    for (size_t i = w.first; i <= w.last; i += (w.last - w.first) / BACKLOG_POINTS + 1) {
        int64_t waiting =
            series_difference(series_at(s, i, (size_t)done), series_at(s, i, (size_t)due));

        if (waiting == SERIES_MISSING)
            continue;
        x[n] = (double)(s->times[i] - s->times[w.first]) * 1e-9;
        y[n++] = (double)waiting;
    }
    return saturation_slope(x, y, n);
}

void load_of(const struct repetition_record *r, double rate, struct load *ret)
{
    struct metric_pool pool = {0};
    struct metric_set set = {0};

    *ret = (struct load){NAN, NAN, NAN, NAN, NAN};
    if (!r->ok)
        return;
    metrics_compute(r, &pool, &set);
    ret->offered = number(&set, "offered_per_second", rate);
    ret->done = number(&set, "operations_per_second", NAN);
    ret->p99 = number(&set, "latency_p99_seconds", NAN);
    if (metric_set_find(&set, "offered_per_second"))
        ret->backlog = backlog_of(r);
    metric_set_release(&set);
    metric_pool_release(&pool);
}

void load_explain(const struct load *l, enum saturation_sign s, char *out, size_t size)
{
    switch (s) {
    case SATURATION_NONE:
        snprintf(out, size, "%s", "");
        break;
    case SATURATION_BEHIND:
        snprintf(out, size, "answered %.1f%% of the requests that were due",
                 100 * l->done / l->offered);
        break;
    case SATURATION_BACKLOG:
        snprintf(out, size, "the requests that waited grew by %.1f%% of those that were due",
                 100 * l->backlog / l->offered);
        break;
    case SATURATION_SLOW:
        snprintf(out, size, "p99 was %.3g ms, %.0f times that of the light load", l->p99 * 1e3,
                 l->p99 / l->p99_light);
        break;
    }
}

void load_judge(const struct bench_arm *arm, const struct observations *ok, double rate,
                double p99_light, struct text *ret)
{
    char first[160] = "";
    size_t n = 0;

    for (size_t i = 0; i < ok->count; i++) {
        enum saturation_sign sign;
        struct load load;

        load_of(ok->items[i]->record, rate, &load);
        load.p99_light = p99_light;
        sign = saturation_judge(&load);
        if (sign != SATURATION_NONE && n++ == 0)
            load_explain(&load, sign, first, sizeof(first));
    }
    if (2 * n > ok->count)
        text_add(ret, "%s; so in %zu of %zu %s", first, n, ok->count,
                 counted_repetitions(arm, ok->count));
}
