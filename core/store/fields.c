/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

int field_expected(struct bench_error *err, const char *what)
{
    return error_set(err, BENCH_ERROR_RUN, "expected %s", what);
}

int field_integer_within(json_t *value, int64_t low, int64_t high, int64_t *ret,
                         struct bench_error *err)
{
    int64_t n = json_integer_value(value);

    if (!json_is_integer(value) || n < low || n > high)
        return error_set(err, BENCH_ERROR_RUN, "expected an integer from %" PRId64 " to %" PRId64,
                         low, high);
    *ret = n;
    return 0;
}

static json_t *put_bool(const void *at)
{
    return json_boolean(*(const bool *)at);
}

static int get_bool(void *at, json_t *value, struct bench_error *err)
{
    if (!json_is_boolean(value))
        return field_expected(err, "true or false");
    *(bool *)at = json_is_true(value);
    return 0;
}

static json_t *put_int(const void *at)
{
    return json_integer(*(const int *)at);
}

static int get_int(void *at, json_t *value, struct bench_error *err)
{
    int64_t n = 0;

    if (field_integer_within(value, INT_MIN, INT_MAX, &n, err) < 0)
        return -1;
    *(int *)at = (int)n;
    return 0;
}

static json_t *put_int64(const void *at)
{
    return json_integer(*(const int64_t *)at);
}

static int get_time(void *at, json_t *value, struct bench_error *err)
{
    return field_integer_within(value, 0, FIELD_TIME_MAX, at, err);
}

static int get_clock_offset(void *at, json_t *value, struct bench_error *err)
{
    return field_integer_within(value, -FIELD_TIME_MAX, FIELD_TIME_MAX, at, err);
}

static json_t *put_seed(const void *at)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, *(const uint64_t *)at);
    return json_string(digits);
}

static int get_seed(void *at, json_t *value, struct bench_error *err)
{
    const char *text = json_string_value(value);
    unsigned long long n;
    char *end;

    if (!text || *text < '0' || *text > '9')
        return field_expected(err, "a number of 64 bits as a string");
    errno = 0;
    n = strtoull(text, &end, 10);
    if (*end || errno)
        return field_expected(err, "a number of 64 bits as a string");
    *(uint64_t *)at = n;
    return 0;
}

static json_t *put_number(const void *at)
{
    double n = *(const double *)at;

    return isfinite(n) ? json_real(n) : json_null();
}

static int get_number(void *at, json_t *value, struct bench_error *err)
{
    if (!json_is_number(value) && !json_is_null(value))
        return field_expected(err, "a number or null");
    *(double *)at = json_is_null(value) ? NAN : json_number_value(value);
    return 0;
}

static json_t *put_text(const void *at)
{
    const char *text = *(char *const *)at;

    return json_text(text ? text : "");
}

static int get_text(void *at, json_t *value, struct bench_error *err)
{
    if (!json_is_string(value))
        return field_expected(err, "a string");
    *(char **)at = xstrdup(json_string_value(value));
    return 0;
}

static json_t *put_text_or_null(const void *at)
{
    return json_text(*(char *const *)at);
}

static int get_text_or_null(void *at, json_t *value, struct bench_error *err)
{
    if (!json_is_string(value) && !json_is_null(value))
        return field_expected(err, "a string or null");
    *(char **)at = xstrdup(json_string_value(value));
    return 0;
}

static json_t *put_strings(const void *at)
{
    const struct strings *s = at;
    json_t *array = json_array();

    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(array, json_text(s->items[i]));
    return array;
}

static int get_strings(void *at, json_t *value, struct bench_error *err)
{
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return field_expected(err, "an array of strings");
    json_array_foreach(value, i, item)
    {
        if (!json_is_string(item))
            return field_expected(err, "an array of strings");
        strings_add(at, json_string_value(item));
    }
    return 0;
}

static json_t *put_json(const void *at)
{
    json_t *json = *(json_t *const *)at;

    return json ? json_incref(json) : json_null();
}

static int get_json(void *at, json_t *value, struct bench_error *err)
{
    (void)err;
    *(json_t **)at = json_is_null(value) ? NULL : json_incref(value);
    return 0;
}

const struct field_kind field_bool = {put_bool, get_bool};
const struct field_kind field_int = {put_int, get_int};
const struct field_kind field_time = {put_int64, get_time};
const struct field_kind field_clock_offset = {put_int64, get_clock_offset};
const struct field_kind field_seed = {put_seed, get_seed};
const struct field_kind field_number = {put_number, get_number};
const struct field_kind field_text = {put_text, get_text};
const struct field_kind field_text_or_null = {put_text_or_null, get_text_or_null};
const struct field_kind field_strings = {put_strings, get_strings};
const struct field_kind field_json = {put_json, get_json};

json_t *fields_put(const struct field *table, const void *object)
{
    json_t *json = json_object();

    for (; table->name; table++)
        json_object_set_new(json, table->name,
                            table->kind->put((const char *)object + table->offset));
    return json;
}

int fields_get(const struct field *table, void *object, json_t *json, struct bench_error *err)
{
    if (!json_is_object(json))
        return field_expected(err, "an object");
    for (; table->name; table++) {
        json_t *value = json_object_get(json, table->name);

        if (!value && table->optional)
            continue;
        if (!value)
            return error_set(err, BENCH_ERROR_RUN, "missing field '%s'", table->name);
        if (table->kind->get((char *)object + table->offset, value, err) < 0)
            return error_context(err, "field '%s'", table->name);
    }
    return 0;
}
