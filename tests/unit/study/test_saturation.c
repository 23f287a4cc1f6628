/* SPDX-License-Identifier: Apache-2.0 */
#include "study/saturation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../scenario/plugins.h"
#include "base/memory.h"
#include "scenario/parts.h"

static void checked(struct scenario *s, const char *yaml)
{
    struct bench_error err = {0};
    struct yaml_tree tree = {0};

    scenario_init(s);
    if (yaml_tree_parse(&tree, "f", yaml, strlen(yaml), &err) < 0 ||
        scenario_read_tree(s, &tree, &err) < 0 ||
        scenario_check(s, &test_registry, test_capture_known, &err) < 0)
        fail_msg("%s", err.message);
    yaml_tree_release(&tree);
}

/* Every arm once, in a closed loop, whatever is measured later; stored is what was asked for. */
static void begins_with_a_closed_loop(void **state)
{
    struct bench_error err = {0};
    struct scenario s;
    struct plan p;

    (void)state;
    checked(&s, "bench: 1\nseed: 1\nrepeat: 7\nrate: auto\nrelays: [none, fast]\n");
    assert_int_equal(saturation_first_plan(&p, &s, &test_registry, &err), 0);
    assert_int_equal(p.n_steps, 2);
    for (size_t i = 0; i < p.n_steps; i++) {
        assert_true(p.steps[i].point->scenario.rate == 0);
        assert_string_equal(p.steps[i].purpose, PURPOSE_SEARCH);
    }
    assert_true(p.scenario.rate == RATE_AUTO);
    assert_int_equal(p.scenario.repeat, 7);
    plan_release(&p);
    assert_int_equal(saturation_rated_plan(&p, &s, &test_registry, &err), 0);
    assert_true(p.steps[0].point->scenario.rate > 0);
    plan_release(&p);
    scenario_release(&s);
}

/* Below what was found, at rates that can be read. */
static void measures_below_what_was_found(void **state)
{
    static const double shares[SATURATION_RATES] = {0.2, 0.4, 0.6, 0.8, 0.9, 0.95};
    const struct saturation found = {.rate = 12340};
    struct bench_error err = {0};
    struct scenario s, measured;
    struct plan p;

    (void)state;
    checked(&s, "bench: 1\nseed: 1\nrepeat: 3\nrate: auto\nrelays: [none, fast]\n");
    saturation_scenario(&measured, &s, &found);
    assert_int_equal(plan_make(&p, &measured, &test_registry, &err), 0);
    assert_int_equal(p.n_points, SATURATION_RATES);
    assert_int_equal(p.n_steps, 2 * 3 * SATURATION_RATES);
    for (size_t i = 0; i < SATURATION_RATES; i++) {
        double rate = p.points[i].scenario.rate;

        assert_true(fabs(rate / (shares[i] * found.rate) - 1) < 0.01);
        assert_true(rate < found.rate);
    }
    plan_release(&p);
    scenario_release(&measured);
    scenario_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_a_closed_loop),
        cmocka_unit_test(measures_below_what_was_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
