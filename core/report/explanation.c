/* SPDX-License-Identifier: Apache-2.0 */
#include "report/explanation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "capture/capture.h"
#include "plan/plan.h"
#include "report/numbers.h"
#include "report/rules.h"
#include "stats/signed_rank.h"

enum { MOST_CITED = 24 };

struct found {
    struct bench_finding finding;
    size_t rule, order; /* row of the table; order of discovery */
    double excess;      /* how far beyond the threshold */
    struct strings points, cited;
    double values[MOST_CITED];
    char *role, *evidence;
};

struct rule_state {
    bool looked;  /* at some role of some arm it had all that it needs */
    bool lacking; /* at some, only what a capture would give was missing */
    char *reason; /* why it is not known, when the capture was there */
};

/* --- words --------------------------------------------------------------------------------- */

/* The subject of a rule: a repetition, and a role in it (NULL: none). */
struct subject {
    const struct observed *o;
    const char *role;
};

/* Metrics that were looked at, each once. */
struct cited {
    const struct bench_metric *metrics[MOST_CITED];
    size_t count;
};

static void cite(struct cited *c, const struct bench_metric *m)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->metrics[i] == m)
            return;
    if (c->count < MOST_CITED)
        c->metrics[c->count++] = m;
}

static const struct metric_value *metric_of(const struct subject *s, const char *pattern, size_t n)
{
    cleanup_free char *name = xstrndup(pattern, n);
    char *mark = strstr(name, "{role}");
    cleanup_free char *full = NULL;

    if (!mark)
        return metric_set_find(&s->o->set, name);
    if (!s->role)
        return NULL;
    full = xasprintf("%.*s%s%s", (int)(mark - name), name, s->role, mark + strlen("{role}"));
    return metric_set_find(&s->o->set, full);
}

/* The metric's value, which is cited; NaN when it is no number. */
static double metric_number(const struct subject *s, const char *pattern, struct cited *cited)
{
    const struct metric_value *v = metric_of(s, pattern, strlen(pattern));
    double number = v ? observed_number(s->o, v->metric->name) : NAN;

    if (!isnan(number))
        cite(cited, v->metric);
    return number;
}

static double cpu_seconds(const struct subject *s, struct cited *cited)
{
    const struct repetition_record *r = s->o->record;
    double seconds = metric_window(r).seconds;

    if (!s->role)
        return NAN;
    if (limit_by_task_clock(r, &s->o->set, s->role))
        return metric_number(s, "task_clock_{role}", cited);
    return metric_number(s, "cpus_{role}", cited) * seconds;
}

static double period(const struct subject *s)
{
    const struct repetition_record *r = s->o->record;

    for (size_t i = 0; s->role && i < r->n_roles; i++)
        if (strcmp(r->roles[i].name, s->role) == 0 && r->roles[i].cpu_limit > 0)
            return (double)r->roles[i].cpu_period_ns * 1e-9;
    return NAN;
}

static double syscall_number(const struct subject *s, const char *name, struct cited *cited)
{
    cleanup_free char *own = xasprintf("syscall_%s_{role}", name);
    cleanup_free char *tracepoint = xasprintf("syscalls_sys_enter_%s_{role}", name);
    double number = metric_number(s, own, cited);

    return isnan(number) ? metric_number(s, tracepoint, cited) : number;
}

/* One of the alternatives of a word; NaN when it is not known. */
static double alternative(const struct subject *s, const char *word, struct cited *cited)
{
    double seconds = metric_window(s->o->record).seconds;

    if (strncmp(word, "syscall:", 8) == 0)
        return syscall_number(s, word + 8, cited);
    if (strcmp(word, "@bytes") == 0)
        return metric_number(s, "bits_per_second", cited) / 8 * seconds;
    if (strcmp(word, "@requests") == 0)
        return metric_number(s, "operations_per_second", cited) * seconds;
    if (strcmp(word, "@seconds") == 0)
        return seconds > 0 ? seconds : NAN;
    if (strcmp(word, "@cpu_seconds") == 0)
        return cpu_seconds(s, cited);
    if (strcmp(word, "@period") == 0)
        return period(s);
    if (strcmp(word, "@fair_share") == 0)
        return 1 / metric_number(s, "workers_{role}", cited);
    return metric_number(s, word, cited);
}

