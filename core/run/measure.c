/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stages.h"

#include <math.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "run/moved.h"
#include "store/disturbed.h"

#define STATISTICS_POLL (10 * NS_PER_MS)
/* Totals are read on the edges of what is measured, and between them no more often than this. */
#define TOTALS_EVERY_NS (NS_PER_S / 10)

static int64_t now(const struct repetition *p)
{
    return p->clock->now(p->clock);
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

/* A wrapped tool tells its window afterwards: any tick may turn out to be an edge of it. */
static bool edges_are_known(const struct repetition *p)
{
    return p->chain.roles[p->chain.client].process.main != NULL;
}

static int64_t sample_tick(struct repetition *p)
{
    /* Half a tick of tolerance: a timer that is late once must not skip every other tick. */
    bool totals =
        !edges_are_known(p) || now(p) - p->totals_ns >= TOTALS_EVERY_NS - p->scenario->tick_ns / 2;
    int64_t sampled = p->ops->sample(p->site, totals);

    if (totals)
        p->totals_ns = sampled;
    return sampled;
}

/* Samples on every tick until `end_ns`; the tick that would fall on the end is left to the caller.
 */
static int tick_until(struct repetition *p, int64_t begin_ns, int64_t end_ns,
                      enum progress_phase phase, struct bench_error *err)
{
    int64_t tick = p->scenario->tick_ns, next = begin_ns + tick, sampled;

    while (next < end_ns && !p->client_done) {
        if (repetition_watch(p, next, err) < 0)
            return -1;
        /* Ticks that were slept through are gone: made up for, they would all show one moment. */
        sampled = sample_tick(p);
        next += ((sampled - next) / tick + 1) * tick;
        if (p->totals_ns == sampled)
            report_progress(p, phase);
    }
    return p->client_done ? 0 : repetition_watch(p, end_ns, err);
}

static int warm_up(struct repetition *p, struct bench_error *err)
{
    int64_t begin = now(p);

    report_progress(p, PROGRESS_WARMUP);
    if (p->scenario->warmup_ns > 0) {
        p->ops->set_phase(p->site, BENCH_PHASE_WARMUP);
        p->totals_ns = p->ops->sample(p->site, true);
        if (tick_until(p, begin, begin + p->scenario->warmup_ns, PROGRESS_WARMUP, err) < 0)
            return repetition_context(p, "warm-up", NULL, err);
    }
    p->record.warmup_ns = now(p) - begin;
    return 0;
}

static int nothing_was_due(const struct repetition *p, struct bench_error *err)
{
    char rate[32], window[32];

    error_set(err, BENCH_ERROR_RUN, "%s: no request was due in the window",
              p->chain.roles[p->chain.client].title);
    error_hint(err, "raise 'rate' (%s/s) or 'duration' (%s), so that many are",
               format_rate(p->scenario->rate, rate, sizeof(rate)),
               format_duration(p->scenario->duration_ns, window, sizeof(window)));
    return -1;
}

static int check_moved(struct repetition *p, struct bench_error *err)
{
    if (moved_anything(&p->record))
        return 0;
    if (p->scenario->rate > 0 && !moved_was_due(&p->record))
        return nothing_was_due(p, err);
    error_set(err, BENCH_ERROR_RUN, "%s: moved no data in the window",
              p->chain.roles[p->chain.client].title);
    moved_hint(&p->record, p->scenario->jobs, p->directory, err);
    repetition_quote_relays(p, err);
    return -1;
}

static int read_statistics(struct repetition *p, enum site_moment moment, struct bench_error *err)
{
    int done;

    if (p->ops->read_statistics(p->site, moment, err) < 0)
        return -1;
    while ((done = p->ops->statistics_ready(p->site, err)) == 0)
        if (repetition_wait(p, now(p) + STATISTICS_POLL, err) < 0)
            return repetition_context(p, "statistics", NULL, err);
    return done < 0 ? -1 : 0;
}

static int open_window(struct repetition *p, struct bench_error *err)
{
    if (read_statistics(p, SITE_BEFORE_WINDOW, err) < 0)
        return -1;
    p->capturing = true;
    return p->ops->begin(p->site, err);
}

static int slice(struct repetition *p, int64_t length_ns, struct bench_error *err)
{
    int64_t begin = p->ops->begin_slice(p->site);

    p->totals_ns = begin;
    if (tick_until(p, begin, begin + length_ns, PROGRESS_WINDOW, err) < 0)
        return repetition_context(p, "window", NULL, err);
    record_add_slice(&p->record, begin, p->ops->end_slice(p->site));
    return 0;
}

/* Stopped or replaced in mid-window, a role did not do what it would have done. */
static int check_undisturbed(struct repetition *p, struct bench_error *err)
{
    struct repetition_record *record = &p->record;
    const struct disturbance *spoiled;

    record_keep_disturbances(record);
    spoiled = record_spoiled(record);
    for (size_t i = 0; !spoiled && i < record->disturbances.count; i++) {
        cleanup_free char *text = record_disturbance_text(record, &record->disturbances.items[i]);

        record_warn(record, "disturbed: %s", text);
    }
    if (spoiled) {
        cleanup_free char *text = record_disturbance_text(record, spoiled);

        error_set(err, BENCH_ERROR_RUN, "disturbed: %s", text);
        error_hint(err, "its numbers cannot be used: find out what did that, and measure again");
    }
    return spoiled ? -1 : 0;
}

static int close_window(struct repetition *p, struct bench_error *err)
{
    struct repetition_record *record = &p->record;

    record->window_begin_ns = record->slices[0].begin_ns;
    record->window_end_ns = record->slices[record->n_slices - 1].end_ns;
    if (record->n_slices == 1)
        record->n_slices = 0; /* in one piece */
    p->capturing = false;
    return p->ops->end(p->site, true, err) < 0 || check_undisturbed(p, err) < 0 ||
                   check_moved(p, err) < 0 || read_statistics(p, SITE_AFTER_WINDOW, err) < 0
               ? -1
               : 0;
}

int repetition_warm_up(struct repetition *p)
{
    return repetition_note(p, warm_up(p, &p->failure));
}

int repetition_open_window(struct repetition *p)
{
    return repetition_note(p, open_window(p, &p->failure));
}

int repetition_slice(struct repetition *p, int64_t length_ns)
{
    return repetition_note(p, slice(p, length_ns, &p->failure));
}

int repetition_close_window(struct repetition *p)
{
    p->measured = close_window(p, &p->failure) == 0;
    return repetition_note(p, p->measured ? 0 : -1);
}

int repetition_window(struct repetition *p)
{
    return repetition_open_window(p) < 0 || repetition_slice(p, p->scenario->duration_ns) < 0 ||
                   repetition_close_window(p) < 0
               ? -1
               : 0;
}

void repetition_look(struct repetition *p)
{
    p->totals_ns = p->ops->sample(p->site, true);
}

void repetition_pause(struct repetition *p)
{
    p->ops->pause(p->site);
}

void repetition_resume(struct repetition *p)
{
    p->ops->resume(p->site);
}

static int settle(struct repetition *p, int64_t ns, struct bench_error *err)
{
    return repetition_watch(p, now(p) + ns, err) < 0 ? repetition_context(p, "window", NULL, err)
                                                     : 0;
}

int repetition_settle(struct repetition *p, int64_t ns)
{
    return repetition_note(p, settle(p, ns, &p->failure));
}
