/* SPDX-License-Identifier: Apache-2.0 */
#include "report/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/explanation.h"
#include "report/fitness.h"
#include "report/gates.h"
#include "report/hop_cost.h"
#include "report/load.h"
#include "report/artifacts.h"
#include "report/notes.h"
#include "report/observed.h"
#include "report/run_facts.h"
#include "report/verdicts.h"

enum { SCHEMA = 1 };

struct document {
    struct bench_document document;
    struct metric_pool pool;
    struct observed *observed; /* one per stored repetition */
    size_t n_observed;
    struct bench_arm **arms;
    size_t arms_capacity;
    struct bench_repetition **repetitions;
    struct strings kept, design, warnings; /* kept: every string that comes from the run */
    struct explanation explanation;
    struct bench_comparison **comparisons;
    size_t n_comparisons, comparisons_capacity;
    struct bench_gate **gates;
    size_t gates_capacity;
    struct fitness fitness; /* of the blocks of a comparison */
    struct bench_rejection *rejected;
};

/* A copy that lives as long as the document. */
static const char *keep(struct document *d, const char *s)
{
    if (!s)
        return NULL;
    strings_add(&d->kept, s);
    return d->kept.items[d->kept.count - 1];
}

static const char *keep_json(struct document *d, const json_t *value)
{
    cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    return keep(d, text ? text : "null");
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
            o->set.items[v].reason = keep(d, o->set.items[v].reason);
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
        .arm = keep(d, r->arm),
        .point = keep(d, r->point),
        .index = r->index,
        .block = r->block,
        .state = r->ok ? "ok" : "failed",
        .error = r->ok ? NULL : keep(d, r->error.message),
        .directory = keep(d, r->directory ? r->directory : ""),
        .overhead_seconds = r->ok ? (double)(r->total_ns - measured) * 1e-9 : NAN,
        .n_values = (uint32_t)o->set.count,
        .metrics = metrics,
        .values = values,
        .purpose = r->purpose ? keep(d, r->purpose) : PURPOSE_MEASURE,
    };
    ret->artifacts =
        (const struct bench_artifact *const *)artifacts_of(r, &d->kept, &ret->n_artifacts);
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

/* --- arms ---------------------------------------------------------------------------------- */

/* The repetitions of an arm at a point that count, or those of them that succeeded. */
static struct observations select_arm(const struct document *d, const char *arm, const char *point,
                                      bool ok_only)
{
    struct observations found = {0};

    for (size_t i = 0; i < d->n_observed; i++) {
        const struct repetition_record *r = d->observed[i].record;

        if (record_measures(r) && strcmp(r->arm, arm) == 0 && strcmp(r->point, point) == 0 &&
            (r->ok || !ok_only))
            observations_add(&found, &d->observed[i]);
    }
    return found;
}

/* The repetitions made for a capture that is too dear for the measuring ones. */
static struct observations select_aside(const struct document *d, const char *arm,
                                        const char *point)
{
    struct observations found = {0};

    for (size_t i = 0; i < d->n_observed; i++) {
        const struct repetition_record *r = d->observed[i].record;

        if (r->purpose && strncmp(r->purpose, PURPOSE_CAPTURE, strlen(PURPOSE_CAPTURE)) == 0 &&
            r->ok && strcmp(r->arm, arm) == 0 && strcmp(r->point, point) == 0)
            observations_add(&found, &d->observed[i]);
    }
    return found;
}

/* The metrics of an arm: as measured, and events that were counted apart. */
static void add_estimates(struct document *d, const struct observations *ok,
                          const struct observations *aside, struct bench_arm *arm)
{
    bool is_baseline = strcmp(arm->name, d->document.baseline) == 0;
    struct observations baseline = {0}, baseline_aside = {0};
    struct bench_estimate **all;

    if (!is_baseline) {
        baseline = select_arm(d, d->document.baseline, arm->point, true);
        baseline_aside = select_aside(d, d->document.baseline, arm->point);
    }
    all = estimate_all(ok, &baseline, &arm->n_estimates);
    arm->estimates = (const struct bench_estimate *const *)estimate_events(
        all, &arm->n_estimates, aside, &baseline_aside,
        "counted in repetitions of its own, which it slows");
    observations_release(&baseline);
    observations_release(&baseline_aside);
}

