/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shared/lookup.h"

const struct bench_estimate *find(const struct bench_arm *a, const char *name)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (strcmp(a->estimates[i]->metric->name, name) == 0)
            return a->estimates[i];
    return NULL;
}

const struct bench_estimate *find_role(const struct bench_arm *a, const char *stem,
                                       const char *role)
{
    for (uint32_t i = 0; i < a->n_estimates; i++) {
        const struct bench_metric *m = a->estimates[i]->metric;

        if (m->role && strcmp(m->role, role) == 0 && strcmp(m->stem, stem) == 0)
            return a->estimates[i];
    }
    return NULL;
}

bool is_number(const struct bench_estimate *e)
{
    return e && e->n > 0 && bench_is_number(e->state);
}

bool is_compared(const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (strcmp(d->arms[i]->name, d->baseline) != 0)
            return true;
    return false;
}

bool is_base(const struct bench_document *d, const struct bench_arm *a)
{
    bool base = strcmp(a->name, d->baseline) == 0;

    for (uint32_t i = 0; i < d->n_comparisons; i++)
        base |= strcmp(a->name, d->comparisons[i]->base) == 0;
    return base;
}

const char *baseline_name(const struct bench_document *d)
{
    return strlen(d->baseline) > 20 ? "baseline" : d->baseline;
}

const char *base_name(const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++)
        if (strcmp(d->comparisons[i]->base, d->comparisons[0]->base) != 0)
            return "the other";
    return baseline_name(d);
}

bool is_sweep(const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (*d->arms[i]->point)
            return true;
    return false;
}

const struct bench_metric *metric_named(const struct bench_document *d, const char *name)
{
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_estimate *e = find(d->arms[i], name);

        if (e)
            return e->metric;
    }
    return NULL;
}

const struct bench_comparison *find_comparison(const struct bench_document *d,
                                               const struct bench_arm *a,
                                               const struct bench_metric *m)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_comparison *c = d->comparisons[i];

        if (c->metric == m && strcmp(c->arm, a->name) == 0 && strcmp(c->point, a->point) == 0)
            return c;
    }
    return NULL;
}

bool detectable(const struct bench_document *d, const struct bench_metric *m, char *out,
                size_t size)
{
    double worst = 0;

    for (uint32_t i = 0; i < d->n_comparisons; i++)
        if (d->comparisons[i]->metric == m)
            worst = fmax(worst, d->comparisons[i]->detectable);
    snprintf(out, size, worst < 1 ? "%.2g%%" : "%.0f%%", worst * 100);
    return worst > 0 && isfinite(worst);
}

bool has_size(const struct bench_comparison *c)
{
    return !isnan(c->ratio) && strcmp(c->finding, "failed") != 0;
}

bool decides(const struct bench_document *d, const struct bench_metric *m)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++)
        if (strcmp(d->comparisons[i]->metric->name, m->name) == 0)
            return true;
    return false;
}
