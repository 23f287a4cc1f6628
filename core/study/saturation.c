/* SPDX-License-Identifier: Apache-2.0 */
#include "study/saturation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/load.h"

#define PRECISION 0.05

static const double shares[SATURATION_RATES] = {0.2, 0.4, 0.6, 0.8, 0.9, 0.95};

/* What the search knows of an arm. */
struct contender {
    double p99_light;
    struct load load; /* of the last repetition */
    bool kept_up;     /* at the rate that is tried, in one repetition at least */
    double p99;       /* of that one */
    char why[1200];   /* not */
};

struct search {
    struct session *session;
    const struct scenario *scenario;
    const struct registry *registry;
    struct contender *arms;
    double rate;            /* that is tried; 0: closed loop */
    uint32_t before, steps; /* repetitions of the run before it, and so far */
    enum runner_outcome outcome;
    progress_fn progress; /* of the session */
    void *context;
};

/* Judges one repetition. */
static void observe(struct search *s, size_t arm, const struct repetition_record *r)
{
    struct contender *c = &s->arms[arm];
    enum saturation_sign saturated;

    load_of(r, s->rate, &c->load);
    c->load.p99_light = c->p99_light;
    saturated = saturation_judge(&c->load);
    if (r->ok && saturated == SATURATION_NONE) {
        c->kept_up = true;
        c->p99 = c->load.p99;
    }
    if (r->ok)
        load_explain(&c->load, saturated, c->why, sizeof(c->why));
    else
        snprintf(c->why, sizeof(c->why), "%s", r->error.message);
}

/* Stands between the runner and the session's progress: the records pass by here. */
static void pass_on(void *context, const struct progress *p)
{
    struct search *s = context;

    if (p->phase == PROGRESS_DONE)
        observe(s, p->step->arm, p->record);
    if (s->progress)
        s->progress(s->context, p);
}

static int run_plan(struct search *s, const struct plan *plan, struct bench_error *err)
{
    struct session *session = s->session;
    uint32_t failed;
    int result;

    s->progress = session->progress;
    s->context = session->progress_context;
    session->progress = pass_on;
    session->progress_context = s;
    result = runner_run(session, plan, &s->outcome, &failed, err);
    session->progress = s->progress;
    session->progress_context = s->context;
    s->steps += (uint32_t)plan->n_steps;
    return result;
}

static int make_plan(struct plan *ret, const struct scenario *scenario, double rate,
                     uint32_t before, const struct registry *r, struct bench_error *err)
{
    struct scenario once;
    int result;

    scenario_copy(&once, scenario);
    scenario_sweep_rate(&once, &rate, 1);
    scenario_drop_captures(&once);
    once.repeat = 1;
    if (once.warmup_ns == WARMUP_AUTO) /* to be found first; until then this is only checked */
        once.warmup_ns = 0;
    result = plan_make(ret, &once, r, err);
    scenario_release(&once);
    if (result < 0)
        return -1;
    plan_follow(ret, before, PURPOSE_SEARCH);
    /* What is stored is what was asked for. */
    scenario_release(&ret->scenario);
    scenario_copy(&ret->scenario, scenario);
    return 0;
}

int saturation_first_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                          struct bench_error *err)
{
    return make_plan(ret, s, 0, 0, r, err);
}

int saturation_rated_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                          struct bench_error *err)
{
    return make_plan(ret, s, 1, 0, r, err);
}

int saturation_check(struct session *session, const struct scenario *s, const struct registry *r,
                     struct bench_error *err)
{
    struct plan plan;
    int result;

    if (saturation_rated_plan(&plan, s, r, err) < 0)
        return -1;
    result = runner_check(session, &plan, err);
    plan_release(&plan);
    return result;
}

/* One repetition of every arm at `rate`. */
static int try_once(struct search *s, double rate, struct bench_error *err)
{
    struct plan plan;
    int result;

    if (make_plan(&plan, s->scenario, rate, s->steps, s->registry, err) < 0)
        return -1;
    s->rate = rate;
    result = store_extend(s->session->store, &plan, err);
    if (result == 0)
        result = run_plan(s, &plan, err);
    plan_release(&plan);
    return result;
}

/* The first arm that did not keep up, or n_arms. */
static size_t first_to_give_way(const struct search *s)
{
    size_t i = 0;

    while (i < s->scenario->n_arms && s->arms[i].kept_up)
        i++;
    return i;
}

static int try_rate(struct search *s, double rate, bool *ret_kept_up, struct bench_error *err)
{
    for (size_t i = 0; i < s->scenario->n_arms; i++)
        s->arms[i].kept_up = false;
    for (int tries = 0; tries < 2 && first_to_give_way(s) < s->scenario->n_arms; tries++) {
        if (try_once(s, rate, err) < 0)
            return -1;
        if (s->outcome == RUNNER_INTERRUPTED)
            return 0;
    }
    *ret_kept_up = first_to_give_way(s) == s->scenario->n_arms;
    return 0;
}