/* As it was set; what was asked for when no repetition has got that far. */
static double relay_limit(const struct stored_run *run, const struct observations *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        for (size_t k = 0; k < r->n_roles; k++)
            if (strncmp(r->roles[k].name, "relay_", 6) == 0)
                return r->roles[k].cpu_limit;
    }
    return json_number_or(
        json_object_get(run_arm(run, all->items[0]->record->arm), "cpu_limit"),
        json_number_or(run_setting(run, all->items[0]->record->point, "cpu_limit"), 0));
}

static void find_achieved(const struct observations *ok, struct bench_arm *arm)
{
    arm->cpu_achieved_low = arm->cpu_achieved_high = NAN;
    for (uint32_t i = 1; i <= arm->hops; i++) {
        cleanup_free char *name = xasprintf("cpus_relay_%u", i);
        double low, high;

        if (!observed_range(ok, name, &low, &high))
            continue;
        arm->cpu_achieved_low = fmin(arm->cpu_achieved_low, low);
        arm->cpu_achieved_high = fmax(arm->cpu_achieved_high, high);
    }
}

static size_t count_limited(const struct observations *ok, const char *role)
{
    size_t n = 0;

    for (size_t i = 0; i < ok->count; i++)
        n += strcmp(ok->items[i]->limit.role, role) == 0;
    return n;
}

/* The role that limited most repetitions; the first of those is the evidence. */
static void find_limiter(struct document *d, const struct observations *ok, struct bench_arm *arm)
{
    const struct limit *found = NULL;
    size_t most = 0;

    for (size_t i = 0; i < ok->count; i++) {
        size_t n = count_limited(ok, ok->items[i]->limit.role);

        if (n > most) {
            most = n;
            found = &ok->items[i]->limit;
        }
    }
    arm->limited_by = found ? keep(d, found->role) : "unknown";
    arm->relay_limited = found && found->relay;
    if (!found) {
        arm->limited_why = "no repetition succeeded";
    } else if (most == ok->count) {
        arm->limited_why = keep(d, found->why);
    } else {
        cleanup_free char *why =
            xasprintf("%s; in %zu of %zu repetitions", found->why, most, ok->count);

        arm->limited_why = keep(d, why);
    }
}

static double rate_at(const struct stored_run *run, const char *point)
{
    return json_rate_or(run_setting(run, point, "rate"), 0);
}

static void add_arm(struct document *d, const struct stored_run *run, const char *name,
                    const char *point)
{
    struct observations all = select_arm(d, name, point, false);
    struct observations ok = select_arm(d, name, point, true);
    struct observations aside = select_aside(d, name, point);
    uint32_t n = d->document.n_arms;
    struct bench_arm *arm;

    if (all.count > 0) {
        const struct repetition_record *first = all.items[0]->record;

        d->arms = grow(d->arms, &d->arms_capacity, n + 1, sizeof(*d->arms));
        arm = d->arms[n] = xcalloc(1, sizeof(*arm));
        *arm = (struct bench_arm){
            .name = keep(d, name),
            .relay = keep(d, first->relay),
            .point = keep(d, point),
            .hops = first->hops,
            .cpu_limit = first->hops ? relay_limit(run, &all) : 0,
            .valid = (uint32_t)ok.count,
            .failed = (uint32_t)(all.count - ok.count),
        };
        find_achieved(&ok, arm);
        find_limiter(d, &ok, arm);
        add_estimates(d, &ok, &aside, arm);
        d->document.arms = (const struct bench_arm *const *)d->arms;
        d->document.n_arms = n + 1;
        explanation_add_arm(&d->explanation, arm, &ok, &aside, rate_at(run, point) > 0);
    }
    observations_release(&all);
    observations_release(&ok);
    observations_release(&aside);
}

/* --- the whole ----------------------------------------------------------------------------- */