/* Whether the words are system calls, and all calls of the role were counted: those that are not
 * there did not happen. */
static bool is_none_of_all(const struct subject *s, const char *words)
{
    struct cited unused = {0};

    return strncmp(words, "syscall:", 8) == 0 &&
           !isnan(metric_number(s, "syscalls_{role}", &unused));
}

/* The sum of what is known; NaN when nothing is. */
static double sum_of(const struct subject *s, const char *words, struct cited *cited)
{
    cleanup_strings struct strings list = {0};
    double sum = NAN;

    strings_split(&list, words, " ");
    for (size_t i = 0; i < list.count; i++) {
        cleanup_strings struct strings alternatives = {0};
        double number = NAN;

        strings_split(&alternatives, list.items[i], "|");
        for (size_t k = 0; k < alternatives.count && isnan(number); k++)
            number = alternative(s, alternatives.items[k], cited);
        if (!isnan(number))
            sum = isnan(sum) ? number : sum + number;
    }
    return isnan(sum) && is_none_of_all(s, words) ? 0 : sum;
}

static double quantity_of(const struct quantity *q, const struct subject *s, struct cited *cited)
{
    double over = sum_of(s, q->over, cited);
    double under = q->under ? sum_of(s, q->under, cited) : 1;

    /* Never 0/0, and nothing is infinite for want of a divisor. */
    return under > 0 ? over / under * (q->scale > 0 ? q->scale : 1) : NAN;
}

/* --- conditions ---------------------------------------------------------------------------- */

static size_t n_conditions(const struct rule *rule)
{
    size_t n = 0;

    while (n < ARRAY_SIZE(rule->conditions) && rule->conditions[n].quantity)
        n++;
    return n;
}

static bool holds(const struct condition *c, double value)
{
    if (isnan(value))
        return c->if_known;
    return c->below ? value < threshold(c->threshold) : value > threshold(c->threshold);
}

/* Over the repetitions: the estimate, or the largest where one is enough. NaN without any. */
static double estimate_of(const double *x, size_t n, bool once)
{
    struct stats_interval i;
    double most = NAN;

    if (!once) {
        stats_signed_rank(x, n, 1 - REPORT_CONFIDENCE, &i);
        return i.estimate;
    }
    for (size_t k = 0; k < n; k++)
        most = fmax(most, x[k]);
    return most;
}

enum { MOST_CONDITIONS = ARRAY_SIZE(((struct rule *)0)->conditions) };

/* What the rule's conditions come to. */
struct verdict {
    double values[MOST_CONDITIONS];
    uint32_t holds, of;
    struct cited cited;
};

/* The rule in one repetition; what is known goes into `known`, a list of values per condition. */
static void judge_one(const struct rule *rule, const struct subject *s,
                      double *known[MOST_CONDITIONS], size_t n_known[MOST_CONDITIONS],
                      struct verdict *v)
{
    bool all_known = true, all_hold = true;

    for (size_t c = 0; c < n_conditions(rule); c++) {
        const struct condition *condition = &rule->conditions[c];
        struct cited unused = {0};
        double x = quantity_of(condition->quantity, s, condition->silent ? &unused : &v->cited);

        if (!isnan(x))
            known[c][n_known[c]++] = x;
        all_known &= !isnan(x) || condition->if_known;
        all_hold &= holds(condition, x);
    }
    v->of += all_known;
    v->holds += all_known && all_hold;
}

static void judge(const struct rule *rule, const struct observations *obs, const char *role,
                  struct verdict *ret)
{
    double *known[MOST_CONDITIONS];
    size_t n_known[MOST_CONDITIONS] = {0};

