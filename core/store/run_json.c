/* SPDX-License-Identifier: Apache-2.0 */
#include "store/run_json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "scenario/keys.h"
#include "scenario/scenario.h"
#include "store/fields.h"
#include "store/layout.h"
#include "store/store.h"

json_t *json_read(int dirfd, const char *path, const char *name, size_t limit,
                  struct bench_error *err)
{
    cleanup_free char *data = NULL;
    json_error_t e;
    json_t *json;
    size_t length;

    if ((dirfd == AT_FDCWD ? file_read(dirfd, path, limit, &data, &length, err)
                           : file_read_beneath(dirfd, path, limit, &data, &length, err)) < 0) {
        if (strcmp(path, name) != 0)
            error_context(err, "%s", name);
        return NULL;
    }
    json = json_loadb(data, length, JSON_REJECT_DUPLICATES, &e);
    if (!json && json_error_code(&e) == json_error_out_of_memory)
        error_errno(err, BENCH_ERROR_RUN, ENOMEM, "cannot read '%s'", name);
    else if (!json)
        error_set(err, BENCH_ERROR_RUN, "%s:%d:%d: %s", name, e.line, e.column, e.text);
    return json;
}

struct member {
    const char *name;
    json_type type;
    const char *what;
};

static const struct member run_members[] = {
    {"bench_version", JSON_STRING, "a string"},
    {"id", JSON_STRING, "a string"},
    {"name", JSON_STRING, "a string"},
    {"started", JSON_STRING, "a string"},
    {"state", JSON_STRING, "a string"},
    {"command", JSON_ARRAY, "an array"},
    {"cwd", JSON_STRING, "a string"},
    {"seed", JSON_STRING, "a string"},
    {"blocks", JSON_INTEGER, "an integer"},
    {"scenario", JSON_OBJECT, "an object"},
    {"points", JSON_ARRAY, "an array"},
    {"plan", JSON_ARRAY, "an array"},
    {0},
};

static const struct member point_members[] = {
    {"label", JSON_STRING, "a string"},
    {"settings", JSON_OBJECT, "an object"},
    {"hops", JSON_OBJECT, "an object"},
    {0},
};

static const struct member step_members[] = {
    {"index", JSON_INTEGER, "an integer"},
    {"block", JSON_INTEGER, "an integer"},
    {"point", JSON_INTEGER, "an integer"},
    {"arm", JSON_STRING, "a string"},
    {0},
};

static int check_members(const json_t *object, const struct member *members,
                         struct bench_error *err)
{
    if (!json_is_object(object))
        return field_expected(err, "an object");
    for (; members->name; members++) {
        const json_t *value = json_object_get(object, members->name);

        if (!value)
            return error_set(err, BENCH_ERROR_RUN, "missing field '%s'", members->name);
        if (json_typeof(value) != members->type)
            return error_set(err, BENCH_ERROR_RUN, "field '%s': expected %s", members->name,
                             members->what);
    }
    return 0;
}

static int check_elements(const json_t *run, const char *name, const struct member *members,
                          struct bench_error *err)
{
    const json_t *element;
    size_t i;

    json_array_foreach(json_object_get(run, name), i,
                       element) if (check_members(element, members, err) <
                                    0) return error_context(err, "field '%s': element %zu", name,
                                                            i);
    return 0;
}

/* As the scenario checks it; what this bench has no key for is a newer one's. */
static int check_setting(const struct bench_option *row, const json_t *value,
                         struct bench_error *err)
{
    cleanup_free char *text = json_is_string(value) ? xstrdup(json_string_value(value))
                              : json_is_number(value)
                                  ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17))
                                  : NULL;
    struct scenario scratch;
    int result;

    if (!value || row->type == BENCH_OPTION_BOOL || row->type == BENCH_OPTION_STRING ||
        row->type == BENCH_OPTION_CHOICE)
        return 0;
    if (!text)
        return error_set(err, BENCH_ERROR_RUN, "field '%s': expected a number", row->name);
    scenario_init(&scratch);
    result = option_set(row, &scratch, text, err);
    scenario_release(&scratch);
    if (result < 0 && err)
        err->kind = BENCH_ERROR_RUN;
    return result < 0 ? error_context(err, "field '%s'", row->name) : 0;
}

static int check_settings(const json_t *settings, struct bench_error *err)
{
    for (const struct bench_option *row = scenario_keys; row->name; row++)
        if (check_setting(row, json_object_get(settings, row->name), err) < 0)
            return -1;
    return 0;
}

