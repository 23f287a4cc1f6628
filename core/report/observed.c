/* SPDX-License-Identifier: Apache-2.0 */
#include "report/observed.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/signed_rank.h"
#include "stats/summary.h"

void observations_add(struct observations *o, const struct observed *item)
{
    o->items = grow(o->items, &o->capacity, o->count + 1, sizeof(*o->items));
    o->items[o->count++] = item;
}

void observations_release(struct observations *o)
{
    free(o->items);
    *o = (struct observations){0};
}

const char *counted_repetitions(const struct bench_arm *arm, size_t n)
{
    return n == bench_arm_repetitions(arm) ? "repetitions" : "valid repetitions";
}

static bool is_number(struct bench_value v)
{
    return bench_is_number(v.state) && isfinite(v.value);
}

double observed_number(const struct observed *o, const char *metric)
{
    const struct metric_value *v = metric_set_find(&o->set, metric);

    return v && is_number(v->value) ? v->value.value : NAN;
}

double observed_median(const struct observations *o, const char *metric)
{
    cleanup_free double *x = xcalloc(o->count + 1, sizeof(*x));
    size_t n = 0;

    for (size_t i = 0; i < o->count; i++) {
        double v = observed_number(o->items[i], metric);

        if (!isnan(v))
            x[n++] = v;
    }
    return stats_median(x, n);
}

bool observed_range(const struct observations *o, const char *metric, double *ret_low,
                    double *ret_high)
{
    double low = INFINITY, high = -INFINITY;

    for (size_t i = 0; i < o->count; i++) {
        double v = observed_number(o->items[i], metric);

        low = fmin(low, v); /* NaN gives way */
        high = fmax(high, v);
    }
    if (low > high)
        return false;
    *ret_low = low;
    *ret_high = high;
    return true;
}

bool observed_pinned(const struct observations *o)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct repetition_record *r = o->items[i]->record;

        for (size_t k = 0; k < r->n_roles; k++)
            if (!r->roles[k].cpus)
                return false;
    }
    return true;
}

const struct observed *observed_of_block(const struct observations *o, uint32_t block)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->items[i]->record->block == block)
            return o->items[i];
    return NULL;
}

/* A ratio needs positive numbers throughout: leaving pairs out by their outcome would bias it. */
static void estimate_ratio(const struct observations *arm, const struct observations *baseline,
                           struct bench_estimate *e)
{
    cleanup_free double *d = xcalloc(arm->count + 1, sizeof(*d));
    struct stats_interval i;
    size_t n = 0;

    for (size_t r = 0; r < arm->count; r++) {
        const struct observed *base = observed_of_block(baseline, arm->items[r]->record->block);
        double y = observed_number(arm->items[r], e->metric->name);
        double y0 = base ? observed_number(base, e->metric->name) : NAN;

        if (isnan(y) || isnan(y0))
            continue;
        if (y <= 0 || y0 <= 0)
            return;
        d[n++] = log(y) - log(y0);
    }
    if (n == 0)
        return;
    stats_signed_rank(d, n, 1 - REPORT_CONFIDENCE, &i);
    e->ratio = exp(i.estimate);
    e->ratio_pairs = (uint32_t)n;
    e->has_ratio_interval = i.has_interval;
    e->ratio_low = exp(i.low);
    e->ratio_high = exp(i.high);
}

static struct bench_estimate estimate(const struct bench_metric *metric,
                                      const struct observations *arm,
                                      const struct observations *baseline)
{
    cleanup_free double *x = xcalloc(arm->count + 1, sizeof(*x));
    struct bench_estimate e = {.metric = metric,
                               .confidence = REPORT_CONFIDENCE,
                               .ratio = NAN,
                               .ratio_low = NAN,
                               .ratio_high = NAN};
    enum bench_state worst = BENCH_OK;
    const char *worst_reason = NULL;
    struct stats_interval i;

    for (size_t r = 0; r < arm->count; r++) {
        const struct metric_value *v = metric_set_find(&arm->items[r]->set, metric->name);

        if (!v)
            continue;
        if (is_number(v->value)) {
            x[e.n++] = v->value.value;
            if (v->value.state > e.state)
                e.state = v->value.state;
        }
        if (v->value.state >= worst) {
            worst = v->value.state;
            worst_reason = v->reason ? v->reason : worst_reason;
        }
    }
    if (e.n == 0)
        e.state = worst == BENCH_OK ? BENCH_FAILED : worst;
    e.reason = worst_reason;
    stats_signed_rank(x, e.n, 1 - REPORT_CONFIDENCE, &i);
    e.value = i.estimate;
    e.has_interval = i.has_interval;
    e.low = i.low;
    e.high = i.high;
    e.cv = stats_cv(x, e.n);
    e.autocorrelation = stats_autocorrelation(x, e.n);
    if (baseline && baseline->count && e.n)
        estimate_ratio(arm, baseline, &e);
    return e;
}

static bool has(struct bench_estimate *const *e, uint32_t n, const struct bench_metric *metric)
{
    for (uint32_t i = 0; i < n; i++)
        if (e[i]->metric == metric)
            return true;
    return false;
}

struct bench_estimate **estimate_all(const struct observations *arm,
                                     const struct observations *baseline, uint32_t *ret_count)
{
    struct bench_estimate **all = NULL;
    size_t capacity = 0;
    uint32_t n = 0;

    for (size_t r = 0; r < arm->count; r++) {
        const struct metric_set *set = &arm->items[r]->set;

        for (size_t i = 0; i < set->count; i++) {
            if (has(all, n, set->items[i].metric))
                continue;
            all = grow(all, &capacity, n + 1, sizeof(*all));
            all[n] = xcalloc(1, sizeof(**all));
            *all[n++] = estimate(set->items[i].metric, arm, baseline);
        }
    }
    *ret_count = n;
    return all;
}

/* Those in which events were counted. */
static struct observations counting(const struct observations *all)
{
    struct observations found = {0};

    for (size_t i = 0; all && i < all->count; i++) {
        const struct metric_set *set = &all->items[i]->set;
        bool events = false;

        for (size_t v = 0; v < set->count; v++)
            events |= set->items[v].metric->event != NULL;
        if (events)
            observations_add(&found, all->items[i]);
    }
    return found;
}

struct bench_estimate **estimate_events(struct bench_estimate **all, uint32_t *count,
                                        const struct observations *apart,
                                        const struct observations *baseline, const char *reason)
{
    struct observations counted = counting(apart), base = counting(baseline);
    uint32_t n_apart;
    struct bench_estimate **more = estimate_all(&counted, &base, &n_apart);

    all = xrealloc(all, (*count + n_apart + 1) * sizeof(*all));
    for (uint32_t i = 0; i < n_apart; i++) {
        if (!more[i]->metric->event || has(all, *count, more[i]->metric)) {
            free(more[i]);
            continue;
        }
        if (!more[i]->reason)
            more[i]->reason = reason;
        all[(*count)++] = more[i];
    }
    free(more);
    observations_release(&counted);
    observations_release(&base);
    return all;
}
