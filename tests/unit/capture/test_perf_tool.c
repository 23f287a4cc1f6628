/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "capture/perf_tool.h"

/* perf ends each answer with a line feed and a NUL. */
static void answers_come_in_pieces(void **state)
{
    static const char stream[] = "ack\n\0ack\n\0ack\n";
    struct perf_answers a = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(stream); i++) {
        unsigned expected = i < 4 ? 0 : i < 9 ? 1 : i < 14 ? 2 : 3;

        assert_int_equal(a.count, expected);
        perf_answers_add(&a, &stream[i], 1);
    }
    assert_int_equal(a.count, 3);
    assert_false(a.wrong);
    perf_answers_add(&a, stream, sizeof(stream));
    assert_int_equal(a.count, 6);
}

static void another_answer_is_noticed(void **state)
{
    static const char *const streams[] = {"nack\n", "\n", "ack ack\n",
                                          "ackackackackackackackackackackackackack\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        struct perf_answers a = {0};

        perf_answers_add(&a, streams[i], strlen(streams[i]));
        assert_int_equal(a.count, 0);
        assert_true(a.wrong);
    }
}

static void versions(void **state)
{
    static const char *const fine[] = {"perf version 5.12.0\n", "perf version 6.1.187\n",
                                       "perf version 6.8.12-300.fc40.x86_64\n",
                                       "perf version 5.15.rc1.g1234567\n", "perf version 10.0\n"};
    static const char *const old[] = {"perf version 5.11.9\n", "perf version 4.19.316\n"};
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
        cleanup_free char *version = perf_version(fine[i], &err);

        assert_non_null(version);
        assert_int_equal(strncmp(version, fine[i], strlen(version)), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
        assert_null(perf_version(old[i], &err));
        assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    }
    assert_string_equal(err.message,
                        "perf version 4.19.316 is too old: it takes no commands by event name");
    assert_string_equal(err.hint,
                        "install perf 5.12 or later; it need not be the kernel's own version");
}

/* Ubuntu's wrapper, when there is no perf for the running kernel. */
static void no_version(void **state)
{
    static const char said[] = "WARNING: perf not found for kernel 6.8.0-45\n";
    struct bench_error err = {0};

    (void)state;
    assert_null(perf_version(said, &err));
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message, "'perf' does not tell its version");
    assert_string_equal(err.detail, said);
    assert_null(perf_version("", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_in_pieces),
        cmocka_unit_test(another_answer_is_noticed),
        cmocka_unit_test(versions),
        cmocka_unit_test(no_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
