/* SPDX-License-Identifier: Apache-2.0 */
#include "study/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "environment/facts.h"
#include "report/document.h"
#include "report/fitness.h"
#include "store/plugin_files.h"
#include "study/blocks.h"
#include "study/comparison.h"

/* Fewer say nothing of the environment. */
enum { LEAST_BLOCKS_UNFIT = 8 };

double *trial_ratios(const struct trial_seen *seen, size_t a, size_t b, size_t *ret_n)
{
    double *d = xcalloc(seen->n + 1, sizeof(*d));
    size_t n = 0;

    for (size_t i = 0; i < seen->n; i++) {
        const struct stats_outcome *y = seen->blocks[i];
        double ratio = stats_log_ratio(y[a], y[b], seen->direction);

        if (!y[a].failed && !y[b].failed && !isnan(ratio))
            d[n++] = ratio;
    }
    *ret_n = n;
    return d;
}

void trial_seen_release(struct trial_seen *seen)
{
    free(seen->blocks);
    seen->blocks = NULL;
}

/* --- what was measured ---------------------------------------------------------------------- */

static bool rejected(const struct bench_document *d, uint32_t block)
{
    for (uint32_t i = 0; i < d->n_rejected; i++)
        if (d->rejected[i].block == block)
            return true;
    return false;
}

static struct stats_outcome outcome(const struct bench_repetition *r, const char *metric)
{
    if (strcmp(r->state, "ok") != 0)
        return (struct stats_outcome){.failed = true, .value = NAN};
    for (uint32_t i = 0; i < r->n_values; i++)
        if (strcmp(r->metrics[i]->name, metric) == 0 && r->values[i].state <= BENCH_SCALED)
            return (struct stats_outcome){.value = r->values[i].value};
    return (struct stats_outcome){.value = NAN};
}

/* Arms have no order in the document's repetitions. */
static size_t arm_of(const struct scenario *s, const struct bench_repetition *r)
{
    size_t i = 0;

    while (i < s->n_arms && strcmp(s->arms[i].name, r->arm) != 0)
        i++;
    return i;
}

static void take(struct trial_seen *seen, struct stats_outcome *place, size_t arm,
                 const struct bench_repetition *r)
{
    *place = outcome(r, seen->metric);
    seen->failed[arm] += place->failed;
    if (r->error)
        snprintf(seen->why, sizeof(seen->why), "%s", r->error);
}

static void see(const struct scenario *s, const struct bench_document *d, struct trial_seen *ret)
{
    cleanup_free size_t *place = xcalloc(d->n_blocks + 1, sizeof(*place));

    *ret = (struct trial_seen){0};
    if (d->n_comparisons) {
        snprintf(ret->metric, sizeof(ret->metric), "%s", d->comparisons[0]->metric->name);
        ret->direction = d->comparisons[0]->metric->direction;
    }
    for (uint32_t block = 1; block <= d->n_blocks; block++)
        if (!rejected(d, block))
            place[block] = ++ret->n;
    ret->blocks = xcalloc(ret->n + 1, sizeof(*ret->blocks));
    for (uint32_t i = 0; i < d->n_repetitions; i++) {
        const struct bench_repetition *r = d->repetitions[i];
        size_t arm = arm_of(s, r);

        if (strcmp(r->purpose, PURPOSE_MEASURE) == 0 && arm < s->n_arms && place[r->block])
            take(ret, &ret->blocks[place[r->block] - 1][arm], arm, r);
    }
}

static int unfit(const struct bench_document *d, struct bench_error *err)
{
    if (d->n_blocks < LEAST_BLOCKS_UNFIT ||
        (double)d->n_rejected <= FITNESS_MOST_REJECTED * d->n_blocks)
        return 0;
    error_set(err, BENCH_ERROR_ENVIRONMENT,
              "the machine is unfit: %u of %u blocks do not count, the last because of %s",
              d->n_rejected, d->n_blocks, d->rejected[d->n_rejected - 1].why);
    error_hint(err, "stop what else runs here, or choose another rule with --reject");
    return -1;
}

/* The run as it is stored; *ret_blocks with those that do not count. */
static int look(const struct trial_spec *spec, const char *path, struct trial_seen *ret,
                size_t *ret_blocks, struct bench_error *err)
{
    struct document *document;
    struct stored_run run;
    int result;

    if (store_read(&run, path, err) < 0)
        return -1;
    result = document_new(&document, &run, err);
    if (result == 0) {
        const struct bench_document *d = document_get(document);

        result = unfit(d, err);
        if (result == 0) {
            see(spec->scenario, d, ret);
            *ret_blocks = d->n_blocks;
        }
        document_free(document);
    }
    stored_run_release(&run);
    return result;
}

/* --- the run -------------------------------------------------------------------------------- */

static int measure(struct session *session, const struct trial_spec *spec, const struct plan *plan,
                   struct trial_seen *ret, enum runner_outcome *ret_outcome,
                   struct bench_error *err)
{
    uint32_t steps = (uint32_t)plan->n_steps, failed;
    struct trial_seen seen = {0};

    if (runner_run(session, plan, ret_outcome, &failed, err) < 0)
        return -1;
    while (*ret_outcome == RUNNER_COMPLETE) {
        size_t blocks = 0, more;

        trial_seen_release(&seen);
        if (look(spec, session->store->path, &seen, &blocks, err) < 0)
            return -1;
        more = spec->judge(spec->context, &seen);
        if (more == 0)
            break;
        if (blocks_add(session, spec->scenario, spec->registry, blocks, more, &steps, ret_outcome,
                       &failed, err) < 0) {
            trial_seen_release(&seen);
            return -1;
        }
    }
    *ret = seen;
    return 0;
}

static int run_stored(struct session *session, const struct trial_spec *spec,
                      const struct plan *plan, struct trial_seen *ret,
                      enum runner_outcome *ret_outcome, struct bench_error *err)
{
    json_t *facts = session->host->ops->facts(session->host);
    struct bench_error late = {0};
    int result = store_create(session->store, spec->directory, plan, facts, spec->command, err);

    json_decref(facts);
    if (result < 0)
        return -1;
    result = store_note(session->store, "comparison", comparison_rule(spec->scenario), err);
    if (result == 0)
        result = store_note(session->store, "plugins", plugin_files(plan, spec->registry), err);
    if (result == 0)
        result = measure(session, spec, plan, ret, ret_outcome, err);
    if (store_finish(session->store,
                     result < 0                           ? "failed"
                     : *ret_outcome == RUNNER_INTERRUPTED ? "interrupted"
                                                          : "complete",
                     &late) < 0 &&
        result == 0) {
        trial_seen_release(ret);
        *err = late;
        result = -1;
    }
    return result;
}

int trial_run(struct session *session, const struct trial_spec *spec, struct trial_seen *ret_seen,
              enum runner_outcome *ret_outcome, struct bench_error *err)
{
    struct store_writer store = {.dirfd = -1};
    struct plan plan;
    int result;

    if (plan_make(&plan, spec->scenario, spec->registry, err) < 0)
        return -1;
    session->store = &store;
    result = runner_check(session, &plan, err);
    if (result == 0)
        result = run_stored(session, spec, &plan, ret_seen, ret_outcome, err);
    session->store = NULL;
    store_writer_release(&store);
    plan_release(&plan);
    return result;
}
