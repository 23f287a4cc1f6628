/* SPDX-License-Identifier: Apache-2.0 */
#include "report/side_by_side.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/metrics.h"
#include "report/point_match.h"
#include "report/run_facts.h"
#include "store/plugin_files.h"

/* What decides whether numbers can be set side by side at all. */
static const char *const same[] = {"workload", "protocol"};

/* Members of the scenario and facts of the machine that bear on the numbers. */
static const char *const conditions[] = {
    "jobs",    "rate",      "arrivals",   "hops",       "warmup",     "duration", "tick",  "cpus",
    "network", "cpu_limit", "cpu_period", "congestion", "interleave", "capture",  "reject"};
static const char *const facts[] = {"kernel",  "cpu_model",  "microcode",   "cpus_online",
                                    "boot_id", "hypervisor", "clocksource", "governor",
                                    "turbo",   "mitigations"};

static char *text_of(const json_t *value)
{
    return value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS |
                                         JSON_REAL_PRECISION(6))
                 : NULL;
}

static bool differ(const json_t *a, const json_t *b)
{
    return (a || b) && !json_equal(a, b);
}

/* Of two maps: the first member in which they differ, whose values take their place. */
static const char *first_difference(const json_t **a, const json_t **b)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)*a, key, value)
    {
        const json_t *other = json_object_get(*b, key);

        if (!json_is_object(*b) || !differ(value, other))
            continue;
        *a = value;
        *b = other;
        return key;
    }
    return NULL;
}

/* The labels of a pair of points; without any, the scenarios without their sweeps. */
static const struct point_match *pair_of(const struct point_matches *points, size_t i)
{
    static const struct point_match none = {.labels = {(char *)"", (char *)""}, .joined = ""};

    return points->count ? &points->items[i] : &none;
}

static int check_same_at(const struct side sides[2], const struct point_match *at,
                         struct bench_error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        const json_t *a = run_setting(sides[0].run, at->labels[0], same[i]);
        const json_t *b = run_setting(sides[1].run, at->labels[1], same[i]);
        const char *option = first_difference(&a, &b);
        cleanup_free char *x = text_of(a), *y = text_of(b);

        if (!differ(a, b))
            continue;
        error_set(err, BENCH_ERROR_USAGE, "'%s' and '%s' differ in %s%s%s: %s and %s",
                  sides[0].label, sides[1].label, same[i], option ? "." : "", option ? option : "",
                  x ? x : "nothing", y ? y : "nothing");
        error_hint(err, "only runs of the same work can be compared");
        return -1;
    }
    return 0;
}

static int check_same(const struct side sides[2], const struct point_matches *points,
                      struct bench_error *err)
{
    for (size_t i = 0; i == 0 || i < points->count; i++)
        if (check_same_at(sides, pair_of(points, i), err) < 0)
            return -1;
    return 0;
}

/* What part of its event a side counted under that name: NULL without it, "" all of it. */
static const char *counted_part(const struct stored_run *run, const char *metric)
{
    const char *part = NULL;

    for (size_t i = 0; i < run->n_repetitions && !part; i++) {
        const struct repetition_record *r = &run->repetitions[i];
        const struct metric_value *v;
        struct metric_pool pool = {0};
        struct metric_set set;

        if (!record_measures(r))
            continue;
        metrics_compute(r, &pool, &set);
        v = metric_set_find(&set, metric);
        if (v && bench_is_number(v->value.state))
            part = v->part ? v->part : "";
        metric_set_release(&set);
        metric_pool_release(&pool);
    }
    return part;
}

/* The same name may stand for two events: an ordinary user's has no kernel in it. */
static int check_events(const struct side sides[2], const json_t *rule, struct bench_error *err)
{
    json_t *name;
    size_t i;

    json_array_foreach(json_object_get(rule, "metrics"), i, name)
    {
        const char *metric = json_text_or(name, "");
        const char *a = counted_part(sides[0].run, metric), *b = counted_part(sides[1].run, metric);

        if (!a || !b || strcmp(a, b) == 0)
            continue;
        error_set(err, BENCH_ERROR_USAGE, "'%s' of '%s' and '%s' are different events: %s, %s",
                  metric, sides[0].label, sides[1].label, *a ? a : "all of it",
                  *b ? b : "all of it");
        error_hint(err, "measure both with the same privilege");
        return -1;
    }
    return 0;
}

