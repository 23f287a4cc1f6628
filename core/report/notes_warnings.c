/* SPDX-License-Identifier: Apache-2.0 */
#include "report/notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "environment/facts.h"
#include "report/holes.h"
#include "report/identities.h"
#include "report/order_notes.h"
#include "report/run_facts.h"
#include "report/spread_notes.h"
#include "report/steady.h"
#include "store/plugin_files.h"

enum { LEAST_PERIODS = 20 }; /* of the CPU limit, in a window */

#define LIMIT_TOLERANCE 0.01 /* by which a relay may pass its CPU limit */
#define LIMIT_SHORTFALL 0.02 /* by which one that is always throttled may stay below it */
#define ALWAYS_THROTTLED 0.95
#define AMPLE 1.5 /* times the warm-up that would just have covered what was not steady */
#define BENCH_WARNING 0.01
#define IDLE_WARNING 0.01    /* CPUs of an arm while another one is measured */
#define CHARGE_TOLERANCE 0.1 /* by which the scheduler's account may differ from task-clock */
#define CHARGE_CPUS 0.02     /* less than that between the two is nothing to warn of */

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

/* Whatever the warm-up, if it was found and not enough. */
static void warn_unsettled(const struct stored_run *run, struct strings *ret)
{
    const json_t *found = json_object_get(run->run, "warmup");

    if (json_is_false(json_object_get(found, "steady")))
        strings_addf(ret,
                     "NOT STEADY: '%s' had not settled when its pilots, twice as long as a window, "
                     "ended: a longer 'duration', or the 'warmup' that it needs",
                     json_text_or(json_object_get(found, "arm"), ""));
}

/* "nginx" or "nginx at jobs=10". */
static const char *arm_label(const struct bench_arm *a, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", a->name, *a->point ? " at " : "", a->point);
    return out;
}

static void warn_state(const struct stored_run *run, const struct bench_document *d,
                       struct strings *ret)
{
    const uint32_t finished = d->n_repetitions + (uint32_t)run->n_lost;

    if (strcmp(d->state, "complete") != 0)
        strings_addf(ret, "the run %s: %u of %u repetitions are finished",
                     strcmp(d->state, "running") == 0       ? "is still going on"
                     : strcmp(d->state, "interrupted") == 0 ? "was interrupted"
                                                            : "was ended by an error",
                     finished, d->planned);
    else if (finished < d->planned)
        strings_addf(ret, "%u of the run's %u repetitions are no longer there",
                     d->planned - finished, d->planned);
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
                     arm_label(a, label, sizeof(label)), a->failed, bench_arm_repetitions(a),
                     first);
    }
}

static bool warns(const struct repetition_record *r, const char *sentence)
{
    for (size_t i = 0; i < r->warnings.count; i++)
        if (same_but_for_numbers(r->warnings.items[i], sentence))
            return true;
    return false;
}

/* What repetitions of an arm say of themselves: each sentence once, with the first one's numbers.
 */
static void warn_repetitions_of(const struct bench_arm *arm, const struct observations *all,
                                struct strings *ret)
{
    struct repetition_record said = {0};
    cleanup_free const struct repetition_record **own = xcalloc(all->count + 1, sizeof(*own));
    size_t n = 0;
    char label[160];

    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i]->record->arm, arm->name) == 0 &&
            strcmp(all->items[i]->record->point, arm->point) == 0)
            own[n++] = all->items[i]->record;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < own[i]->warnings.count; k++)
            if (!warns(&said, own[i]->warnings.items[k]))
                strings_add(&said.warnings, own[i]->warnings.items[k]);
    arm_label(arm, label, sizeof(label));
    for (size_t k = 0; k < said.warnings.count; k++) {
        size_t times = 0;

        for (size_t i = 0; i < n; i++)
            times += warns(own[i], said.warnings.items[k]);
        strings_addf(ret, "%s: in %zu of %u repetition%s: %s", label, times,
                     bench_arm_repetitions(arm), plural(bench_arm_repetitions(arm)),
                     said.warnings.items[k]);
    }
    strings_release(&said.warnings);
}

static void warn_holes(const struct bench_document *d, const struct observations *all,
                       struct strings *ret)
{
    char label[160];

    for (uint32_t i = 0; i < d->n_arms; i++)
        holes_warn(d->arms[i], arm_label(d->arms[i], label, sizeof(label)), all, ret);
}

static void warn_repetitions(const struct bench_document *d, const struct observations *all,
                             struct strings *ret)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        warn_repetitions_of(d->arms[i], all, ret);
}

/* What can be done about it. */
static void warn_unfit(const struct bench_document *d, struct strings *ret)
{
    for (uint32_t i = 0; i < d->n_comparisons; i++) {
        if (strcmp(d->comparisons[i]->finding, "unfit") != 0)
            continue;
        strings_addf(ret,
                     "%u of %u blocks rejected, more than a quarter: nothing is decided; measure "
                     "again when nothing else runs, or keep every block, and wider intervals, by "
                     "'reject: nothing'",
                     d->n_rejected, d->n_blocks);
        return;
    }
}