/* "isolated (reno)"; "mixed" when repetitions differ; "" when none has got that far. */
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
        found = keep(d, name);
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
        .run = keep(d, run->id ? run->id : ""),
        .path = keep(d, run->path ? run->path : ""),
        .name = keep(d, json_text_or(json_object_get(j, "name"), "")),
        .started = keep(d, json_text_or(json_object_get(j, "started"), "")),
        .state = state_of(run),
        .seed = seed_of(run),
        .planned = (uint32_t)json_array_size(json_object_get(j, "plan")),
        .workload = keep(d, json_text_or(workload, "")),
        .protocol = keep(d, json_text_or(run_setting(run, "", "protocol"), "")),
        .network = network_of(d, run),
        .warmup_ns = json_duration_or(run_setting(run, "", "warmup"), 0),
        .duration_ns = json_duration_or(run_setting(run, "", "duration"), 0),
        .scenario_json = keep_json(d, json_object_get(j, "scenario")),
        .environment_json = keep_json(d, json_object_get(j, "environment")),
        .baseline = keep(d, arms.count ? arms.items[0] : ""),
    };
}

static void add_arms(struct document *d, const struct stored_run *run)
{
    cleanup_strings struct strings arms = {0}, points = {0};

    run_arms(run, &arms);
    run_points(run, &points);
    for (size_t p = 0; p < points.count; p++)
        for (size_t a = 0; a < arms.count; a++)
            add_arm(d, run, arms.items[a], points.items[p]);
    explanation_finish(&d->explanation);
    d->document.findings = d->explanation.list;
    d->document.n_findings = (uint32_t)d->explanation.count;
    d->document.unseen = (const char *const *)d->explanation.unseen.items;
    d->document.n_unseen = (uint32_t)d->explanation.unseen.count;
}

static double p99_of(const struct bench_arm *a)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (strcmp(a->estimates[i]->metric->name, "latency_p99_seconds") == 0 &&
            a->estimates[i]->state <= BENCH_SCALED)
            return a->estimates[i]->value;
    return NAN;
}

/* The p99 of the same relay at the lowest of the rates, when that is at most half of `rate`. */
static double light_p99(const struct document *d, const struct stored_run *run,
                        const struct bench_arm *arm, double rate)
{
    double least = INFINITY, p99 = NAN;

    for (uint32_t i = 0; i < d->document.n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        double other = rate_at(run, a->point);

        if (strcmp(a->name, arm->name) != 0 || !(other > 0) || other >= least)
            continue;
        least = other;
        p99 = p99_of(a);
    }
    return 2 * least <= rate ? p99 : NAN;
}

/* Whether each arm kept up with its rate, which only all arms together can tell. */
static void judge_loads(struct document *d, const struct stored_run *run)
{
    for (uint32_t i = 0; i < d->document.n_arms; i++) {
        struct bench_arm *a = d->arms[i];
        double rate = rate_at(run, a->point);
        struct observations ok = {0};
        cleanup_text struct text why = {0};

        if (!(rate > 0))
            continue;
        ok = select_arm(d, a->name, a->point, true);
        load_judge(&ok, rate, light_p99(d, run, a, rate), &why);
        a->saturated = why.length ? keep(d, text_get(&why)) : NULL;
        observations_release(&ok);
    }
}

/* --- costs of a hop ------------------------------------------------------------------------ */

/* The first arm without hops, at the point of `arm`. */
static const struct bench_arm *bare_arm(const struct document *d, const struct bench_arm *arm)
{
    for (uint32_t i = 0; i < d->document.n_arms; i++)
        if (d->arms[i]->hops == 0 && strcmp(d->arms[i]->point, arm->point) == 0)
            return d->arms[i];
    return NULL;
}

static void add_hop_costs(struct document *d)
{
    for (uint32_t i = 0; i < d->document.n_arms; i++) {
        struct bench_arm *a = d->arms[i];
        const struct bench_arm *bare = a->hops ? bare_arm(d, a) : NULL;
        struct observations own, without;

        if (!bare)
            continue;
        own = select_arm(d, a->name, a->point, true);
        without = select_arm(d, bare->name, bare->point, true);
        a->hop_costs = hop_costs(&own, &without, a->hops, &a->n_hop_costs);
        observations_release(&own);
        observations_release(&without);
    }
}

/* --- verdicts ------------------------------------------------------------------------------ */

/* A metric as any repetition has it. */
static const struct bench_metric *find_metric(const struct document *d, const char *name)
{
    for (size_t i = 0; i < d->n_observed; i++) {
        const struct metric_value *v = metric_set_find(&d->observed[i].set, name);

        if (v)
            return v->metric;
    }
    return NULL;
}

