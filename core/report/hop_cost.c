/* SPDX-License-Identifier: Apache-2.0 */
#include "report/hop_cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "stats/signed_rank.h"

/* Against the arm without hops, or as they are: that has no relay to use CPU. */
static const struct {
    const char *metric;
    bool against;
} costs[] = {
    {"latency_p50_seconds", true},
    {"latency_p99_seconds", true},
    {"cpu_seconds_per_operation_relay", false},
    {"cpu_seconds_per_gigabyte_relay", false},
};

static double of_block(const struct observations *o, uint32_t block, const char *metric)
{
    const struct observed *found = observed_of_block(o, block);

    return found ? observed_number(found, metric) : NAN;
}

static const struct bench_metric *metric_of(const struct observations *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct metric_value *v = metric_set_find(&o->items[i]->set, name);

        if (v)
            return v->metric;
    }
    return NULL;
}

static struct bench_hop_cost cost(const struct observations *arm, const struct observations *bare,
                                  uint32_t hops, size_t k)
{
    cleanup_free double *x = xcalloc(arm->count + 1, sizeof(*x));
    struct bench_hop_cost c = {.metric = metric_of(arm, costs[k].metric)};
    struct stats_interval interval;

    for (size_t i = 0; i < arm->count && c.metric; i++) {
        double y = observed_number(arm->items[i], costs[k].metric);
        double less =
            costs[k].against ? of_block(bare, arm->items[i]->record->block, costs[k].metric) : 0;

        if (!isnan(y - less))
            x[c.blocks++] = (y - less) / hops;
    }
    stats_signed_rank(x, c.blocks, 1 - REPORT_CONFIDENCE, &interval);
    c.value = interval.estimate;
    c.has_interval = interval.has_interval;
    c.low = interval.low;
    c.high = interval.high;
    return c;
}

struct bench_hop_cost *hop_costs(const struct observations *arm, const struct observations *bare,
                                 uint32_t hops, uint32_t *ret_count)
{
    struct bench_hop_cost *all = xcalloc(ARRAY_SIZE(costs), sizeof(*all));

    *ret_count = 0;
    for (size_t k = 0; k < ARRAY_SIZE(costs); k++) {
        struct bench_hop_cost c = cost(arm, bare, hops, k);

        if (c.blocks > 0)
            all[(*ret_count)++] = c;
    }
    return all;
}
