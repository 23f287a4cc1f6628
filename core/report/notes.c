/* SPDX-License-Identifier: Apache-2.0 */
#include "report/notes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "environment/facts.h"
#include "report/identities.h"
#include "report/order_notes.h"
#include "report/run_facts.h"
#include "report/steady.h"
#include "stats/summary.h"

enum { LEAST_PERIODS = 20 }; /* of the CPU limit, in a window */

#define LIMIT_TOLERANCE 0.01 /* by which a relay may pass its CPU limit */
#define LIMIT_SHORTFALL 0.02 /* by which one that is always throttled may stay below it */
#define ALWAYS_THROTTLED 0.95
#define BENCH_WARNING 0.01
#define IDLE_WARNING 0.01    /* CPUs of an arm while another one is measured */
#define CHARGE_TOLERANCE 0.1 /* by which the scheduler's account may differ from task-clock */
#define CHARGE_CPUS 0.02     /* less than that between the two is nothing to warn of */

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* --- design -------------------------------------------------------------------------------- */

static void design_blocks(const struct stored_run *run, const struct bench_document *d,
                          struct strings *ret)
{
    const json_t *sides = json_object_get(json_object_get(run->run, "comparison"), "sides");
    cleanup_strings struct strings arms = {0}, points = {0};
    cleanup_text struct text t = {0};
    uint32_t blocks = (uint32_t)json_number_or(json_object_get(run->run, "blocks"), 0);

    for (size_t i = 0; i < json_array_size(sides); i++)
        strings_add(ret, json_text_or(json_array_get(sides, i), ""));
    if (sides)
        return;
    run_arms(run, &arms);
    run_points(run, &points);
    for (uint32_t i = 0; i < d->n_repetitions; i++)
        if (d->repetitions[i]->block > blocks)
            blocks = d->repetitions[i]->block;
    text_add(&t, "%u randomised block%s × %zu arm%s", blocks, plural(blocks), arms.count,
             plural(arms.count));
    if (points.count > 1)
        text_add(&t, " × %zu points", points.count);
    text_add(&t, ", fresh processes, %.3g s warm-up + %.3g s window, seed %llu",
             (double)d->warmup_ns * 1e-9, (double)d->duration_ns * 1e-9,
             (unsigned long long)d->seed);
    strings_add(ret, text_get(&t));
}

static bool compares_saved(const struct stored_run *run)
{
    return json_object_get(json_object_get(run->run, "comparison"), "pairs") != NULL;
}

/* What decides, as it was fixed before the run. */
static void design_rule(const struct stored_run *run, const struct bench_document *d,
                        struct strings *ret)
{
    cleanup_strings struct strings metrics = {0};
    cleanup_text struct text names = {0};

    if (d->n_comparisons == 0)
        return;
    for (uint32_t i = 0; i < d->n_comparisons; i++)
        if (!strings_has(&metrics, d->comparisons[i]->metric->title))
            strings_add(&metrics, d->comparisons[i]->metric->title);
    for (size_t i = 0; i < metrics.count; i++)
        text_add(&names, "%s%s", i ? ", " : "", metrics.items[i]);
    strings_addf(ret, "rule: primary %s; family error %.2g%% (%u comparison%s); margin %.3g%%; %s",
                 text_get(&names), (1 - d->comparisons[0]->confidence) * d->n_comparisons * 100,
                 d->n_comparisons, plural(d->n_comparisons), d->margin * 100,
                 compares_saved(run) ? "chosen when the runs were there already"
                                     : "fixed before the run");
}

/* Which blocks entered, and whether the others would have changed anything. */
static void design_rejected(const struct bench_document *d, struct strings *ret)
{
    cleanup_text struct text t = {0};
    uint32_t failed = 0, turned = 0;

    if (d->n_comparisons == 0)
        return;
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        failed = d->comparisons[i]->failed > failed ? d->comparisons[i]->failed : failed;
        turned += strstr(d->comparisons[i]->verdict, "with the rejected blocks") != NULL ||
                  strcmp(d->comparisons[i]->finding, "unfit") == 0;
    }
    text_add(&t, "blocks: %u run, %u rejected", d->n_blocks, d->n_rejected);
    for (uint32_t i = 0; i < d->n_rejected && i < 3; i++)
        text_add(&t, "%s%u: %s", i ? "; " : " (", d->rejected[i].block, d->rejected[i].why);
    text_add(&t, "%s%s, %u failed", d->n_rejected > 3 ? "; …" : "", d->n_rejected ? ")" : "",
             failed);
    if (d->n_rejected && turned == 0)
        text_add(&t, "; same verdicts with them kept");
    strings_add(ret, text_get(&t));
}

