/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/option.h"
#include "capture/capture.h"

static void the_table_is_sound(void **state)
{
    struct bench_error err = {0};

    (void)state;
    assert_ptr_equal(captures[0], &capture_resources);
    for (size_t i = 0; captures[i]; i++) {
        assert_ptr_equal(capture_find(captures[i]->name), captures[i]);
        assert_non_null(captures[i]->help);
        if (option_check(captures[i]->options, captures[i]->state_size, &err) < 0)
            fail_msg("%s: %s", captures[i]->name, err.message);
    }
    assert_null(capture_find("nothing"));
}

static void defaults_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; captures[i]; i++) {
        struct bench_error err = {0};
        struct capture *c = NULL;

        if (capture_new(&c, captures[i], NULL, &err) < 0)
            fail_msg("%s", err.message);
        capture_free(c); /* never opened */
    }
    capture_free(NULL);
}

static void expect_unknown(const char *name, const char *message, const char *hint)
{
    struct capture_request request = {.name = (char *)name};
    struct bench_error err = {0};

    assert_int_equal(capture_known(&request, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void names_are_checked(void **state)
{
    struct capture_request request = {.name = (char *)"stat"};
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(capture_known(&request, &err), 0);
    expect_unknown("stats", "unknown capture 'stats'", "did you mean 'stat'?");
    expect_unknown("flame", "unknown capture 'flame'",
                   "captures are 'stat', 'record', 'c2c', 'mem', 'offcpu', 'syscalls'");
    expect_unknown("resources", "capture 'resources' is part of every repetition", "leave it out");
}

static void unknown_options_name_the_capture(void **state)
{
    struct setting item = {.key = (char *)"event", .text = (char *)"cycles"};
    struct settings settings = {.items = &item, .count = 1};
    struct bench_error err = {0};
    struct capture *c = NULL;

    (void)state;
    assert_int_equal(capture_new(&c, &capture_stat, &settings, &err), -1);
    assert_null(c);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "capture 'stat': unknown option 'event'");
    item.key = (char *)"repat"; /* one that is not in its own table */
    assert_int_equal(capture_new(&c, &capture_record, &settings, &err), -1);
    assert_string_equal(err.hint, "did you mean 'repeat'?");
}

static void only_what_perturbs_has_repetitions_of_its_own(void **state)
{
    struct setting item = {.key = (char *)"repeat", .text = (char *)"3"};
    struct settings repeat = {.items = &item, .count = 1};
    struct bench_error err = {0};
    struct capture *c = NULL;

    (void)state;
    assert_int_equal(capture_new(&c, &capture_stat, NULL, &err), 0);
    assert_int_equal(capture_repetitions(c), 0);
    capture_free(c);
    assert_int_equal(capture_new(&c, &capture_record, NULL, &err), 0);
    assert_int_equal(capture_repetitions(c), 1);
    capture_free(c);
    assert_int_equal(capture_new(&c, &capture_record, &repeat, &err), 0);
    assert_int_equal(capture_repetitions(c), 3);
    capture_free(c);
    assert_int_equal(capture_new(&c, &capture_stat, &repeat, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "capture 'stat': option 'repeat': it runs in every ordinary "
                                     "repetition");
    assert_string_equal(err.hint, "leave it out; the scenario's own 'repeat' counts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(defaults_are_valid),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(unknown_options_name_the_capture),
        cmocka_unit_test(only_what_perturbs_has_repetitions_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