static int check_hops(json_t *hops, struct bench_error *err)
{
    const char *arm;
    json_t *value;

    json_object_foreach(hops, arm, value)
    {
        int64_t unused;

        if (field_integer_within(value, 0, SCENARIO_MAX_HOPS, &unused, err) < 0)
            return error_context(err, "field 'hops': field '%s'", arm);
    }
    return 0;
}

/* Numbers that are used have the bounds of the scenario, which they come from. */
static int check_scenario(const json_t *run, struct bench_error *err)
{
    const json_t *point;
    size_t i;

    if (check_settings(json_object_get(run, "scenario"), err) < 0)
        return error_context(err, "field 'scenario'");
    json_array_foreach(json_object_get(run, "points"), i, point)
    {
        if (check_settings(json_object_get(point, "settings"), err) < 0 ||
            check_hops(json_object_get(point, "hops"), err) < 0)
            return error_context(err, "field 'points': element %zu", i);
    }
    return 0;
}

static int check_blocks(const json_t *run, struct bench_error *err)
{
    int64_t blocks;

    return field_integer_within(json_object_get(run, "blocks"), 0, SCENARIO_MAX_STEPS, &blocks,
                                err) < 0
               ? error_context(err, "field 'blocks'")
               : 0;
}

static int check_steps(const json_t *run, struct bench_error *err)
{
    size_t n_points = json_array_size(json_object_get(run, "points")), i;
    const json_t *step;

    json_array_foreach(json_object_get(run, "plan"), i, step)
    {
        json_int_t point = json_integer_value(json_object_get(step, "point"));

        if (json_integer_value(json_object_get(step, "index")) < 1 ||
            json_integer_value(json_object_get(step, "index")) > RUN_MOST_STEPS ||
            json_integer_value(json_object_get(step, "block")) < 1 ||
            json_integer_value(json_object_get(step, "block")) > RUN_MOST_STEPS)
            return error_set(err, BENCH_ERROR_RUN,
                             "field 'plan': element %zu: 'index' and 'block' are from 1 to %d", i,
                             RUN_MOST_STEPS);
        if (point < 0 || (size_t)point >= n_points)
            return error_set(err, BENCH_ERROR_RUN,
                             "field 'plan': element %zu: there is no point %" PRId64, i,
                             (int64_t)point);
    }
    return 0;
}

static int check_format(const json_t *run, struct bench_error *err)
{
    const json_t *format = json_object_get(run, "format");

    if (!json_is_integer(format) || json_integer_value(format) < 1)
        return error_set(err, BENCH_ERROR_RUN, "missing field 'format', a number from 1");
    if (json_integer_value(format) > STORE_FORMAT) {
        error_set(err, BENCH_ERROR_USAGE, "has format %" PRId64 ", this bench reads up to %d",
                  (int64_t)json_integer_value(format), STORE_FORMAT);
        error_hint(err, "read it with the bench that wrote it, or a newer one");
        return -1;
    }
    return 0;
}

static int check_environment(const json_t *run, struct bench_error *err)
{
    const json_t *environment = json_object_get(run, "environment");

    if (json_is_object(environment) || json_is_null(environment))
        return 0;
    return error_set(err, BENCH_ERROR_RUN, "field 'environment': expected an object or null");
}

static int check_run(const json_t *run, struct bench_error *err)
{
    if (check_format(run, err) < 0 || check_members(run, run_members, err) < 0 ||
        check_elements(run, "points", point_members, err) < 0 ||
        check_elements(run, "plan", step_members, err) < 0 || check_steps(run, err) < 0 ||
        check_environment(run, err) < 0 || check_blocks(run, err) < 0 ||
        check_scenario(run, err) < 0)
        return -1;
    return 0;
}

/* The writer holds a lock on the directory for as long as it lives. */
static bool writer_lives(int dirfd)
{
    if (flock(dirfd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(dirfd, LOCK_UN);
    return false;
}

json_t *run_json_read(int dirfd, const char *directory, struct bench_error *err)
{
    cleanup_free char *name = xasprintf("%s/" LAYOUT_RUN, directory);
    json_t *run = json_read(dirfd, LAYOUT_RUN, name, RUN_JSON_LIMIT, err);

    if (!run)
        return NULL;
    if (check_run(run, err) < 0) {
        error_context(err, "%s", name);
        json_decref(run);
        return NULL;
    }
    if (strcmp(json_string_value(json_object_get(run, "state")), "running") == 0 &&
        !writer_lives(dirfd))
        json_object_set_new(run, "state", json_string("interrupted"));
    return run;
}
