/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "stats/nested.h"

/* PlantGrowth of R's datasets: anova(lm(weight ~ group)) gives F = 4.8461 and p = 0.01591. */
static void published_example(void **state)
{
    const double x[] = {4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14,
                        4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69,
                        6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26};
    struct stats_nested s, again;

    (void)state;
    stats_nested(x, 3, 10, &s);
    assert_true(fabs(s.groups * s.groups / (s.parts * s.parts) - 4.8461) < 1e-4);
    assert_true(fabs(s.p - 0.01591) < 0.01);
    stats_nested(x, 3, 10, &again);
    assert_true(s.p == again.p);
}

/* Of groups that are alike it finds a difference as often as p says, and no more. */
static void groups_alike(void **state)
{
    enum { TRIALS = 400, GROUPS = 6, PARTS = 5 };
    struct random random = {.state = 7};
    size_t found = 0;

    (void)state;
    for (size_t t = 0; t < TRIALS; t++) {
        double x[GROUPS * PARTS];
        struct stats_nested s;

        for (size_t i = 0; i < GROUPS * PARTS; i++)
            x[i] = lab_normal(&random);
        stats_nested(x, GROUPS, PARTS, &s);
        found += s.p < 0.05;
    }
    assert_in_range(found, 8, 36); /* 20 ± 3.7 standard deviations of 4.4 */
}

static void what_cannot_be_told(void **state)
{
    const double x[] = {1, 2, 3, 4, 5, 7}, flat[] = {1, 1, 2, 2, 3, 3};
    const double hole[] = {1, 2, NAN, 4, 5, 6}, failed[] = {1, 2, INFINITY, 4, 5, 6};
    struct stats_nested s;

    (void)state;
    stats_nested(x, 3, 2, &s);
    assert_true(s.p > 0 && s.p <= 1);
    stats_nested(x, 2, 3, &s);
    assert_true(isnan(s.p));
    stats_nested(x, 6, 1, &s);
    assert_true(isnan(s.p));
    stats_nested(flat, 3, 2, &s);
    assert_true(isnan(s.p));
    stats_nested(hole, 3, 2, &s);
    assert_true(isnan(s.p));
    stats_nested(failed, 3, 2, &s);
    assert_true(isnan(s.p));
    stats_nested(NULL, 0, 0, &s);
    assert_true(isnan(s.p) && isnan(s.groups) && isnan(s.parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_example),
        cmocka_unit_test(groups_alike),
        cmocka_unit_test(what_cannot_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
