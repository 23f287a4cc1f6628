/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cells.h"
#include "lines.h"
#include "sections.h"

/* A column that shows one quantity of one role. */
struct cost {
    int at;
    char role[32];
    const char *stem;
    bool unit;
};

struct costs {
    struct cost items[CELLS];
    int count;
};

static void add_cost(struct costs *c, int at, const char *stem, const char *role, bool unit)
{
    struct cost *cost = &c->items[c->count];

    if (at >= CELLS)
        return;
    *cost = (struct cost){.at = at, .stem = stem, .unit = unit};
    snprintf(cost->role, sizeof(cost->role), "%s", role);
    c->count++;
}

static bool any_has(const struct bench_document *d, const char *stem, const char *role)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (find_role(d->arms[i], stem, role))
            return true;
    return false;
}

/* One column per hop below a common head. */
static void add_hops(const struct bench_document *d, struct table *t, struct costs *c,
                     const char *group, const char *stem, bool unit, int importance)
{
    for (uint32_t h = 1; h <= most_hops(d); h++) {
        char role[32], head[32];

        snprintf(role, sizeof(role), "relay_%u", h);
        snprintf(head, sizeof(head), "R%u", h);
        if (any_has(d, stem, role))
            add_cost(c, grouped(t, group, head, importance), stem, role, unit);
    }
}

/* Hops without a column must not be taken for hops that are not there. */
static void emit_hops_left_out(const struct bench_document *d, struct bench_output *out)
{
    uint32_t shown = most_hops(d), all = longest_chain(d);

    if (all == shown + 1)
        host->emit(out, "  not shown: R%u ('--details' has it)\n", all);
    else if (all > shown)
        host->emit(out, "  not shown: R%u to R%u ('--details' has them)\n", shown + 1, all);
}

/* Where the CPU and the memory went. */
void emit_costs(const struct bench_document *d, struct footnotes *notes,
                const struct bench_style *style, struct bench_output *out)
{
    struct table t = {.style = style};
    struct costs c = {.count = 0};

    column(&t, "relay", true, 0);
    add_cost(&c, grouped(&t, "CPUs used", "client", 6), "cpus", "client", false);
    add_hops(d, &t, &c, "CPUs used", "cpus", false, 9);
    add_cost(&c, grouped(&t, "CPUs used", "server", 6), "cpus", "server", false);
    if (any_has(d, "cpu_seconds_per_gigabyte", "relay"))
        add_cost(&c, grouped(&t, "relays' CPU", "s/GB", 8), "cpu_seconds_per_gigabyte", "relay",
                 false);
    if (any_has(d, "cpu_seconds_per_operation", "relay"))
        add_cost(&c, grouped(&t, "relays' CPU", "per op", 8), "cpu_seconds_per_operation", "relay",
                 true);
    add_hops(d, &t, &c, "throttled", "throttled_share", true, 5);
    add_hops(d, &t, &c, "RSS", "rss_bytes", true, 4);
    for (uint32_t i = 0; i < d->n_arms; i++) {
        arm_row(&t, d, i);
        for (int k = 0; k < c.count; k++) {
            const struct cost *cost = &c.items[k];
            const struct bench_estimate *e = find_role(d->arms[i], cost->stem, cost->role);

            put_value(&t, cost->at, e, cost->unit, notes, e ? e->metric->title : "");
        }
    }
    emit_table(&t, out);
    emit_hops_left_out(d, out);
    host->emit(out, "\n");
    table_release(&t);
}
