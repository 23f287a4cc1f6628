/* SPDX-License-Identifier: Apache-2.0 */
#include "report/notes.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "plan/plan.h"
#include "report/identities.h"
#include "report/run_facts.h"
#include "stats/sequential.h"

/* Times the fastest relay: below that, client and server gave it nearly all that they have. */
#define NEAR_CEILING 1.1

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
        if (d->repetitions[i]->block > blocks &&
            strcmp(d->repetitions[i]->purpose, PURPOSE_PILOT) != 0)
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

/* From the least to the most of what the points have. */
struct span {
    double least, most;
};

static void widen(struct span *s, double value)
{
    s->least = fmin(s->least, value);
    s->most = fmax(s->most, value);
}

/* "2 jobs", "1 to 100 jobs": of all points. */
static void add_count(const struct stored_run *run, const char *key, const char *what,
                      struct text *ret)
{
    cleanup_strings struct strings points = {0};
    struct span of = {INFINITY, -INFINITY};

    run_points(run, &points);
    for (size_t i = 0; i < points.count; i++)
        widen(&of, json_number_or(run_setting(run, points.items[i], key), NAN));
    if (of.least > of.most)
        return;
    text_add(ret, "%s", ret->length ? ", " : "");
    if (of.least < of.most)
        text_add(ret, "%.0f to ", of.least);
    text_add(ret, "%.0f %s%s", of.most, what, plural((size_t)of.most));
}

/* What was set of the workload's options. What is swept over is in the points' names, as below. */
static void add_options(const struct stored_run *run, struct text *ret)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(run->run, "chosen"), key, value)
    {
        cleanup_free char *axis = xasprintf("workload.%s", key);

        if (!json_object_get(run_setting(run, "", "sweep"), axis))
            text_add(ret, "%s%s %s", ret->length ? ", " : "", key, json_text_or(value, "?"));
    }
}

/* What went through what, and where it ran. */
static void design_load(const struct stored_run *run, struct strings *ret)
{
    cleanup_text struct text t = {0};
    const char *role;
    json_t *cpus;

    add_options(run, &t);
    add_count(run, "jobs", "job", &t);
    add_count(run, "hops", "hop", &t);
    json_object_foreach(run_setting(run, "", "cpus"), role, cpus)
    {
        cleanup_free char *key = xasprintf("cpus.%s", role);

        if (!json_object_get(run_setting(run, "", "sweep"), key))
            text_add(&t, "%s%s on CPU %s", t.length ? ", " : "", role, json_text_or(cpus, "?"));
    }
    if (t.length)
        strings_add(ret, text_get(&t));
}

/* When the run was to end, unless that was after a fixed number of blocks. `level`: of the look
 * behind it, of all comparisons together. */
static void describe_stop(const struct stored_run *run, double level, struct text *ret)
{
    const char *text = json_text_or(run_setting(run, "", "precision"), "0");
    struct stats_look look;
    double precision;

    if (run_compares_saved(run))
        return;
    if (json_is_true(json_object_get(json_object_get(run->run, "comparison"), "looks"))) {
        text_add(ret, "; looks after");
        for (size_t i = 0; stats_look(i, &look); i++)
            text_add(ret, "%s %zu", i ? "," : "", look.n);
        text_add(ret, " blocks, this one at %.3g%%", level * 100);
    } else if (parse_share(text, &precision, NULL) == 0 && precision > 0) {
        text_add(ret, "; as many blocks as intervals of ±%.3g%% take, %d to %d", precision * 100,
                 STATS_FIRST_STAGE, STATS_MOST_BLOCKS);
    }
}

/* What decides, as it was fixed before the run. */
static void design_rule(const struct stored_run *run, const struct bench_document *d,
                        struct strings *ret)
{
    const json_t *rule = json_object_get(run->run, "comparison");
    cleanup_strings struct strings metrics = {0};
    cleanup_text struct text names = {0}, stop = {0};

