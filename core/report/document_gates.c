/* SPDX-License-Identifier: Apache-2.0 */
/* Gates of a document: which arms each is about, and what it comes to. */
#include "report/document_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/gates.h"
#include "report/run_facts.h"

/* What a gate concerns: an arm, and with whom it is compared. */
struct judged {
    const struct bench_arm *arm;
    const struct bench_metric *metric;
    const char *base;
};

struct judging {
    struct document *document;
    const json_t *called; /* of two saved runs: what the scenario calls the arms of the second */
    struct verdict_rule rule; /* its margin is of no concern here */
    bool compared;
    const char *unfinished; /* run_unfinished() */
    size_t m;               /* intervals of all gates together, which share the error */
};

static const struct bench_metric *metric_of(const struct observations *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++)
        if (!isnan(observed_number(o->items[i], name)))
            return metric_set_find(&o->items[i]->set, name)->metric;
    return NULL;
}

/* What part of its event was counted; "" all of it. */
static const char *part_of(const struct observations *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++)
        if (!isnan(observed_number(o->items[i], name))) {
            const char *part = metric_set_find(&o->items[i]->set, name)->part;

            return part ? part : "";
        }
    return "";
}

/* By the arm's name, or by that which the scenario has for it. */
static bool names(const struct judging *j, const struct gate *g, const struct bench_arm *arm)
{
    const char *called = json_text_or(json_object_get(j->called, arm->name), NULL);

    return gate_matches(g, arm->name, arm->point) ||
           (called && gate_matches(g, called, arm->point));
}

/* Whether the gate concerns the arm. Where nothing succeeded there is no metric. */
static bool is_judged(const struct judging *j, const struct gate *g, const struct bench_arm *arm,
                      struct judged *ret)
{
    struct observations ok = document_select(j->document, arm->name, arm->point, true);
    bool empty;

    *ret = (struct judged){
        .arm = arm,
        .metric = metric_of(&ok, g->metric),
        .base = gate_compares(g) && j->compared ? document_base(j->document, &j->rule, arm) : NULL,
    };
    empty = ok.count == 0;
    observations_release(&ok);
    return names(j, g, arm) && (ret->metric || empty) && (ret->base || !gate_compares(g));
}

static struct bench_gate *add_gate(struct document *d, const char *text,
                                   const struct bench_arm *arm)
{
    struct bench_gate *gate = xcalloc(1, sizeof(*gate));

    *gate = (struct bench_gate){.gate = document_keep(d, text),
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
    struct observations all = document_select(j->document, judged->arm->name, point, false);
    struct observations base = document_select(j->document, judged->base, point, false);
    struct observations fit = document_fit(&all, fitness), fit_base = document_fit(&base, fitness);
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
    struct observations all =
        document_select(j->document, judged->arm->name, judged->arm->point, false);
    struct observations fit = document_fit(&all, fitness);
    enum gate_outcome outcome = gate_judge_level(
        g, judged->metric, &fit, (1 - REPORT_CONFIDENCE) / (double)j->m, ret, evidence);

    observations_release(&all);
    observations_release(&fit);
    return outcome;
}

/* The same name may stand for two events: an ordinary user's has no kernel in it. */
static bool same_event(const struct judging *j, const struct judged *judged, const char *name,
                       struct text *evidence)
{
    const char *point = judged->arm->point;
    struct observations own = document_select(j->document, judged->arm->name, point, true);
    struct observations base = document_select(j->document, judged->base, point, true);
    const char *a = part_of(&own, name), *b = part_of(&base, name);
    bool same = metric_of(&base, name) == NULL || strcmp(a, b) == 0;

    observations_release(&own);
    observations_release(&base);
    if (!same)
        text_add(evidence, "different events: %s, and %s of '%s'", *a ? a : "all of it",
                 *b ? b : "all of it", judged->base);
    return same;
}

/* As a verdict: by the fit blocks, and by nothing when the others would have turned it, or when the
 * run ended before its plan did. */
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
    if (gate_compares(g) && !same_event(j, judged, g->metric, evidence))
        return GATE_NOTHING;
    outcome = judge(j, g, judged, &j->document->fitness, ret, evidence);
    if (j->unfinished) {
        text_add(evidence, "; %s: nothing is decided", j->unfinished);
        return GATE_INCONCLUSIVE;
    }
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
        gate->evidence = document_keep(d, text_get(&evidence));
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
    gate->evidence = document_keep(d, err.message);
}

void document_add_gates(struct document *d, const struct stored_run *run,
                        const struct strings *texts)
{
    struct judging j = {.document = d};
    cleanup_strings struct strings once = {0};
    cleanup_free struct gate *gates = xcalloc(texts->count + 1, sizeof(*gates));

    j.compared = verdict_rule_read(run, &j.rule);
    j.unfinished = run_unfinished(run);
    j.called = json_object_get(json_object_get(run->run, "comparison"), "called");
    /* A gate of the scenario that is given again is still one. */
    for (size_t i = 0; i < texts->count; i++)
        if (!strings_has(&once, texts->items[i]))
            strings_add(&once, texts->items[i]);
    for (size_t i = 0; i < once.count; i++)
        if (gate_parse(&gates[i], once.items[i], NULL) == 0)
            j.m += count_judged(&j, &gates[i]);
    for (size_t i = 0; i < once.count; i++) {
        if (gates[i].metric)
            judge_gate(&j, once.items[i], &gates[i]);
        else
            refuse_gate(d, once.items[i]);
        gate_release(&gates[i]);
    }
    if (j.compared)
        verdict_rule_release(&j.rule);
}
