/* SPDX-License-Identifier: Apache-2.0 */
#include "study/bisect_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"

static void must_set(struct scenario *s, const char *key, const char *value)
{
    struct bench_error err = {0};

    if (scenario_set(s, key, value, "--set", &err) < 0)
        fail_msg("%s", err.message);
}

/* Two relays, of which the second is to be built. */
static void begin(struct scenario *s)
{
    scenario_init(s);
    must_set(s, "relays", "none,nginx");
}

static void must_prepare(struct scenario *s, const char *path)
{
    struct bench_error err = {0};

    if (bisect_prepare(s, "nginx", path, &err) < 0)
        fail_msg("%s", err.message);
}

static void leaves_the_arm_that_is_built(void **state)
{
    struct scenario s;

    (void)state;
    begin(&s);
    must_set(&s, "fail_on", "bits_per_second < 1");
    must_prepare(&s, NULL);
    assert_int_equal(s.n_arms, 1);
    assert_string_equal(s.arms[0].name, "nginx");
    assert_string_equal(s.arms[0].path, "{build}"); /* it had none */
    assert_int_equal(s.repeat, BISECT_MOST_BLOCKS);
    assert_int_equal(s.interleave, INTERLEAVE_AUTO);
    assert_int_equal(s.fail_on.count, 0);
    scenario_release(&s);
}

static void points_an_arm_to_a_tree(void **state)
{
    struct scenario s;
    struct arm *other;

    (void)state;
    begin(&s);
    must_prepare(&s, "{build}/objs:{build}/sbin");
    settings_put(&s.arms[0].env, "LD_LIBRARY_PATH", "{build}/lib", "");
    settings_put(&s.arms[0].options, "config", "/etc/n.conf", "");
    other = scenario_repeat_arm(&s, "");
    bisect_point_arm(other, "bad 1a2b", "/t/{build}");
    assert_string_equal(other->name, "bad 1a2b");
    assert_string_equal(other->path, "/t/{build}/objs:/t/{build}/sbin"); /* in one pass */
    assert_string_equal(settings_get(&other->env, "LD_LIBRARY_PATH"), "/t/{build}/lib");
    assert_string_equal(settings_get(&other->options, "config"), "/etc/n.conf");
    assert_string_equal(s.arms[0].path, "{build}/objs:{build}/sbin");
    scenario_release(&s);
}

static void refuses(const char *key, const char *value, const char *path, const char *message)
{
    struct bench_error err = {0};
    struct scenario s;

    begin(&s);
    if (key)
        must_set(&s, key, value);
    assert_int_equal(bisect_prepare(&s, "nginx", path, &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    scenario_release(&s);
}

static void refuses_what_cannot_be_bisected(void **state)
{
    (void)state;
    refuses(NULL, NULL, "/usr/sbin", "relay 'nginx' is the same for every commit");
    refuses("rate", "auto", NULL, "a bisection needs one point: the scenario has 'rate: auto'");
    refuses("metric", "bits_per_second, latency_p99", NULL,
            "metric: one decides a bisection, here are 2");
    refuses("precision", "2%", NULL,
            "precision: a bisection stops as soon as an answer is sure enough");
    refuses("stop", "looks", NULL, "stop: a bisection stops as soon as an answer is sure enough");
    refuses("repeat", "9", NULL,
            "repeat: a bisection needs 10 blocks to tell good from bad, not 9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_the_arm_that_is_built),
        cmocka_unit_test(points_an_arm_to_a_tree),
        cmocka_unit_test(refuses_what_cannot_be_bisected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