/* Repetitions that were alive together, and what the idle ones cost. */
static void design_slices(const struct observations *all, struct strings *ret)
{
    size_t most = 0, least = SIZE_MAX;
    double low, high;

    for (size_t i = 0; i < all->count; i++) {
        size_t n = all->items[i]->record->n_slices;

        if (!all->items[i]->record->ok)
            continue;
        most = n > most ? n : most;
        least = n < least ? n : least;
    }
    if (most == 0)
        return;
    if (observed_range(all, "idle_cpus", &low, &high))
        strings_addf(ret,
                     "the arms of a block live together, measured in turn in %zu slices; idle ones "
                     "use at most %.2g CPUs",
                     most, high);
    else
        strings_addf(ret, "the arms of a block live together, measured in turn in %zu slices",
                     most);
    if (least < most)
        strings_add(ret, "some repetitions were measured in one piece");
}

/* Without hops the name of an arm says nothing of what was measured. */
static void design_no_hops(const struct stored_run *run, struct strings *ret)
{
    cleanup_strings struct strings points = {0};

    run_points(run, &points);
    for (size_t i = 0; i < points.count; i++) {
        if (json_number_or(run_setting(run, points.items[i], "hops"), 1) != 0)
            continue;
        strings_add(ret, "hops=0: no relay runs, whatever the arm: the client reaches the server");
        return;
    }
}

/* The CPU limits that the records speak of, and what the hops used of them. */
static void design_limit(const struct bench_document *d, const struct observations *all,
                         struct strings *ret)
{
    double low = INFINITY, high = -INFINITY, least = INFINITY, most = 0, period = 0;
    cleanup_text struct text t = {0};

    for (uint32_t i = 0; i < d->n_arms; i++) {
        if (d->arms[i]->hops == 0)
            continue;
        low = fmin(low, d->arms[i]->cpu_achieved_low);
        high = fmax(high, d->arms[i]->cpu_achieved_high);
        least = fmin(least, d->arms[i]->cpu_limit);
        most = fmax(most, d->arms[i]->cpu_limit);
    }
    if (isinf(least))
        return; /* no relay at all */
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i]->record->n_roles; k++)
            period = fmax(period, (double)all->items[i]->record->roles[k].cpu_period_ns);
    if (most == 0)
        text_add(&t, "no CPU limit on the relays");
    else if (least == most)
        text_add(&t, "relay limit %.2f CPU per process", most);
    else
        text_add(&t, "relay limit %g to %g CPU per process", least, most);
    if (low <= high)
        text_add(&t, " (used %.3f to %.3f)", low, high);
    if (most > 0 && period > 0)
        text_add(&t, ", period %.3g ms", period * 1e-6);
    strings_add(ret, text_get(&t));
}

/* Whether latencies of a kind were kept; NULL: of any. */
static bool has_latencies(const struct observations *all, const char *kind)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        for (size_t k = 0; k < r->n_latencies; k++)
            if (!kind || strcmp(r->latencies[k].name, kind) == 0)
                return true;
    }
    return false;
}

/* Only who times a request from when it was due has an open loop; h2load paces and times from when
 * it sends. */
static void describe_rate(const char *rates, const char *arrivals, bool open, struct text *ret)
{
    if (open)
        text_add(ret, "open loop, %s requests/s, %s arrivals%s", rates, arrivals,
                 strcmp(arrivals, "poisson") == 0 ? " from the seed of each block" : "");
    else
        text_add(
            ret,
            "paced, %s requests/s, %s arrivals: requests that a stall holds back are not timed",
            rates, arrivals);
}

/* From the least to the most of what the points have. */
struct span {
    double least, most;
};