static void default_metric(const struct document *d, const struct stored_run *run,
                           struct strings *metrics)
{
    for (size_t i = 0; i < d->n_observed && metrics->count == 0; i++) {
        const struct repetition_record *r = d->observed[i].record;

        if (r->ok && record_measures(r))
            strings_add(metrics, verdicts_default(&d->observed[i].set, rate_at(run, r->point) > 0));
    }
}

/* Those of blocks that were not thrown away. */
static struct observations fit_ones(const struct observations *all, const struct fitness *fitness)
{
    struct observations fit = {0};

    for (size_t i = 0; i < all->count; i++)
        if (!fitness_rejects(fitness, all->items[i]->record->block))
            observations_add(&fit, all->items[i]);
    return fit;
}

/* Decided with the fit blocks. Where the others would have turned it, it was they that decided. */
static void compare_fit(struct document *d, const struct bench_arm *arm, const char *base_name,
                        const struct bench_metric *metric, const struct verdict_rule *rule,
                        size_t m, struct bench_comparison *ret)
{
    struct observations all = select_arm(d, arm->name, arm->point, false);
    struct observations base = select_arm(d, base_name, arm->point, false);
    struct observations fit = fit_ones(&all, &d->fitness), fit_base = fit_ones(&base, &d->fitness);
    __typeof__(verdict_find) *find = rule->pairs ? verdict_find_unpaired : verdict_find;
    struct bench_comparison kept;
    char *text, *text_kept;

    find(&fit, &fit_base, metric, rule, m, ret, &text);
    find(&all, &base, metric, rule, m, &kept, &text_kept);
    if (fitness_unfit(&d->fitness))
        verdict_unfit(ret, &text);
    else if (strcmp(ret->finding, kept.finding) != 0 || ret->sign != kept.sign)
        verdict_turned(ret, text_kept, &text);
    ret->verdict = keep(d, text);
    free(text);
    free(text_kept);
    observations_release(&all);
    observations_release(&base);
    observations_release(&fit);
    observations_release(&fit_base);
}

/* With whom an arm is compared; NULL: with nobody. */
static const char *base_of(const struct document *d, const struct verdict_rule *rule,
                           const struct bench_arm *arm)
{
    if (rule->pairs)
        return json_text_or(json_object_get(rule->pairs, arm->name), NULL);
    return strcmp(arm->name, d->document.baseline) == 0 ? NULL : d->document.baseline;
}

static void compare_arm(struct document *d, const struct bench_arm *arm, const char *base,
                        const struct bench_metric *metric, const struct verdict_rule *rule,
                        size_t m)
{
    struct bench_comparison *c = xcalloc(1, sizeof(*c));

    compare_fit(d, arm, base, metric, rule, m, c);
    c->arm = arm->name;
    c->base = keep(d, base);
    c->point = arm->point;
    d->comparisons = grow(d->comparisons, &d->comparisons_capacity, d->n_comparisons + 1,
                          sizeof(*d->comparisons));
    d->comparisons[d->n_comparisons++] = c;
}

static void judge_fitness(struct document *d, const struct stored_run *run)
{
    struct observations all = {0};

    for (size_t i = 0; i < d->n_observed; i++)
        if (record_measures(d->observed[i].record))
            observations_add(&all, &d->observed[i]);
    fitness_find(run, &all, &d->fitness);
    d->rejected = xcalloc(d->fitness.n_rejected + 1, sizeof(*d->rejected));
    for (size_t i = 0; i < d->fitness.n_rejected; i++)
        d->rejected[i] =
            (struct bench_rejection){d->fitness.rejected[i].block, d->fitness.rejected[i].why};
    d->document.rejected = d->rejected;
    d->document.n_rejected = (uint32_t)d->fitness.n_rejected;
    d->document.n_blocks = (uint32_t)d->fitness.n_blocks;
    observations_release(&all);
}

