/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/offcpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "profile/by_id.h"
#include "profile/chain.h"
#include "profile/perf_data.h"

#define EVENT "context-switches"
#define NS_PER_US 1000.0

struct away {
    uint32_t id;
    bool is; /* away now */
    bool preempted;
    uint64_t since;
    struct chain chain;
    struct frame *frames; /* before them: why it is away, and the thread's name */
    size_t n, capacity;
    char name[THREAD_NAME];
};

struct offcpu {
    const struct offcpu_options *options;
    struct symbols *symbols;
    struct unwinder *unwinder;
    struct stacks *stacks;
    struct offcpu_summary *summary;
    size_t event;
    struct by_id threads; /* of struct away */
    struct chain_stops stops;
    uint64_t newest;
};

static int find_event(struct offcpu *o, const struct perf_header *h, const char *path,
                      struct bench_error *err)
{
    bool switches = false;

    o->event = h->n_events;
    for (size_t i = 0; i < h->n_events; i++) {
        if (strcmp(h->events[i].name, EVENT) == 0)
            o->event = i;
        switches = switches || h->events[i].attr.context_switch;
    }
    if (o->event < h->n_events && switches)
        return 0;
    if (o->event == h->n_events)
        error_set(err, BENCH_ERROR_RUN, "'%s' has no event '%s'", path, EVENT);
    else
        error_set(err, BENCH_ERROR_RUN, "'%s' does not tell when threads come back", path);
    error_hint(err, "perf record --event=" EVENT " --count=1 --call-graph=fp --switch-events");
    return -1;
}

static void take_stack(struct offcpu *o, struct away *a, const struct perf_record *r)
{
    a->n = 1;
    chain_build(&a->chain, o->symbols, o->unwinder, r);
    a->frames = grow(a->frames, &a->capacity, a->chain.n + 2, sizeof(*a->frames));
    if (!o->options->no_comm)
        a->frames[a->n++] = chain_thread(o->symbols, r->tid, a->name);
    chain_stops_add(&o->stops, &a->chain);
    if (a->chain.n)
        memcpy(a->frames + a->n, a->chain.frames, a->chain.n * sizeof(*a->frames));
    a->n += a->chain.n;
}

static void goes(struct offcpu *o, const struct perf_record *r)
{
    struct away *a = by_id_get(&o->threads, r->tid);

    if (a->is)
        o->summary->unmatched++;
    a->is = true;
    a->preempted = false; /* until the record SWITCH that follows */
    a->since = r->time;
    take_stack(o, a, r);
}

static void comes(struct offcpu *o, struct away *a, uint64_t time)
{
    uint64_t end = o->options->end_ns;
    double us;

    time = end && time > end ? end : time;
    us = time > a->since ? (double)(time - a->since) / NS_PER_US : 0;
    a->is = false;
    o->summary->switches++;
    *(a->preempted ? &o->summary->preempted : &o->summary->blocked) += us;
    a->frames[0] = (struct frame){.name = a->preempted ? OFFCPU_PREEMPTED : OFFCPU_BLOCKED};
    stacks_add(o->stacks, a->frames, a->n, us);
    if (o->options->visit && time > a->since)
        o->options->visit(o->options->context, a->preempted, a->since, time);
}

static void switches(struct offcpu *o, const struct perf_record *r)
{
    struct away *a = by_id_find(&o->threads, r->tid);

    if (!a || !a->is)
        return;
    if (r->misc & PERF_RECORD_MISC_SWITCH_OUT)
        a->preempted = r->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
    else
        comes(o, a, r->time);
}

static void take_record(struct offcpu *o, const struct perf_record *r)
{
    struct away *a;

    if (r->time > o->newest)
        o->newest = r->time;
    switch (r->type) {
    case PERF_RECORD_SAMPLE:
        if (r->event == o->event)
            goes(o, r);
        return;
    case PERF_RECORD_SWITCH:
    case PERF_RECORD_SWITCH_CPU_WIDE:
        switches(o, r);
        return;
    case PERF_RECORD_EXIT: /* does not come back */
        a = by_id_find(&o->threads, r->tid);
        if (a)
            a->is = false;
        return;
    case PERF_RECORD_LOST:
    case PERF_RECORD_LOST_SAMPLES:
        o->summary->lost += r->lost;
        return;
    default:
        symbols_record(o->symbols, r);
    }
}

/* Those that are still away at the end of the window. */
static void end_window(struct offcpu *o)
{
    uint64_t end = o->options->end_ns ? o->options->end_ns : o->newest;

    for (size_t i = 0; i < o->threads.n; i++) {
        struct away *a = by_id_at(&o->threads, i);

        if (!a->is)
            continue;
        comes(o, a, end);
        o->summary->ended++;
    }
}

static void conclude(struct offcpu *o)
{
    const char *file = chain_stops_file(&o->stops);

    o->summary->with_user = o->stops.with_user;
    o->summary->broken = o->stops.broken;
    o->summary->broken_file = file ? xstrdup(file) : NULL;
    chain_stops_release(&o->stops);
}

static void threads_release(struct by_id *threads)
{
    for (size_t i = 0; i < threads->n; i++) {
        struct away *a = by_id_at(threads, i);

        chain_release(&a->chain);
        free(a->frames);
    }
    by_id_release(threads);
}

int perf_fold_offcpu(int dirfd, const char *path, const struct offcpu_options *options,
                     struct stacks *stacks, struct offcpu_summary *ret, struct bench_error *err)
{
    cleanup_perf_data struct perf_data *data = NULL;
    cleanup_symbols struct symbols *symbols = NULL;
    cleanup_unwinder struct unwinder *unwinder = NULL;
    struct offcpu o = {.options = options,
                       .stacks = stacks,
                       .summary = ret,
                       .threads = {.size = sizeof(struct away)}};
    struct perf_record r;
    int got;

    *ret = (struct offcpu_summary){0};
    if (perf_data_open(dirfd, path, &data, err) < 0 ||
        find_event(&o, perf_data_header(data), path, err) < 0)
        return -1;
    o.symbols = symbols = symbols_new(perf_data_header(data));
    o.unwinder = unwinder = unwinder_new(symbols);
    while ((got = perf_data_next(data, &r, err)) > 0)
        take_record(&o, &r);
    if (got == 0)
        end_window(&o);
    conclude(&o);
    ret->late = perf_data_late(data);
    symbols_problems(symbols, &ret->problems);
    threads_release(&o.threads);
    return got;
}

void offcpu_summary_release(struct offcpu_summary *s)
{
    free(s->broken_file);
    strings_release(&s->problems);
    *s = (struct offcpu_summary){0};
}
