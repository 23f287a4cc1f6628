/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_json.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/fields.h"
#include "store/run_json.h"

#define ROLE(type, member)                                                                     \
    {                                                                                          \
        .name = #member, .kind = &field_##type, .offset = offsetof(struct record_role, member) \
    }

static const struct field role_fields[] = {
    ROLE(text, name),
    ROLE(strings, argv),
    ROLE(strings, environment),
    ROLE(number, cpu_limit),
    ROLE(time, cpu_period_ns),
    ROLE(text_or_null, cpus),
    ROLE(int, status),
    ROLE(bool, forced),
    ROLE(text_or_null, version),
    ROLE(json, binaries),
    {0},
};

static const struct field total_fields[] = {
    {.name = "metric", .kind = &field_text, .offset = offsetof(struct record_total, metric)},
    {.name = "value", .kind = &field_number, .offset = offsetof(struct record_total, value)},
    {0},
};

/* Counts have the bounds that the scenario has. */

static int get_within(void *at, json_t *value, int64_t low, int64_t high, struct bench_error *err)
{
    int64_t n = 0;

    if (field_integer_within(value, low, high, &n, err) < 0)
        return -1;
    *(uint32_t *)at = (uint32_t)n;
    return 0;
}

static json_t *put_count(const void *at)
{
    return json_integer(*(const uint32_t *)at);
}

static int get_step(void *at, json_t *value, struct bench_error *err)
{
    return get_within(at, value, 1, RUN_MOST_STEPS, err);
}

static int get_hops(void *at, json_t *value, struct bench_error *err)
{
    return get_within(at, value, 0, SCENARIO_MAX_HOPS, err);
}

static const struct field_kind field_step = {put_count, get_step};
static const struct field_kind field_hops = {put_count, get_hops};

/* The kinds below see the whole record, because an array's length is a member beside it. */

static json_t *put_roles(const void *at)
{
    const struct repetition_record *r = at;
    json_t *array = json_array();

    for (size_t i = 0; i < r->n_roles; i++)
        json_array_append_new(array, fields_put(role_fields, &r->roles[i]));
    return array;
}

static int get_roles(void *at, json_t *value, struct bench_error *err)
{
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return field_expected(err, "an array");
    json_array_foreach(value, i, item)
    {
        struct record_role *role = record_add_role(at, NULL);

        if (fields_get(role_fields, role, item, err) < 0)
            return error_context(err, "element %zu", i);
    }
    return 0;
}

static json_t *put_totals(const void *at)
{
    const struct repetition_record *r = at;
    json_t *array = json_array();

    for (size_t i = 0; i < r->n_totals; i++)
        json_array_append_new(array, fields_put(total_fields, &r->totals[i]));
    return array;
}

static int get_totals(void *at, json_t *value, struct bench_error *err)
{
    struct repetition_record *r = at;
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return field_expected(err, "an array");
    json_array_foreach(value, i, item)
    {
        record_add_total(r, NULL, 0);
        if (fields_get(total_fields, &r->totals[i], item, err) < 0)
            return error_context(err, "element %zu", i);
    }
    return 0;
}

static json_t *put_slices(const void *at)
{
    const struct repetition_record *r = at;
    json_t *array = json_array();

    for (size_t i = 0; i < r->n_slices; i++)
        json_array_append_new(array, json_pack("[I,I]", (json_int_t)r->slices[i].begin_ns,
                                               (json_int_t)r->slices[i].end_ns));
    return array;
}

/* In order, and one after the other: who joins them relies on it. */
static int get_slices(void *at, json_t *value, struct bench_error *err)
{
    int64_t before = 0;
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return field_expected(err, "an array");
    json_array_foreach(value, i, item)
    {
        json_int_t begin, end;

        if (json_unpack(item, "[I,I!]", &begin, &end) < 0 || begin < before || end < begin ||
            end > FIELD_TIME_MAX) {
            field_expected(err, "two times, the second not before the first, and after those of "
                                "the element before");
            return error_context(err, "element %zu", i);
        }
        record_add_slice(at, begin, end);
        before = end;
    }
    return 0;
}

static json_t *put_disturbances(const void *at)
{
    const struct repetition_record *r = at;
    json_t *array = json_array();

    for (size_t i = 0; i < r->disturbances.count; i++) {
        const struct disturbance *d = &r->disturbances.items[i];
        json_t *item = json_object();

        json_object_set_new(item, "role", json_text(d->role));
        json_object_set_new(item, "kind", json_text(disturbance_name(d->kind)));
        json_object_set_new(item, "what", json_text(d->what));
        json_object_set_new(item, "begin_ns", json_integer(d->begin_ns));
        json_object_set_new(item, "end_ns", json_integer(d->end_ns));
        json_array_append_new(array, item);
    }
    return array;
}

/* One of a kind that a newer bench added is left out. */
static int get_disturbances(void *at, json_t *value, struct bench_error *err)
{
    struct repetition_record *r = at;
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return field_expected(err, "an array");
    json_array_foreach(value, i, item)
    {
        const char *role, *name, *what;
        json_int_t begin, end;
        enum disturbance_kind kind;

        if (json_unpack(item, "{s:s,s:s,s:s,s:I,s:I}", "role", &role, "kind", &name, "what", &what,
                        "begin_ns", &begin, "end_ns", &end) < 0) {
            field_expected(err, "an object with 'role', 'kind', 'what', 'begin_ns' and 'end_ns'");
            return error_context(err, "element %zu", i);
        }
        if (begin < 0 || end < begin || end > FIELD_TIME_MAX) {
            field_expected(err, "two times, the second not before the first");
            return error_context(err, "element %zu", i);
        }
        if (disturbance_find(name, &kind) == 0)
            disturbances_add(&r->disturbances, role, kind, xstrdup(what), begin, end);
    }
    return 0;
}