static void add_difference(json_t *list, const char *name, const json_t *a, const json_t *b)
{
    cleanup_free char *x = text_of(a), *y = text_of(b);
    cleanup_free char *line =
        strcmp(name, "boot_id") == 0
            ? xstrdup("boot: the machine was restarted, or is another one")
            : xasprintf("%s: %.80s, %.80s", name, x ? x : "unknown", y ? y : "unknown");

    if (differ(a, b))
        json_array_append_new(list, json_text(line));
}

static json_t *descriptions(const struct side sides[2])
{
    json_t *list = json_array();

    for (size_t i = 0; i < 2; i++) {
        cleanup_free char *line =
            xasprintf("%s: run %s of %s", sides[i].label, sides[i].run->id,
                      json_text_or(json_object_get(sides[i].run->run, "started"), "unknown"));

        json_array_append_new(list, json_text(line));
    }
    return list;
}

/* The relays that are compared: of each run the name of the first, the second, … */
struct common {
    struct strings names[2];
};

/* Those that both runs have; or the only one of each, whatever it is called. */
static void common_arms(const struct side sides[2], struct common *ret)
{
    cleanup_strings struct strings a = {0}, b = {0};

    run_arms(sides[0].run, &a);
    run_arms(sides[1].run, &b);
    for (size_t i = 0; i < a.count; i++) {
        bool paired = strings_has(&b, a.items[i]), only = a.count == 1 && b.count == 1;

        if (!paired && !only)
            continue;
        strings_add(&ret->names[0], a.items[i]);
        strings_add(&ret->names[1], only ? b.items[i] : a.items[i]);
    }
}

static void common_release(struct common *c)
{
    strings_release(&c->names[0]);
    strings_release(&c->names[1]);
}
#define cleanup_common __attribute__((cleanup(common_release)))

/* The label alone, unless there are several relays to tell apart. Caller frees. */
static char *arm_name(const struct strings *names, const char *arm, const char *label)
{
    return names->count == 1 ? xstrdup(label) : xasprintf("%s %s", arm, label);
}

/* Of a member of the scenario: at the first of the points where it differs. */
static void add_condition(json_t *list, const struct side sides[2],
                          const struct point_matches *points, const char *name)
{
    for (size_t i = 0; i == 0 || i < points->count; i++) {
        const struct point_match *at = pair_of(points, i);
        const json_t *a = run_setting(sides[0].run, at->labels[0], name);
        const json_t *b = run_setting(sides[1].run, at->labels[1], name);

        if (!differ(a, b))
            continue;
        add_difference(list, name, a, b);
        return;
    }
}

static json_t *differences(const struct side sides[2], const struct common *common,
                           const struct point_matches *points)
{
    const char *a = common->names[0].items[0], *b = common->names[1].items[0];
    cleanup_strings struct strings plugins = {0};
    json_t *list = json_array();

    if (strcmp(a, b) != 0) {
        cleanup_free char *line = xasprintf("relay: %s, %s", a, b);

        json_array_append_new(list, json_text(line));
    }
    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        add_condition(list, sides, points, conditions[i]);
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        add_difference(
            list, facts[i],
            json_object_get(json_object_get(sides[0].run->run, "environment"), facts[i]),
            json_object_get(json_object_get(sides[1].run->run, "environment"), facts[i]));
    plugin_files_compare(json_object_get(sides[0].run->run, "plugins"),
                         json_object_get(sides[1].run->run, "plugins"), &plugins);
    for (size_t i = 0; i < plugins.count; i++)
        json_array_append_new(list, json_text(plugins.items[i]));
    return list;
}

static json_t *arm_json(const struct stored_run *run, const char *name)
{
    json_t *arm;
    size_t i;

    json_array_foreach(run_setting(run, "", "relays"), i,
                       arm) if (strcmp(json_text_or(json_object_get(arm, "name"), ""), name) ==
                                0) return json_copy(arm);
    return json_object();
}

