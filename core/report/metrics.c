/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/amounts.h"
#include "report/metric_table.h"
#include "stats/summary.h"

#define NANO 1e-9

static struct amount divided(const struct amount_source *src, const struct metric_row *row,
                             const char *role, struct amount a)
{
    switch (row->per) {
    case SECOND:
    case OTHERS:
        return amount_rate(a);
    case BYTE:
        return amount_ratio(amount_rate(a), amount_rate(src->payload));
    case GIGABYTE:
        a = amount_ratio(amount_rate(a), amount_rate(src->payload));
        a.v.value *= 1e9;
        return a;
    case OPERATION:
        return amount_ratio(amount_rate(a), amount_rate(src->operations));
    case COLUMNS:
        return amount_ratio(a, amount_of_columns(src, row->divisor, role, false));
    default:
        return a;
    }
}

/* instructions / cycles of a role; both may carry the same modifier ("cycles:u"). */
static struct amount ipc_of(const struct amount_source *src, const char *role)
{
    static const char *const cycles_names[] = {"cycles", "cpu-cycles"};
    const struct series *s = &src->record->series;
    cleanup_free char *head = xasprintf("%s.event:instructions", role);

    for (size_t i = 0; i < s->n_columns; i++) {
        const char *name = s->columns[i].name, *modifier = name + strlen(head);

        if (strncmp(name, head, strlen(head)) != 0 || strchr(modifier, '.') ||
            (*modifier && *modifier != ':'))
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(cycles_names); k++) {
            cleanup_free char *cycles = xasprintf("%s.event:%s%s", role, cycles_names[k], modifier);

            if (series_find(s, cycles) >= 0)
                return amount_ratio(amount_of_event(src, name), amount_of_event(src, cycles));
        }
    }
    return amount_none(BENCH_ABSENT, NULL);
}

static struct amount hops_of(const struct amount_source *src, const struct metric_row *row)
{
    struct amount sum = {.seconds = src->window.seconds};

    if (src->record->hops == 0)
        return amount_none(BENCH_ABSENT, NULL);
    for (uint32_t i = 1; i <= src->record->hops; i++) {
        cleanup_free char *role = xasprintf("relay_%u", i);
        struct amount a = amount_of_columns(src, row->columns, role, false);

        if (!bench_is_number(a.v.state))
            return a;
        sum.v.value += a.v.value;
        if (a.v.state > sum.v.state)
            sum.v.state = a.v.state;
    }
    return sum;
}

/* What a user waits where the load has a schedule, else what the requests took. */
static const struct histogram *latencies_of(const struct repetition_record *r)
{
    static const char *const names[] = {"response", "service"};

    for (size_t n = 0; n < ARRAY_SIZE(names); n++)
        for (size_t i = 0; i < r->n_latencies; i++)
            if (strcmp(r->latencies[i].name, names[n]) == 0)
                return r->latencies[i].histogram;
    return NULL;
}

static struct amount latency_of(const struct amount_source *src, const struct metric_row *row)
{
    const struct histogram *h = latencies_of(src->record);
    double ns, q = row->divisor ? strtod(row->divisor, NULL) : 0;

    if (!h)
        return amount_none(BENCH_ABSENT, NULL);
    if (row->per == QUANTILE && !histogram_supports(h, q))
        return amount_none(BENCH_NOT_COUNTED, "too few operations for this percentile");
    ns = row->per == QUANTILE ? histogram_percentile(h, q)
         : row->per == MEAN   ? histogram_mean(h)
                              : histogram_maximum(h);
    if (isnan(ns))
        return amount_none(BENCH_NOT_COUNTED, "no operation was completed in the window");
    return (struct amount){.v.value = ns, .seconds = src->window.seconds};
}

/* How much the rate of a column varies between the samples of the window. */
static struct amount variation_of(const struct amount_source *src, const char *pattern,
                                  const char *role)
{
    const struct series *s = &src->record->series;
    const struct metric_window *w = &src->window;
    cleanup_free char *name = metric_expand(pattern, role, NULL, NULL);
    cleanup_free double *rates = xcalloc(w->last - w->first + 1, sizeof(*rates));
    enum bench_state state;
    double cv;

    if (series_find(s, name) < 0)
        return amount_none(BENCH_ABSENT, NULL);
    state = series_rates(s, name, w->first, w->last, rates);
    if (!bench_is_number(state))
        return amount_none(state, amount_column_reason(s, name, w, state));
    cv = stats_cv(rates, w->last - w->first);
    if (!isfinite(cv))
        return amount_none(BENCH_ABSENT, NULL);
    /* Less than the samples can resolve is rounding of the sums. */
    return (struct amount){.v.value = cv < 1e-12 ? 0 : cv, .seconds = w->seconds};
}

/* Clocks are read one after the other, so the rest can come out below 0. */
static struct amount others_of(const struct amount_source *src, const struct metric_row *row)
{
    struct amount a = amount_of_columns(src, "system.cpu_ns", NULL, false), part;

    if (!bench_is_number(a.v.state))
        a = amount_of_columns(src, row->columns, NULL, false);
    for (size_t i = 0; i <= src->roles.count && bench_is_number(a.v.state); i++) {
        const char *subject = i < src->roles.count ? src->roles.items[i] : "bench";
        cleanup_free char *column = xasprintf("%s.%s", subject, row->divisor);

        part = amount_of_columns(src, column, NULL, false);
        if (part.v.state == BENCH_ABSENT)
            continue;
        if (!bench_is_number(part.v.state))
            return part;
        a.v.value -= part.v.value;
    }
    a.v.value = fmax(a.v.value, 0);
    return a;
}

