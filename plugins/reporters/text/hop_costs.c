/* SPDX-License-Identifier: Apache-2.0 */
/* What one hop costs, against the arm without hops. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "shared/numbers.h"
#include "sections.h"

static const struct {
    const char *metric, *head;
    int importance;
} shown[] = {
    {"latency_p50_seconds", "later, p50", 0},
    {"latency_p99_seconds", "later, p99", 3},
    {"cpu_seconds_per_operation_relay", "CPU/op", 0},
    {"cpu_seconds_per_gigabyte_relay", "CPU s/GB", 0},
};

enum { SHOWN = sizeof(shown) / sizeof(shown[0]) };

static const struct bench_hop_cost *find_cost(const struct bench_arm *a, const char *metric)
{
    for (uint32_t i = 0; i < a->n_hop_costs; i++)
        if (strcmp(a->hop_costs[i].metric->name, metric) == 0)
            return &a->hop_costs[i];
    return NULL;
}

static bool any_has(const struct bench_document *d, const char *metric)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (find_cost(d->arms[i], metric))
            return true;
    return false;
}

static void put_cost(struct table *t, int at, int at_interval, const struct bench_hop_cost *c)
{
    char low[48], high[48], s[110];

    if (!c) {
        put(t, at, "–");
        return;
    }
    with_unit(c->metric, c->value, s, sizeof(s));
    put(t, at, s);
    if (!c->has_interval)
        return;
    with_unit(c->metric, c->low, low, sizeof(low));
    with_unit(c->metric, c->high, high, sizeof(high));
    snprintf(s, sizeof(s), "[%s, %s]", low, high);
    put(t, at_interval, s);
}

void emit_hop_costs(const struct bench_document *d, const struct bench_style *style,
                    struct bench_output *out)
{
    struct table t = {.style = style};
    int at[SHOWN], interval[SHOWN], hops;
    bool any = false;

    column(&t, "relay", true, 0);
    hops = column(&t, "hops", false, 6);
    for (int k = 0; k < SHOWN; k++) {
        at[k] = interval[k] = -1;
        if (!any_has(d, shown[k].metric))
            continue;
        any = true;
        at[k] = grouped(&t, "one hop costs", shown[k].head, shown[k].importance);
        interval[k] = grouped(&t, "one hop costs", "95% interval", shown[k].importance + 1);
    }
    for (uint32_t i = 0; i < d->n_arms && any; i++) {
        const struct bench_arm *a = d->arms[i];
        char s[16];

        if (a->n_hop_costs == 0)
            continue;
        arm_row(&t, d, i);
        snprintf(s, sizeof(s), "%u", a->hops);
        put(&t, hops, s);
        for (int k = 0; k < SHOWN; k++)
            if (at[k] >= 0)
                put_cost(&t, at[k], interval[k], find_cost(a, shown[k].metric));
    }
    if (any) {
        emit_table(&t, out);
        host->emit(out, "\n");
    }
    table_release(&t);
}