    if (d->n_comparisons == 0)
        return;
    describe_stop(run, (1 - d->comparisons[0]->confidence) * d->n_comparisons, &stop);
    for (uint32_t i = 0; i < d->n_comparisons; i++)
        if (!strings_has(&metrics, d->comparisons[i]->metric->title))
            strings_add(&metrics, d->comparisons[i]->metric->title);
    for (size_t i = 0; i < metrics.count; i++)
        text_add(&names, "%s%s", i ? ", " : "", metrics.items[i]);
    strings_addf(ret,
                 "rule: primary %s; family error %.2g%% (%u comparison%s); margin %.3g%%%s; %s",
                 text_get(&names), json_number_or(json_object_get(rule, "alpha"), NAN) * 100,
                 d->n_comparisons, plural(d->n_comparisons), d->margin * 100, text_get(&stop),
                 run_compares_saved(run) ? "chosen when the runs were there already"
                                         : "fixed before the run");
}

static uint32_t damaged_blocks(const struct stored_run *run)
{
    uint32_t n = 0;

    for (size_t i = 0; i < run->n_lost; i++) {
        bool known = !run->lost[i].measures;

        for (size_t k = 0; k < i; k++)
            known |= run->lost[k].measures && run->lost[k].block == run->lost[i].block;
        n += !known;
    }
    return n;
}

/* Which blocks entered, and whether the others would have changed anything. */
static void design_rejected(const struct stored_run *run, const struct bench_document *d,
                            struct strings *ret)
{
    cleanup_text struct text t = {0};
    uint32_t failed = 0, turned = 0, damaged = damaged_blocks(run);

    if (d->n_comparisons == 0)
        return;
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        failed = d->comparisons[i]->failed > failed ? d->comparisons[i]->failed : failed;
        turned += strstr(d->comparisons[i]->verdict, "with the rejected blocks") != NULL ||
                  strcmp(d->comparisons[i]->finding, "unfit") == 0 ||
                  strcmp(d->comparisons[i]->finding, "incomplete") == 0;
    }
    text_add(&t, "blocks: %u run, %u rejected", d->n_blocks, d->n_rejected);
    for (uint32_t i = 0; i < d->n_rejected && i < 3; i++)
        text_add(&t, "%s%u: %s", i ? "; " : " (", d->rejected[i].block, d->rejected[i].why);
    text_add(&t, "%s%s, %u failed", d->n_rejected > 3 ? "; …" : "", d->n_rejected ? ")" : "",
             failed);
    if (damaged)
        text_add(&t, ", %u damaged", damaged);
    if (d->n_rejected && turned == 0)
        text_add(&t, "; same verdicts with them kept");
    strings_add(ret, text_get(&t));
}

/* Repetitions that were alive together, and what the idle ones cost. */
static void design_slices(const struct observations *all, struct strings *ret)
{
    size_t most = 0, least = SIZE_MAX;
    cleanup_text struct text t = {0};
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
    if (least > 0 && least < most) /* saved runs */
        text_add(&t, "%zu to ", least);
    text_add(&t, "%zu slices", most);
    if (observed_range(all, "idle_cpus", &low, &high))
        text_add(&t, "; idle ones use at most %.2g CPUs", high);
    strings_addf(ret, "the arms of a block live together, measured in turn in %s", text_get(&t));
    if (least == 0)
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

/* How late an open loop sent, at worst. */
static void design_lag(const struct observations *all, struct strings *ret)
{
    double most = NAN;

    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;

        for (size_t k = 0; r->ok && k < r->n_latencies; k++) {
            const struct histogram *h = r->latencies[k].histogram;

            if (strcmp(r->latencies[k].name, "lag") == 0 && histogram_supports(h, 0.99))
                most = fmax(most, histogram_percentile(h, 0.99));
        }
    }
    if (!isnan(most))
        strings_addf(ret, "schedule lag p99 at most %.3g ms", most * 1e-6);
}

static double value_of(const struct bench_arm *a, const char *metric)
{
    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (strcmp(a->estimates[i]->metric->name, metric) == 0)
            return a->estimates[i]->value;
    return NAN;
}