/* Two saved runs: nothing in common but the work. */
static void warn_saved(const struct stored_run *run, struct strings *ret)
{
    const json_t *rule = json_object_get(run->run, "comparison");
    json_t *line;
    size_t i;

    if (!run_compares_saved(run))
        return;
    strings_add(ret, "two saved runs, not interleaved: what the machine did between them is in the "
                     "difference, and no interval shows it; 'bench compare SCENARIO' measures both "
                     "in the same blocks");
    json_array_foreach(json_object_get(rule, "differences"), i, line)
        strings_addf(ret, "the runs differ in %s", json_text_or(line, ""));
    json_array_foreach(json_object_get(rule, "incomplete"), i, line)
        strings_add(ret, json_text_or(line, ""));
}

/* Whether a repetition of the arm (NULL: of any) has the metric. */
static bool any_has(const struct observations *all, const char *arm, const char *metric)
{
    for (size_t i = 0; i < all->count; i++)
        if ((!arm || strcmp(all->items[i]->record->arm, arm) == 0) &&
            metric_set_find(&all->items[i]->set, metric))
            return true;
    return false;
}

/* Arms that a metric which decides about others says nothing of: "none, bare". */
static void list_left_out(const struct bench_document *d, const struct observations *all,
                          const char *metric, struct text *ret)
{
    cleanup_strings struct strings names = {0};

    for (uint32_t i = 0; i < d->n_arms; i++) {
        const char *arm = d->arms[i]->name;

        if (d->arms[i]->valid + d->arms[i]->rejected == 0 || strings_has(&names, arm) ||
            any_has(all, arm, metric))
            continue;
        strings_add(&names, arm);
        text_add(ret, "%s%s", names.count > 1 ? ", " : "", arm);
    }
}

static bool any_ok(const struct observations *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i]->record->ok)
            return true;
    return false;
}

/* A metric that was to decide and does not, or not about everybody. */
static void warn_undecided(const struct stored_run *run, const struct bench_document *d,
                           const struct observations *all, struct strings *ret)
{
    const json_t *rule = json_object_get(run->run, "comparison");
    json_t *name;
    size_t i;

    if (rule && all->count && !any_ok(all)) {
        strings_add(ret, "nothing was decided: no repetition succeeded");
        return;
    }
    json_array_foreach(json_object_get(rule, "metrics"), i, name)
    {
        const char *metric = json_text_or(name, "");
        cleanup_text struct text without = {0};
        bool found = false;

        for (uint32_t k = 0; k < d->n_comparisons; k++)
            found |= strcmp(d->comparisons[k]->metric->name, metric) == 0;
        list_left_out(d, all, metric, &without);
        if (!found && !any_has(all, NULL, metric))
            strings_addf(ret, "%s was decided: no repetition has the metric '%s'",
                         d->n_comparisons ? "not everything" : "nothing", metric);
        else if (!found)
            strings_addf(ret, "nothing was decided by '%s', which is no metric of %s%s", metric,
                         text_get(&without),
                         any_has(all, d->baseline, metric) ? "" : ": choose another 'baseline'");
        else if (without.length)
            strings_addf(ret, "'%s' is no metric of %s: not compared by it", metric,
                         text_get(&without));
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
                     "'warmup' to %.2g s",
                     arm_label(d->arms[i], label, sizeof(label)), more, first.unsteady,
                     first.judged, first.seconds, first.ratio * 100, first.shift * 100,
                     AMPLE * ((double)d->warmup_ns * 1e-9 + first.seconds));
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
    double low, high, own = observed_median(all, "bench_cpus");

    if (observed_range(all, "errors_client", &low, &high) && high > 0)
        strings_addf(ret, "the client counted up to %.0f errors in a window", high);
    if (own > BENCH_WARNING)
        strings_addf(ret, "the bench itself used %.1f%% of a core", own * 100);
}

/* What the machine's facts say. Those that do not reach this run are left out: the host's
 * congestion control in a network of its own; a missing PMU, which the counters themselves report;
 * others' work and steal, where the windows tell how much of it there was (explanation.h); few
 * CPUs, where everybody was given his own.
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
    if (all->count && observed_pinned(all)) /* who shares with whom, the design lines tell */
        json_object_del(facts, "cpus_online");
    facts_warnings(facts, ret);
    json_decref(facts);
}

void notes_warnings(const struct stored_run *run, const struct bench_document *d,
                    const struct observations *all, struct strings *ret)
{
    warn_state(run, d, ret);
    warn_left_out(run, ret);
    warn_failures(d, ret);
    warn_repetitions(d, all, ret);
    warn_holes(d, all, ret);
    warn_unfit(d, ret);
    warn_saturated(d, ret);
    warn_searched(run, ret);
    warn_unsettled(run, ret);
    warn_saved(run, ret);
    plugin_files_warn(json_object_get(run->run, "plugins"), ret);
    warn_undecided(run, d, all, ret);
    if (!run_compares_saved(run)) /* whose order says nothing: one came after the other */
        order_notes(d, all, ret);
    spread_notes(d, all, ret);
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
