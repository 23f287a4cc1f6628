/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"

enum { FLAG_KEEP = ARGUMENT_OWN };

static const struct flag flags[] = {
    {{"relay", 1, NULL, 'r'}, "-r, --relay NAME,…", "the arms"},
    {{"set", 1, NULL, ARGUMENT_SET}, "--set KEY=VALUE", "any key"},
    {{"keep", 0, NULL, FLAG_KEEP}, "--keep", "keep it"},
    {{"quiet", 0, NULL, 'q'}, "-q, --quiet", "say nothing"},
};

/* Of "bench run", up to NULL. */
static void scan(struct arguments *a, const char *capture, ...)
{
    static char *argv[32];
    int argc = 1;
    va_list ap;

    argv[0] = "run";
    va_start(ap, capture);
    while ((argv[argc] = va_arg(ap, char *)))
        argc++;
    va_end(ap);
    arguments_scan(a, flags, ARRAY_SIZE(flags), capture, argc, argv);
}

static void refuses(struct arguments *a, const char *message, const char *hint)
{
    struct bench_error err = {0};

    assert_int_equal(arguments_check(a, &err), -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    arguments_release(a);
}

static void collects_in_their_order(void **state)
{
    struct bench_error err = {0};
    struct arguments a;

    (void)state;
    scan(&a, NULL, "--keep", "a.yaml", "-qr", "nginx", "--hops=2", NULL);
    assert_int_equal(arguments_check(&a, &err), 0);
    assert_string_equal(arguments_scenario(&a), "a.yaml");
    assert_int_equal(a.n, 4);
    assert_int_equal(a.given[0].flag, FLAG_KEEP);
    assert_int_equal(a.given[1].flag, 'q');
    assert_string_equal(a.given[2].value, "nginx");
    assert_string_equal(a.given[3].word, "--hops=2");
    assert_true(arguments_have(&a, 'q'));
    assert_false(arguments_have(&a, 'h'));
    arguments_release(&a);
}

static void words_stand_anywhere(void **state)
{
    struct arguments a;

    (void)state;
    scan(&a, NULL, "-q", NULL);
    assert_null(arguments_scenario(&a));
    arguments_release(&a);
    scan(&a, NULL, "-q", "--", "-strange.yaml", NULL);
    assert_string_equal(arguments_scenario(&a), "-strange.yaml");
    arguments_release(&a);
    scan(&a, NULL, "one", "-q", "--", "two", NULL);
    assert_int_equal(a.n_words, 2);
    refuses(&a, "two scenarios: 'one' and 'two'", "");
}

static void refuses_the_first_that_cannot_be(void **state)
{
    struct arguments a;

    (void)state;
    scan(&a, NULL, "--hosp", "2", "--zzz", NULL);
    refuses(&a, "unknown or ambiguous option '--hosp'", "did you mean '--hops'?");
    scan(&a, NULL, "-qx", NULL);
    refuses(&a, "unknown or ambiguous option '-x'", "'bench run --help' lists the options");
    scan(&a, NULL, "one", "--set", NULL);
    refuses(&a, "option '--set' needs a value", "");
}

static void sets_keys_and_options(void **state)
{
    struct bench_error err = {0};
    struct arguments a;
    struct scenario s;

    (void)state;
    scenario_init(&s);
    scan(&a, "stat", "-r", "none,nginx", "--cpu-limit", "0.5", "--set", "hops=2", "--events",
         "instructions", NULL);
    assert_int_equal(a.n, 4);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(arguments_apply(&a, &a.given[i], &s, &err), 0);
    assert_int_equal(s.n_arms, 2);
    assert_true(s.cpu_limit == 0.5);
    assert_int_equal(s.hops, 2);
    assert_true(a.given[3].flag >= ARGUMENT_OPTION);
    assert_int_equal(scenario_set(&s, "capture", "stat", "--capture", &err), 0);
    assert_int_equal(arguments_apply(&a, &a.given[3], &s, &err), 0);
    arguments_release(&a);
    scan(&a, NULL, "--set", "=2", NULL);
    assert_int_equal(arguments_apply(&a, &a.given[0], &s, &err), -1);
    assert_string_equal(err.message, "--set: '=2' is not KEY=VALUE");
    arguments_release(&a);
    scenario_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_in_their_order),
        cmocka_unit_test(words_stand_anywhere),
        cmocka_unit_test(refuses_the_first_that_cannot_be),
        cmocka_unit_test(sets_keys_and_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