static void widen(struct span *s, double value)
{
    s->least = fmin(s->least, value);
    s->most = fmax(s->most, value);
}

/* What made the client send the next request, where requests were timed. A closed loop must be
 * known as such. Of several points, each way once. */
static void design_loop(const struct stored_run *run, const struct observations *all,
                        struct strings *ret)
{
    static const char *const arrivals[] = {"poisson", "constant"};
    struct span jobs = {INFINITY, 0}, rates[2] = {{INFINITY, 0}, {INFINITY, 0}};
    cleanup_strings struct strings points = {0};

    if (!has_latencies(all, NULL))
        return;
    run_points(run, &points);
    for (size_t i = 0; i < points.count; i++) {
        double rate = json_rate_or(run_setting(run, points.items[i], "rate"), 0);
        const char *spread = json_text_or(run_setting(run, points.items[i], "arrivals"), "");

        if (rate > 0)
            widen(&rates[strcmp(spread, "constant") == 0], rate);
        else
            widen(&jobs, json_number_or(run_setting(run, points.items[i], "jobs"), 0));
    }
    if (jobs.least < jobs.most)
        strings_addf(ret,
                     "closed loop, %.0f to %.0f connections: requests that a stall holds back are "
                     "not timed",
                     jobs.least, jobs.most);
    else if (jobs.most > 0)
        strings_addf(ret,
                     "closed loop, %.0f connection%s: requests that a stall holds back are not "
                     "timed",
                     jobs.most, plural((size_t)jobs.most));
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        cleanup_text struct text values = {0}, line = {0};

        if (!(rates[i].most > 0))
            continue;
        text_add(&values, "%.10g", rates[i].least);
        if (rates[i].least < rates[i].most)
            text_add(&values, " to %.10g", rates[i].most);
        describe_rate(text_get(&values), arrivals[i], has_latencies(all, "response"), &line);
        strings_add(ret, text_get(&line));
    }
}

/* Below this share of what a closed loop does, something else than the relay ended the search. */
#define SEARCH_TOO_LOW 0.5

static void warn_searched(const struct stored_run *run, struct strings *ret)
{
    const json_t *found = json_object_get(run->run, "saturation");
    double capacity = json_number_or(json_object_get(found, "capacity"), 0);
    double rate = json_number_or(json_object_get(found, "rate"), 0);
    char text[32];

    if (!(rate > 0) || rate >= SEARCH_TOO_LOW * capacity)
        return;
    strings_addf(ret,
                 "the search for a rate ended at %.2g%% of the %s/s that the slowest relay does in "
                 "a closed loop: a longer window or a quieter machine may find a higher one",
                 100 * rate / capacity, format_si(capacity, text, sizeof(text)));
}

/* What `rate: auto` found. */
static void design_saturation(const struct stored_run *run, struct strings *ret)
{
    const json_t *found = json_object_get(run->run, "saturation");
    double rate = json_number_or(json_object_get(found, "rate"), 0);
    const char *arm = json_text_or(json_object_get(found, "arm"), NULL);
    cleanup_text struct text t = {0};

    if (!(rate > 0))
        return;
    text_add(&t,
             "searched in %.0f repetitions of their own: every arm keeps up with %.10g requests/s",
             json_number_or(json_object_get(found, "steps"), 0), rate);
    if (arm)
        text_add(&t, "; with %.10g '%s' does not (%s)",
                 json_number_or(json_object_get(found, "gave_way"), 0), arm,
                 json_text_or(json_object_get(found, "why"), ""));
    else
        text_add(&t, "; no higher one at which one does not was found");
    strings_add(ret, text_get(&t));
}

static void design_machine(const struct stored_run *run, struct strings *ret)
{
    const json_t *e = json_object_get(run->run, "environment");
    const char *model = json_text_or(json_object_get(e, "cpu_model"), NULL);
    const char *kernel = json_text_or(json_object_get(e, "kernel"), NULL);
    size_t cpus = (size_t)run_cpus(run);
    cleanup_text struct text t = {0};

    if (cpus == 0)
        return;
    text_add(&t, "machine: %zu CPU%s", cpus, plural(cpus));
    if (model)
        text_add(&t, " (%s)", model);
    if (json_is_true(json_object_get(e, "hypervisor")))
        text_add(&t, ", virtual");
    if (kernel)
        text_add(&t, ", Linux %s", kernel);
    strings_add(ret, text_get(&t));
}

