/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metric_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/metric_names.h"
#include "report/metric_table.h"

static void metric_free(struct bench_metric *m)
{
    free((char *)m->name);
    free((char *)m->unit);
    free((char *)m->title);
    free((char *)m->meaning);
    free((char *)m->role);
    free((char *)m->event);
    free((char *)m->stem);
    free(m);
}

void metric_pool_release(struct metric_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        metric_free(pool->items[i]);
    free(pool->items);
    *pool = (struct metric_pool){0};
}

/* Where `name` is or belongs. */
static size_t position(const struct metric_pool *pool, const char *name)
{
    size_t low = 0, high = pool->count;

    while (low < high) {
        size_t probe = (low + high) / 2;

        if (strcmp(pool->items[probe]->name, name) < 0)
            low = probe + 1;
        else
            high = probe;
    }
    return low;
}

/* "bits_per_second", or "cpus" of "cpus_{role}" and of "cpus_relay". */
static char *stem_of(const struct metric_row *row, const char *event)
{
    size_t n = strlen(row->metric.name), tail = 0;
    cleanup_free char *head = NULL;

    if (row->scope == HOPS)
        tail = strlen("_relay");
    else if (row->scope != RUN)
        tail = n - (size_t)(strrchr(row->metric.name, '{') - row->metric.name) + 1;
    head = xstrndup(row->metric.name, n - tail);
    return metric_expand(head, NULL, event, NULL);
}

bool metric_is_clock(const char *event)
{
    return strncmp(event, "task-clock", 10) == 0 || strncmp(event, "cpu-clock", 9) == 0 ||
           strncmp(event, "offcpu-", 7) == 0;
}

static void as_seconds(struct bench_metric *m, enum metric_per per)
{
    free((char *)m->unit);
    m->unit = xstrdup(per == BYTE ? "s/byte" : "s");
    m->format = BENCH_FORMAT_SECONDS;
}

const struct bench_metric *metric_pool_get(struct metric_pool *pool, const struct metric_row *row,
                                           const char *name, const char *role, const char *event)
{
    cleanup_free char *safe = event ? metric_event_name(event) : NULL;
    size_t at = position(pool, name);
    struct bench_metric *m;

    if (at < pool->count && strcmp(pool->items[at]->name, name) == 0)
        return pool->items[at];
    m = xcalloc(1, sizeof(*m));
    *m = row->metric;
    m->name = xstrdup(name);
    m->unit = xstrdup(row->metric.unit);
    m->title = metric_expand(row->metric.title, role, event, NULL);
    m->meaning = metric_expand(row->metric.meaning, role, event, NULL);
    m->role = xstrdup(row->scope == HOPS ? "relay" : role);
    m->event = xstrdup(row->scope == EVENT ? event : NULL);
    m->stem = stem_of(row, safe);
    if (event && metric_is_clock(event))
        as_seconds(m, row->per);
    pool->items =
        grow(pool->items, &pool->capacity, pool->count + 1, sizeof(struct bench_metric *));
    memmove(pool->items + at + 1, pool->items + at,
            (pool->count - at) * sizeof(struct bench_metric *));
    pool->items[at] = m;
    pool->count++;
    return m;
}
