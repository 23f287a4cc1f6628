/* SPDX-License-Identifier: Apache-2.0 */
/* The arms of a document: estimates, who limited them, whether they kept up, what a hop costs. */
#include "report/document_parts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/hop_cost.h"
#include "report/load.h"
#include "report/run_facts.h"

/* What the numbers of an arm come from: of a comparison the blocks that count, unless the machine
 * was unfit in so many that they are all there is to show. */
static struct observations select_counting(const struct document *d, const char *arm,
                                           const char *point)
{
    struct observations ok = document_select(d, arm, point, true), fit;

    if (fitness_unfit(&d->fitness))
        return ok;
    fit = document_fit(&ok, &d->fitness);
    observations_release(&ok);
    return fit;
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
        baseline = select_counting(d, d->document.baseline, arm->point);
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
static double relay_limit(const struct stored_run *run, const struct observations *all,
                          const char *name, const char *point)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        for (size_t k = 0; k < r->n_roles; k++)
            if (strncmp(r->roles[k].name, "relay_", 6) == 0)
                return r->roles[k].cpu_limit;
    }
    return json_number_or(json_object_get(run_arm(run, name), "cpu_limit"),
                          json_number_or(run_setting(run, point, "cpu_limit"), 0));
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
    arm->limited_by = found ? document_keep(d, found->role) : "unknown";
    arm->relay_limited = found && found->relay;
    if (!found) {
        arm->limited_why = "no repetition succeeded";
    } else if (most == ok->count) {
        arm->limited_why = document_keep(d, found->why);
    } else {
        cleanup_free char *why = xasprintf("%s; in %zu of %zu %s", found->why, most, ok->count,
                                           counted_repetitions(arm, ok->count));

        arm->limited_why = document_keep(d, why);
    }
}

/* How many of the arm's repetitions there are of each kind: together all that are finished. */
static void count_repetitions(const struct document *d, const struct stored_run *run,
                              const struct observations *all, struct bench_arm *arm)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        if (!r->ok)
            arm->failed++;
        else if (fitness_rejects(&d->fitness, r->block))
            arm->rejected++;
        else
            arm->valid++;
    }
    for (size_t i = 0; i < run->n_lost; i++)
        arm->damaged += run->lost[i].measures && strcmp(run->lost[i].arm, arm->name) == 0 &&
                        strcmp(run->lost[i].point, arm->point) == 0;
}

static struct bench_arm *new_arm(struct document *d)
{
    uint32_t n = d->document.n_arms++;

    d->arms = grow(d->arms, &d->arms_capacity, n + 1, sizeof(*d->arms));
    d->document.arms = (const struct bench_arm *const *)d->arms;
    return d->arms[n] = xcalloc(1, sizeof(**d->arms));
}

/* The relay and its processes as a repetition had them, or as they were planned. */
static void identify(struct document *d, const struct stored_run *run,
                     const struct observations *all, struct bench_arm *arm)
{
    const struct repetition_record *first = all->count ? all->items[0]->record : NULL;
    const json_t *plugin = json_object_get(run_arm(run, arm->name), "plugin");

    arm->relay = document_keep(d, first ? first->relay : json_text_or(plugin, arm->name));
    arm->hops = first ? first->hops : run_hops(run, arm->name, arm->point);
    arm->cpu_limit = arm->hops ? relay_limit(run, all, arm->name, arm->point) : 0;
}

static void add_arm(struct document *d, const struct stored_run *run, const char *name,
                    const char *point)
{
    struct observations all = document_select(d, name, point, false);
    struct observations ok = select_counting(d, name, point);
    struct observations aside = select_aside(d, name, point);
    struct bench_arm counted = {.name = name, .point = point};

    count_repetitions(d, run, &all, &counted);
    if (bench_arm_repetitions(&counted) > 0) {
        struct bench_arm *arm = new_arm(d);

        *arm = counted;
        arm->name = document_keep(d, name);
        arm->point = document_keep(d, point);
        identify(d, run, &all, arm);
        find_achieved(&ok, arm);
        find_limiter(d, &ok, arm);
        add_estimates(d, &ok, &aside, arm);
        if (!d->brief)
            explanation_add_arm(&d->explanation, arm, &ok, &aside, run_rate(run, point) > 0);
    }
    observations_release(&all);
    observations_release(&ok);
    observations_release(&aside);
}

static void add_each(struct document *d, const struct stored_run *run)
{
    cleanup_strings struct strings arms = {0}, points = {0};

    run_arms(run, &arms);
    run_points(run, &points);
    for (size_t p = 0; p < points.count; p++)
        for (size_t a = 0; a < arms.count; a++)
            add_arm(d, run, arms.items[a], points.items[p]);
}

static void finish_explanation(struct document *d)
{
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
        double other = run_rate(run, a->point);

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
        double rate = run_rate(run, a->point);
        struct observations ok = {0};
        cleanup_text struct text why = {0};

        if (!(rate > 0))
            continue;
        ok = select_counting(d, a->name, a->point);
        load_judge(a, &ok, rate, light_p99(d, run, a, rate), &why);
        a->saturated = why.length ? document_keep(d, text_get(&why)) : NULL;
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
        own = select_counting(d, a->name, a->point);
        without = select_counting(d, bare->name, bare->point);
        a->hop_costs = hop_costs(&own, &without, a->hops, &a->n_hop_costs);
        observations_release(&own);
        observations_release(&without);
    }
}

void document_add_arms(struct document *d, const struct stored_run *run)
{
    add_each(d, run);
    if (d->brief)
        return;
    finish_explanation(d);
    judge_loads(d, run);
    add_hop_costs(d);
}
