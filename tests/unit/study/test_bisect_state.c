/* SPDX-License-Identifier: Apache-2.0 */
#include "study/bisect_state.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"

static const struct bisect_question question = {
    .build = "make", .error = 0.05, .timeout_ns = 3600000000000};

static json_t *commit(const char *hash)
{
    return json_pack("{s:s,s:s}", "commit", hash, "subject", "a subject");
}

static void knows_what_was_answered(void **state)
{
    json_t *known = bisect_state_new(&question, "/r");
    enum walk_answer answer = WALK_LIKE_GOOD;

    (void)state;
    assert_false(bisect_state_answer(known, "1a", &answer));
    bisect_state_put_answer(known, commit("1a"), WALK_BROKEN, "exits with 3", NULL, NULL);
    bisect_state_put_answer(known, commit("2b"), WALK_LIKE_BAD, NULL, "02-2b", NULL);
    assert_true(bisect_state_answer(known, "2b", &answer));
    assert_int_equal(answer, WALK_LIKE_BAD);
    assert_true(bisect_state_answer(known, "1a", &answer));
    assert_int_equal(answer, WALK_BROKEN);
    json_decref(known);
}

/* What no JSON number can hold is null, and read as NaN. */
static void puts_both_ends(void **state)
{
    json_t *known = bisect_state_new(&question, "/r"), *ends;
    struct trial_seen seen = {.metric = "latency_p99", .n = 40};
    struct judge_ends judge = {
        .margin = 0.03,
        .comparison = {.interval = {.estimate = log(0.98),
                                    .has_interval = true,
                                    .low = log(0.97),
                                    .high = INFINITY}},
        .verdict = {.finding = STATS_SAME, .margin = 0.03},
    };

    (void)state;
    bisect_state_put_ends(known, &judge, &seen, "01-good-and-bad");
    ends = json_object_get(known, "endpoints");
    assert_string_equal(bisect_state_text(known, "outcome"), "no difference");
    assert_string_equal(bisect_state_text(ends, "verdict"), "SAME within 3%");
    assert_true(fabs(bisect_state_number(ends, "ratio") - 0.98) < 1e-9);
    assert_true(fabs(bisect_state_number(ends, "low") - 0.97) < 1e-9);
    assert_true(isnan(bisect_state_number(ends, "high")));
    judge.verdict = (struct stats_verdict){.finding = STATS_BEYOND, .sign = -1, .margin = 0.03};
    json_object_set_new(known, "outcome", json_null());
    bisect_state_put_ends(known, &judge, &seen, "01-good-and-bad");
    assert_string_equal(bisect_state_text(known, "outcome"), "");
    ends = json_object_get(known, "endpoints");
    assert_string_equal(bisect_state_text(ends, "verdict"), "LOWER (by at least 3%)");
    json_decref(known);
}

static void is_read_as_it_was_written(void **state)
{
    char directory[] = "/tmp/test-bisect-state-XXXXXX";
    json_t *known = bisect_state_new(&question, "/r"), *read = NULL;
    struct bench_error err = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(bisect_state_read(directory, &read, &err), -1); /* there is none */
    bisect_state_put_answer(known, commit("1a"), WALK_UNDECIDED, NULL, "02-1a", NULL);
    assert_int_equal(bisect_state_write(known, directory, &err), 0);
    assert_int_equal(bisect_state_read(directory, &read, &err), 0);
    assert_true(json_equal(known, read));
    json_object_set_new(known, "trials", json_integer(INT64_MAX));
    assert_int_equal(bisect_state_write(known, directory, &err), 0);
    json_decref(read);
    assert_int_equal(bisect_state_read(directory, &read, &err), -1);
    assert_non_null(strstr(err.message, "field 'trials': expected an integer from 0 to 1000000"));
    read = NULL;
    json_object_set_new(known, "format", json_integer(2));
    assert_int_equal(bisect_state_write(known, directory, &err), 0);
    assert_int_equal(bisect_state_read(directory, &read, &err), -1);
    assert_non_null(strstr(err.message, "is of another version of bench"));
    json_decref(known);
    json_decref(read);
    assert_int_equal(directory_remove(AT_FDCWD, directory, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_was_answered),
        cmocka_unit_test(puts_both_ends),
        cmocka_unit_test(is_read_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
