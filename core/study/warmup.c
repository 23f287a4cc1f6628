/* SPDX-License-Identifier: Apache-2.0 */
#include "study/warmup.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "report/steady.h"
#include "stats/mser.h"
#include "stats/onset.h"
#include "stats/summary.h"

#define LONGER 2   /* a pilot's window than one that counts */
#define MARGIN 1.5 /* of the warm-up over what the slowest arm needs */
#define LEAST (300 * NS_PER_MS)
#define STEP (100 * NS_PER_MS) /* to which it is rounded up */
#define SAMPLES 250            /* of a pilot's window */
#define LEAST_TICK (10 * NS_PER_MS)

/* Samples so close that a batch of them is a pilot's 50th part, or a period of the CPU limit, which
 * is all stop and go within. */
static int64_t pilot_tick(const struct scenario *s)
{
    int64_t tick = LONGER * s->duration_ns / SAMPLES;
    int64_t period = scenario_largest_cpu_limit(s) > 0 ? s->cpu_period_ns / MSER_BATCH : 0;

    tick = tick < period ? period : tick;
    return tick < LEAST_TICK ? LEAST_TICK : tick;
}

/* Beside its own points the run will have those that count, which want the plain labels. */
static void relabel(struct plan *p)
{
    for (size_t i = 0; i < p->n_points; i++) {
        char *label = p->points[i].label;

        p->points[i].label = xasprintf("cold%s%s", *label ? " " : "", label);
        free(label);
    }
}

int warmup_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                struct bench_error *err)
{
    struct scenario pilot;
    int result;

    scenario_copy(&pilot, s);
    scenario_drop_captures(&pilot);
    pilot.warmup_ns = 0;
    pilot.tick_ns = pilot_tick(s);
    pilot.duration_ns = LONGER * s->duration_ns;
    pilot.repeat = WARMUP_PILOTS;
    pilot.interleave = INTERLEAVE_NO;
    if (pilot.rate == RATE_AUTO)
        pilot.rate = 0;
    result = plan_make(ret, &pilot, r, err);
    scenario_release(&pilot);
    if (result < 0)
        return -1;
    relabel(ret);
    plan_follow(ret, 0, PURPOSE_PILOT);
    /* What is stored is what was asked for. */
    scenario_release(&ret->scenario);
    scenario_copy(&ret->scenario, s);
    return 0;
}

/* What an arm at a point needs. */
struct settling {
    const char *arm, *point;
    double seconds[WARMUP_PILOTS];
    struct onset starts[WARMUP_PILOTS]; /* of the batches' means */
    size_t judged, unsteady;
    const char *reason; /* why a pilot was not judged */
};

static void judge_start(const double *rates, size_t n, struct onset *ret)
{
    size_t k = n / MSER_BATCH;
    cleanup_free double *means = xcalloc(k + 1, sizeof(*means));

    for (size_t i = 0; i < k; i++)
        means[i] = stats_mean(rates + i * MSER_BATCH, MSER_BATCH);
    stats_onset(means, k, ret);
}

static void judge(struct settling *s, const struct repetition_record *r)
{
    size_t n;
    cleanup_free double *rates = steadiness_rates(r, &n);
    struct stats_mser m = {0};

    if (s->judged == WARMUP_PILOTS)
        return;
    stats_mser(rates, n, &m);
    if (!rates)
        s->reason = "the samples do not show what the workload does";
    else if (!m.judged)
        s->reason = "a pilot has too few samples";
    if (!m.judged)
        return;
    judge_start(rates, n, &s->starts[s->judged]);
    s->seconds[s->judged++] = (double)(r->series.times[metric_window(r).first + m.cut] -
                                       r->series.times[metric_window(r).first]) *
                              1e-9;
    s->unsteady += !m.steady;
}

