/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "stats/sides.h"

static void begin(struct stats_sides *s, double error)
{
    stats_sides_begin(s, -0.1, 0.05, error);
}

/* Far from good and at bad: a block wins at most ln 1.9, so 1 in 200 takes nine of them. */
static void clear_cases(void **state)
{
    struct stats_sides s;

    (void)state;
    begin(&s, 0.005);
    for (int i = 0; i < 8; i++)
        assert_int_equal(stats_sides_tell(&s, -0.1, 0), STATS_UNDECIDED);
    assert_int_equal(stats_sides_tell(&s, -0.1, 0), STATS_LIKE_BAD);
    assert_int_equal(s.n, 9);
    assert_int_equal(stats_sides_least(0.005), 9);
    assert_int_equal(stats_sides_least(0.5), 2);
    assert_int_equal(stats_sides_least(0), 0);
    assert_true(fabs(s.against_good - 9 * log(1.9)) < 1e-12 && s.against_bad == 0);

    begin(&s, 0.005);
    for (int i = 0; i < 8; i++)
        assert_int_equal(stats_sides_tell(&s, 0, INFINITY), STATS_UNDECIDED);
    assert_int_equal(stats_sides_tell(&s, 0, INFINITY), STATS_LIKE_GOOD);

    /* Shown to be like neither in the same block: the nearer one. */
    begin(&s, 0.1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stats_sides_tell(&s, -0.05, 0.5), STATS_UNDECIDED);
    assert_int_equal(stats_sides_tell(&s, -0.05, 0.5), STATS_LIKE_GOOD);
    begin(&s, 0.1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stats_sides_tell(&s, -0.5, 0.05), STATS_UNDECIDED);
    assert_int_equal(stats_sides_tell(&s, -0.5, 0.05), STATS_LIKE_BAD);

    /* The opposite of what bad is: surely not bad, and less and less unlike good. */
    begin(&s, 0.1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stats_sides_tell(&s, 0.1, 0.2), STATS_UNDECIDED);
    assert_int_equal(stats_sides_tell(&s, 0.1, 0.2), STATS_LIKE_GOOD);
    assert_true(fabs(s.against_good - 4 * log(0.1)) < 1e-9);
}

/* tanh(effect |x| / spread²): small differences are small bets. */
static void bets(void **state)
{
    struct stats_sides s;

    (void)state;
    begin(&s, 0.01);
    stats_sides_tell(&s, -0.01, 0.005);
    assert_true(fabs(s.against_good - log1p(tanh(0.4))) < 1e-12);
    assert_true(fabs(s.against_bad - log1p(tanh(0.2))) < 1e-12);
    stats_sides_tell(&s, 0.01, -0.005);
    assert_true(fabs(s.against_good - log1p(-pow(tanh(0.4), 2))) < 1e-12);
    assert_true(fabs(s.against_bad - log1p(-pow(tanh(0.2), 2))) < 1e-12);
}

static void decides_nothing(double effect, double spread, double error, double x, double y)
{
    struct stats_sides s;

    stats_sides_begin(&s, effect, spread, error);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(stats_sides_tell(&s, x, y), STATS_UNDECIDED);
    assert_int_equal(s.n, 1000);
}

static void odd_input(void **state)
{
    (void)state;
    decides_nothing(-0.1, 0.05, 0.01, NAN, NAN);
    decides_nothing(-0.1, 0.05, 0.01, 0, 0);
    decides_nothing(0, 0.05, 0.01, -1, 1);
    decides_nothing(NAN, 0.05, 0.01, -1, 1);
    decides_nothing(-INFINITY, 0.05, 0.01, -1, 1);
    decides_nothing(-0.1, NAN, 0.01, -1, 1);
    decides_nothing(-0.1, INFINITY, 0.01, -INFINITY, 0);
    decides_nothing(-0.1, 0.05, 0, -1, 1);
    decides_nothing(-0.1, 0.05, 1, -1, 1);
    decides_nothing(-0.1, 0.05, NAN, -1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_cases),
        cmocka_unit_test(bets),
        cmocka_unit_test(odd_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
