/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/offcpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "profile/by_id.h"
#include "profile/chain.h"
#include "profile/perf_data.h"

#define EVENT "sched:sched_switch"
#define NS_PER_US 1000.0

/* Bits of prev_state, as the tracepoint has them (TASK_REPORT in linux/sched.h). None of them: it
 * could have run on, whatever stands above them. */
#define STATE_BITS 0xff
#define STATE_DEAD 0x30 /* EXIT_DEAD, EXIT_ZOMBIE: does not come back */

struct away {
    uint32_t id;
    bool is; /* away now */
    bool preempted;
    uint64_t since;
    struct chain chain;
    struct frame *frames; /* with the thread's name before them */
    size_t n, capacity;
    char name[THREAD_NAME];
};

struct offcpu {
    const struct offcpu_options *options;
    struct symbols *symbols;
    struct unwinder *unwinder;
    struct stacks *blocked, *preempted;
    struct offcpu_summary *summary;
    size_t event;
    size_t state_at;      /* of prev_state in the raw data */
    struct by_id threads; /* of struct away */
    uint64_t newest;
};

static int find_event(struct offcpu *o, const struct perf_header *h, const char *path,
                      struct bench_error *err)
{
    int64_t at = perf_header_raw_offset(h, "sched_switch", "prev_state");
    bool switches = false;

    o->event = h->n_events;
    for (size_t i = 0; i < h->n_events; i++) {
        if (strcmp(h->events[i].name, EVENT) == 0)
            o->event = i;
        switches = switches || h->events[i].attr.context_switch;
    }
    if (o->event == h->n_events || at < 0)
        error_set(err, BENCH_ERROR_RUN, "'%s' has no event '%s'", path, EVENT);
    else if (!switches)
        error_set(err, BENCH_ERROR_RUN, "'%s' does not tell when threads come back", path);
    else {
        o->state_at = (size_t)at;
        return 0;
    }
    error_hint(err, "perf record --event=" EVENT " --call-graph=fp --switch-events");
    return -1;
}

/* `prev_state` is a long of the kernel. */
static bool state_of(const struct offcpu *o, const struct perf_sample *s, uint64_t *ret)
{
    if (o->state_at > s->raw_size || s->raw_size - o->state_at < sizeof(*ret))
        return false;
    memcpy(ret, s->raw + o->state_at, sizeof(*ret));
    return true;
}

static void take_stack(struct offcpu *o, struct away *a, const struct perf_record *r)
{
    a->n = 0;
    chain_build(&a->chain, o->symbols, o->unwinder, r);
    a->frames = grow(a->frames, &a->capacity, a->chain.n + 1, sizeof(*a->frames));
    if (!o->options->no_comm)
        a->frames[a->n++] = chain_thread(o->symbols, r->tid, a->name);
    memcpy(a->frames + a->n, a->chain.frames, a->chain.n * sizeof(*a->frames));
    a->n += a->chain.n;
}

static int goes(struct offcpu *o, const struct perf_record *r, struct bench_error *err)
{
    struct away *a = by_id_get(&o->threads, r->tid);
    uint64_t state;

    if (!state_of(o, &r->sample, &state))
        return error_set(err, BENCH_ERROR_RUN, "a sample of '" EVENT "' without its data");
    if (a->is)
        o->summary->unmatched++;
    a->is = !(state & STATE_DEAD);
    a->preempted = !(state & STATE_BITS);
    a->since = r->time;
    if (a->is)
        take_stack(o, a, r);
    return 0;
}

static void comes(struct offcpu *o, struct away *a, uint64_t time)
{
    double us = time > a->since ? (double)(time - a->since) / NS_PER_US : 0;

    a->is = false;
    o->summary->switches++;
    *(a->preempted ? &o->summary->preempted : &o->summary->blocked) += us;
    stacks_add(a->preempted ? o->preempted : o->blocked, a->frames, a->n, us);
}

static int take_record(struct offcpu *o, const struct perf_record *r, struct bench_error *err)
{
    struct away *a;

    if (r->time > o->newest)
        o->newest = r->time;
    switch (r->type) {
    case PERF_RECORD_SAMPLE:
        return r->event == o->event ? goes(o, r, err) : 0;
    case PERF_RECORD_SWITCH:
    case PERF_RECORD_SWITCH_CPU_WIDE:
        a = r->misc & PERF_RECORD_MISC_SWITCH_OUT ? NULL : by_id_find(&o->threads, r->tid);
        if (a && a->is)
            comes(o, a, r->time);
        return 0;
    case PERF_RECORD_LOST:
    case PERF_RECORD_LOST_SAMPLES:
        o->summary->lost += r->lost;
        return 0;
    default:
        symbols_record(o->symbols, r);
        return 0;
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

static int each_record(struct offcpu *o, struct perf_data *data, const char *path,
                       struct bench_error *err)
{
    struct perf_record r;
    int got;

    while ((got = perf_data_next(data, &r, err)) > 0)
        if (take_record(o, &r, err) < 0)
            return error_context(err, "'%s'", path);
    return got;
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

int perf_fold_offcpu(const char *path, const struct offcpu_options *options, struct stacks *blocked,
                     struct stacks *preempted, struct offcpu_summary *ret, struct bench_error *err)
{
    cleanup_perf_data struct perf_data *data = NULL;
    cleanup_symbols struct symbols *symbols = NULL;
    cleanup_unwinder struct unwinder *unwinder = NULL;
    struct offcpu o = {.options = options,
                       .blocked = blocked,
                       .preempted = preempted,
                       .summary = ret,
                       .threads = {.size = sizeof(struct away)}};
    int failed;

    *ret = (struct offcpu_summary){0};
    if (perf_data_open(path, &data, err) < 0 ||
        find_event(&o, perf_data_header(data), path, err) < 0)
        return -1;
    o.symbols = symbols = symbols_new(perf_data_header(data));
    o.unwinder = unwinder = unwinder_new(symbols);
    failed = each_record(&o, data, path, err);
    if (!failed)
        end_window(&o);
    ret->late = perf_data_late(data);
    symbols_problems(symbols, &ret->problems);
    threads_release(&o.threads);
    return failed;
}

void offcpu_summary_release(struct offcpu_summary *s)
{
    strings_release(&s->problems);
    *s = (struct offcpu_summary){0};
}
