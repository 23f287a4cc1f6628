/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked: each arm against the baseline in the metrics that decide. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "shared/numbers.h"
#include "sections.h"

struct verdict_columns {
    int value, cv, ratio, interval, p, verdict, valid, limited;
};

static void put_comparison(struct table *t, const struct verdict_columns *at,
                           const struct bench_comparison *c)
{
    char low[32], high[32], s[80];

    put(t, at->verdict, c->verdict);
    if (!has_size(c)) {
        put(t, at->ratio, "–");
        return;
    }
    change(c->ratio, s, sizeof(s));
    put(t, at->ratio, s);
    if (c->has_interval) {
        change(c->low, low, sizeof(low));
        change(c->high, high, sizeof(high));
        snprintf(s, sizeof(s), "[%s, %s]", low, high);
    }
    put(t, at->interval, c->has_interval ? s : "no interval");
    if (c->p_adjusted < 0.001)
        snprintf(s, sizeof(s), "<0.001");
    else
        snprintf(s, sizeof(s), "%.3f", c->p_adjusted);
    put(t, at->p, isnan(c->p_adjusted) ? "–" : s);
}

static void emit_metric(const struct bench_document *d, const struct bench_metric *m,
                        double confidence, struct footnotes *notes, const struct bench_style *style,
                        struct bench_output *out)
{
    struct table t = {.style = style};
    struct verdict_columns at;
    char head[96];

    column(&t, "relay", true, 0);
    at.value = column(&t, m->title, false, 0);
    at.cv = column(&t, "run CV", false, 3);
    snprintf(head, sizeof(head), "vs %s", base_name(d));
    at.ratio = column(&t, head, false, 9);
    snprintf(head, sizeof(head), "%.3g%% interval", confidence * 100);
    at.interval = column(&t, head, true, 8);
    at.p = column(&t, "p (Holm)", false, 4);
    at.verdict = column(&t, "verdict", true, 0);
    at.valid = column(&t, "valid", false, 5);
    at.limited = column(&t, "limited by", true, 6);
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct bench_estimate *e = find(a, m->name);
        const struct bench_comparison *c = find_comparison(d, a, m);

        arm_row(&t, d, i);
        put_estimate(&t, at.value, e, notes, m->title);
        put_share(&t, at.cv, e ? e->cv : NAN);
        if (c)
            put_comparison(&t, &at, c);
        else
            put(&t, at.ratio, is_base(d, a) ? "baseline" : "–");
        put_runs(&t, at.valid, at.limited, a);
    }
    emit_table(&t, out);
    table_release(&t);
}

static void emit_detectable(const struct bench_document *d, const struct bench_metric *m,
                            const struct bench_style *style, struct bench_output *out)
{
    char least[32], line[160];

    if (detectable(d, m, least, sizeof(least))) {
        snprintf(line, sizeof(line),
                 "smallest difference in %s that this run could detect (80%% power): about %s",
                 m->title, least);
        emit_wrapped("", line, style, out);
    }
    host->emit(out, "\n");
}

void emit_verdicts(const struct bench_document *d, struct footnotes *notes,
                   const struct bench_style *style, struct bench_output *out)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_comparison *c = d->comparisons[i];
        uint32_t before = 0;

        while (before < i && d->comparisons[before]->metric != c->metric)
            before++;
        if (before < i)
            continue;
        emit_metric(d, c->metric, c->confidence, notes, style, out);
        emit_detectable(d, c->metric, style, out);
    }
    if (d->n_comparisons) {
        shade(style, BOLD, out);
        host->emit(out, "exploratory, not error-controlled\n");
        shade(style, PLAIN, out);
    }
}
