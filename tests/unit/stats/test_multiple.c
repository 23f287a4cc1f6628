/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "stats/multiple.h"

static void assert_all(const double *got, const double *expected, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(isnan(expected[i]) ? isnan(got[i]) : fabs(got[i] - expected[i]) < 1e-12);
}

/* By hand from the definition; R: p.adjust(c(.01, .04, .03, .005), "holm") is .03 .06 .06 .02 */
static void adjusted(void **state)
{
    const double p[] = {0.01, 0.04, 0.03, 0.005};
    double a[5];

    (void)state;
    stats_holm(p, 4, a);
    assert_all(a, (double[]){0.03, 0.06, 0.06, 0.02}, 4);
    stats_holm((double[]){0.01, 0.02, 0.03, 0.04, 0.9}, 5, a);
    assert_all(a, (double[]){0.05, 0.08, 0.09, 0.09, 0.9}, 5);
}

static void odd_ones(void **state)
{
    double p[] = {NAN, 0.6, 0.02, NAN, 0.7};

    (void)state;
    stats_holm(NULL, 0, NULL);
    stats_holm(p, 5, p); /* in place */
    assert_all(p, (double[]){NAN, 1, 0.06, NAN, 1}, 5);
    p[0] = NAN;
    stats_holm(p, 1, p);
    assert_true(isnan(p[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjusted),
        cmocka_unit_test(odd_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
