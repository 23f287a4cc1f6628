/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "sections.h"

void put_runs(struct table *t, int ok, int by, const struct bench_arm *a)
{
    char runs[32];

    snprintf(runs, sizeof(runs), "%u/%u", a->valid, bench_arm_repetitions(a));
    put(t, ok, runs);
    put(t, by,
        strcmp(a->limited_by, "cpu") == 0     ? "the machine's CPUs"
        : strcmp(a->limited_by, "quota") == 0 ? "the quota around bench"
                                              : a->limited_by);
}

/* One headline metric: how much, how sure, against the baseline. `m` is NULL when no arm has any.
 */
void emit_headline(const struct bench_document *d, const struct bench_metric *m, bool first,
                   struct footnotes *notes, const struct bench_style *style,
                   struct bench_output *out)
{
    struct table t = {.style = style};
    int value = 0, interval = 0, ratio = 0, sure = 0, cv = 0, ok = 0, by = 0;
    bool compared = m && is_compared(d);
    char head[96];

    column(&t, "relay", true, 0);
    if (m) {
        value = column(&t, m->title, false, 0);
        interval = column(&t, "95% interval", true, 5);
    }
    if (compared) {
        snprintf(head, sizeof(head), "vs %s", baseline_name(d));
        ratio = column(&t, head, false, 9);
        sure = column(&t, "95% interval", true, 4);
    }
    if (m)
        cv = column(&t, "run CV", false, 3);
    if (first) {
        ok = column(&t, "valid", false, 6);
        by = column(&t, "limited by", true, 8);
    }
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct bench_estimate *e = m ? find(a, m->name) : NULL;

        arm_row(&t, d, i);
        if (m) {
            put_estimate(&t, value, e, notes, m->title);
            put_interval(&t, interval, e);
            put_share(&t, cv, e ? e->cv : NAN);
        }
        if (compared && strcmp(a->name, d->baseline) == 0)
            put(&t, ratio, "baseline");
        else if (compared)
            put_ratio(&t, ratio, sure, e);
        if (first)
            put_runs(&t, ok, by, a);
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}
