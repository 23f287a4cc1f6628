/* SPDX-License-Identifier: Apache-2.0 */
#include "run/parts.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

/* Tells every built-in role. */
static void set_phase(struct repetition *p, enum bench_phase phase)
{
    for (size_t i = 0; i < p->cast.count; i++) {
        struct bench_page *page = p->roles[i] ? role_page(p->roles[i]) : NULL;

        if (page)
            atomic_store(&page->phase, phase);
    }
}

/* Totals are read on the edges of what is measured, and between them no more often than this. */
#define TOTALS_EVERY_NS (NS_PER_S / 10)

/* A wrapped tool tells its window afterwards: any tick may turn out to be an edge of it. */
static bool edges_are_known(const struct repetition *p)
{
    return role_page(p->roles[p->cast.client]) != NULL;
}

static int64_t sample(struct repetition *p, bool edge)
{
    int64_t now = clock_now();
    int64_t *row = series_add_row(&p->record.series, now);
    /* Half a tick of tolerance: a timer that is late once must not skip every other tick. */
    bool totals = edge || !edges_are_known(p) ||
                  now - p->totals_ns >= TOTALS_EVERY_NS - p->scenario->tick_ns / 2;

    if (totals)
        p->totals_ns = now;
    for (size_t i = 0; i < p->n_captures; i++)
        capture_sample(p->captures[i], row, totals);
    return now;
}

static void report_progress(struct repetition *p, enum progress_phase phase)
{
    const struct session *session = p->session;
    struct progress progress = {.phase = phase, .step = p->step, .bits_per_second = NAN};
    const struct series *s = &p->record.series;
    cleanup_free char *column = NULL;
    size_t first;

    if (!session->progress)
        return;
    column = xasprintf("%s.bytes_received", p->record.delivered);
    first = s->n_rows > 5 ? s->n_rows - 6 : 0;
    if (s->n_rows > first + 1) {
        struct bench_value v = series_delta(s, column, first, s->n_rows - 1);

        if (v.state == BENCH_OK)
            progress.bits_per_second =
                v.value * 8e9 / (double)(s->times[s->n_rows - 1] - s->times[first]);
    }
    session->progress(session->progress_context, &progress);
}

/* Samples on every tick until `end_ns`; the tick that would fall on the end is left to the caller.
 */
static int tick_until(struct repetition *p, int64_t begin_ns, int64_t end_ns,
                      enum progress_phase phase, struct bench_error *err)
{
    int64_t tick = p->scenario->tick_ns, next = begin_ns + tick, now;

    while (next < end_ns && !p->client_done) {
        if (repetition_watch(p, next, err) < 0)
            return -1;
        /* Ticks that were slept through are gone: made up for, they would all show one moment. */
        now = sample(p, false);
        next += ((now - next) / tick + 1) * tick;
        if (p->totals_ns == now)
            report_progress(p, phase);
    }
    return p->client_done ? 0 : repetition_watch(p, end_ns, err);
}

int repetition_warm_up(struct repetition *p, struct bench_error *err)
{
    int64_t begin = clock_now();

    report_progress(p, PROGRESS_WARMUP);
    if (p->scenario->warmup_ns > 0) {
        set_phase(p, BENCH_PHASE_WARMUP);
        sample(p, true);
        if (tick_until(p, begin, begin + p->scenario->warmup_ns, PROGRESS_WARMUP, err) < 0)
            return repetition_context(p, "warm-up", NULL, err);
    }
    p->record.warmup_ns = clock_now() - begin;
    return 0;
}

int repetition_end_captures(struct repetition *p, struct bench_error *err)
{
    int result = 0;

    p->capturing = false;
    for (size_t i = 0; i < p->n_captures; i++)
        if (capture_end(p->captures[i], result ? NULL : err) < 0)
            result = -1;
    return result;
}

/* How many connections the client has made, as it counts them; -1: it does not. */
static int64_t connections_made(const struct series *s)
{
    int column = series_find(s, "client.connections");
    int64_t made = column >= 0 ? series_at(s, s->n_rows - 1, (size_t)column) : SERIES_MISSING;

    return made == SERIES_MISSING ? -1 : made;
}

