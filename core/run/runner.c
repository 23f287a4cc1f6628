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
#include "capture/capture.h"
#include "run/describe.h"
#include "run/repetition.h"

/* What a repetition costs beside warm-up and window, until the first ones have shown it. */
#define OVERHEAD_GUESS (300 * NS_PER_MS)

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

        if (repetition_pins(&point->scenario, err) < 0)
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

/* One step from its first process to its stored record. */
static int run_step(struct course *c, const struct step *step, bool *ret_interrupted,
                    bool *ret_failed, struct bench_error *err)
{
    struct session *session = c->session;
    cleanup_free char *directory = NULL;
    struct bench_error failure = {0};
    struct repetition *p;
    bool failed;
    int result;

    if (store_begin(session->store, step, &directory, err) < 0)
        return -1;
    tell(c, PROGRESS_START, step, NULL);
    p = repetition_new(session, step, directory);
    failed = repetition_start(p, &failure) < 0 || repetition_warm_up(p, &failure) < 0 ||
             repetition_window(p, &failure) < 0;
    tell(c, PROGRESS_STOP, step, NULL);
    result = repetition_stop(p, failed ? &failure : NULL, err);
    *ret_interrupted = repetition_interrupted(p);
    *ret_failed = !repetition_record(p)->ok;
    if (*ret_interrupted) {
        directory_remove(AT_FDCWD, directory, NULL);
    } else if (store_add(session->store, repetition_record(p), result < 0 ? NULL : err) < 0) {
        result = -1;
    } else if (result == 0 && failed && failure.kind == BENCH_ERROR_ENVIRONMENT) {
        /* No second repetition could do better: it is the run that fails, and it is said once. */
        *err = failure;
        result = -1;
    } else {
        tell(c, PROGRESS_DONE, step, repetition_record(p));
    }
    repetition_free(p);
    return result;
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
    for (size_t i = 0; result == 0 && !interrupted && i < plan->n_steps; i++) {
        bool failed = false;

        if (wants_to_stop(session)) {
            interrupted = true;
            break;
        }
        course.done = i;
        course.step_begun_ns = clock_now();
        result = run_step(&course, &plan->steps[i], &interrupted, &failed, err);
        failures += failed && !interrupted;
    }
    session->progress = course.progress;
    session->progress_context = course.context;
    if (result < 0)
        return -1;
    *ret_outcome = interrupted ? RUNNER_INTERRUPTED : RUNNER_COMPLETE;
    *ret_failed = failures;
    return 0;
}