static struct amount measured(const struct amount_source *src, const struct metric_row *row,
                              const char *role, const char *column)
{
    if (row->per == QUANTILE || row->per == MEAN || row->per == LARGEST)
        return latency_of(src, row);
    if (row->per == CYCLES)
        return ipc_of(src, role);
    if (row->per == OTHERS)
        return others_of(src, row);
    if (row->per == VARIATION)
        return variation_of(src, row->columns, role);
    if (column)
        return amount_of_event(src, column);
    if (row->scope == HOPS)
        return hops_of(src, row);
    if (strcmp(row->metric.name, "bits_per_second") == 0)
        return src->payload;
    if (strcmp(row->metric.name, "operations_per_second") == 0)
        return src->operations;
    if (strcmp(row->metric.name, "offered_per_second") == 0 &&
        amount_never_counted(src, row->columns))
        return amount_none(BENCH_ABSENT, NULL);
    return amount_of_columns(src, row->columns, role, row->per == MAXIMUM);
}

/* Computes one metric; a total of its very name takes its place. `column` is that of an event. */
static void add(const struct amount_source *src, const struct metric_row *row, const char *role,
                const char *event, const char *column, struct metric_pool *pool,
                struct metric_set *ret)
{
    cleanup_free char *safe = event ? metric_event_name(event) : NULL;
    cleanup_free char *name = metric_expand(row->metric.name, role, safe, NULL);
    struct amount a;

    if (!amount_of_total(src->record, name, &a)) {
        a = divided(src, row, role, measured(src, row, role, column));
        a.v.value *= event && metric_is_clock(event) ? NANO : row->scale;
        if (bench_is_number(a.v.state) && !isfinite(a.v.value))
            a = amount_none(BENCH_FAILED, "the figures that it comes from are no plausible ones");
    }
    if (a.v.state == BENCH_ABSENT)
        return;
    ret->items = grow(ret->items, &ret->capacity, ret->count + 1, sizeof(*ret->items));
    ret->items[ret->count++] =
        (struct metric_value){.metric = metric_pool_get(pool, row, name, role, event),
                              .value = a.v,
                              .reason = a.reason,
                              .part = a.part,
                              .missed = a.missed};
}

static void add_events(const struct amount_source *src, const struct metric_row *row,
                       const char *role, struct metric_pool *pool, struct metric_set *ret)
{
    const struct series *s = &src->record->series;
    cleanup_free char *head = xasprintf("%s.event:", role);

    for (size_t i = 0; i < s->n_columns; i++) {
        const char *name = s->columns[i].name;

        if (strncmp(name, head, strlen(head)) == 0 && !string_ends_with(name, ".enabled_ns") &&
            !string_ends_with(name, ".running_ns"))
            add(src, row, role, name + strlen(head), name, pool, ret);
    }
}

/* Their names are the relay's: "statistic_NAME_ROLE" are totals of the record. */
static void add_statistics(const struct amount_source *src, const struct metric_row *row,
                           const char *role, struct metric_pool *pool, struct metric_set *ret)
{
    static const char head[] = "statistic_";
    const struct repetition_record *r = src->record;
    cleanup_free char *tail = xasprintf("_%s", role);

    for (size_t i = 0; i < r->n_totals; i++) {
        const char *name = r->totals[i].metric;
        cleanup_free char *middle = NULL;

        if (strncmp(name, head, strlen(head)) != 0 || !string_ends_with(name + strlen(head), tail))
            continue;
        middle = xstrndup(name + strlen(head), strlen(name) - strlen(head) - strlen(tail));
        add(src, row, role, middle, NULL, pool, ret);
    }
}

static void add_row(const struct amount_source *src, const struct metric_row *row,
                    struct metric_pool *pool, struct metric_set *ret)
{
    if (row->scope == RUN || row->scope == HOPS) {
        add(src, row, NULL, NULL, NULL, pool, ret);
        return;
    }
    for (size_t i = 0; i < src->roles.count; i++) {
        const char *role = src->roles.items[i];

        if (row->scope == EVENT)
            add_events(src, row, role, pool, ret);
        else if (row->scope == STATISTIC)
            add_statistics(src, row, role, pool, ret);
        else if (row->scope == ROLE || strncmp(role, "relay_", 6) == 0)
            add(src, row, role, NULL, NULL, pool, ret);
    }
}

void metrics_compute(const struct repetition_record *r, struct metric_pool *pool,
                     struct metric_set *ret)
{
    const struct metric_row *row;
    struct amount_source src;

    *ret = (struct metric_set){0};
    if (!r->ok)
        return;
    amount_source_init(&src, r);
    for (size_t i = 0; (row = metric_row(i)); i++)
        add_row(&src, row, pool, ret);
    amount_source_release(&src);
}

const struct metric_value *metric_set_find(const struct metric_set *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].metric->name, name) == 0)
            return &s->items[i];
    return NULL;
}

void metric_set_release(struct metric_set *s)
{
    free(s->items);
    *s = (struct metric_set){0};
}