/* A window in which nothing moved has measured nothing, however healthy everybody looked. */
static int check_moved(const struct repetition *p, struct bench_error *err)
{
    static const char *const quantities[] = {"bytes_received", "operations"};
    const struct series *s = &p->record.series;
    size_t first = 0;
    int64_t made;

    while (first < s->n_rows && s->times[first] < p->record.window_begin_ns)
        first++;
    for (size_t i = 0; i < ARRAY_SIZE(quantities); i++) {
        cleanup_free char *name = xasprintf("%s.%s", p->record.delivered, quantities[i]);
        struct bench_value v = series_delta(s, name, first, s->n_rows - 1);

        /* Without a count a wrapper's parser has the word. */
        if (v.state != BENCH_OK || v.value > 0)
            return 0;
    }
    error_set(err, BENCH_ERROR_RUN, "%s: moved no data in the window",
              p->cast.members[p->cast.client].title);
    made = connections_made(s);
    if (made >= 0 && made < p->scenario->jobs)
        error_hint(err,
                   "the client had begun on %" PRId64 " of %" PRId64
                   " connections: with a longer 'warmup' it may get to all",
                   made, p->scenario->jobs);
    else
        error_hint(err, "is the relay connected to anything? its output is in '%s'", p->directory);
    return -1;
}

/* The client's distribution of one kind up to now; NULL when it keeps none. Caller frees. */
static struct histogram *read_latency(const struct repetition *p, enum bench_latency kind)
{
    const struct bench_page *page = role_page(p->roles[p->cast.client]);
    struct histogram *h;
    uint32_t used;

    if (!page || !(atomic_load(&page->latencies) & 1u << kind))
        return NULL;
    h = histogram_new();
    used = atomic_load(&page->slots);
    for (uint32_t i = 0; i < used && i < BENCH_HISTOGRAMS; i++)
        histogram_add_shared(h, &page->histogram[kind][i]);
    return h;
}

static void begin_latencies(struct repetition *p)
{
    for (int kind = 0; kind < BENCH_LATENCIES; kind++)
        p->before[kind] = read_latency(p, kind);
}

/* Adds what came since begin_latencies(). */
static void end_latencies(struct repetition *p)
{
    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        struct histogram *h = read_latency(p, kind), *before = p->before[kind];

        if (h && before)
            histogram_subtract(h, before);
        if (h && p->latencies[kind])
            histogram_merge(p->latencies[kind], h);
        if (p->latencies[kind])
            free(h);
        else
            p->latencies[kind] = h;
        free(before);
        p->before[kind] = NULL;
    }
}

static void keep_latencies(struct repetition *p)
{
    static const char *const names[BENCH_LATENCIES] = {"service", "response", "lag"};

    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        if (p->latencies[kind])
            record_add_latency(&p->record, names[kind], p->latencies[kind]);
        p->latencies[kind] = NULL;
    }
}

int repetition_open_window(struct repetition *p, struct bench_error *err)
{
    if (statistics_begin(p, err) < 0)
        return -1;
    p->capturing = true;
    for (size_t i = 0; i < p->n_captures; i++)
        if (capture_begin(p->captures[i], err) < 0)
            return -1;
    return 0;
}

int repetition_slice(struct repetition *p, int64_t length_ns, struct bench_error *err)
{
    int64_t begin = sample(p, true), end;

    begin_latencies(p);
    set_phase(p, BENCH_PHASE_WINDOW);
    if (tick_until(p, begin, begin + length_ns, PROGRESS_WINDOW, err) < 0)
        return repetition_context(p, "window", NULL, err);
    end = sample(p, true);
    end_latencies(p);
    record_add_slice(&p->record, begin, end);
    return 0;
}

void repetition_look(struct repetition *p)
{
    sample(p, true);
}

int repetition_close_window(struct repetition *p, struct bench_error *err)
{
    struct repetition_record *record = &p->record;

    set_phase(p, BENCH_PHASE_END);
    record->window_begin_ns = record->slices[0].begin_ns;
    record->window_end_ns = record->slices[record->n_slices - 1].end_ns;
    if (record->n_slices == 1)
        record->n_slices = 0; /* in one piece */
    keep_latencies(p);
    return repetition_end_captures(p, err) < 0 || check_moved(p, err) < 0 ||
                   statistics_end(p, err) < 0
               ? -1
               : 0;
}

int repetition_window(struct repetition *p, struct bench_error *err)
{
    if (repetition_open_window(p, err) < 0 ||
        repetition_slice(p, p->scenario->duration_ns, err) < 0)
        return -1;
    return repetition_close_window(p, err);
}

void repetition_pause(struct repetition *p)
{
    if (p->roles && p->roles[p->cast.client])
        role_pause(p->roles[p->cast.client]);
}

void repetition_resume(struct repetition *p)
{
    if (p->roles && p->roles[p->cast.client])
        role_resume(p->roles[p->cast.client]);
}

int repetition_settle(struct repetition *p, int64_t ns, struct bench_error *err)
{
    if (repetition_watch(p, clock_now() + ns, err) < 0)
        return repetition_context(p, "window", NULL, err);
    return 0;
}
