/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/saturation.h"

#define LOAD(...) saturation_judge(&(struct load){__VA_ARGS__})

static void each_rule_by_itself(void **state)
{
    (void)state;
    assert_int_equal(LOAD(1000, 980, 10, .1, .01), SATURATION_NONE);
    assert_int_equal(LOAD(1000, 979, 10, .1, .01), SATURATION_BEHIND);
    assert_int_equal(LOAD(1000, 1000, 10.1, .1, .01), SATURATION_BACKLOG);
    assert_int_equal(LOAD(1000, 1000, 0, .101, .01), SATURATION_SLOW);
    assert_int_equal(LOAD(1000, 900, 100, 1, .01), SATURATION_BEHIND);
}

static void what_is_not_known_is_not_judged(void **state)
{
    (void)state;
    assert_int_equal(LOAD(1000, 1000, NAN, NAN, NAN), SATURATION_NONE);
    assert_int_equal(LOAD(1000, 1000, NAN, 5, NAN), SATURATION_NONE);
    assert_int_equal(LOAD(NAN, 1000, 500, 1, 1), SATURATION_NONE);
}

static void a_slope_that_two_outliers_do_not_move(void **state)
{
    double x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, y[10];

    (void)state;
    for (int i = 0; i < 10; i++)
        y[i] = 5 + 3 * x[i];
    assert_true(fabs(saturation_slope(x, y, 10) - 3) < 1e-12);
    y[4] = 1000;
    y[5] = -400;
    assert_true(fabs(saturation_slope(x, y, 10) - 3) < 1e-12);
    assert_true(isnan(saturation_slope(x, y, 2)));
}

static void rates_have_three_digits(void **state)
{
    (void)state;
    assert_true(saturation_round(8.946) == 8.95);
    assert_true(saturation_round(0.0123456) == 0.0123);
    assert_true(saturation_round(99.96) == 100);
    assert_true(saturation_round(123.4) == 123);
    assert_true(saturation_round(123456) == 123000);
}

/* Plays a relay that keeps up with `truth` and not with more. */
static double search(double capacity, double truth, unsigned *ret_tries)
{
    struct saturation_search s;
    double rate;

    saturation_begin(&s, capacity, 0.05);
    while (saturation_next(&s, &rate))
        saturation_tell(&s, rate, rate <= truth);
    *ret_tries = s.tries;
    return s.low;
}

static void finds_the_edge(void **state)
{
    static const double truths[] = {0.013, 0.05, 0.19, 0.2, 0.37, 0.799, 0.8, 0.95, 1, 1.7, 6};
    static const double capacities[] = {37, 1000, 23456.789, 4e6};
    unsigned tries;

    (void)state;
    for (size_t c = 0; c < sizeof(capacities) / sizeof(*capacities); c++)
        for (size_t t = 0; t < sizeof(truths) / sizeof(*truths); t++) {
            double truth = capacities[c] * truths[t];
            double found = search(capacities[c], truth, &tries);

            assert_true(found <= truth);
            assert_true(found * 1.06 >= truth); /* 5% and the rounding */
            assert_true(tries <= 16);
        }
}

static void ends_without_an_edge(void **state)
{
    unsigned tries;

    (void)state;
    assert_true(search(1000, 0, &tries) == 0 && tries <= 6);
    assert_true(search(1000, 1e300, &tries) > 1e4 && tries == 24); /* gives up, tells what it saw */
    assert_true(search(0, 100, &tries) == 0 && tries == 0);
    assert_true(search(NAN, 100, &tries) == 0 && tries == 0);
}

static void the_light_load_comes_first(void **state)
{
    struct saturation_search s;
    double rate = 0;

    (void)state;
    saturation_begin(&s, 5000, 0.05);
    assert_true(saturation_next(&s, &rate) && rate == 1000);
    saturation_tell(&s, rate, true);
    assert_true(saturation_next(&s, &rate) && rate == 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_by_itself),
        cmocka_unit_test(what_is_not_known_is_not_judged),
        cmocka_unit_test(a_slope_that_two_outliers_do_not_move),
        cmocka_unit_test(rates_have_three_digits),
        cmocka_unit_test(finds_the_edge),
        cmocka_unit_test(ends_without_an_edge),
        cmocka_unit_test(the_light_load_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