/* By what the run was compared, before it began; nothing when it was not. */
static void add_comparisons(struct document *d, const struct stored_run *run)
{
    struct verdict_rule rule;
    size_t others = 0;

    d->document.margin = NAN;
    if (!verdict_rule_read(run, &rule))
        return;
    d->document.margin = rule.margin;
    judge_fitness(d, run);
    if (rule.metrics.count == 0)
        default_metric(d, run, &rule.metrics);
    for (uint32_t i = 0; i < d->document.n_arms; i++)
        others += base_of(d, &rule, d->arms[i]) != NULL;
    for (uint32_t i = 0; i < d->document.n_arms; i++)
        for (size_t k = 0; k < rule.metrics.count; k++) {
            const struct bench_metric *metric = find_metric(d, rule.metrics.items[k]);
            const char *base = base_of(d, &rule, d->arms[i]);

            if (metric && base)
                compare_arm(d, d->arms[i], base, metric, &rule, others * rule.metrics.count);
        }
    verdicts_adjust(d->comparisons, d->n_comparisons);
    d->document.comparisons = (const struct bench_comparison *const *)d->comparisons;
    d->document.n_comparisons = (uint32_t)d->n_comparisons;
    verdict_rule_release(&rule);
}

/* --- gates --------------------------------------------------------------------------------- */

/* What a gate concerns: an arm, and with whom it is compared. */
struct judged {
    const struct bench_arm *arm;
    const struct bench_metric *metric;
    const char *base;
};

struct judging {
    struct document *document;
    struct verdict_rule rule; /* its margin is of no concern here */
    bool compared;
    size_t m; /* intervals of all gates together, which share the error */
};

static const struct bench_metric *metric_of(const struct observations *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++)
        if (!isnan(observed_number(o->items[i], name)))
            return metric_set_find(&o->items[i]->set, name)->metric;
    return NULL;
}

/* Whether the gate concerns the arm. Where nothing succeeded there is no metric. */
static bool is_judged(const struct judging *j, const struct gate *g, const struct bench_arm *arm,
                      struct judged *ret)
{
    struct observations ok = select_arm(j->document, arm->name, arm->point, true);

    *ret = (struct judged){
        .arm = arm,
        .metric = metric_of(&ok, g->metric),
        .base = gate_compares(g) && j->compared ? base_of(j->document, &j->rule, arm) : NULL,
    };
    observations_release(&ok);
    return gate_matches(g, arm->name, arm->point) && (ret->metric || arm->valid == 0) &&
           (ret->base || !gate_compares(g));
}

static struct bench_gate *add_gate(struct document *d, const char *text,
                                   const struct bench_arm *arm)
{
    struct bench_gate *gate = xcalloc(1, sizeof(*gate));

    *gate = (struct bench_gate){.gate = keep(d, text),
                                .arm = arm ? arm->name : "",
                                .point = arm ? arm->point : "",
                                .value = NAN,
                                .low = NAN,
                                .high = NAN,
                                .confidence = NAN};
    d->gates = grow(d->gates, &d->gates_capacity, d->document.n_gates + 1, sizeof(*d->gates));
    d->gates[d->document.n_gates++] = gate;
    d->document.gates = (const struct bench_gate *const *)d->gates;
    return gate;
}

static enum gate_outcome judge_change(const struct judging *j, const struct gate *g,
                                      const struct judged *judged, const struct fitness *fitness,
                                      struct bench_gate *ret, struct text *evidence)
{
    const char *point = judged->arm->point;
    struct observations all = select_arm(j->document, judged->arm->name, point, false);
    struct observations base = select_arm(j->document, judged->base, point, false);
    struct observations fit = fit_ones(&all, fitness), fit_base = fit_ones(&base, fitness);
    struct verdict_rule rule = j->rule;
    struct bench_comparison c;
    char *text;

    rule.margin = g->value;
    (rule.pairs ? verdict_find_unpaired : verdict_find)(&fit, &fit_base, judged->metric, &rule,
                                                        j->m, &c, &text);
    free(text);
    c.base = judged->base;
    observations_release(&all);
    observations_release(&base);
    observations_release(&fit);
    observations_release(&fit_base);
    return gate_judge_change(g, &c, ret, evidence);
}

static enum gate_outcome judge_level(const struct judging *j, const struct gate *g,
                                     const struct judged *judged, const struct fitness *fitness,
                                     struct bench_gate *ret, struct text *evidence)
{
    struct observations all = select_arm(j->document, judged->arm->name, judged->arm->point, false);
    struct observations fit = fit_ones(&all, fitness);
    enum gate_outcome outcome = gate_judge_level(
        g, judged->metric, &fit, (1 - REPORT_CONFIDENCE) / (double)j->m, ret, evidence);

    observations_release(&all);
    observations_release(&fit);
    return outcome;
}

