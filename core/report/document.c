/* SPDX-License-Identifier: Apache-2.0 */
#include "report/document_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/artifacts.h"
#include "report/notes.h"
#include "report/run_facts.h"

enum { SCHEMA = 1 };

static const char *keep_json(struct document *d, const json_t *value)
{
    cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    return document_keep(d, text ? text : "null");
}

/* --- repetitions --------------------------------------------------------------------------- */

static void observe(struct document *d, const struct stored_run *run)
{
    struct limit_context context = {.cpus = run_cpus(run), .allowed = run_cpus_allowed(run)};

    d->n_observed = run->n_repetitions;
    d->observed = xcalloc(run->n_repetitions + 1, sizeof(*d->observed));
    for (size_t i = 0; i < run->n_repetitions; i++) {
        const struct repetition_record *r = &run->repetitions[i];
        struct observed *o = &d->observed[i];

        o->record = r;
        metrics_compute(r, &d->pool, &o->set);
        for (size_t v = 0; v < o->set.count; v++)
            o->set.items[v].reason = document_keep(d, o->set.items[v].reason);
        context.jobs = json_number_or(run_setting(run, r->point, "jobs"), 0);
        if (r->ok)
            limit_find(r, &o->set, &context, &o->limit);
    }
}

static void add_repetition(struct document *d, const struct observed *o,
                           struct bench_repetition *ret)
{
    const struct repetition_record *r = o->record;
    const struct bench_metric **metrics = xcalloc(o->set.count + 1, sizeof(*metrics));
    struct bench_value *values = xcalloc(o->set.count + 1, sizeof(*values));
    int64_t measured = r->warmup_ns + r->window_end_ns - r->window_begin_ns;

    for (size_t i = 0; i < o->set.count; i++) {
        metrics[i] = o->set.items[i].metric;
        values[i] = o->set.items[i].value;
    }
    *ret = (struct bench_repetition){
        .arm = document_keep(d, r->arm),
        .point = document_keep(d, r->point),
        .index = r->index,
        .block = r->block,
        .state = !r->ok                                                         ? "failed"
                 : record_measures(r) && fitness_rejects(&d->fitness, r->block) ? "rejected"
                                                                                : "ok",
        .error = r->ok ? NULL : document_keep(d, r->error.message),
        .directory = document_keep(d, r->directory ? r->directory : ""),
        .overhead_seconds = r->ok ? (double)(r->total_ns - measured) * 1e-9 : NAN,
        .n_values = (uint32_t)o->set.count,
        .metrics = metrics,
        .values = values,
        .purpose = r->purpose ? document_keep(d, r->purpose) : PURPOSE_MEASURE,
    };
    ret->artifacts = (const struct bench_artifact *const *)artifacts_of(
        r, d->document.path, &d->kept, &ret->n_artifacts);
}

static void add_repetitions(struct document *d)
{
    d->repetitions = xcalloc(d->n_observed + 1, sizeof(*d->repetitions));
    for (size_t i = 0; i < d->n_observed; i++) {
        d->repetitions[i] = xcalloc(1, sizeof(**d->repetitions));
        add_repetition(d, &d->observed[i], d->repetitions[i]);
    }
    d->document.repetitions = (const struct bench_repetition *const *)d->repetitions;
    d->document.n_repetitions = (uint32_t)d->n_observed;
}

/* --- the whole ----------------------------------------------------------------------------- */

/* "isolated (reno)"; "mixed" when repetitions differ; "" when none has got that far. */
/* As it was given, or found (`warmup: auto`). */
static int64_t warmup_of(const struct stored_run *run)
{
    const json_t *found = json_object_get(json_object_get(run->run, "warmup"), "seconds");

    return json_duration_or(found ? found : run_setting(run, "", "warmup"), 0);
}

static const char *network_of(struct document *d, const struct stored_run *run)
{
    const char *found = "";

    for (size_t i = 0; i < run->n_repetitions; i++) {
        const struct repetition_record *r = &run->repetitions[i];
        cleanup_free char *name =
            r->network ? xasprintf("%s (%s)", r->network, r->congestion ? r->congestion : "unknown")
                       : NULL;

        if (!name || strcmp(name, found) == 0)
            continue;
        if (*found)
            return "mixed";
        found = document_keep(d, name);
    }
    return found;
}

/* What a newer bench may call otherwise is not complete in any case. */
static const char *state_of(const struct stored_run *run)
{
    static const char *const states[] = {"complete", "running", "failed"};
    const char *state = json_text_or(json_object_get(run->run, "state"), "");

    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        if (strcmp(state, states[i]) == 0)
            return states[i];
    return "interrupted";
}

static uint64_t seed_of(const struct stored_run *run)
{
    const json_t *seed = json_object_get(run->run, "seed");

    return json_is_integer(seed) ? (uint64_t)json_integer_value(seed)
                                 : strtoull(json_text_or(seed, "0"), NULL, 10);
}

