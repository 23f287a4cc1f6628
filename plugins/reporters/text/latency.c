/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "sections.h"

static const struct {
    const char *name, *head;
    int importance;
} quantiles[] = {
    {"latency_p50_seconds", "p50", 0}, {"latency_p90_seconds", "p90", 4},
    {"latency_p99_seconds", "p99", 8}, {"latency_p999_seconds", "p99.9", 5},
    {"latency_max_seconds", "max", 3},
};

enum { QUANTILES = sizeof(quantiles) / sizeof(quantiles[0]), P99 = 2 };

static bool any_has(const struct bench_document *d, const char *name)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (find(d->arms[i], name))
            return true;
    return false;
}

/* How long requests took; the tail against the baseline's. */
void emit_latency(const struct bench_document *d, struct footnotes *notes,
                  const struct bench_style *style, struct bench_output *out)
{
    struct table t = {.style = style};
    int at[QUANTILES], ratio = 0, sure = 0;
    bool compared = is_compared(d);
    char head[96];

    if (!any_has(d, quantiles[0].name))
        return;
    column(&t, "relay", true, 0);
    for (int k = 0; k < QUANTILES; k++)
        at[k] = any_has(d, quantiles[k].name)
                    ? grouped(&t, "latency", quantiles[k].head, quantiles[k].importance)
                    : -1;
    if (compared) {
        snprintf(head, sizeof(head), "p99 vs %s", baseline_name(d));
        ratio = column(&t, head, false, 7);
        sure = column(&t, "95% interval", true, 6);
    }
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];

        arm_row(&t, d, i);
        for (int k = 0; k < QUANTILES; k++)
            if (at[k] >= 0)
                put_estimate(&t, at[k], find(a, quantiles[k].name), notes, quantiles[k].head);
        if (compared && strcmp(a->name, d->baseline) == 0)
            put(&t, ratio, "baseline");
        else if (compared)
            put_ratio(&t, ratio, sure, find(a, quantiles[P99].name));
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}
