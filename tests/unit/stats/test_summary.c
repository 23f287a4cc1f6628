/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "stats/summary.h"

static void assert_close(double got, double expected)
{
    assert_true(fabs(got - expected) <= 1e-12 * (1 + fabs(expected)));
}

static void moments(void **state)
{
    const double x[] = {2, 4, 4, 4, 5, 5, 7, 9};

    (void)state;
    assert_close(stats_mean(x, 8), 5);
    assert_close(stats_deviation(x, 8), sqrt(32.0 / 7));
    assert_close(stats_cv(x, 8), sqrt(32.0 / 7) / 5);
    assert_close(stats_median(x, 8), 4.5);
    assert_close(stats_median(x, 7), 4);
    /* R: acf(x)$acf[2] of 1 2 3 4 5 */
    assert_close(stats_autocorrelation((double[]){1, 2, 3, 4, 5}, 5), 0.4);
    assert_close(stats_autocorrelation((double[]){1, -1, 1, -1}, 4), -0.75);
}

static void small_and_odd_samples(void **state)
{
    const double x[] = {3, 3, 3, 3};
    const double nan[] = {1, NAN, 3, 4, 5, 6, 7};

    (void)state;
    assert_true(isnan(stats_mean(NULL, 0)) && isnan(stats_median(NULL, 0)));
    assert_true(isnan(stats_deviation(x, 1)) && isnan(stats_cv(x, 1)));
    assert_true(isnan(stats_cv((double[]){-1, 1}, 2)));
    assert_true(isnan(stats_autocorrelation(x, 3)) && isnan(stats_autocorrelation(x, 4)));
    assert_true(isnan(stats_mean(nan, 7)) && isnan(stats_median(nan, 7)));
    assert_true(stats_median((double[]){-INFINITY, INFINITY}, 2) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),
        cmocka_unit_test(small_and_odd_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
