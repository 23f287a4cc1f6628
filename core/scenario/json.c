/* SPDX-License-Identifier: Apache-2.0 */
/* A scenario as JSON, which is also a scenario in YAML. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "scenario/parts.h"

/* A number where JSON has the type, else the notation of the option. NULL when there is no value.
 */
static json_t *scalar(const struct bench_option *row, const struct scenario *s)
{
    const char *field = (const char *)s + row->offset;
    cleanup_free char *text = NULL;
    int64_t whole;
    double number;

    switch (row->type) {
    case BENCH_OPTION_INTEGER:
        memcpy(&whole, field, sizeof(whole));
        return json_integer(whole);
    case BENCH_OPTION_NUMBER:
        memcpy(&number, field, sizeof(number));
        return json_real(number);
    default:
        text = option_format(row, s);
        return text ? json_string(text) : NULL;
    }
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (value)
        json_object_set_new(object, key, value);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        put(object, key, json_string(text));
}

static json_t *settings_json(const struct settings *s)
{
    json_t *object = json_object();

    for (size_t i = 0; i < s->count; i++)
        put_text(object, s->items[i].key, s->items[i].text);
    return object;
}

static void put_settings(json_t *object, const char *key, const struct settings *s)
{
    if (s->count)
        put(object, key, settings_json(s));
}

json_t *scenario_chosen_options(const struct scenario *s)
{
    json_t *object = json_object();

    for (size_t i = 0; i < s->workload_options.count; i++) {
        const struct setting *option = &s->workload_options.items[i];

        if (strcmp(option->where, SETTING_DEFAULT) != 0)
            put_text(object, option->key, option->text);
    }
    return object;
}

static json_t *workload_json(const struct scenario *s)
{
    json_t *workload = json_object(), *options = settings_json(&s->workload_options);

    put_text(workload, "plugin", s->workload);
    json_object_update(workload, options);
    json_decref(options);
    return workload;
}

static json_t *relays_json(const struct scenario *s)
{
    json_t *relays = json_array();

    for (size_t i = 0; i < s->n_arms; i++) {
        const struct arm *arm = &s->arms[i];
        json_t *relay = json_object();

        put_text(relay, "name", arm->name);
        put_text(relay, "plugin", arm->plugin);
        put_text(relay, "path", arm->path);
        put_settings(relay, "env", &arm->env);
        put_settings(relay, "options", &arm->options);
        if (arm->cpu_limit >= 0)
            put(relay, "cpu_limit", json_real(arm->cpu_limit));
        if (arm->chooses_captures) {
            json_t *names = json_array();

            for (size_t k = 0; k < arm->captures.count; k++)
                json_array_append_new(names, json_text(arm->captures.items[k]));
            put(relay, "capture", names);
        }
        json_array_append_new(relays, relay);
    }
    return relays;
}

static json_t *captures_json(const struct scenario *s)
{
    json_t *captures = json_array();

    for (size_t i = 0; i < s->n_captures; i++) {
        json_t *capture = json_object();

        put(capture, s->captures[i].name, settings_json(&s->captures[i].options));
        json_array_append_new(captures, capture);
    }
    return captures;
}

static json_t *cpus_json(const struct scenario *s)
{
    json_t *cpus = json_object();

    for (size_t i = 0; i < s->n_pins; i++)
        put_text(cpus, s->pins[i].role, s->pins[i].cpus);
    return cpus;
}

static json_t *sweep_json(const struct scenario *s)
{
    json_t *sweep = json_object();

    for (size_t i = 0; i < s->n_axes; i++) {
        json_t *values = json_array();

        for (size_t j = 0; j < s->axes[i].values.count; j++)
            json_array_append_new(values, json_string(s->axes[i].values.items[j]));
        put(sweep, s->axes[i].key, values);
    }
    return sweep;
}

static json_t *gates_json(const struct scenario *s)
{
    json_t *gates = json_array();

    for (size_t i = 0; i < s->fail_on.count; i++)
        json_array_append_new(gates, json_string(s->fail_on.items[i].text));
    return gates;
}

json_t *scenario_json(const struct scenario *s)
{
    json_t *object = json_object();

    for (const struct bench_option *row = scenario_keys; row->name; row++)
        put(object, row->name, scalar(row, s));
    put(object, "workload", workload_json(s));
    if (s->n_arms)
        put(object, "relays", relays_json(s));
    put(object, "capture", captures_json(s));
    if (s->n_pins)
        put(object, "cpus", cpus_json(s));
    if (s->n_axes)
        put(object, "sweep", sweep_json(s));
    if (s->fail_on.count)
        put(object, "fail_on", gates_json(s));
    return object;
}
