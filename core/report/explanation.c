/* SPDX-License-Identifier: Apache-2.0 */
#include "report/explanation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plan/plan.h"
#include "report/judgement.h"
#include "report/numbers.h"

struct found {
    struct bench_finding finding;
    size_t rule, order; /* row of the table; order of discovery */
    double excess;      /* how far beyond the threshold */
    struct strings points, cited;
    double values[MOST_CITED];
    char *role, *evidence;
};

/* --- evidence ------------------------------------------------------------------------------ */

static void add_phrase(struct text *t, const struct quantity *q, double value)
{
    const char *mark = strstr(q->phrase, "%s");

    text_add(t, "%s%.*s", t->length ? ", " : "", (int)(mark - q->phrase), q->phrase);
    number_add(t, q->format, q->unit, value);
    text_add(t, "%s", mark + 2);
}

static double cited_estimate(const struct observations *obs, const struct bench_metric *m,
                             bool once)
{
    cleanup_free double *x = xcalloc(obs->count + 1, sizeof(*x));
    size_t n = 0;

    for (size_t i = 0; i < obs->count; i++) {
        double v = observed_number(obs->items[i], m->name);

        if (!isnan(v))
            x[n++] = v;
    }
    return judgement_estimate(x, n, once);
}

/* "(metric, metric 1.23 M)": a metric that is the quantity itself needs no number. */
static void add_cited(struct text *t, const struct judgement *v, const struct observations *obs,
                      bool with_values, bool once, struct found *ret)
{
    text_add(t, " (");
    for (size_t i = 0; i < v->cited.count; i++) {
        const struct bench_metric *m = v->cited.metrics[i];

        ret->values[ret->cited.count] = cited_estimate(obs, m, once);
        text_add(t, "%s%s", i ? ", " : "", m->name);
        if (with_values) {
            text_add(t, " ");
            number_add(t, m->format, number_unit(m), ret->values[ret->cited.count]);
        }
        strings_add(&ret->cited, m->name);
    }
}

/* Tracepoints are counted by `stat`, whichever capture a rule would like best. */
static const char *capture_of(const struct rule *rule, const struct judgement *v)
{
    if (strcmp(rule->capture, "syscalls") != 0)
        return rule->capture;
    for (size_t i = 0; i < v->cited.count; i++) {
        const char *name = v->cited.metrics[i]->name;

        if (strstr(name, "syscalls_sys_enter_"))
            return "stat";
    }
    return rule->capture;
}

static void end_evidence(const struct bench_arm *arm, struct text *t, struct found *ret, bool aside)
{
    const char *all = aside ? "repetitions made for it" : counted_repetitions(arm, ret->finding.of);

    text_add(t, "; from '%s')", ret->finding.capture);
    if (ret->finding.of > 1)
        text_add(t, ", in %u of %u %s", ret->finding.holds, ret->finding.of, all);
    else if (aside)
        text_add(t, " in a repetition made for it");
    ret->evidence = text_take(t);
}

static void describe(const struct bench_arm *arm, const struct rule *rule,
                     const struct judgement *v, const struct observations *obs, bool aside,
                     struct found *ret)
{
    struct text t = {0};
    size_t shown = 0;
    bool derived = false;

    for (size_t c = 0; c < rule_conditions(rule); c++) {
        const struct condition *condition = &rule->conditions[c];

        if (condition->silent || isnan(v->values[c]))
            continue;
        add_phrase(&t, condition->quantity, v->values[c]);
        derived |= condition->quantity->under != NULL;
        shown++;
    }
    add_cited(&t, v, obs, derived || shown > 1, rule->once, ret);
    end_evidence(arm, &t, ret, aside);
}

/* --- one rule on one role ------------------------------------------------------------------ */

static struct found *found_new(size_t row, const struct rule *rule, const struct bench_arm *arm,
                               const char *role)
{
    struct found *found = xcalloc(1, sizeof(*found));

    found->rule = row;
    found->role = xstrdup(role);
    strings_add(&found->points, arm->point);
    found->finding = (struct bench_finding){
        .rule = rule->name,
        .arm = arm->name,
        .role = found->role,
        .capture = rule->capture,
        .meaning = rule->meaning,
        .remedy = rule->remedy,
        .value = NAN,
        .threshold = NAN,
    };
    return found;
}