/* How many repetitions of the plan are for this capture alone. */
static size_t planned_apart(const struct stored_run *run, const char *capture)
{
    cleanup_free char *purpose = xasprintf(PURPOSE_CAPTURE "%s", capture);
    size_t n = 0, i;
    json_t *step;

    json_array_foreach(json_object_get(run->run, "plan"), i, step) n +=
        strcmp(json_text_or(json_object_get(step, "purpose"), ""), purpose) == 0;
    return n;
}

/* Whether arms differ in what is captured: then that is what is compared. */
static bool arms_choose_captures(const struct stored_run *run)
{
    json_t *arm;
    size_t i;

    json_array_foreach(run_setting(run, "", "relays"), i,
                       arm) if (json_object_get(arm, "capture")) return true;
    return false;
}

/* What captures had to sample by, each once. */
static void design_events(const struct stored_run *run, struct strings *ret)
{
    for (size_t r = 0; r < run->n_repetitions; r++) {
        json_t *artifact;
        size_t i;

        json_array_foreach(run->repetitions[r].captures, i, artifact)
        {
            const char *instead = json_text_or(json_object_get(artifact, "instead"), NULL);
            cleanup_free char *line = xasprintf(
                "%s sampled by '%s': %s", json_text_or(json_object_get(artifact, "capture"), ""),
                json_text_or(json_object_get(artifact, "event"), ""), instead);

            if (instead && !strings_has(ret, line))
                strings_add(ret, line);
        }
    }
}

static void design_captures(const struct stored_run *run, struct strings *ret)
{
    cleanup_text struct text t = {0}, apart = {0};
    json_t *captures = run_setting(run, "", "capture"), *capture;
    size_t i;

    json_array_foreach(captures, i, capture)
    {
        const char *name = json_text_or(capture, NULL);

        if (!name)
            name = json_text_or(json_object_get(capture, "name"), NULL);
        if (!name) /* {stat: {…}} */
            name = json_object_iter_key(json_object_iter(capture));
        if (name && planned_apart(run, name))
            text_add(&apart, "%s%s (%zu)", apart.length ? ", " : "", name,
                     planned_apart(run, name));
        else if (name)
            text_add(&t, "%s%s", t.length ? ", " : "", name);
    }
    if (arms_choose_captures(run))
        strings_add(ret, "relays choose what is captured in their repetitions: the difference is "
                         "what that costs");
    else if (t.length)
        strings_addf(ret, "captured in every repetition: %s", text_get(&t));
    if (apart.length)
        strings_addf(ret, "captured in repetitions of its own, apart from the measured ones: %s",
                     text_get(&apart));
    design_events(run, ret);
}

static void design_estimates(const struct stored_run *run, const struct bench_document *d,
                             struct strings *ret)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < d->n_arms; i++)
        if (d->arms[i]->valid > most)
            most = d->arms[i]->valid;
    if (most < 6)
        strings_addf(ret,
                     "estimate: Hodges-Lehmann over repetitions; %.0f%% intervals need 6 valid "
                     "ones, there are %u",
                     REPORT_CONFIDENCE * 100, most);
    else
        strings_addf(ret,
                     "estimate: Hodges-Lehmann over repetitions, %.0f%% signed-rank interval, each "
                     "for itself; ratios from %s",
                     REPORT_CONFIDENCE * 100,
                     compares_saved(run) ? "all repetitions of either run, unpaired"
                                         : "pairs in a block");
}

/* The median over the ok repetitions; NaN when unknown. */
static double bench_cpus(const struct observations *all)
{
    cleanup_free double *x = xcalloc(all->count + 1, sizeof(*x));
    size_t n = 0;

    for (size_t i = 0; i < all->count; i++) {
        double v = observed_number(all->items[i], "bench_cpus");

        if (!isnan(v))
            x[n++] = v;
    }
    return stats_median(x, n);
}

