/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "shared/numbers.h"
#include "sections.h"

#define MEASURE "measure" /* a repetition that counts */

void emit_metrics(const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out)
{
    struct footnotes unused = {0};
    struct table t = {.style = style, .least = 60};
    int metric, value, interval, n, cv, r1, state;

    metric = column(&t, "metric", true, 0);
    value = column(&t, "value", false, 0);
    interval = column(&t, "95% interval", true, 5);
    n = column(&t, "n", false, 4);
    cv = column(&t, "run CV", false, 3);
    r1 = column(&t, "lag 1", false, 2);
    state = column(&t, "state", true, 6);
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        char *name = NULL, *limit = NULL, s[48];

        if (asprintf(&name, "%s%s%s: ", a->name, *a->point ? " at " : "", a->point) >= 0 &&
            asprintf(&limit, "limited by %s (%s)", a->limited_by, a->limited_why) >= 0)
            put_heading(&t, name, limit);
        free(name);
        free(limit);
        for (uint32_t k = 0; k < a->n_estimates; k++) {
            const struct bench_estimate *e = a->estimates[k];

            new_row(&t);
            put(&t, metric, e->metric->name);
            put_estimate(&t, value, e, &unused, "");
            put_interval(&t, interval, e);
            snprintf(s, sizeof(s), "%u", e->n);
            put(&t, n, s);
            put_share(&t, cv, e->cv);
            snprintf(s, sizeof(s), "%+.2f", e->autocorrelation);
            put(&t, r1, isnan(e->autocorrelation) ? "–" : s);
            put(&t, state, state_name(e->state));
        }
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
    for (size_t i = 0; i < unused.count; i++)
        free(unused.items[i].names);
}

static double value_of(const struct bench_repetition *r, const struct bench_metric *m)
{
    for (uint32_t i = 0; i < r->n_values; i++)
        if (r->metrics[i] == m && bench_is_number(r->values[i].state))
            return r->values[i].value;
    return NAN;
}

void emit_repetitions(const struct bench_document *d, const struct bench_metric *headline,
                      const struct bench_style *style, struct bench_output *out)
{
    struct table t = {.style = style};
    int index = column(&t, "#", false, 0), block = column(&t, "block", false, 3);
    int arm = column(&t, "relay", true, 0), point = 0, purpose = 0, value = 0, overhead, state,
        error;
    bool sweep = is_sweep(d), aside = false;

    if (sweep)
        point = column(&t, "point", true, 6);
    for (uint32_t i = 0; i < d->n_repetitions; i++)
        aside |= strcmp(d->repetitions[i]->purpose, MEASURE) != 0;
    if (aside)
        purpose = column(&t, "for", true, 5);
    if (headline)
        value = column(&t, headline->title, false, 8);
    overhead = column(&t, "overhead", false, 2);
    state = column(&t, "state", true, 7);
    error = column(&t, "error", true, 1);
    for (uint32_t i = 0; i < d->n_repetitions; i++) {
        const struct bench_repetition *r = d->repetitions[i];
        double v = headline ? value_of(r, headline) : NAN;
        char s[80];

        new_row(&t);
        snprintf(s, sizeof(s), "%u", r->index);
        put(&t, index, s);
        snprintf(s, sizeof(s), "%u", r->block);
        put(&t, block, s);
        put(&t, arm, r->arm);
        if (sweep)
            put(&t, point, r->point);
        if (aside)
            put(&t, purpose, r->purpose);
        if (headline && !isnan(v))
            with_unit(headline, v, s, sizeof(s));
        if (headline)
            put(&t, value, isnan(v) ? "–" : s);
        snprintf(s, sizeof(s), "%.3f s", r->overhead_seconds);
        put(&t, overhead, isnan(r->overhead_seconds) ? "–" : s);
        put(&t, state, r->state);
        put(&t, error, r->error ? r->error : "");
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}