static double excess_of(const struct condition *c, double value)
{
    double limit = threshold(c->threshold);

    return c->below ? limit / value : limit > 0 ? value / limit : value;
}

/* NULL when the rule does not hold; *ret_known: whether its numbers are there. */
static struct found *apply(size_t row, const struct rule *rule, const struct bench_arm *arm,
                           const struct observations *obs, const char *role, bool aside,
                           bool *ret_known)
{
    struct judgement v;
    struct found *found;

    judgement_make(rule, obs, role, &v);
    *ret_known = v.of > 0;
    if (!judgement_fires(rule, &v))
        return NULL;
    found = found_new(row, rule, arm, role);
    found->finding.capture = capture_of(rule, &v);
    found->finding.value = v.values[0];
    found->finding.threshold = threshold(rule->conditions[0].threshold);
    found->finding.holds = v.holds;
    found->finding.of = v.of;
    found->excess = excess_of(&rule->conditions[0], v.values[0]);
    describe(arm, rule, &v, obs, aside, found);
    return found;
}

/* Who was the limit is decided (limit.h); this says it of an arm with a relay. */
static struct found *apply_limit(size_t row, const struct rule *rule, const struct bench_arm *arm,
                                 const struct observations *ok)
{
    bool end = strcmp(rule->limited_by, "client") == 0 || strcmp(rule->limited_by, "server") == 0;
    const struct observed *first = NULL;
    struct judgement v = {.of = (uint32_t)ok->count};
    struct text t = {0};
    struct found *found;

    if (arm->hops == 0 || strcmp(arm->limited_by, rule->limited_by) != 0)
        return NULL;
    for (size_t i = 0; i < ok->count; i++) {
        struct subject s = {ok->items[i], end ? rule->limited_by : NULL};

        if (strcmp(ok->items[i]->limit.role, rule->limited_by) != 0)
            continue;
        first = first ? first : ok->items[i];
        v.holds++;
        quantity_sum(&s, end ? "@cpu_seconds" : "system_idle_share", &v.cited);
    }
    if (!first)
        return NULL;
    found = found_new(row, rule, arm, NULL);
    found->finding.holds = v.holds;
    found->finding.of = v.of;
    found->excess = v.holds;
    text_add(&t, "%s", first->limit.why);
    add_cited(&t, &v, ok, false, false, found);
    end_evidence(arm, &t, found, false);
    return found;
}

/* --- an arm -------------------------------------------------------------------------------- */

static void add(struct explanation *e, struct found *found)
{
    if (!found)
        return;
    e->items = grow(e->items, &e->capacity, e->count + 1, sizeof(struct found *));
    found->order = e->count;
    e->items[e->count++] = found;
}

/* Those of the repetitions that were made for a capture. */
static struct observations made_for(const struct observations *aside, const char *capture)
{
    struct observations found = {0};

    for (size_t i = 0; i < aside->count; i++) {
        const char *purpose = aside->items[i]->record->purpose;

        if (strcmp(purpose + strlen(PURPOSE_CAPTURE), capture) == 0)
            observations_add(&found, aside->items[i]);
    }
    return found;
}

/* By the repetitions that measure; where they do not have the numbers, by those made for them. */
static void apply_to_role(struct explanation *e, size_t row, const struct bench_arm *arm,
                          const struct observations *ok, const struct observations *aside,
                          const char *role)
{
    const struct rule *rule = rule_row(row);
    struct observations made = made_for(aside, rule->capture);
    bool known;
    struct found *found = apply(row, rule, arm, ok, role, false, &known);

    lacks_note(&e->lacks, row, ok, role);
    if (!known && made.count) {
        lacks_note(&e->lacks, row, &made, role);
        found = apply(row, rule, arm, &made, role, true, &known);
    }
    add(e, found);
    observations_release(&made);
}

static bool has_requests(const struct observations *o)
{
    double low, high;

    return observed_range(o, "operations_per_second", &low, &high);
}