/* `pairs`: the second's name → the first's; `called`: the second's → that of its scenario. */
static json_t *joined_relays(const struct side sides[2], const struct common *common, json_t *pairs,
                             json_t *called)
{
    json_t *relays = json_array();

    for (size_t i = 0; i < common->names[0].count; i++) {
        cleanup_free char *first =
            arm_name(&common->names[0], common->names[0].items[i], sides[0].label);
        cleanup_free char *second =
            arm_name(&common->names[1], common->names[1].items[i], sides[1].label);

        for (size_t s = 0; s < 2; s++) {
            json_t *arm = arm_json(sides[s].run, common->names[s].items[i]);

            json_object_set_new(arm, "name", json_text(s ? second : first));
            json_array_append_new(relays, arm);
        }
        json_object_set_new(pairs, second, json_text(first));
        json_object_set_new(called, second, json_text(common->names[1].items[i]));
    }
    return relays;
}

static int check_points(const struct side sides[2], const struct point_matches *points,
                        struct bench_error *err)
{
    cleanup_strings struct strings a = {0}, b = {0};

    if (points->count)
        return 0;
    run_points(sides[0].run, &a);
    run_points(sides[1].run, &b);
    error_set(err, BENCH_ERROR_USAGE,
              "'%s' and '%s' have no point of their sweeps in common: '%s' … and '%s' …",
              sides[0].label, sides[1].label, a.count ? a.items[0] : "", b.count ? b.items[0] : "");
    error_hint(err,
               "measure both with the same 'sweep'; 'rate: auto' finds other rates every time");
    return -1;
}

/* Points at which both were measured or one was, each once. */
static json_t *joined_points(const struct side sides[2], const struct point_matches *matches)
{
    json_t *points = json_array(), *point;
    cleanup_strings struct strings labels = {0};
    size_t i;

    for (size_t s = 0; s < 2; s++) {
        cleanup_strings struct strings measured = {0};

        run_points(sides[s].run, &measured);
        json_array_foreach(json_object_get(sides[s].run->run, "points"), i, point)
        {
            const char *own = json_text_or(json_object_get(point, "label"), "");
            const char *label = point_matches_joined(matches, s, own);
            json_t *copy;

            if (strings_has(&labels, label) || !strings_has(&measured, own))
                continue;
            strings_add(&labels, label);
            copy = json_copy(point);
            json_object_set_new(copy, "label", json_text(label));
            json_array_append_new(points, copy);
        }
    }
    return points;
}

static void rename_point(char **point, const struct point_matches *points, size_t side)
{
    xreplace(point, point_matches_joined(points, side, *point));
}

/* A clock that is another one than that of the other run has not changed. */
static void forget_clock(struct repetition_record *r, const struct stored_run *run)
{
    const char *own =
        json_text_or(json_object_get(json_object_get(run->run, "environment"), "clocksource"), "");

    if (!r->clocksource || strcmp(r->clocksource, own) != 0)
        return;
    free(r->clocksource);
    r->clocksource = NULL;
}

static void take_repetitions(struct stored_run *ret, const struct side sides[2], size_t s,
                             const struct strings *names, const struct point_matches *points)
{
    const struct side *side = &sides[s];
    struct stored_run *from = side->run;
    uint32_t block = 0, index = 0;

    for (size_t i = 0; i < ret->n_repetitions; i++) {
        const struct repetition_record *r = &ret->repetitions[i];

        block = r->block > block ? r->block : block;
        index = r->index > index ? r->index : index;
    }
    ret->repetitions = xrealloc(ret->repetitions, (ret->n_repetitions + from->n_repetitions + 1) *
                                                      sizeof(*ret->repetitions));
    for (size_t i = 0; i < from->n_repetitions; i++) {
        struct repetition_record *r = &from->repetitions[i];
        char *name;

        if (!record_measures(r) || !strings_has(names, r->arm)) {
            record_release(r);
            continue;
        }
        name = arm_name(names, r->arm, side->label);
        forget_clock(r, from);
        free(r->arm);
        r->arm = name;
        rename_point(&r->point, points, s);
        r->block += block;
        r->index += index;
        ret->repetitions[ret->n_repetitions++] = *r;
    }
    free(from->repetitions);
    from->repetitions = NULL;
    from->n_repetitions = 0;
    for (size_t i = 0; i < from->n_lost; i++) {
        const struct lost_repetition *l = &from->lost[i];

        if (l->measures && strings_has(names, l->arm)) {
            cleanup_free char *name = arm_name(names, l->arm, side->label);

            stored_run_add_lost(ret, name, point_matches_joined(points, s, l->point),
                                l->block + block, true);
        }
    }
    for (size_t i = 0; i < from->damaged.count; i++)
        strings_addf(&ret->damaged, "%s: %s", side->label, from->damaged.items[i]);
}

