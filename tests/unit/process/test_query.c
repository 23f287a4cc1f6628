/* SPDX-License-Identifier: Apache-2.0 */
#include "process/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"

static int ask(const char *script, int64_t timeout_ns, struct text *ret, struct bench_error *err)
{
    const char *const arguments[] = {"-c", script, NULL};
    struct strings environment = {0};
    int result;

    strings_add(&environment, "BENCH_TEST_COLOUR=blue");
    result = process_query("/bin/sh", arguments, &environment, timeout_ns, ret, err);
    strings_release(&environment);
    return result;
}

static void reads_both_outputs_whatever_the_status(void **state)
{
    cleanup_text struct text answer = {0};

    (void)state;
    assert_int_equal(
        ask("echo one; echo $BENCH_TEST_COLOUR >&2; read line || echo no input; exit 3",
            10 * NS_PER_S, &answer, NULL),
        0);
    assert_string_equal(text_get(&answer), "one\nblue\nno input\n");
}

static void gives_up_on_who_does_not_answer(void **state)
{
    cleanup_text struct text answer = {0};
    struct bench_error err;

    (void)state;
    /* The grandchild keeps the pipe open; it must not outlive the question either. */
    assert_int_equal(ask("sleep 1000 & echo started; exit 0", 50 * NS_PER_MS, &answer, &err), -1);
    assert_string_equal(err.message, "'/bin/sh' does not answer");
    assert_string_equal(text_get(&answer), "started\n");
}

static void reads_no_more_than_enough(void **state)
{
    cleanup_text struct text answer = {0};

    (void)state;
    assert_int_equal(ask("while :; do echo 0123456789; done", 10 * NS_PER_S, &answer, NULL), 0);
    assert_in_range(answer.length, 64 << 10, 68 << 10);
}

static void says_what_cannot_be_started(void **state)
{
    const char *const none[] = {NULL};
    const struct strings environment = {0};
    cleanup_text struct text answer = {0};
    struct bench_error err;

    (void)state;
    assert_int_equal(process_query("/nonexistent", none, &environment, NS_PER_S, &answer, &err),
                     -1);
    assert_string_equal(err.message, "'/nonexistent' cannot be started");
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
}

static void finds_the_version(void **state)
{
    cleanup_free char *nginx =
        query_version_line("nginx version: nginx/1.22.1\nbuilt with gcc 12\n");
    cleanup_free char *second = query_version_line("Copyright\n\n  tool 3.5 \r\n");
    char *none = query_version_line("no digits\nhere");

    (void)state;
    assert_string_equal(nginx, "nginx version: nginx/1.22.1");
    assert_string_equal(second, "tool 3.5");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_outputs_whatever_the_status),
        cmocka_unit_test(gives_up_on_who_does_not_answer),
        cmocka_unit_test(reads_no_more_than_enough),
        cmocka_unit_test(says_what_cannot_be_started),
        cmocka_unit_test(finds_the_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
