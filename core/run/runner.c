/* SPDX-License-Identifier: Apache-2.0 */
#include "run/runner.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "run/repetition.h"
#include "store/slices.h"

/* What a repetition costs beside warm-up and window, until the first ones have shown it. */
#define OVERHEAD_GUESS (300 * NS_PER_MS)
#define LEAST_SETTLE (50 * NS_PER_MS) /* after a pause */

/* A run under way: what the progress of one repetition needs to know of the whole. */
struct run {
    struct session *session;
    const struct plan *plan;
    size_t done;
    int64_t begun_ns, step_begun_ns;
    progress_fn progress;
    void *context;
};

static int64_t step_length(const struct step *step)
{
    const struct scenario *s = &step->point->scenario;

    return s->warmup_ns + s->duration_ns;
}

static int64_t now_of(const struct run *r)
{
    return r->session->clock->now(r->session->clock);
}

static int64_t remaining(const struct run *r)
{
    int64_t now = now_of(r), planned = 0, spent = 0, left = 0, overhead = OVERHEAD_GUESS;

    for (size_t i = 0; i < r->plan->n_steps; i++) {
        *(i < r->done ? &spent : &planned) += step_length(&r->plan->steps[i]);
    }
    if (r->done)
        overhead = (r->step_begun_ns - r->begun_ns - spent) / (int64_t)r->done;
    left = planned + overhead * (int64_t)(r->plan->n_steps - r->done) - (now - r->step_begun_ns);
    return left > 0 ? left : 0;
}

/* Stands between a repetition, which knows its own phase, and the caller's callback. */
static void relay_progress(void *context, const struct progress *p)
{
    struct run *r = context;
    struct progress full = *p;

    full.plan = r->plan;
    full.remaining_ns = remaining(r);
    if (r->progress)
        r->progress(r->context, &full);
}

static void tell(struct run *r, enum progress_phase phase, const struct step *step,
                 const struct repetition_record *record)
{
    struct progress p = {.phase = phase, .step = step, .record = record, .bits_per_second = NAN};

    relay_progress(r, &p);
}

int runner_check(struct session *session, const struct plan *plan, struct bench_error *err)
{
    for (size_t i = 0; i < plan->n_points; i++)
        if (point_check_interleaving(&plan->points[i], err) < 0)
            return -1;
    return session->host->ops->check(session->host, plan, err);
}

static int begin_repetition(struct run *r, struct repetition **ret, const struct step *step,
                            struct bench_error *err)
{
    cleanup_free char *directory = NULL;

    if (store_begin(r->session->store, step, &directory, err) < 0)
        return -1;
    *ret = repetition_new(r->session, step, directory);
    return 0;
}

/* One at a time. */
static void measure_alone(struct run *r, struct repetition *p)
{
    tell(r, PROGRESS_START, repetition_step(p), NULL);
    if (repetition_start(p) == 0 && repetition_warm_up(p) == 0)
        repetition_window(p);
}

/* Goes on with the next when one fails; not after an interrupt. */
static bool goes_on(struct repetition *const *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (repetition_interrupted(all[i]))
            return false;
    return true;
}

static void start_together(struct run *r, struct repetition *const *all, size_t n)
{
    for (size_t i = 0; i < n && goes_on(all, n); i++) {
        tell(r, PROGRESS_START, repetition_step(all[i]), NULL);
        repetition_start(all[i]);
        repetition_pause(all[i]);
    }
    for (size_t i = 0; i < n && goes_on(all, n); i++) {
        if (repetition_failure(all[i]))
            continue;
        repetition_resume(all[i]);
        if (repetition_warm_up(all[i]) == 0)
            repetition_open_window(all[i]);
        repetition_pause(all[i]);
    }
}

static void look_at_others(struct repetition *const *all, size_t n, size_t but)
{
    for (size_t i = 0; i < n; i++)
        if (i != but && !repetition_failure(all[i]))
            repetition_look(all[i]);
}

static void measure_slice(struct repetition *const *all, size_t n, size_t i, int64_t settle,
                          int64_t length)
{
    struct repetition *p = all[i];

    if (repetition_failure(p))
        return;
    repetition_resume(p);
    if (repetition_settle(p, settle) == 0) {
        look_at_others(all, n, i);
        repetition_slice(p, length);
        look_at_others(all, n, i);
    }
    repetition_pause(p);
}

/* All of a block alive, in slices by turns, each round in a new order. A slice begins when what the
 * pause has saved up (the quota of a period) is spent. */