void notes_design(const struct stored_run *run, const struct bench_document *d,
                  const struct observations *all, struct strings *ret)
{
    double own = bench_cpus(all);

    design_blocks(run, d, ret);
    design_slices(all, ret);
    design_rule(run, d, ret);
    design_rejected(d, ret);
    if (*d->network)
        strings_addf(ret, "network %s, loopback", d->network);
    design_loop(run, all, ret);
    design_saturation(run, ret);
    design_machine(run, ret);
    design_no_hops(run, ret);
    design_limit(d, all, ret);
    design_captures(run, ret);
    identities_compare(run, d, all, ret);
    design_estimates(run, d, ret);
    if (!isnan(own))
        strings_addf(ret, "bench itself used %.2g%% of a core", own * 100);
}

/* --- warnings ------------------------------------------------------------------------------ */

/* "nginx" or "nginx at jobs=10". */
static const char *arm_label(const struct bench_arm *a, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", a->name, *a->point ? " at " : "", a->point);
    return out;
}

static void warn_state(const struct stored_run *run, const struct bench_document *d,
                       struct strings *ret)
{
    if (strcmp(d->state, "complete") != 0)
        strings_addf(ret, "the run %s: %u of %u repetitions are finished",
                     strcmp(d->state, "running") == 0       ? "is still going on"
                     : strcmp(d->state, "interrupted") == 0 ? "was interrupted"
                                                            : "was ended by an error",
                     d->n_repetitions, d->planned);
    else if (d->n_repetitions + run->damaged.count < d->planned)
        strings_addf(ret, "%zu of the run's %u repetitions are no longer there",
                     d->planned - d->n_repetitions - run->damaged.count, d->planned);
    for (size_t i = 0; i < run->damaged.count; i++)
        strings_addf(ret, "a stored repetition was skipped: %s", run->damaged.items[i]);
}

static void warn_left_out(const struct stored_run *run, struct strings *ret)
{
    cleanup_text struct text t = {0};
    json_t *value;
    size_t i;

    json_array_foreach(json_object_get(run->run, "left_out"), i, value)
        text_add(&t, "%s%s", t.length ? ", " : "", json_text_or(value, "?"));
    if (t.length)
        strings_addf(ret, "left out, because the machine lacks these CPUs: %s", text_get(&t));
}

static void warn_failures(const struct bench_document *d, struct strings *ret)
{
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const char *first = "no message";
        char label[160];

        if (a->failed == 0)
            continue;
        for (uint32_t r = d->n_repetitions; r-- > 0;)
            if (d->repetitions[r]->error && strcmp(d->repetitions[r]->arm, a->name) == 0 &&
                strcmp(d->repetitions[r]->point, a->point) == 0)
                first = d->repetitions[r]->error;
        strings_addf(ret, "%s: %u of %u repetitions failed; the first: %s",
                     arm_label(a, label, sizeof(label)), a->failed, a->failed + a->valid, first);
    }
}

/* Two saved runs: nothing in common but the work. */
static void warn_saved(const struct stored_run *run, struct strings *ret)
{
    const json_t *rule = json_object_get(run->run, "comparison");
    json_t *line;
    size_t i;

    if (!json_object_get(rule, "pairs"))
        return;
    strings_add(ret, "two saved runs, not interleaved: what the machine did between them is in the "
                     "difference, and no interval shows it; 'bench compare SCENARIO' measures both "
                     "in the same blocks");
    json_array_foreach(json_object_get(rule, "differences"), i, line)
        strings_addf(ret, "the runs differ in %s", json_text_or(line, ""));
}

/* A metric that was to decide and that nobody measured. */
static void warn_undecided(const struct stored_run *run, const struct bench_document *d,
                           struct strings *ret)
{
    json_t *name;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(run->run, "comparison"), "metrics"), i, name)
    {
        const char *metric = json_text_or(name, "");
        bool found = false;

        for (uint32_t k = 0; k < d->n_comparisons; k++)
            found |= strcmp(d->comparisons[k]->metric->name, metric) == 0;
        if (!found)
            strings_addf(ret, "%s was decided: no repetition has the metric '%s'",
                         d->n_comparisons ? "not everything" : "nothing", metric);
    }
}