/* Noise alone has a best cut, too: it counts where most pilots start on another level. */
static double needs(const struct settling *s)
{
    return stats_onset_majority(s->starts, s->judged) ? stats_median(s->seconds, s->judged) : 0;
}

static bool settles(const struct settling *s)
{
    return needs(s) == 0 || 2 * s->unsteady <= s->judged;
}

static struct settling *find(struct settling *all, size_t *n, const struct repetition_record *r)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(all[i].arm, r->arm) == 0 && strcmp(all[i].point, r->point) == 0)
            return &all[i];
    all[*n] = (struct settling){.arm = r->arm, .point = r->point};
    return &all[(*n)++];
}

/* `all` has room for one per repetition; what it points to is the run's. */
static int judge_all(const struct stored_run *run, struct settling *all, size_t *ret_n,
                     struct bench_error *err)
{
    for (size_t i = 0; i < run->n_repetitions; i++) {
        const struct repetition_record *r = &run->repetitions[i];

        if (!r->ok)
            return error_set(err, BENCH_ERROR_RUN, "warmup: auto: a pilot of '%s' fails: %s",
                             r->arm, r->error.message);
        judge(find(all, ret_n, r), r);
    }
    for (size_t i = 0; i < *ret_n; i++)
        if (all[i].judged == 0) {
            error_set(err, BENCH_ERROR_RUN, "warmup: auto: '%s' cannot be judged: %s", all[i].arm,
                      all[i].reason);
            error_hint(err, "give the 'warmup' that it needs%s",
                       strstr(all[i].reason, "few") ? ", or a longer 'duration'" : "");
            return -1;
        }
    return 0;
}

/* The slowest to settle, and whether all did. */
static const struct settling *slowest(const struct settling *all, size_t n)
{
    const struct settling *found = &all[0];

    for (size_t i = 1; i < n; i++)
        if ((settles(found) && !settles(&all[i])) ||
            (settles(found) == settles(&all[i]) && needs(&all[i]) > needs(found)))
            found = &all[i];
    return found;
}

static json_t *outcome_json(const struct settling *s, const struct warmup *w)
{
    json_t *json = json_object();

    json_object_set_new(json, "seconds", json_real((double)w->ns / NS_PER_S));
    json_object_set_new(json, "steady", json_boolean(w->steady));
    json_object_set_new(json, "arm", json_string(s->arm));
    json_object_set_new(json, "needs", json_real(needs(s)));
    json_object_set_new(json, "pilots", json_integer(WARMUP_PILOTS));
    json_object_set_new(json, "steps", json_integer(w->steps));
    return json;
}

static int64_t length(double seconds)
{
    int64_t steps = (int64_t)(seconds * MARGIN * (double)NS_PER_S / STEP + 0.999);

    return steps * STEP < LEAST ? LEAST : steps * STEP;
}

static int conclude(const struct stored_run *run, struct store_writer *store, struct warmup *ret,
                    struct bench_error *err)
{
    cleanup_free struct settling *all = xcalloc(run->n_repetitions + 1, sizeof(*all));
    const struct settling *last;
    size_t n = 0;

    if (judge_all(run, all, &n, err) < 0)
        return -1;
    last = slowest(all, n);
    ret->ns = length(needs(last));
    ret->steady = settles(last);
    return store_note(store, "warmup", outcome_json(last, ret), err);
}

int warmup_find(struct session *session, const struct plan *pilots, struct warmup *ret,
                enum runner_outcome *ret_outcome, struct bench_error *err)
{
    struct stored_run run;
    uint32_t failed;
    int result;

    *ret = (struct warmup){.steps = (uint32_t)pilots->n_steps};
    if (runner_run(session, pilots, ret_outcome, &failed, err) < 0)
        return -1;
    if (*ret_outcome == RUNNER_INTERRUPTED)
        return 0;
    if (store_read(&run, session->store->path, err) < 0)
        return -1;
    result = conclude(&run, session->store, ret, err);
    stored_run_release(&run);
    return result;
}