static void apply_rule(struct explanation *e, size_t row, const struct bench_arm *arm,
                       const struct observations *ok, const struct observations *aside)
{
    const struct rule *rule = rule_row(row);
    bool ends = rule->about == ABOUT_ROLE || (rule->about == ABOUT_PEER && has_requests(ok));

    if (rule->limited_by) {
        add(e, apply_limit(row, rule, arm, ok));
        return;
    }
    if (rule->about == ABOUT_RUN) {
        apply_to_role(e, row, arm, ok, aside, NULL);
        return;
    }
    for (uint32_t i = 1; i <= arm->hops; i++) {
        cleanup_free char *role = xasprintf("relay_%u", i);

        apply_to_role(e, row, arm, ok, aside, role);
    }
    if (ends)
        apply_to_role(e, row, arm, ok, aside, "client");
    if (ends)
        apply_to_role(e, row, arm, ok, aside, "server");
}

static void found_free(struct found *found)
{
    strings_release(&found->points);
    strings_release(&found->cited);
    free(found->role);
    free(found->evidence);
    free(found);
}

/* Whether one of the arm's findings says this one and more. */
static bool is_covered(const struct explanation *e, size_t from, const struct found *found)
{
    const char *by = rule_row(found->rule)->covered_by;

    for (size_t i = from; by && i < e->count; i++) {
        const struct found *other = e->items[i];

        if (strcmp(other->finding.rule, by) == 0 &&
            (!other->role || !found->role || strcmp(other->role, found->role) == 0))
            return true;
    }
    return false;
}

static void drop_covered(struct explanation *e, size_t from)
{
    bool *covered = xcalloc(e->count + 1, sizeof(*covered));
    size_t kept = from;

    for (size_t i = from; i < e->count; i++)
        covered[i] = is_covered(e, from, e->items[i]);
    for (size_t i = from; i < e->count; i++) {
        if (covered[i])
            found_free(e->items[i]);
        else
            e->items[kept++] = e->items[i];
    }
    e->count = kept;
    free(covered);
}

void explanation_add_arm(struct explanation *e, const struct bench_arm *arm,
                         const struct observations *ok, const struct observations *aside,
                         bool paced)
{
    size_t from = e->count;

    for (size_t row = 0; ok->count && rule_row(row); row++)
        if (!paced || !rule_row(row)->unpaced)
            apply_rule(e, row, arm, ok, aside);
    drop_covered(e, from);
}

/* --- the whole ----------------------------------------------------------------------------- */

static bool same_subject(const struct found *a, const struct found *b)
{
    return a->rule == b->rule && strcmp(a->finding.arm, b->finding.arm) == 0 &&
           (a->role ? b->role && strcmp(a->role, b->role) == 0 : !b->role);
}

/* The same at several points is said once, of the point where it is strongest. */
static void merge_points(struct explanation *e)
{
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = i + 1; k < e->count;) {
            struct found *a = e->items[i], *b = e->items[k];

            if (!same_subject(a, b)) {
                k++;
                continue;
            }
            if (b->excess > a->excess) {
                e->items[i] = b;
                b->order = a->order;
                b = a;
                a = e->items[i];
            }
            for (size_t p = 0; p < b->points.count; p++)
                strings_add(&a->points, b->points.items[p]);
            found_free(b);
            memmove(&e->items[k], &e->items[k + 1], (e->count - k - 1) * sizeof(*e->items));
            e->count--;
        }
}

static int by_importance(const void *a, const void *b)
{
    const struct found *x = *(struct found *const *)a, *y = *(struct found *const *)b;

    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    if (x->excess != y->excess)
        return x->excess > y->excess ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void explanation_finish(struct explanation *e)
{
    merge_points(e);
    if (e->count)
        qsort(e->items, e->count, sizeof(*e->items), by_importance);
    e->list = xcalloc(e->count + 1, sizeof(*e->list));
    for (size_t i = 0; i < e->count; i++) {
        struct found *found = e->items[i];
        struct bench_finding *finding = &found->finding;

        finding->evidence = found->evidence;
        finding->n_points = (uint32_t)found->points.count;
        finding->points = (const char *const *)found->points.items;
        finding->n_cited = (uint32_t)found->cited.count;
        finding->cited = (const char *const *)found->cited.items;
        finding->cited_values = found->values;
        e->list[i] = finding;
    }
    lacks_list(&e->lacks, &e->unseen);
}

void explanation_release(struct explanation *e)
{
    for (size_t i = 0; i < e->count; i++)
        found_free(e->items[i]);
    free(e->items);
    lacks_release(&e->lacks);
    free(e->list);
    strings_release(&e->unseen);
    *e = (struct explanation){0};
}