static void warn_idle(const struct observations *all, struct strings *ret)
{
    double low, high;

    if (observed_range(all, "idle_cpus", &low, &high) && high > IDLE_WARNING)
        strings_addf(ret,
                     "processes of arms that should have been idle used up to %.2g CPUs while "
                     "another arm was measured: 'interleave: no' keeps them apart",
                     high);
}

/* Once per relay, with the first of its points. */
static void warn_saturated(const struct bench_document *d, struct strings *ret)
{
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        uint32_t points = 0, before = 0;
        char label[160];

        for (uint32_t k = 0; k < d->n_arms; k++)
            if (d->arms[k]->saturated && strcmp(d->arms[k]->name, a->name) == 0) {
                points++;
                before += k < i;
            }
        if (!a->saturated || before > 0)
            continue;
        arm_label(a, label, sizeof(label));
        if (points > 1)
            strings_addf(ret,
                         "%s: saturated, as at %u points in all: %s; latency there is that of a "
                         "queue, not of the relay",
                         label, points, a->saturated);
        else
            strings_addf(ret,
                         "%s: saturated: %s; latency there is that of a queue, not of the relay",
                         label, a->saturated);
    }
}

/* Once per relay, of its first such point. */
static void warn_unsteady(const struct bench_document *d, const struct observations *all,
                          struct strings *ret)
{
    cleanup_strings struct strings said = {0};

    for (uint32_t i = 0; i < d->n_arms; i++) {
        struct steadiness first, s;
        uint32_t others = 0;
        char label[160], more[48] = "";

        steadiness_find(all, d->arms[i]->name, d->arms[i]->point, &first);
        if (first.steady || strings_has(&said, d->arms[i]->name))
            continue;
        strings_add(&said, d->arms[i]->name);
        for (uint32_t k = i + 1; k < d->n_arms; k++) {
            if (strcmp(d->arms[k]->name, d->arms[i]->name) != 0)
                continue;
            steadiness_find(all, d->arms[k]->name, d->arms[k]->point, &s);
            others += !s.steady;
        }
        if (others)
            snprintf(more, sizeof(more), " (and at %u other point%s)", others, plural(others));
        strings_addf(ret,
                     "%s: not steady%s: in %zu of %zu repetitions the window's first %.1f s went "
                     "at %.0f%% of the rate of its rest, which moves the mean by %+.1f%%; lengthen "
                     "'warmup'",
                     arm_label(d->arms[i], label, sizeof(label)), more, first.unsteady,
                     first.judged, first.seconds, first.ratio * 100, first.shift * 100);
    }
}

static void warn_limit_held(const struct observations *all, struct strings *ret)
{
    size_t above = 0, below = 0;
    double worst_above = 0, worst_below = INFINITY;

    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        for (size_t k = 0; k < r->n_roles; k++) {
            cleanup_free char *cpus = xasprintf("cpus_%s", r->roles[k].name);
            cleanup_free char *throttled = xasprintf("throttled_share_%s", r->roles[k].name);
            double share = observed_number(all->items[i], cpus) / r->roles[k].cpu_limit;

            if (r->roles[k].cpu_limit <= 0)
                continue;
            if (share > 1 + LIMIT_TOLERANCE) {
                above++;
                worst_above = fmax(worst_above, share);
            } else if (share < 1 - LIMIT_SHORTFALL &&
                       observed_number(all->items[i], throttled) >= ALWAYS_THROTTLED) {
                below++;
                worst_below = fmin(worst_below, share);
            }
        }
    }
    if (above)
        strings_addf(ret, "the CPU limit did not hold: up to %.1f%% of it was used (%zu time%s)",
                     worst_above * 100, above, plural(above));
    if (below)
        strings_addf(ret,
                     "throttled relays got less than their CPU limit: down to %.1f%% of it (%zu "
                     "time%s)",
                     worst_below * 100, below, plural(below));
}

/* How often the CPU time that the scheduler charged to a role is what task-clock counted there, in
 * the repetition where that is furthest from 1; NaN while it is close enough in all. */
