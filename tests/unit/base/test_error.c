/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void set_and_extend(void **state)
{
    struct bench_error err = {.detail = "old", .hint = "old"};

    (void)state;
    assert_int_equal(error_set(&err, BENCH_ERROR_RUN, "no %s", "luck"), -1);
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    assert_string_equal(err.message, "no luck");
    assert_string_equal(err.detail, "");
    assert_string_equal(err.hint, "");
    assert_int_equal(error_context(&err, "relay '%s'", "nginx"), -1);
    assert_string_equal(err.message, "relay 'nginx': no luck");
    error_hint(&err, "try %d", 2);
    assert_string_equal(err.hint, "try 2");
    assert_int_equal(error_errno(&err, BENCH_ERROR_USAGE, ENOENT, "open '%s'", "x"), -1);
    assert_string_equal(err.message, "open 'x': No such file or directory");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
}

static void without_an_object(void **state)
{
    static const char *const names[] = {"a", NULL};

    (void)state;
    assert_int_equal(error_set(NULL, BENCH_ERROR_RUN, "x"), -1);
    assert_int_equal(error_errno(NULL, BENCH_ERROR_RUN, EIO, "x"), -1);
    assert_int_equal(error_context(NULL, "x"), -1);
    assert_int_equal(error_unknown(NULL, "x", "y", names), -1);
    error_hint(NULL, "x");
    error_detail(NULL, "x");
}

static void after(const char *where, const char *message, const char *expected)
{
    struct bench_error err = {0};

    error_set(&err, BENCH_ERROR_USAGE, "%s", message);
    assert_int_equal(error_at(&err, where), -1);
    assert_string_equal(err.message, expected);
}

static void a_flag_is_named_once(void **state)
{
    (void)state;
    after("--rate", "rate: 'x' is no rate", "--rate: 'x' is no rate");
    after("--cpu-limit", "cpu_limit: too much", "--cpu-limit: too much");
    after("--set", "rate: 'x' is no rate", "--set: rate: 'x' is no rate");
    after("f:2:3", "rate: 'x' is no rate", "f:2:3: rate: 'x' is no rate");
    after("--rate", "rates: 'x'", "--rate: rates: 'x'");
    after("--relay", "re", "--relay: re");
    after(NULL, "rate: 'x'", "rate: 'x'");
    assert_int_equal(error_at(NULL, "--rate"), -1);
}

static void long_messages_are_cut(void **state)
{
    struct bench_error err = {0};
    char text[5000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_set(&err, BENCH_ERROR_RUN, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    error_context(&err, "at %s", "home"); /* the context stays, the end goes */
    assert_int_equal(strncmp(err.message, "at home: xxx", 12), 0);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    error_errno(&err, BENCH_ERROR_RUN, EIO, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void detail_keeps_the_last_lines(void **state)
{
    struct bench_error err = {0};
    char text[4000];

    (void)state;
    error_detail(&err, "one\ntwo\n");
    assert_string_equal(err.detail, "one\ntwo\n");
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 100 == 99 ? '\n' : 'x';
    memcpy(text + sizeof(text) - 6, "last\n", 6);
    error_detail(&err, text);
    assert_true(strlen(err.detail) < sizeof(err.detail));
    assert_int_equal(strcspn(err.detail, "\n"), 99); /* starts with a whole line */
    assert_string_equal(err.detail + strlen(err.detail) - 5, "last\n");
    memset(text, 'y', sizeof(text) - 1); /* one line that is too long: its end */
    error_detail(&err, text);
    assert_true(strlen(err.detail) > 1000);
}

static void unknown_names(void **state)
{
    static const char *const names[] = {"nginx", "none", NULL};
    static const char *const nothing[] = {NULL};
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(error_unknown(&err, "relay", "ngnix", names), -1);
    assert_string_equal(err.message, "unknown relay 'ngnix'");
    assert_string_equal(err.hint, "did you mean 'nginx'?");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    error_unknown(&err, "relay", "haproxy", names);
    assert_string_equal(err.hint, "known: nginx, none");
    error_unknown(&err, "relay", "haproxy", nothing);
    assert_string_equal(err.hint, "known: none");
    error_unknown(&err, "relay", "haproxy", NULL);
    assert_string_equal(err.hint, "known: none");
}

static void too_many_names_to_list(void **state)
{
    const char *names[200];
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < 199; i++)
        names[i] = "a_name";
    names[199] = NULL;
    error_unknown(&err, "metric", "throughput", names);
    assert_string_equal(err.hint + strlen(err.hint) - strlen(", a_name, …"), ", a_name, …");
}

/* What says something about the file, and what only about the moment. */
static void an_error_keeps_its_errno(void **state)
{
    static const int passing[] = {EACCES, EIO, EMFILE, ENFILE, ENOMEM, EINTR, EAGAIN, EPERM},
                     lasting[] = {ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG};
    struct bench_error err = {0};

    (void)state;
    assert_false(error_is_passing(&err));
    for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++) {
        error_errno(&err, BENCH_ERROR_RUN, passing[i], "x");
        error_context(&err, "y");
        assert_int_equal(err.errnum, passing[i]);
        assert_true(error_is_passing(&err));
    }
    for (size_t i = 0; i < sizeof(lasting) / sizeof(*lasting); i++) {
        error_errno(&err, BENCH_ERROR_RUN, lasting[i], "x");
        assert_false(error_is_passing(&err));
    }
    error_errno(&err, BENCH_ERROR_RUN, EIO, "x");
    error_set(&err, BENCH_ERROR_RUN, "x");
    assert_int_equal(err.errnum, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_extend),        cmocka_unit_test(without_an_object),
        cmocka_unit_test(long_messages_are_cut), cmocka_unit_test(detail_keeps_the_last_lines),
        cmocka_unit_test(unknown_names),         cmocka_unit_test(too_many_names_to_list),
        cmocka_unit_test(a_flag_is_named_once),  cmocka_unit_test(an_error_keeps_its_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