    *ret = (struct verdict){0};
    for (size_t c = 0; c < MOST_CONDITIONS; c++)
        known[c] = xcalloc(obs->count + 1, sizeof(*known[c]));
    for (size_t i = 0; i < obs->count; i++)
        judge_one(rule, &(struct subject){obs->items[i], role}, known, n_known, ret);
    for (size_t c = 0; c < MOST_CONDITIONS; c++) {
        ret->values[c] = estimate_of(known[c], n_known[c], rule->once);
        free(known[c]);
    }
}

static bool fires(const struct rule *rule, const struct verdict *v)
{
    for (size_t c = 0; c < n_conditions(rule); c++)
        if (!holds(&rule->conditions[c], v->values[c]))
            return false;
    return v->of > 0;
}

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
    return estimate_of(x, n, once);
}

/* "bit/s" stands behind the number; what only says what is counted does not. */
/* "(metric, metric 1.23 M)": a metric that is the quantity itself needs no number. */
static void add_cited(struct text *t, const struct verdict *v, const struct observations *obs,
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
static const char *capture_of(const struct rule *rule, const struct verdict *v)
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

static void end_evidence(struct text *t, struct found *ret, bool aside)
{
    text_add(t, "; from '%s')", ret->finding.capture);
    if (ret->finding.of > 1)
        text_add(t, ", in %u of %u repetitions%s", ret->finding.holds, ret->finding.of,
                 aside ? " made for it" : "");
    else if (aside)
        text_add(t, " in a repetition made for it");
    ret->evidence = text_take(t);
}

static void describe(const struct rule *rule, const struct verdict *v,
                     const struct observations *obs, bool aside, struct found *ret)
{
    struct text t = {0};
    size_t shown = 0;
    bool derived = false;

    for (size_t c = 0; c < n_conditions(rule); c++) {
        const struct condition *condition = &rule->conditions[c];

        if (condition->silent || isnan(v->values[c]))
            continue;
        add_phrase(&t, condition->quantity, v->values[c]);
        derived |= condition->quantity->under != NULL;
        shown++;
    }
    add_cited(&t, v, obs, derived || shown > 1, rule->once, ret);
    end_evidence(&t, ret, aside);
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
    struct verdict v;
    struct found *found;

    judge(rule, obs, role, &v);
    *ret_known = v.of > 0;
    if (!fires(rule, &v))
        return NULL;
    found = found_new(row, rule, arm, role);
    found->finding.capture = capture_of(rule, &v);
    found->finding.value = v.values[0];
    found->finding.threshold = threshold(rule->conditions[0].threshold);
    found->finding.holds = v.holds;
    found->finding.of = v.of;
    found->excess = excess_of(&rule->conditions[0], v.values[0]);
    describe(rule, &v, obs, aside, found);
    return found;
}

/* Who was the limit is decided (limit.h); this says it of an arm with a relay. */
static struct found *apply_limit(size_t row, const struct rule *rule, const struct bench_arm *arm,
                                 const struct observations *ok)
{
    bool end = strcmp(rule->limited_by, "client") == 0 || strcmp(rule->limited_by, "server") == 0;
    const struct observed *first = NULL;
    struct verdict v = {.of = (uint32_t)ok->count};
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
        sum_of(&s, end ? "@cpu_seconds" : "system_idle_share", &v.cited);
    }
    if (!first)
        return NULL;
    found = found_new(row, rule, arm, NULL);
    found->finding.holds = v.holds;
    found->finding.of = v.of;
    found->excess = v.holds;
    text_add(&t, "%s", first->limit.why);
    add_cited(&t, &v, ok, false, false, found);
    end_evidence(&t, found, false);
    return found;
}

/* --- what could not be looked at ----------------------------------------------------------- */