static void measure_together(struct run *r, struct repetition *const *all, size_t n)
{
    const struct step *step = repetition_step(all[0]);
    const struct scenario *s = &step->point->scenario;
    int64_t settle = scenario_largest_cpu_limit(s) > 0 ? s->cpu_period_ns : LEAST_SETTLE;
    int64_t rounds = (s->duration_ns + s->slice_ns / 2) / s->slice_ns;
    struct random random = {.state = step->seed};
    cleanup_free size_t *order = xcalloc(n, sizeof(*order));

    if (rounds < 2) /* one slice each is one after the other again */
        rounds = 2;
    if (settle < LEAST_SETTLE)
        settle = LEAST_SETTLE;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    start_together(r, all, n);
    for (int64_t round = 0; round < rounds; round++) {
        random_shuffle(&random, order, n);
        for (size_t i = 0; i < n && goes_on(all, n); i++)
            measure_slice(all, n, order[i], settle, s->duration_ns / rounds);
    }
    for (size_t i = 0; i < n && goes_on(all, n); i++)
        if (!repetition_failure(all[i]))
            repetition_close_window(all[i]);
}

/* Stops and stores it. An interrupted one leaves nothing. */
static int end_repetition(struct run *r, struct repetition *p, bool interrupted,
                          struct bench_error *err)
{
    struct repetition_record *record = repetition_record(p);
    const struct bench_error *failure = repetition_failure(p);
    int result;

    tell(r, PROGRESS_STOP, repetition_step(p), NULL);
    result = repetition_stop(p, err);
    if (interrupted || repetition_interrupted(p)) {
        directory_remove(AT_FDCWD, repetition_directory(p), NULL);
    } else if (store_add(r->session->store, record, result < 0 ? NULL : err) < 0) {
        result = -1;
    } else if (result == 0 && failure && failure->kind == BENCH_ERROR_ENVIRONMENT) {
        /* No second repetition could do better: it is the run that fails, and it is said once. */
        *err = *failure;
        result = -1;
    } else {
        record_join_slices(record);
        tell(r, PROGRESS_DONE, repetition_step(p), record);
    }
    return result;
}

/* The steps are measured together, or the one alone. */
static int run_steps(struct run *r, const struct step *steps, size_t n, bool *ret_interrupted,
                     uint32_t *ret_failed, struct bench_error *err)
{
    cleanup_free struct repetition **all = xcalloc(n, sizeof(struct repetition *));
    size_t begun = 0;
    int result = 0;

    while (result == 0 && begun < n) {
        result = begin_repetition(r, &all[begun], &steps[begun], err);
        begun += result == 0;
    }
    if (result == 0 && n == 1)
        measure_alone(r, all[0]);
    else if (result == 0)
        measure_together(r, all, n);
    *ret_interrupted = !goes_on(all, begun);
    for (size_t i = 0; i < begun; i++) {
        if (end_repetition(r, all[i], *ret_interrupted || result < 0, result < 0 ? NULL : err) < 0)
            result = -1;
        *ret_interrupted |= repetition_interrupted(all[i]); /* while it was stopped */
    }
    for (size_t i = 0; i < begun; i++) {
        *ret_failed += !repetition_record(all[i])->ok;
        repetition_free(all[i]);
    }
    return result;
}

/* How many of the steps from `first` on are measured together: the arms of a block at a point. */
static size_t together(const struct plan *plan, size_t first)
{
    const struct step *step = &plan->steps[first];
    size_t n = 1;

    if (step->point->scenario.interleave == INTERLEAVE_NO || step->capture ||
        !point_pausable(step->point))
        return 1;
    while (first + n < plan->n_steps && plan->steps[first + n].block == step->block &&
           plan->steps[first + n].point == step->point && !plan->steps[first + n].capture)
        n++;
    return n;
}

static bool wants_to_stop(const struct session *session)
{
    struct pollfd fd = {.fd = session->interrupt_fd, .events = POLLIN};

    return session->clock->poll(session->clock, &fd, 1, 0) > 0;
}

int runner_run(struct session *session, const struct plan *plan, enum runner_outcome *ret_outcome,
               uint32_t *ret_failed, struct bench_error *err)
{
    struct run run = {
        .session = session,
        .plan = plan,
        .begun_ns = session->clock->now(session->clock),
        .progress = session->progress,
        .context = session->progress_context,
    };
    bool interrupted = false;
    uint32_t failures = 0;
    int result = 0;

    session->progress = relay_progress;
    session->progress_context = &run;
    for (size_t i = 0, n; result == 0 && !interrupted && i < plan->n_steps; i += n) {
        uint32_t failed = 0;

        n = together(plan, i);
        if (wants_to_stop(session)) {
            interrupted = true;
            break;
        }
        run.done = i;
        run.step_begun_ns = now_of(&run);
        result = run_steps(&run, &plan->steps[i], n, &interrupted, &failed, err);
        failures += interrupted ? 0 : failed;
    }
    session->progress = run.progress;
    session->progress_context = run.context;
    if (result < 0)
        return -1;
    *ret_outcome = interrupted ? RUNNER_INTERRUPTED : RUNNER_COMPLETE;
    *ret_failed = failures;
    return 0;
}
