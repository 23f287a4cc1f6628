/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "store/disturbed.h"
#include "store/record_json.h"

static void add(struct repetition_record *r, enum disturbance_kind kind, int64_t begin, int64_t end)
{
    disturbances_add(&r->disturbances, "relay_1", kind, xstrdup("it"), begin, end);
}

#define S INT64_C(1000000000)

static void only_what_was_in_the_window(void **state)
{
    struct repetition_record r = {.window_begin_ns = 10 * S, .window_end_ns = 12 * S};
    cleanup_free char *text = NULL, *change = NULL;

    (void)state;
    add(&r, DISTURBANCE_STOPPED, 8 * S, 9 * S);
    add(&r, DISTURBANCE_CPUS, 11 * S, 11 * S);
    add(&r, DISTURBANCE_STOPPED, 9 * S, 10 * S + S / 4);
    add(&r, DISTURBANCE_PRIORITY, 13 * S, 13 * S);
    record_keep_disturbances(&r);
    assert_int_equal(r.disturbances.count, 2);
    assert_ptr_equal(record_spoiled(&r), &r.disturbances.items[1]);
    text = record_disturbance_text(&r, record_spoiled(&r));
    assert_string_equal(text, "relay_1: it from 0.00 s to 0.25 s of the window");
    change = record_disturbance_text(&r, &r.disturbances.items[0]);
    assert_string_equal(change, "relay_1: it at 1.00 s of the window");
    record_release(&r);
}

/* Between its slices a client is stopped on purpose; what is changed there lasts. */
static void between_slices_it_may_stand_still(void **state)
{
    struct repetition_record r = {.window_begin_ns = 0, .window_end_ns = 7 * S};
    cleanup_free char *text = NULL;

    (void)state;
    record_add_slice(&r, 0, 2 * S);
    record_add_slice(&r, 5 * S, 7 * S);
    add(&r, DISTURBANCE_STOPPED, 3 * S, 4 * S);
    add(&r, DISTURBANCE_LIMIT, 3 * S, 3 * S);
    record_keep_disturbances(&r);
    assert_int_equal(r.disturbances.count, 1);
    assert_int_equal(r.disturbances.items[0].kind, DISTURBANCE_LIMIT);
    add(&r, DISTURBANCE_STOPPED, 6 * S, 6 * S);
    record_keep_disturbances(&r);
    assert_int_equal(r.disturbances.count, 2);
    text = record_disturbance_text(&r, &r.disturbances.items[1]);
    assert_string_equal(text, "relay_1: it at 3.00 s of the window");
    record_release(&r);
}

/* A crash is an outcome, a stop from outside is none. */
static void what_is_an_outcome(void **state)
{
    struct repetition_record r = {.window_end_ns = S};

    (void)state;
    add(&r, DISTURBANCE_REPLACED, 0, 0);
    assert_non_null(record_spoiled(&r));
    assert_null(record_unfit(&r));
    assert_false(record_has_no_outcome(&r));
    add(&r, DISTURBANCE_CPUS, 0, 0);
    assert_null(record_unfit(&r)); /* failed, and not by that */
    r.ok = true;
    assert_non_null(record_unfit(&r));
    assert_false(record_has_no_outcome(&r));
    r.ok = false;
    add(&r, DISTURBANCE_STOPPED, 0, 0);
    assert_true(record_has_no_outcome(&r));
    record_release(&r);
}

static void they_are_stored(void **state)
{
    struct repetition_record r = {0}, again = {0};
    struct bench_error err = {0};
    json_t *json, *newer;

    (void)state;
    sample_record(&r, 1, "nginx");
    add(&r, DISTURBANCE_PRIORITY, 5, 5);
    add(&r, DISTURBANCE_STOPPED, 6, 7);
    json = record_to_json(&r);
    newer = json_deep_copy(json_array_get(json_object_get(json, "disturbances"), 0));
    json_object_set_new(newer, "kind", json_string("teleported"));
    json_array_append_new(json_object_get(json, "disturbances"), newer);
    assert_int_equal(record_from_json(&again, json, &err), 0);
    assert_int_equal(again.disturbances.count, 2);
    assert_int_equal(again.disturbances.items[1].kind, DISTURBANCE_STOPPED);
    assert_string_equal(again.disturbances.items[1].what, "it");
    assert_string_equal(again.disturbances.items[1].role, "relay_1");
    assert_int_equal(again.disturbances.items[1].begin_ns, 6);
    assert_int_equal(again.disturbances.items[1].end_ns, 7);
    record_release(&again);
    json_object_set_new(json, "disturbances", json_pack("[{s:s}]", "role", "client"));
    assert_int_equal(record_from_json(&again, json, &err), -1);
    assert_non_null(strstr(err.message, "disturbances"));
    json_decref(json);
    record_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_in_the_window),
        cmocka_unit_test(between_slices_it_may_stand_still),
        cmocka_unit_test(what_is_an_outcome),
        cmocka_unit_test(they_are_stored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