/* What the slowest arm does in a closed loop. */
static int find_capacity(struct search *s, const struct plan *first, double *ret,
                         struct bench_error *err)
{
    double least = INFINITY;

    if (run_plan(s, first, err) < 0)
        return -1;
    for (size_t i = 0; s->outcome == RUNNER_COMPLETE && i < s->scenario->n_arms; i++) {
        const struct contender *c = &s->arms[i];

        if (!(c->load.done > 0)) {
            error_set(err, BENCH_ERROR_RUN, "rate: auto: '%s' fails in a closed loop already: %s",
                      s->scenario->arms[i].name, *c->why ? c->why : "it completes no request");
            error_hint(err, "make it work without 'rate' first");
            return -1;
        }
        least = fmin(least, c->load.done);
    }
    *ret = least;
    return 0;
}

/* The first rate that is kept up with is the light load; or, where an arm had too few operations
 * for a p99 there, the next that has. */
static void keep_light(struct search *s)
{
    for (size_t i = 0; i < s->scenario->n_arms; i++)
        if (isnan(s->arms[i].p99_light))
            s->arms[i].p99_light = s->arms[i].p99;
}

static void keep_failure(const struct search *s, struct saturation *ret)
{
    size_t arm = first_to_give_way(s);

    saturation_release(ret);
    ret->arm = xstrdup(s->scenario->arms[arm].name);
    ret->why = xstrdup(s->arms[arm].why);
}

static int nothing_found(const struct saturation *found, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_RUN,
              "rate: auto: '%s' does not keep up with any rate down to %.3g/s: %s", found->arm,
              found->gave_way, found->why);
    error_hint(err, "a window too short or a machine too busy for the rate looks like this; 'bench "
                    "report' shows what was tried");
    return -1;
}

static int note(struct search *s, const struct saturation *found, struct bench_error *err)
{
    json_t *json = json_object();

    json_object_set_new(json, "capacity", json_real(found->capacity));
    json_object_set_new(json, "rate", json_real(found->rate));
    json_object_set_new(json, "gave_way",
                        isinf(found->gave_way) ? json_null() : json_real(found->gave_way));
    json_object_set_new(json, "arm", found->arm ? json_string(found->arm) : json_null());
    json_object_set_new(json, "why", found->why ? json_string(found->why) : json_null());
    json_object_set_new(json, "steps", json_integer(found->steps - s->before));
    return store_note(s->session->store, "saturation", json, err);
}

static int look_for(struct search *s, struct saturation *ret, struct bench_error *err)
{
    struct saturation_search search;
    double rate;

    saturation_begin(&search, ret->capacity, PRECISION);
    while (saturation_next(&search, &rate)) {
        bool kept_up = false;

        if (try_rate(s, rate, &kept_up, err) < 0)
            return -1;
        if (s->outcome == RUNNER_INTERRUPTED)
            return 0;
        if (kept_up)
            keep_light(s);
        else if (rate < search.high)
            keep_failure(s, ret);
        saturation_tell(&search, rate, kept_up);
    }
    ret->rate = search.low;
    ret->gave_way = search.high;
    ret->steps = s->steps;
    return ret->rate > 0 ? note(s, ret, err) : nothing_found(ret, err);
}

int saturation_find(struct session *session, const struct plan *first, const struct registry *r,
                    struct saturation *ret, enum runner_outcome *ret_outcome,
                    struct bench_error *err)
{
    struct search s = {
        .session = session,
        .scenario = &first->scenario,
        .registry = r,
        .before = first->before,
        .steps = first->before,
    };
    struct saturation found = {0};
    int result;

    s.arms = xcalloc(s.scenario->n_arms, sizeof(*s.arms));
    for (size_t i = 0; i < s.scenario->n_arms; i++)
        s.arms[i].p99_light = NAN;
    result = find_capacity(&s, first, &found.capacity, err);
    if (result == 0 && s.outcome == RUNNER_COMPLETE)
        result = look_for(&s, &found, err);
    free(s.arms);
    if (result < 0) {
        saturation_release(&found);
        return -1;
    }
    *ret = found;
    *ret_outcome = s.outcome;
    return 0;
}

void saturation_scenario(struct scenario *ret, const struct scenario *s,
                         const struct saturation *found)
{
    double rates[SATURATION_RATES];

    for (size_t i = 0; i < SATURATION_RATES; i++)
        rates[i] = saturation_round(shares[i] * found->rate);
    scenario_copy(ret, s);
    scenario_sweep_rate(ret, rates, SATURATION_RATES);
}

void saturation_release(struct saturation *s)
{
    free(s->arm);
    free(s->why);
    s->arm = s->why = NULL;
}
