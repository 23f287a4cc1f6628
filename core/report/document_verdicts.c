/* SPDX-License-Identifier: Apache-2.0 */
/* What a comparison decides: its blocks that count, and every arm against the one it is compared
 * with. */
#include "report/document_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/run_facts.h"

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

/* What decides at a point unless it was said; NULL when nothing succeeded there. */
static const char *default_metric(const struct document *d, const struct stored_run *run,
                                  const char *point)
{
    for (size_t i = 0; i < d->n_observed; i++) {
        const struct repetition_record *r = d->observed[i].record;

        if (r->ok && record_measures(r) && strcmp(r->point, point) == 0)
            return verdicts_default(&d->observed[i].set, run_rate(run, point) > 0);
    }
    return NULL;
}

/* Decided with the fit blocks. Where the others would have turned it, it was they that decided. */
static void compare_fit(struct document *d, const struct bench_arm *arm, const char *base_name,
                        const struct bench_metric *metric, const struct verdict_rule *rule,
                        size_t m, struct bench_comparison *ret)
{
    struct observations all = document_select(d, arm->name, arm->point, false);
    struct observations base = document_select(d, base_name, arm->point, false);
    struct observations fit = document_fit(&all, &d->fitness),
                        fit_base = document_fit(&base, &d->fitness);
    const struct fitness none = {0};
    struct observations every = document_fit(&all, &none), every_base = document_fit(&base, &none);
    __typeof__(verdict_find) *find = rule->pairs ? verdict_find_unpaired : verdict_find;
    struct bench_comparison kept;
    char *text, *text_kept;

    find(&fit, &fit_base, metric, rule, m, ret, &text);
    find(&every, &every_base, metric, rule, m, &kept, &text_kept);
    if (rule->unfinished)
        verdict_withhold(ret, rule->unfinished, &text);
    else if (fitness_unfit(&d->fitness))
        verdict_unfit(ret, &text);
    else if (strcmp(ret->finding, kept.finding) != 0 || ret->sign != kept.sign)
        verdict_turned(ret, text_kept, &text);
    ret->verdict = document_keep(d, text);
    free(text);
    free(text_kept);
    observations_release(&all);
    observations_release(&base);
    observations_release(&fit);
    observations_release(&fit_base);
    observations_release(&every);
    observations_release(&every_base);
}

const char *document_base(const struct document *d, const struct verdict_rule *rule,
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
    c->base = document_keep(d, base);
    c->point = arm->point;
    d->comparisons = grow(d->comparisons, &d->comparisons_capacity, d->n_comparisons + 1,
                          sizeof(*d->comparisons));
    d->comparisons[d->n_comparisons++] = c;
}

void document_judge_blocks(struct document *d, const struct stored_run *run)
{
    struct observations all = {0};
    struct verdict_rule rule;

    if (!verdict_rule_read(run, &rule))
        return;
    for (size_t i = 0; i < d->n_observed; i++)
        if (record_measures(d->observed[i].record))
            observations_add(&all, &d->observed[i]);
    fitness_find(run, &all, &rule.metrics, &d->fitness);
    d->rejected = xcalloc(d->fitness.n_rejected + 1, sizeof(*d->rejected));
    for (size_t i = 0; i < d->fitness.n_rejected; i++)
        d->rejected[i] =
            (struct bench_rejection){d->fitness.rejected[i].block, d->fitness.rejected[i].why};
    d->document.rejected = d->rejected;
    d->document.n_rejected = (uint32_t)d->fitness.n_rejected;
    d->document.n_blocks = (uint32_t)d->fitness.n_blocks;
    for (size_t i = 0; i < run->n_lost; i++)
        if (run->lost[i].measures && run->lost[i].block > d->document.n_blocks)
            d->document.n_blocks = run->lost[i].block;
    observations_release(&all);
    verdict_rule_release(&rule);
}

/* Whether an arm can have the metric: some repetition has it, or none succeeded. What a relay uses
 * is nothing that an arm without one has. */
static bool can_have(const struct document *d, const char *arm, const char *point, const char *name)
{
    struct observations all = document_select(d, arm, point, false);
    bool has = false, any = false;

    for (size_t i = 0; i < all.count; i++) {
        any |= all.items[i]->record->ok;
        has |= metric_set_find(&all.items[i]->set, name) != NULL;
    }
    has |= all.count > 0 && !any;
    observations_release(&all);
    return has;
}

/* One of those that share the error. */
struct pairing {
    const struct bench_arm *arm;
    const char *base;
    const struct bench_metric *metric;
};

static size_t list_pairings(const struct document *d, const struct stored_run *run,
                            const struct verdict_rule *rule, struct pairing *ret)
{
    size_t n = 0;

    for (uint32_t i = 0; i < d->document.n_arms; i++) {
        const struct bench_arm *arm = d->arms[i];
        const char *base = document_base(d, rule, arm);
        const char *usual = default_metric(d, run, arm->point);
        size_t named = rule->metrics.count;

        for (size_t k = 0; base && k < (named ? named : 1); k++) {
            const char *name = named ? rule->metrics.items[k] : usual;
            const struct bench_metric *metric = name ? find_metric(d, name) : NULL;

            if (metric && can_have(d, arm->name, arm->point, name) &&
                can_have(d, base, arm->point, name))
                ret[n++] = (struct pairing){arm, base, metric};
        }
    }
    return n;
}

/* By what the run was compared, before it began; nothing when it was not. */
void document_add_comparisons(struct document *d, const struct stored_run *run)
{
    cleanup_free struct pairing *pairings = NULL;
    struct verdict_rule rule;
    size_t m;

    d->document.margin = NAN;
    if (!verdict_rule_read(run, &rule))
        return;
    d->document.margin = rule.margin;
    pairings =
        xcalloc((size_t)d->document.n_arms * (rule.metrics.count + 1) + 1, sizeof(*pairings));
    m = list_pairings(d, run, &rule, pairings);
    for (size_t i = 0; i < m; i++)
        compare_arm(d, pairings[i].arm, pairings[i].base, pairings[i].metric, &rule, m);
    verdicts_adjust(d->comparisons, d->n_comparisons);
    d->document.comparisons = (const struct bench_comparison *const *)d->comparisons;
    d->document.n_comparisons = (uint32_t)d->n_comparisons;
    verdict_rule_release(&rule);
}
