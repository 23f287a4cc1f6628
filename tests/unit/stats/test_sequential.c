/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "stats/sequential.h"
#include "stats/signed_rank.h"

static void second_stage(void **state)
{
    const double h = log1p(0.02);

    (void)state;
    assert_int_equal(stats_second_stage(h, 0.02), 10);
    assert_int_equal(stats_second_stage(h / 2, 0.02), 10);
    assert_int_equal(stats_second_stage(0, 0.02), 10);
    assert_int_equal(stats_second_stage(1.5 * h, 0.02), 23); /* 22.5 */
    assert_int_equal(stats_second_stage(1.99 * h, 0.02), 40);
    assert_int_equal(stats_second_stage(9 * h, 0.02), 40);
    assert_int_equal(stats_second_stage(INFINITY, 0.02), 40);
    assert_int_equal(stats_second_stage(NAN, 0.02), 40);
    assert_int_equal(stats_second_stage(h, 0), 40);
    assert_int_equal(stats_second_stage(h, -0.02), 40);
    assert_int_equal(stats_second_stage(h, NAN), 40);
}

/* Each look can decide: its blocks are enough for an interval at its level. */
static void looks(void **state)
{
    struct stats_look look, before = {0};
    size_t i;

    (void)state;
    for (i = 0; stats_look(i, &look); i++) {
        assert_true(look.n > before.n && look.alpha > before.alpha && look.alpha < 0.05);
        assert_true(stats_signed_rank_least(look.alpha) <= look.n);
        before = look;
    }
    assert_int_equal(i, 4);
    assert_int_equal(look.n, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_stage),
        cmocka_unit_test(looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