static double worst_charge(const struct observations *all, const char *role)
{
    cleanup_free char *cpus = xasprintf("cpus_%s", role);
    cleanup_free char *clock = xasprintf("task_clock_%s", role);
    double worst = NAN;

    for (size_t i = 0; i < all->count; i++) {
        double seconds = metric_window(all->items[i]->record).seconds;
        double charged = observed_number(all->items[i], cpus);
        double ran = observed_number(all->items[i], clock) / seconds;

        if (fabs(charged - ran) < CHARGE_CPUS || fabs(charged / ran - 1) < CHARGE_TOLERANCE)
            continue;
        if (charged > 0 && ran > 0 && (isnan(worst) || fabs(log(charged / ran)) > fabs(log(worst))))
            worst = charged / ran;
    }
    return worst;
}

/* See "Whose CPU time is it" in docs/measurement.md. */
static void warn_charged(const struct observations *all, struct strings *ret)
{
    cleanup_strings struct strings seen = {0};
    cleanup_text struct text t = {0};

    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        for (size_t k = 0; k < r->n_roles; k++) {
            const char *role = r->roles[k].name;
            double charge;

            if (strings_has(&seen, role))
                continue;
            strings_add(&seen, role);
            charge = worst_charge(all, role);
            if (!isnan(charge))
                text_add(&t, "%s%s %.0f%%", t.length ? ", " : "", role, charge * 100);
        }
    }
    if (t.length)
        strings_addf(ret,
                     "the scheduler charged CPU time to the wrong process: of what task-clock "
                     "counted, at worst %s; for these trust task_clock, not cpus or cpu_seconds",
                     text_get(&t));
}

static void warn_short_window(const struct observations *all, struct strings *ret)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;
        int64_t window = r->window_end_ns - r->window_begin_ns;

        for (size_t k = 0; k < r->n_roles; k++) {
            int64_t period = r->roles[k].cpu_period_ns;

            if (!r->ok || r->roles[k].cpu_limit <= 0 || period <= 0 ||
                window >= LEAST_PERIODS * period)
                continue;
            strings_addf(ret,
                         "the window holds %.3g periods of the CPU limit: below %d the limit is "
                         "inexact; lengthen 'duration'",
                         (double)window / (double)period, LEAST_PERIODS);
            return;
        }
    }
}

static void warn_machine(const struct observations *all, struct strings *ret)
{
    double low, high, own = bench_cpus(all);

    if (observed_range(all, "errors_client", &low, &high) && high > 0)
        strings_addf(ret, "the client counted up to %.0f errors in a window", high);
    if (own > BENCH_WARNING)
        strings_addf(ret, "the bench itself used %.1f%% of a core", own * 100);
}

/* What the machine's facts say. Those that do not reach this run are left out: the host's
 * congestion control in a network of its own; a missing PMU, which the counters themselves report;
 * others' work and steal, where the windows tell how much of it there was (explanation.h).
 */
static void warn_environment(const struct stored_run *run, const struct bench_document *d,
                             const struct observations *all, struct strings *ret)
{
    json_t *facts = json_copy(json_object_get(run->run, "environment"));
    double low, high;

    if (!json_is_object(facts))
        return;
    json_object_del(facts, "pmu");
    if (strncmp(d->network, "isolated", 8) == 0)
        json_object_del(facts, "congestion");
    if (observed_range(all, "others_cpus", &low, &high))
        json_object_del(facts, "load");
    if (observed_range(all, "system_steal_share", &low, &high))
        json_object_del(facts, "steal");
    facts_warnings(facts, ret);
    json_decref(facts);
}

void notes_warnings(const struct stored_run *run, const struct bench_document *d,
                    const struct observations *all, struct strings *ret)
{
    warn_state(run, d, ret);
    warn_left_out(run, ret);
    warn_failures(d, ret);
    warn_saturated(d, ret);
    warn_searched(run, ret);
    warn_saved(run, ret);
    warn_undecided(run, d, ret);
    order_notes(d, all, ret);
    warn_idle(all, ret);
    warn_unsteady(d, all, ret);
    warn_limit_held(all, ret);
    warn_charged(all, ret);
    warn_short_window(all, ret);
    identities_changed(d, all, ret);
    identities_layout(d, all, ret);
    warn_machine(all, ret);
    warn_environment(run, d, all, ret);
}