static const char *const error_kinds[] = {
    [BENCH_ERROR_NONE] = "none",
    [BENCH_ERROR_RUN] = "run",
    [BENCH_ERROR_USAGE] = "usage",
    [BENCH_ERROR_GATE] = "gate",
    [BENCH_ERROR_INCONCLUSIVE] = "inconclusive",
    [BENCH_ERROR_ENVIRONMENT] = "environment",
};

static int error_kind_find(const char *name, enum bench_error_kind *ret)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(error_kinds); i++) {
        if (strcmp(name, error_kinds[i]) == 0) {
            *ret = (enum bench_error_kind)i;
            return 0;
        }
    }
    return -1;
}

static json_t *put_error(const void *at)
{
    const struct repetition_record *r = at;
    const struct bench_error *e = &r->error;
    json_t *json;

    if (r->ok)
        return json_null();
    json = json_object();
    json_object_set_new(json, "kind", json_text(error_kinds[e->kind]));
    json_object_set_new(json, "message", json_text(e->message));
    json_object_set_new(json, "detail", json_text(e->detail));
    json_object_set_new(json, "hint", json_text(e->hint));
    return json;
}

static int get_error(void *at, json_t *value, struct bench_error *err)
{
    struct bench_error *e = &((struct repetition_record *)at)->error;
    const char *message = json_string_value(json_object_get(value, "message"));
    const char *detail = json_string_value(json_object_get(value, "detail"));
    const char *hint = json_string_value(json_object_get(value, "hint"));

    if (json_is_null(value))
        return 0;
    if (error_kind_find(json_string_value(json_object_get(value, "kind")), &e->kind) < 0 ||
        !message || !detail || !hint)
        return field_expected(err, "null or an object with 'kind', 'message', 'detail', 'hint'");
    snprintf(e->message, sizeof(e->message), "%s", message);
    snprintf(e->detail, sizeof(e->detail), "%s", detail);
    snprintf(e->hint, sizeof(e->hint), "%s", hint);
    return 0;
}

static json_t *put_captures(const void *at)
{
    return field_json.put(&((const struct repetition_record *)at)->captures);
}

/* Files of captures lie below the repetition, whatever another has written there. */
static int get_captures(void *at, json_t *value, struct bench_error *err)
{
    json_t *capture, *file;
    size_t i, k;

    json_array_foreach(value, i, capture)
        json_array_foreach(json_object_get(capture, "files"), k, file)
    {
        const char *name = json_string_value(file);

        if (name && path_is_beneath(name))
            continue;
        error_set(err, BENCH_ERROR_RUN, "file '%s' is not below the repetition", name ? name : "");
        return error_context(err, "element %zu", i);
    }
    return field_json.get(&((struct repetition_record *)at)->captures, value, err);
}

static const struct field_kind field_captures = {put_captures, get_captures};
static const struct field_kind field_roles = {put_roles, get_roles};
static const struct field_kind field_totals = {put_totals, get_totals};
static const struct field_kind field_slices = {put_slices, get_slices};
static const struct field_kind field_disturbances = {put_disturbances, get_disturbances};
static const struct field_kind field_error = {put_error, get_error};

#define RECORD(type, member)                                 \
    {                                                        \
        .name = #member, .kind = &field_##type,              \
        .offset = offsetof(struct repetition_record, member) \
    }

static const struct field record_fields[] = {
    RECORD(step, index),
    RECORD(step, block),
    RECORD(text, arm),
    RECORD(text, relay),
    RECORD(text, point),
    {.name = "purpose",
     .kind = &field_text,
     .offset = offsetof(struct repetition_record, purpose),
     .optional = true},
    RECORD(hops, hops),
    RECORD(seed, seed),
    RECORD(text_or_null, delivered),
    RECORD(text_or_null, network),
    RECORD(text_or_null, congestion),
    {.name = "clocksource",
     .kind = &field_text_or_null,
     .offset = offsetof(struct repetition_record, clocksource),
     .optional = true},
    RECORD(bool, ok),
    {.name = "error", .kind = &field_error},
    {.name = "warnings",
     .kind = &field_strings,
     .offset = offsetof(struct repetition_record, warnings),
     .optional = true},
    RECORD(clock_offset, started_wall_ns),
    RECORD(clock_offset, wall_minus_monotonic_ns),
    {.name = "clock_step_ns",
     .kind = &field_clock_offset,
     .offset = offsetof(struct repetition_record, clock_step_ns),
     .optional = true},
    RECORD(time, total_ns),
    RECORD(time, warmup_ns),
    RECORD(time, window_begin_ns),
    RECORD(time, window_end_ns),
    {.name = "slices", .kind = &field_slices, .optional = true},
    {.name = "roles", .kind = &field_roles},
    {.name = "totals", .kind = &field_totals},
    {.name = "captures", .kind = &field_captures, .optional = true},
    {.name = "disturbances", .kind = &field_disturbances, .optional = true},
    {0},
};

json_t *record_to_json(const struct repetition_record *r)
{
    return fields_put(record_fields, r);
}

int record_from_json(struct repetition_record *ret, json_t *json, struct bench_error *err)
{
    if (fields_get(record_fields, ret, json, err) == 0)
        return 0;
    record_release(ret);
    return -1;
}
