/* SPDX-License-Identifier: Apache-2.0 */
#include "report/run_facts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

static json_t *point_settings(const struct stored_run *run, const char *label)
{
    json_t *point;
    size_t i;

    json_array_foreach(json_object_get(run->run, "points"), i,
                       point) if (strcmp(json_text_or(json_object_get(point, "label"), ""),
                                         label) == 0) return json_object_get(point, "settings");
    return NULL;
}

json_t *run_setting(const struct stored_run *run, const char *point, const char *key)
{
    json_t *value = json_object_get(point_settings(run, point), key);

    return value ? value : json_object_get(json_object_get(run->run, "scenario"), key);
}

const json_t *run_arm(const struct stored_run *run, const char *name)
{
    json_t *arm;
    size_t i;

    json_array_foreach(run_setting(run, "", "relays"), i,
                       arm) if (strcmp(json_text_or(json_object_get(arm, "name"), ""), name) ==
                                0) return arm;
    return NULL;
}

double json_number_or(const json_t *value, double fallback)
{
    double number;

    if (json_is_number(value))
        return json_number_value(value);
    if (json_is_string(value) && parse_number(json_string_value(value), &number, NULL) == 0)
        return number;
    return fallback;
}

double json_rate_or(const json_t *value, double fallback)
{
    double number;

    if (json_is_string(value) && parse_rate(json_string_value(value), &number, NULL) == 0)
        return number;
    return json_number_or(value, fallback);
}

int64_t json_duration_or(const json_t *value, int64_t fallback_ns)
{
    int64_t ns;

    if (json_is_number(value) && fabs(json_number_value(value)) < 1e9)
        return (int64_t)(json_number_value(value) * 1e9);
    if (json_is_string(value) && parse_duration(json_string_value(value), &ns, NULL) == 0)
        return ns;
    return fallback_ns;
}

const char *json_text_or(const json_t *value, const char *fallback)
{
    return json_is_string(value) ? json_string_value(value) : fallback;
}

static void add_once(struct strings *s, const char *name)
{
    if (name && !strings_has(s, name))
        strings_add(s, name);
}

void run_arms(const struct stored_run *run, struct strings *ret)
{
    json_t *arm;
    size_t i;

    add_once(ret, json_text_or(run_setting(run, "", "baseline"), NULL));
    json_array_foreach(run_setting(run, "", "relays"), i, arm)
        add_once(ret, json_text_or(json_is_object(arm) ? json_object_get(arm, "name") : arm, NULL));
    for (size_t r = 0; r < run->n_repetitions; r++)
        add_once(ret, run->repetitions[r].arm);
}

/* Marks the points that only steps have which count for nothing. */
static void mark_aside(const struct stored_run *run, bool *aside, size_t n)
{
    cleanup_free bool *counts = xcalloc(n + 1, sizeof(*counts));
    json_t *step;
    size_t i;

    json_array_foreach(json_object_get(run->run, "plan"), i, step)
    {
        double point = json_number_or(json_object_get(step, "point"), -1);
        const char *purpose = json_text_or(json_object_get(step, "purpose"), PURPOSE_MEASURE);

        if (point < 0 || point >= (double)n)
            continue;
        aside[(size_t)point] = true;
        counts[(size_t)point] |= strcmp(purpose, PURPOSE_MEASURE) == 0;
    }
    for (i = 0; i < n; i++)
        aside[i] &= !counts[i];
}

void run_points(const struct stored_run *run, struct strings *ret)
{
    const json_t *points = json_object_get(run->run, "points");
    size_t n = json_array_size(points);
    cleanup_free bool *aside = xcalloc(n + 1, sizeof(*aside));

    mark_aside(run, aside, n);
    for (size_t i = 0; i < n; i++)
        if (!aside[i])
            add_once(ret, json_text_or(json_object_get(json_array_get(points, i), "label"), NULL));
    for (size_t r = 0; r < run->n_repetitions; r++)
        if (record_measures(&run->repetitions[r]))
            add_once(ret, run->repetitions[r].point);
}

bool run_compares_saved(const struct stored_run *run)
{
    return json_object_get(json_object_get(run->run, "comparison"), "pairs") != NULL;
}

uint32_t run_hops(const struct stored_run *run, const char *arm, const char *point)
{
    const json_t *p;
    size_t i;

    json_array_foreach(json_object_get(run->run, "points"), i, p)
    {
        if (strcmp(json_text_or(json_object_get(p, "label"), ""), point) == 0)
            return (uint32_t)json_number_or(json_object_get(json_object_get(p, "hops"), arm), 0);
    }
    return 0;
}

const char *run_unfinished(const struct stored_run *run)
{
    static const char *const words[][2] = {
        {"interrupted", "interrupted"}, {"failed", "run failed"}, {"running", "still running"}};
    const char *state = json_text_or(json_object_get(run->run, "state"), "");
    const json_t *rule = json_object_get(run->run, "comparison");

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(state, words[i][0]) == 0)
            return words[i][1];
    return json_array_size(json_object_get(rule, "incomplete")) ? "incomplete run" : NULL;
}

double run_rate(const struct stored_run *run, const char *point)
{
    return json_rate_or(run_setting(run, point, "rate"), 0);
}

enum { MOST_CPUS = 1 << 20 }; /* more are a mistake */

double run_cpus(const struct stored_run *run)
{
    json_t *environment = json_object_get(run->run, "environment");

    double cpus = json_number_or(json_object_get(environment, "cpus_online"), 0);

    return cpus > 0 && cpus <= MOST_CPUS ? cpus : 0;
}

double cpus_in_list(const char *list)
{
    uint64_t mask[UNITS_CPU_WORDS] = {0};
    double n = 0;

    if (!list || parse_cpus(list, mask, NULL) < 0)
        return 0;
    for (int i = 0; i < UNITS_CPU_WORDS; i++)
        n += __builtin_popcountll(mask[i]);
    return n;
}

double run_cpus_allowed(const struct stored_run *run)
{
    json_t *environment = json_object_get(run->run, "environment");

    return cpus_in_list(json_text_or(json_object_get(environment, "cpus_allowed"), NULL));
}