/* What client and server do without a relay, at one point. */
struct ceiling {
    double value, times; /* …, of the fastest relay */
    const struct bench_arm *fastest;
};

static void find_ceiling(const struct bench_document *d, const char *point, const char *metric,
                         struct ceiling *ret)
{
    double most = 0;

    *ret = (struct ceiling){.value = NAN, .times = NAN};
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        double value = value_of(a, metric);

        if (strcmp(a->point, point) != 0)
            continue;
        if (a->hops == 0)
            ret->value = fmax(ret->value, value);
        else if (value > most) {
            most = value;
            ret->fastest = a;
        }
    }
    if (ret->fastest)
        ret->times = ret->value / most;
}

/* In closed loops; of several points the one where the fastest relay comes closest. */
static void design_ceiling(const struct stored_run *run, const struct bench_document *d,
                           struct strings *ret)
{
    static const char *const metrics[] = {"operations_per_second", "bits_per_second"};
    struct ceiling least = {.times = INFINITY};
    const char *unit = "requests/s";
    char text[32];

    for (size_t m = 0; m < ARRAY_SIZE(metrics) && !least.fastest; m++) {
        unit = m == 0 ? "requests/s" : "bit/s";
        for (uint32_t i = 0; i < d->n_arms; i++) {
            struct ceiling c;

            find_ceiling(d, d->arms[i]->point, metrics[m], &c);
            if (run_rate(run, d->arms[i]->point) == 0 && c.times < least.times)
                least = c;
        }
    }
    if (!least.fastest)
        return;
    strings_addf(ret, "no-relay ceiling %s%s, %.2g times the fastest relay (%s%s%s)%s",
                 format_si(least.value, text, sizeof(text)), unit, least.times, least.fastest->name,
                 *least.fastest->point ? " at " : "", least.fastest->point,
                 least.times < NEAR_CEILING ? ": client or server may be the limit, not the relay"
                                            : "");
}

/* What `warmup: auto` found. */
static void design_warmup(const struct stored_run *run, struct strings *ret)
{
    const json_t *found = json_object_get(run->run, "warmup");
    double needs = json_number_or(json_object_get(found, "needs"), NAN);
    double pilots = json_number_or(json_object_get(found, "pilots"), NAN);

    if (needs > 0)
        strings_addf(ret,
                     "warm-up half as long again as '%s' needs, the slowest to settle: %.3g s (by "
                     "MSER-5, median of %.0f pilots)",
                     json_text_or(json_object_get(found, "arm"), ""), needs, pilots);
    else if (needs == 0)
        strings_addf(ret,
                     "the least warm-up: no arm starts on another level in most of its %.0f "
                     "pilots from cold",
                     pilots);
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
    uint32_t most = 0; /* that entered an estimate */

    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++)
            if (d->arms[i]->estimates[k]->n > most)
                most = d->arms[i]->estimates[k]->n;
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
                     run_compares_saved(run) ? "all repetitions of either run, unpaired"
                                             : "pairs in a block");
}

void notes_design(const struct stored_run *run, const struct bench_document *d,
                  const struct observations *all, struct strings *ret)
{
    double own = observed_median(all, "bench_cpus");

    design_blocks(run, d, ret);
    if (!run_compares_saved(run)) /* these are each run's own; where they differ is a warning */
        design_load(run, ret);
    design_slices(all, ret);
    design_rule(run, d, ret);
    design_rejected(run, d, ret);
    if (*d->network)
        strings_addf(ret, "network %s, loopback", d->network);
    design_loop(run, all, ret);
    design_lag(all, ret);
    if (!run_compares_saved(run)) {
        design_warmup(run, ret);
        design_saturation(run, ret);
    }
    design_machine(run, ret);
    design_no_hops(run, ret);
    design_limit(d, all, ret);
    design_ceiling(run, d, ret);
    if (!run_compares_saved(run))
        design_captures(run, ret);
    identities_compare(run, d, all, ret);
    design_estimates(run, d, ret);
    if (!isnan(own))
        strings_addf(ret, "bench itself used %.2g%% of a core", own * 100);
}
