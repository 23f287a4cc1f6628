/* SPDX-License-Identifier: Apache-2.0 */
#include "study/blocks.h"

#include <math.h>
#include <string.h>

#include "report/document.h"
#include "report/fitness.h"
#include "stats/sequential.h"
#include "store/disturbed.h"

/* What the run has so far. */
struct progress_made {
    size_t blocks, rejected;
    uint32_t without_outcome; /* failed repetitions: their blocks are rejected */
    bool decided;      /* every comparison */
    double half_width; /* of the widest deciding interval, in ln */
};

static int look(const struct session *session, struct progress_made *ret, struct bench_error *err)
{
    const struct bench_document *d;
    struct stored_run run;
    struct document *document;

    if (store_read(&run, session->store->path, err) < 0)
        return -1;
    /* So far as it is planned now, it is: what it says decides whether more is. */
    json_object_set_new(run.run, "state", json_string("complete"));
    if (document_new(&document, &run, err) < 0) {
        stored_run_release(&run);
        return -1;
    }
    d = document_get(document);
    *ret =
        (struct progress_made){.blocks = d->n_blocks, .rejected = d->n_rejected, .decided = true};
    for (size_t i = 0; i < run.n_repetitions; i++)
        ret->without_outcome += record_has_no_outcome(&run.repetitions[i]);
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        const struct bench_comparison *c = d->comparisons[i];
        double width = c->has_interval ? (log(c->high) - log(c->low)) / 2 : INFINITY;

        ret->half_width = fmax(ret->half_width, width);
        ret->decided &= strcmp(c->finding, "inconclusive") != 0;
    }
    document_free(document);
    stored_run_release(&run);
    return 0;
}

static bool unfit(const struct progress_made *p)
{
    return (double)p->rejected > FITNESS_MOST_REJECTED * (double)p->blocks;
}

int blocks_add(struct session *session, const struct scenario *s, const struct registry *r,
               size_t blocks, size_t more, uint32_t *steps, enum runner_outcome *ret_outcome,
               uint32_t *ret_failed, struct bench_error *err)
{
    struct scenario extra;
    struct plan plan;
    uint32_t failed = 0;
    int result;

    scenario_copy(&extra, s);
    scenario_drop_captures(&extra); /* those have had their repetitions */
    extra.repeat = (int64_t)more;
    if (extra.seed >= 0) /* another order, which follows from it as well */
        extra.seed = (int64_t)(((uint64_t)extra.seed + blocks) % PLAN_SEEDS);
    result = plan_make(&plan, &extra, r, err);
    scenario_release(&extra);
    if (result < 0)
        return -1;
    if (s->seed >= 0)
        plan.seed = (uint64_t)s->seed; /* the run is known by one */
    plan_follow(&plan, *steps, NULL);
    plan_follow_blocks(&plan, (uint32_t)blocks);
    result = store_extend(session->store, &plan, err);
    if (result == 0)
        result = runner_run(session, &plan, ret_outcome, &failed, err);
    *steps += (uint32_t)plan.n_steps;
    *ret_failed += failed;
    plan_release(&plan);
    return result;
}

/* How many blocks the look after that of `n` is made at; `n` behind the last. */
static size_t next_look(size_t n)
{
    struct stats_look look;

    for (size_t i = 0; stats_look(i, &look); i++)
        if (look.n > n)
            return look.n;
    return n;
}

static int complete(struct session *session, const struct scenario *s, const struct registry *r,
                    const struct plan *plan, enum runner_outcome *ret_outcome, uint32_t *ret_failed,
                    struct bench_error *err)
{
    uint32_t steps = plan->before + (uint32_t)plan->n_steps;
    size_t wanted = plan->blocks;
    bool first_stage = s->precision > 0;

    for (;;) {
        struct progress_made made;
        size_t fit;

        if (look(session, &made, err) < 0)
            return -1;
        fit = made.blocks - made.rejected;
        if (unfit(&made))
            return 0;
        if (first_stage && fit >= wanted) {
            wanted = stats_second_stage(made.half_width, s->precision);
            first_stage = false;
        }
        if (s->stop == STOP_LOOKS && fit >= wanted && !made.decided)
            wanted = next_look(wanted);
        if (fit >= wanted) {
            /* Measured again, they are no failures of the comparison. */
            *ret_failed -= made.without_outcome;
            return 0;
        }
        if (blocks_add(session, s, r, made.blocks, wanted - fit, &steps, ret_outcome, ret_failed,
                       err) < 0)
            return -1;
        if (*ret_outcome == RUNNER_INTERRUPTED)
            return 0;
    }
}

int blocks_complete(struct session *session, const struct scenario *s, const struct registry *r,
                    const struct plan *plan, enum runner_outcome *ret_outcome, uint32_t *ret_failed,
                    struct bench_error *err)
{
    struct scenario seeded;
    int result;

    scenario_copy(&seeded, s);
    seeded.seed = (int64_t)plan->seed; /* drawn or not: it is what the run is known by */
    result = complete(session, &seeded, r, plan, ret_outcome, ret_failed, err);
    scenario_release(&seeded);
    return result;
}
