/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/syscalls.h"

#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "profile/by_id.h"
#include "profile/perf_data.h"

#define EVENT "raw_syscalls:sys_enter"

struct counting {
    size_t event, number_at; /* of `id` in the raw data */
    struct by_id counts;     /* of struct syscall_count */
    uint64_t total, lost;
};

static int find_event(struct counting *c, const struct perf_header *h, const char *path,
                      struct bench_error *err)
{
    int64_t at = perf_header_raw_offset(h, "sys_enter", "id");

    for (size_t i = 0; at >= 0 && i < h->n_events; i++)
        if (strcmp(h->events[i].name, EVENT) == 0) {
            c->event = i;
            c->number_at = (size_t)at;
            return 0;
        }
    error_set(err, BENCH_ERROR_RUN, "'%s' has no event '%s'", path, EVENT);
    error_hint(err, "perf record --event=" EVENT);
    return -1;
}

/* `id` is a long of the kernel; -1 for a call that a tracer has taken away. */
static void take_sample(struct counting *c, const struct perf_sample *s)
{
    struct syscall_count *found;
    int64_t number;

    if (c->number_at > s->raw_size || s->raw_size - c->number_at < sizeof(number))
        return;
    memcpy(&number, s->raw + c->number_at, sizeof(number));
    if (number < 0 || number > INT32_MAX)
        return;
    found = by_id_get(&c->counts, (uint32_t)number);
    found->count += s->period;
    c->total += s->period;
}

static int each_record(struct counting *c, struct perf_data *data, struct bench_error *err)
{
    struct perf_record r;
    int got;

    while ((got = perf_data_next(data, &r, err)) > 0) {
        if (r.type == PERF_RECORD_SAMPLE && r.event == c->event)
            take_sample(c, &r.sample);
        else if (r.type == PERF_RECORD_LOST || r.type == PERF_RECORD_LOST_SAMPLES)
            c->lost += r.lost;
    }
    return got;
}

static int by_count(const void *a, const void *b)
{
    const struct syscall_count *one = a, *two = b;

    if (one->count != two->count)
        return one->count < two->count ? 1 : -1;
    return one->number < two->number ? -1 : 1;
}

static void conclude(struct counting *c, struct syscall_counts *ret)
{
    struct syscall_count *items = c->counts.items;

    for (size_t i = 0; i < c->counts.n; i++) {
        items[i].name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)items[i].number);
        if (!items[i].name)
            items[i].name = xasprintf("syscall %u", items[i].number);
    }
    if (c->counts.n)
        qsort(items, c->counts.n, sizeof(*items), by_count);
    *ret = (struct syscall_counts){items, c->counts.n, c->total, c->lost};
}

int perf_count_syscalls(const char *path, struct syscall_counts *ret, struct bench_error *err)
{
    cleanup_perf_data struct perf_data *data = NULL;
    struct counting c = {.counts = {.size = sizeof(struct syscall_count)}};

    if (perf_data_open(path, &data, err) < 0 ||
        find_event(&c, perf_data_header(data), path, err) < 0)
        return -1;
    if (each_record(&c, data, err) < 0) {
        by_id_release(&c.counts);
        return -1;
    }
    conclude(&c, ret);
    return 0;
}

void syscall_counts_release(struct syscall_counts *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->items[i].name);
    free(c->items);
    *c = (struct syscall_counts){0};
}
