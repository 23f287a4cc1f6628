/* SPDX-License-Identifier: Apache-2.0 */
#include "run/runner.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "capture/capture.h"
#include "run/describe.h"
#include "run/repetition.h"
#include "store/slices.h"

/* What a repetition costs beside warm-up and window, until the first ones have shown it. */
#define OVERHEAD_GUESS (300 * NS_PER_MS)
#define LEAST_SETTLE (50 * NS_PER_MS) /* after a pause */

/* What the progress of one repetition needs to know of the whole. */
struct course {
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

static int64_t remaining(const struct course *c)
{
    int64_t now = clock_now(), planned = 0, spent = 0, left = 0, overhead = OVERHEAD_GUESS;

    for (size_t i = 0; i < c->plan->n_steps; i++) {
        *(i < c->done ? &spent : &planned) += step_length(&c->plan->steps[i]);
    }
    if (c->done)
        overhead = (c->step_begun_ns - c->begun_ns - spent) / (int64_t)c->done;
    left = planned + overhead * (int64_t)(c->plan->n_steps - c->done) - (now - c->step_begun_ns);
    return left > 0 ? left : 0;
}

/* Stands between a repetition, which knows its own phase, and the caller's callback. */
static void relay_progress(void *context, const struct progress *p)
{
    struct course *c = context;
    struct progress full = *p;

    full.plan = c->plan;
    full.remaining_ns = remaining(c);
    if (c->progress)
        c->progress(c->context, &full);
}

static void tell(struct course *c, enum progress_phase phase, const struct step *step,
                 const struct repetition_record *record)
{
    struct progress p = {.phase = phase, .step = step, .record = record, .bits_per_second = NAN};

    relay_progress(c, &p);
}

int runner_check(struct session *session, const struct plan *plan, struct bench_error *err)
{
    const struct scenario *s = &plan->scenario;

    for (size_t i = 0; i < s->n_captures; i++)
        if (capture_possible(&s->captures[i], err) < 0)
            return -1;
    for (size_t i = 0; i < plan->n_points; i++) {
        const struct point *point = &plan->points[i];

        if (repetition_pins(&point->scenario, err) < 0 || point_check_interleaving(point, err) < 0)
            return -1;
        for (size_t arm = 0; arm < point->scenario.n_arms; arm++) {
            struct cast cast;
            int result;

            cast_init(&cast, point, arm, "/nonexistent", 0);
            for (size_t k = 0; k < cast.n_ports; k++)
                cast.ports[k] = (uint16_t)(1024 + k);
            result = cast_describe(&cast, err);
            for (size_t k = 0; result == 0 && k < cast.count; k++)
                versions_ask(&session->versions, &cast.members[k]);
            cast_release(&cast);
            if (result < 0)
                return -1;
        }
    }
    return 0;
}

/* A repetition from its first process to its stored record. */
struct run {
    const struct step *step;
    char *directory;
    struct repetition *repetition;
    bool failed;
    struct bench_error failure;
};

static int begin_run(struct course *c, struct run *r, const struct step *step,
                     struct bench_error *err)
{
    *r = (struct run){.step = step};
    if (store_begin(c->session->store, step, &r->directory, err) < 0)
        return -1;
    r->repetition = repetition_new(c->session, step, r->directory);
    return 0;
}

/* One at a time. */
static void measure_alone(struct course *c, struct run *r)
{
    struct repetition *p = r->repetition;

    tell(c, PROGRESS_START, r->step, NULL);
    r->failed = repetition_start(p, &r->failure) < 0 || repetition_warm_up(p, &r->failure) < 0 ||
                repetition_window(p, &r->failure) < 0;
}

/* Goes on with the next when one fails; not after an interrupt. */
static bool goes_on(const struct run *runs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (repetition_interrupted(runs[i].repetition))
            return false;
    return true;
}

static void start_together(struct course *c, struct run *runs, size_t n)
{
    for (size_t i = 0; i < n && goes_on(runs, n); i++) {
        tell(c, PROGRESS_START, runs[i].step, NULL);
        runs[i].failed = repetition_start(runs[i].repetition, &runs[i].failure) < 0;
        repetition_pause(runs[i].repetition);
    }
    for (size_t i = 0; i < n && goes_on(runs, n); i++) {
        struct run *r = &runs[i];

        if (r->failed)
            continue;
        repetition_resume(r->repetition);
        r->failed = repetition_warm_up(r->repetition, &r->failure) < 0 ||
                    repetition_open_window(r->repetition, &r->failure) < 0;
        repetition_pause(r->repetition);
    }
}

static void look_at_others(struct run *runs, size_t n, size_t but)
{
    for (size_t i = 0; i < n; i++)
        if (i != but && !runs[i].failed)
            repetition_look(runs[i].repetition);
}

static void measure_slice(struct run *runs, size_t n, size_t i, int64_t settle, int64_t length)
{
    struct run *r = &runs[i];

    if (r->failed)
        return;
    repetition_resume(r->repetition);
    r->failed = repetition_settle(r->repetition, settle, &r->failure) < 0;
    if (!r->failed) {
        look_at_others(runs, n, i);
        r->failed = repetition_slice(r->repetition, length, &r->failure) < 0;
        look_at_others(runs, n, i);
    }
    repetition_pause(r->repetition);
}

/* All of a block alive, in slices by turns, each round in a new order. A slice begins when what the
 * pause has saved up (the quota of a period) is spent. */
static void measure_together(struct course *c, struct run *runs, size_t n)
{
    const struct scenario *s = &runs[0].step->point->scenario;
    int64_t settle = scenario_largest_cpu_limit(s) > 0 ? s->cpu_period_ns : LEAST_SETTLE;
    int64_t rounds = (s->duration_ns + s->slice_ns / 2) / s->slice_ns;
    struct random random = {.state = runs[0].step->seed};
    cleanup_free size_t *order = xcalloc(n, sizeof(*order));

    if (rounds < 2) /* one slice each is one after the other again */
        rounds = 2;
    if (settle < LEAST_SETTLE)
        settle = LEAST_SETTLE;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    start_together(c, runs, n);
    for (int64_t round = 0; round < rounds; round++) {
        random_shuffle(&random, order, n);
        for (size_t i = 0; i < n && goes_on(runs, n); i++)
            measure_slice(runs, n, order[i], settle, s->duration_ns / rounds);
    }
    for (size_t i = 0; i < n && goes_on(runs, n); i++)
        if (!runs[i].failed)
            runs[i].failed = repetition_close_window(runs[i].repetition, &runs[i].failure) < 0;
}

/* Stops and stores it. An interrupted one leaves nothing. */
static int end_run(struct course *c, struct run *r, bool interrupted, struct bench_error *err)
{
    struct repetition_record *record = repetition_record(r->repetition);
    int result;

    tell(c, PROGRESS_STOP, r->step, NULL);
    result = repetition_stop(r->repetition, r->failed ? &r->failure : NULL, err);
    if (interrupted) {
        directory_remove(AT_FDCWD, r->directory, NULL);
    } else if (store_add(c->session->store, record, result < 0 ? NULL : err) < 0) {
        result = -1;
    } else if (result == 0 && r->failed && r->failure.kind == BENCH_ERROR_ENVIRONMENT) {
        /* No second repetition could do better: it is the run that fails, and it is said once. */
        *err = r->failure;
        result = -1;
    } else {
        record_join_slices(record);
        tell(c, PROGRESS_DONE, r->step, record);
    }
    return result;
}

static void release_run(struct run *r)
{
    repetition_free(r->repetition);
    free(r->directory);
}

/* The steps are measured together, or the one alone. */
static int run_steps(struct course *c, const struct step *steps, size_t n, bool *ret_interrupted,
                     uint32_t *ret_failed, struct bench_error *err)
{
    cleanup_free struct run *runs = xcalloc(n, sizeof(*runs));
    size_t begun = 0;
    int result = 0;

    while (result == 0 && begun < n) {
        result = begin_run(c, &runs[begun], &steps[begun], err);
        begun += result == 0;
    }
    if (result == 0 && n == 1)
        measure_alone(c, &runs[0]);
    else if (result == 0)
        measure_together(c, runs, n);
    *ret_interrupted = !goes_on(runs, begun);
    for (size_t i = 0; i < begun; i++)
        if (end_run(c, &runs[i], *ret_interrupted || result < 0, result < 0 ? NULL : err) < 0)
            result = -1;
    for (size_t i = 0; i < begun; i++) {
        /* Interrupted while it was stopped. */
        *ret_interrupted |= repetition_interrupted(runs[i].repetition);
        *ret_failed += !repetition_record(runs[i].repetition)->ok;
        release_run(&runs[i]);
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

    return poll(&fd, 1, 0) > 0;
}

int runner_run(struct session *session, const struct plan *plan, enum runner_outcome *ret_outcome,
               uint32_t *ret_failed, struct bench_error *err)
{
    struct course course = {
        .session = session,
        .plan = plan,
        .begun_ns = clock_now(),
        .progress = session->progress,
        .context = session->progress_context,
    };
    bool interrupted = false;
    uint32_t failures = 0;
    int result = 0;

    session->progress = relay_progress;
    session->progress_context = &course;
    for (size_t i = 0, n; result == 0 && !interrupted && i < plan->n_steps; i += n) {
        uint32_t failed = 0;

        n = together(plan, i);
        if (wants_to_stop(session)) {
            interrupted = true;
            break;
        }
        course.done = i;
        course.step_begun_ns = clock_now();
        result = run_steps(&course, &plan->steps[i], n, &interrupted, &failed, err);
        failures += interrupted ? 0 : failed;
    }
    session->progress = course.progress;
    session->progress_context = course.context;
    if (result < 0)
        return -1;
    *ret_outcome = interrupted ? RUNNER_INTERRUPTED : RUNNER_COMPLETE;
    *ret_failed = failures;
    return 0;
}
