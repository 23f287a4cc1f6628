/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <math.h>

#include "store/record_json.h"

static json_t *sample_json(void)
{
    struct repetition_record r;
    json_t *json;

    sample_record(&r, 2, "nginx");
    json = record_to_json(&r);
    record_release(&r);
    return json;
}

static void totals_that_are_no_number_stay_none(void **state)
{
    struct repetition_record before = {.index = 1, .block = 1, .ok = true}, after = {0};
    struct bench_error err = {0};
    json_t *json;

    (void)state;
    record_add_total(&before, "latency_p50_seconds", NAN);
    json = record_to_json(&before);
    assert_int_equal(record_from_json(&after, json, &err), 0);
    assert_true(isnan(after.totals[0].value));
    assert_string_equal(after.arm, "");
    json_decref(json);
    record_release(&before);
    record_release(&after);
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    struct repetition_record before = {.index = 1, .block = 1}, after = {0};
    struct bench_error err = {0};
    json_t *json;

    (void)state;
    before.error.kind = BENCH_ERROR_RUN;
    strcpy(before.error.detail, "caf\xe9 \xc3\xa9");
    json = record_to_json(&before);
    assert_int_equal(record_from_json(&after, json, &err), 0);
    assert_string_equal(after.error.detail, "caf\xef\xbf\xbd \xc3\xa9");
    json_decref(json);
    record_release(&after);
}

static void expect(json_t *json, const char *message)
{
    struct repetition_record r = {0};
    struct bench_error err = {0};

    assert_int_equal(record_from_json(&r, json, &err), -1);
    assert_string_equal(err.message, message);
    assert_null(r.arm);
    json_decref(json);
}

static json_t *with(const char *name, json_t *value)
{
    json_t *json = sample_json();

    json_object_set_new(json, name, value);
    return json;
}

static json_t *with_role(const char *name, json_t *value)
{
    json_t *json = sample_json();

    json_object_set_new(json_array_get(json_object_get(json, "roles"), 1), name, value);
    return json;
}

static void every_field_must_be_there(void **state)
{
    json_t *whole = sample_json(), *value;
    const char *key;

    (void)state;
    json_object_foreach(whole, key, value)
    {
        if (strcmp(key, "purpose") == 0 || strcmp(key, "captures") == 0 ||
            strcmp(key, "slices") == 0 || strcmp(key, "clocksource") == 0 ||
            strcmp(key, "warnings") == 0 || strcmp(key, "disturbances") == 0 || strcmp(key, "clock_step_ns") == 0) /* older: none */
            continue;

        json_t *json = json_deep_copy(whole);
        char *message = xasprintf("missing field '%s'", key);

        json_object_del(json, key);
        expect(json, message);
        free(message);
    }
    json_decref(whole);
}

static void every_type_is_checked(void **state)
{
    (void)state;
    expect(json_array(), "expected an object");
    expect(with("index", json_string("1")),
           "field 'index': expected an integer from 1 to 1000000");
    expect(with("index", json_integer(-1)),
           "field 'index': expected an integer from 1 to 1000000");
    expect(with("arm", json_null()), "field 'arm': expected a string");
    expect(with("seed", json_integer(1)), "field 'seed': expected a number of 64 bits as a string");
    expect(with("seed", json_string("18446744073709551616")),
           "field 'seed': expected a number of 64 bits as a string");
    expect(with("congestion", json_integer(1)), "field 'congestion': expected a string or null");
    expect(with("ok", json_null()), "field 'ok': expected true or false");
    expect(with("error", json_object()), "field 'error': expected null or an object with 'kind', "
                                         "'message', 'detail', 'hint'");
    expect(with("window_begin_ns", json_real(1)),
           "field 'window_begin_ns': expected an integer from 0 to 2305843009213693951");
    expect(with("hops", json_integer(17)), "field 'hops': expected an integer from 0 to 16");
    expect(with("roles", json_object()), "field 'roles': expected an array");
    expect(with("totals", json_pack("[i]", 1)), "field 'totals': element 0: expected an object");
    expect(with("totals", json_pack("[{s:s,s:s}]", "metric", "a", "value", "1")),
           "field 'totals': element 0: field 'value': expected a number or null");
    expect(with_role("argv", json_pack("[i]", 1)),
           "field 'roles': element 1: field 'argv': expected an array of strings");
    expect(with_role("status", json_integer(INT64_C(1) << 40)),
           "field 'roles': element 1: field 'status': expected an integer from -2147483648 to "
           "2147483647");
}

static void expect_documented(const char *doc, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        char *quoted = xasprintf("`%s`", key);

        if (!strstr(doc, quoted))
            fail_msg("docs/store-format.md lacks %s", quoted);
        free(quoted);
    }
}

static void every_field_is_documented(void **state)
{
    json_t *json = sample_json();
    struct bench_error err = {0};
    char *doc;

    (void)state;
    if (file_read(AT_FDCWD, "docs/store-format.md", 1 << 20, &doc, NULL, &err) < 0)
        fail_msg("%s (run tests from the top of the tree)", err.message);
    expect_documented(doc, json);
    expect_documented(doc, json_array_get(json_object_get(json, "roles"), 0));
    expect_documented(doc, json_array_get(json_object_get(json, "totals"), 0));
    free(doc);
    json_decref(json);
}

static void what_a_newer_bench_added_is_ignored(void **state)
{
    struct repetition_record r = {0};
    struct bench_error err = {0};
    json_t *json = with("colour", json_string("red"));

    (void)state;
    assert_int_equal(record_from_json(&r, json, &err), 0);
    json_decref(json);
    record_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_that_are_no_number_stay_none),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(every_field_must_be_there),
        cmocka_unit_test(every_type_is_checked),
        cmocka_unit_test(every_field_is_documented),
        cmocka_unit_test(what_a_newer_bench_added_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