/* As a verdict: by the fit blocks, and by nothing when the others would have turned it. */
static enum gate_outcome judge_fit(const struct judging *j, const struct gate *g,
                                   const struct judged *judged, struct bench_gate *ret,
                                   struct text *evidence)
{
    __typeof__(judge_level) *judge = gate_compares(g) ? judge_change : judge_level;
    const struct fitness none = {0};
    cleanup_text struct text ignored = {0};
    struct bench_gate kept;
    enum gate_outcome outcome, with_rejected;

    if (!judged->metric) {
        text_add(evidence, "no repetition succeeded");
        return GATE_INCONCLUSIVE;
    }
    outcome = judge(j, g, judged, &j->document->fitness, ret, evidence);
    with_rejected = judge(j, g, judged, &none, &kept, &ignored);
    if (fitness_unfit(&j->document->fitness)) {
        text_add(evidence, "; %zu of %zu blocks were rejected", j->document->fitness.n_rejected,
                 j->document->fitness.n_blocks);
        return GATE_UNFIT;
    }
    if (outcome == with_rejected)
        return outcome;
    text_add(evidence, "; with the rejected blocks: %s", gate_outcome_name(with_rejected));
    return GATE_INCONCLUSIVE;
}

static void judge_gate(const struct judging *j, const char *text, const struct gate *g)
{
    struct document *d = j->document;
    struct bench_gate *gate;
    bool any = false;

    for (uint32_t i = 0; i < d->document.n_arms; i++) {
        cleanup_text struct text evidence = {0};
        struct judged judged;

        if (!is_judged(j, g, d->arms[i], &judged))
            continue;
        any = true;
        gate = add_gate(d, text, d->arms[i]);
        gate->metric = judged.metric;
        gate->outcome = gate_outcome_name(judge_fit(j, g, &judged, gate, &evidence));
        gate->evidence = keep(d, text_get(&evidence));
    }
    if (any)
        return;
    gate = add_gate(d, text, NULL);
    gate->outcome = gate_outcome_name(GATE_NOTHING);
    gate->evidence = gate_compares(g) && !j->compared
                         ? "this run compares nothing; 'bench compare' does"
                         : "no arm that it names has numbers of this metric";
}

static size_t count_judged(const struct judging *j, const struct gate *g)
{
    size_t n = 0;

    for (uint32_t i = 0; i < j->document->document.n_arms; i++)
        n += is_judged(j, g, j->document->arms[i], &(struct judged){0});
    return n;
}

/* One that cannot be read, of a newer bench maybe, matches nothing. */
static void refuse_gate(struct document *d, const char *text)
{
    struct bench_gate *gate = add_gate(d, text, NULL);
    struct bench_error err = {0};
    struct gate ignored;

    gate_parse(&ignored, text, &err);
    gate->outcome = gate_outcome_name(GATE_NOTHING);
    gate->evidence = keep(d, err.message);
}

static void add_gates(struct document *d, const struct stored_run *run, const struct strings *texts)
{
    struct judging j = {.document = d};
    cleanup_free struct gate *gates = xcalloc(texts->count + 1, sizeof(*gates));

    j.compared = verdict_rule_read(run, &j.rule);
    for (size_t i = 0; i < texts->count; i++)
        if (gate_parse(&gates[i], texts->items[i], NULL) == 0)
            j.m += count_judged(&j, &gates[i]);
    for (size_t i = 0; i < texts->count; i++) {
        if (gates[i].metric)
            judge_gate(&j, texts->items[i], &gates[i]);
        else
            refuse_gate(d, texts->items[i]);
        gate_release(&gates[i]);
    }
    if (j.compared)
        verdict_rule_release(&j.rule);
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

int document_new_gated(struct document **ret, const struct stored_run *run,
                       const struct strings *gates, struct bench_error *err)
{
    struct document *d;

    if (!json_is_object(run->run))
        return error_set(err, BENCH_ERROR_RUN, "run '%s' has no description",
                         run->id ? run->id : "");
    d = xcalloc(1, sizeof(*d));
    describe(d, run);
    observe(d, run);
    add_repetitions(d);
    add_arms(d, run);
    judge_loads(d, run);
    add_hop_costs(d);
    add_comparisons(d, run);
    add_gates(d, run, gates);
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