static json_t *incomplete(const struct side sides[2])
{
    json_t *list = json_array();

    for (size_t i = 0; i < 2; i++) {
        const char *state = json_text_or(json_object_get(sides[i].run->run, "state"), "unknown");
        cleanup_free char *line =
            xasprintf("the run %s is incomplete: it is %s", sides[i].label, state);

        if (strcmp(state, "complete") != 0)
            json_array_append_new(list, json_text(line));
    }
    return list;
}

static int check(const struct side sides[2], const struct common *common,
                 const struct point_matches *points, const json_t *rule, struct bench_error *err)
{
    if (common->names[0].count == 0) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' and '%s' have no relay in common", sides[0].label,
                  sides[1].label);
        error_hint(err, "relays of one name are compared, or the only ones of two runs");
        return -1;
    }
    return check_same(sides, points, err) < 0 || check_points(sides, points, err) < 0 ||
                   check_events(sides, rule, err) < 0
               ? -1
               : 0;
}

int side_by_side(struct stored_run *ret, const struct side sides[2], json_t *rule,
                 struct bench_error *err)
{
    const struct stored_run *const runs[2] = {sides[0].run, sides[1].run};
    cleanup_common struct common common = {0};
    cleanup_point_matches struct point_matches points = {0};
    json_t *scenario, *pairs, *called, *relays;

    common_arms(sides, &common);
    point_matches_find(runs, (const struct strings *const[2]){&common.names[0], &common.names[1]},
                       &points);
    if (check(sides, &common, &points, rule, err) < 0) {
        json_decref(rule);
        return -1;
    }
    *ret = (struct stored_run){.path = xstrdup(sides[1].run->path),
                               .id = xasprintf("%s, %s", sides[0].run->id, sides[1].run->id),
                               .seed = sides[0].run->seed,
                               .run = json_copy(sides[0].run->run)};
    pairs = json_object();
    called = json_object();
    relays = joined_relays(sides, &common, pairs, called);
    scenario = json_copy(json_object_get(ret->run, "scenario"));
    json_object_set(scenario, "baseline", json_object_get(json_array_get(relays, 0), "name"));
    json_object_set_new(scenario, "relays", relays);
    json_object_set(scenario, "reject", run_setting(sides[1].run, "", "reject"));
    json_object_set_new(rule, "pairs", pairs);
    json_object_set_new(rule, "called", called);
    json_object_set_new(rule, "differences", differences(sides, &common, &points));
    json_object_set_new(rule, "incomplete", incomplete(sides));
    json_object_set_new(rule, "sides", descriptions(sides));
    json_object_set_new(ret->run, "id", json_text(ret->id));
    json_object_set_new(ret->run, "state", json_string("complete"));
    json_object_set_new(ret->run, "scenario", scenario);
    json_object_set_new(ret->run, "points", joined_points(sides, &points));
    json_object_set_new(ret->run, "plan", json_array());
    json_object_set_new(ret->run, "comparison", rule);
    json_object_del(ret->run, "saturation");
    json_object_del(ret->run, "blocks");
    take_repetitions(ret, sides, 0, &common.names[0], &points);
    take_repetitions(ret, sides, 1, &common.names[1], &points);
    return 0;
}