static void describe(struct document *d, const struct stored_run *run)
{
    cleanup_strings struct strings arms = {0};
    json_t *j = run->run;
    const json_t *workload = run_setting(run, "", "workload");

    if (json_is_object(workload)) /* {plugin: h2load, …} */
        workload = json_object_get(workload, "plugin");
    run_arms(run, &arms);
    d->document = (struct bench_document){
        .size = sizeof(d->document),
        .schema = SCHEMA,
        .run = document_keep(d, run->id ? run->id : ""),
        .path = document_keep(d, run->path ? run->path : ""),
        .name = document_keep(d, json_text_or(json_object_get(j, "name"), "")),
        .started = document_keep(d, json_text_or(json_object_get(j, "started"), "")),
        .state = state_of(run),
        .seed = seed_of(run),
        .planned = (uint32_t)json_array_size(json_object_get(j, "plan")),
        .workload = document_keep(d, json_text_or(workload, "")),
        .protocol = document_keep(d, json_text_or(run_setting(run, "", "protocol"), "")),
        .network = network_of(d, run),
        .warmup_ns = warmup_of(run),
        .duration_ns = json_duration_or(run_setting(run, "", "duration"), 0),
        .scenario_json = keep_json(d, json_object_get(j, "scenario")),
        .environment_json = keep_json(d, json_object_get(j, "environment")),
        .baseline = document_keep(d, arms.count ? arms.items[0] : ""),
    };
}

/* Those of the run's own scenario. Saved runs that were joined have two. */
static void stored_gates(const struct stored_run *run, struct strings *ret)
{
    const json_t *list = run_setting(run, "", "fail_on"), *text;
    size_t i;

    if (json_object_get(json_object_get(run->run, "comparison"), "pairs"))
        return;
    json_array_foreach(list, i, text) if (json_is_string(text))
        strings_add(ret, json_string_value(text));
}

static void add_notes(struct document *d, const struct stored_run *run)
{
    struct observations all = {0};

    for (size_t i = 0; i < d->n_observed; i++)
        if (record_measures(d->observed[i].record))
            observations_add(&all, &d->observed[i]);
    notes_design(run, &d->document, &all, &d->design);
    notes_warnings(run, &d->document, &all, &d->warnings);
    observations_release(&all);
    d->document.design = (const char *const *)d->design.items;
    d->document.n_design = (uint32_t)d->design.count;
    d->document.warnings = (const char *const *)d->warnings.items;
    d->document.n_warnings = (uint32_t)d->warnings.count;
}

int document_new(struct document **ret, const struct stored_run *run, struct bench_error *err)
{
    cleanup_strings struct strings gates = {0};

    stored_gates(run, &gates);
    return document_new_gated(ret, run, &gates, err);
}

/* With what the arms are made from. NULL: the run has no description. */
static struct document *begin(const struct stored_run *run, struct bench_error *err)
{
    struct document *d;

    if (!json_is_object(run->run)) {
        error_set(err, BENCH_ERROR_RUN, "run '%s' has no description", run->id ? run->id : "");
        return NULL;
    }
    d = xcalloc(1, sizeof(*d));
    describe(d, run);
    observe(d, run);
    return d;
}

int document_new_brief(struct document **ret, const struct stored_run *run, struct bench_error *err)
{
    struct document *d = begin(run, err);

    if (!d)
        return -1;
    d->brief = true;
    document_judge_blocks(d, run);
    document_add_arms(d, run);
    *ret = d;
    return 0;
}

int document_new_gated(struct document **ret, const struct stored_run *run,
                       const struct strings *gates, struct bench_error *err)
{
    struct document *d = begin(run, err);

    if (!d)
        return -1;
    document_judge_blocks(d, run);
    add_repetitions(d);
    document_add_arms(d, run);
    document_add_comparisons(d, run);
    document_add_gates(d, run, gates);
    add_notes(d, run);
    *ret = d;
    return 0;
}

const struct bench_document *document_get(const struct document *d)
{
    return &d->document;
}

void document_free(struct document *d)
{
    if (!d)
        return;
    for (uint32_t i = 0; i < d->document.n_arms; i++) {
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++)
            free((void *)d->arms[i]->estimates[k]);
        free((void *)d->arms[i]->estimates);
        free((void *)d->arms[i]->hop_costs);
        free(d->arms[i]);
    }
    for (uint32_t i = 0; i < d->document.n_repetitions; i++) {
        free((void *)d->repetitions[i]->metrics);
        free((void *)d->repetitions[i]->values);
        artifacts_free((struct bench_artifact **)d->repetitions[i]->artifacts,
                       d->repetitions[i]->n_artifacts);
        free(d->repetitions[i]);
    }
    for (size_t i = 0; i < d->n_observed; i++)
        metric_set_release(&d->observed[i].set);
    explanation_release(&d->explanation);
    for (size_t i = 0; i < d->n_comparisons; i++)
        free(d->comparisons[i]);
    free(d->comparisons);
    for (uint32_t i = 0; i < d->document.n_gates; i++)
        free(d->gates[i]);
    free(d->gates);
    fitness_release(&d->fitness);
    free(d->rejected);
    free(d->observed);
    free(d->arms);
    free(d->repetitions);
    metric_pool_release(&d->pool);
    strings_release(&d->kept);
    strings_release(&d->design);
    strings_release(&d->warnings);
    free(d);
}