/* Only what starts with "@" comes from the window itself; without it a rule does not apply. */
static bool applies(const struct quantity *q, const struct subject *s)
{
    struct cited unused = {0};

    return (q->over[0] != '@' || !isnan(sum_of(s, q->over, &unused))) &&
           (!q->under || q->under[0] != '@' || !isnan(sum_of(s, q->under, &unused)));
}

/* Why a metric of the rule is no number though there is one, without the event and the hint that
 * its footnote has; NULL when there is none. */
static char *reason_of(const struct quantity *q, const struct subject *s)
{
    const struct metric_value *v = metric_of(s, q->over, strlen(q->over));
    const char *reason = v ? v->reason : NULL, *start, *end;

    if (!reason)
        return NULL;
    start = strncmp(reason, "event '", 7) == 0 ? strstr(reason, "': ") : NULL;
    start = start ? start + 3 : reason;
    end = strstr(start, "; hint: ");
    return xstrndup(start, end ? (size_t)(end - start) : strlen(start));
}

static void note_lack(struct rule_state *state, const struct rule *rule,
                      const struct observations *obs, const char *role)
{
    for (size_t i = 0; i < obs->count; i++) {
        struct subject s = {obs->items[i], role};
        cleanup_free char *reason = NULL;
        bool lacking = false, apply_all = true;

        for (size_t c = 0; c < n_conditions(rule); c++) {
            const struct condition *condition = &rule->conditions[c];
            struct cited unused = {0};

            if (condition->if_known)
                continue;
            apply_all &= applies(condition->quantity, &s);
            if (!isnan(quantity_of(condition->quantity, &s, &unused)))
                continue;
            lacking = true;
            free(reason);
            reason = reason_of(condition->quantity, &s);
        }
        if (!apply_all)
            continue;
        state->looked |= !lacking;
        state->lacking |= lacking;
        if (reason && !state->reason)
            state->reason = xstrdup(reason);
    }
}

static size_t n_rules(void)
{
    size_t n = 0;

    while (rule_row(n))
        n++;
    return n;
}

/* Rules that want one capture, or that lack their numbers for one reason, in a line. */
static void list_unseen(struct explanation *e, const char *capture, const char *reason)
{
    cleanup_text struct text names = {0};

    for (size_t i = 0; rule_row(i); i++) {
        const struct rule_state *s = &e->rules[i];

        if (s->looked || !s->lacking || strcmp(rule_row(i)->capture, capture) != 0 ||
            (s->reason ? !reason || strcmp(s->reason, reason) != 0 : reason != NULL))
            continue;
        text_add(&names, "%s%s", names.length ? ", " : "", rule_row(i)->name);
    }
    if (names.length && reason)
        strings_addf(&e->unseen, "not here: %s: %s", text_get(&names), reason);
    else if (names.length)
        strings_addf(&e->unseen, "with '%s', default options: %s", capture, text_get(&names));
}

static void find_unseen(struct explanation *e)
{
    cleanup_strings struct strings said = {0};

    for (size_t i = 0; e->rules && rule_row(i); i++) {
        const char *capture = rule_row(i)->capture, *reason = e->rules[i].reason;
        cleanup_free char *key = xasprintf("%s %s", capture, reason ? reason : "");

        if (strcmp(capture, "resources") == 0 || !capture_find(capture) || strings_has(&said, key))
            continue;
        strings_add(&said, key);
        list_unseen(e, capture, reason);
    }
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

    note_lack(&e->rules[row], rule, ok, role);
    if (!known && made.count) {
        note_lack(&e->rules[row], rule, &made, role);
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

    if (!e->rules)
        e->rules = xcalloc(n_rules(), sizeof(*e->rules));
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
    find_unseen(e);
}

void explanation_release(struct explanation *e)
{
    for (size_t i = 0; i < e->count; i++)
        found_free(e->items[i]);
    for (size_t i = 0; e->rules && rule_row(i); i++)
        free(e->rules[i].reason);
    free(e->items);
    free(e->rules);
    free(e->list);
    strings_release(&e->unseen);
    *e = (struct explanation){0};
}
