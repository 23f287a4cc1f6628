/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "base/memory.h"
#include "stats/changes.h"

/* Annual flow of the Nile at Aswan, 1871 to 1970 (R: Nile). From 1899 on it is less (Cobb 1978, and
 * every work on change points since). */
static void the_nile(void **state)
{
    static const double flow[] = {
        1120, 1160, 963, 1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994,  1020,
        960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
        874,  694,  940, 833,  701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,
        1120, 1100, 832, 764,  821,  768,  845,  864,  862,  698,  845,  744,  796,  1040, 759,
        781,  865,  845, 944,  984,  897,  822,  1010, 771,  676,  649,  846,  812,  742,  801,
        1040, 860,  874, 848,  890,  744,  749,  838,  1050, 918,  986,  797,  923,  975,  815,
        1020, 906,  901, 1170, 912,  746,  919,  718,  714,  740};
    cleanup_free struct stats_change *c = NULL;

    (void)state;
    assert_int_equal(ARRAY_SIZE(flow), 100);
    assert_int_equal(stats_changes(flow, 100, 0.01, &c), 1);
    assert_int_equal(c[0].at, 1899 - 1871);
    assert_true(c[0].p == 0.001);
    assert_true(c[0].before == 1130 && c[0].after == 842.5);
}

static void levels_in_order(void **state)
{
    double x[60];
    cleanup_free struct stats_change *c = NULL;

    (void)state;
    for (int i = 0; i < 60; i++)
        x[i] = (i < 20 ? 100 : i < 40 ? 90 : 97) + (i * 7 % 5) * 0.5;
    assert_int_equal(stats_changes(x, 60, 0.01, &c), 2);
    assert_true(c[0].at == 20 && c[1].at == 40);
    assert_true(c[0].before == 101 && c[0].after == 91 && c[1].before == 91 && c[1].after == 98);
}

/* Three bad results at the end are enough, if they are clearly worse; and two levels are a
 * change, wherever failures (−∞) lie. */
static void ends_and_failures(void **state)
{
    double x[30];
    struct stats_change *c;

    (void)state;
    for (int i = 0; i < 30; i++)
        x[i] = 100 + (i * 7 % 5) - (i >= 27 ? 10 : 0);
    assert_int_equal(stats_changes(x, 30, 0.01, &c), 1);
    assert_int_equal(c[0].at, 27);
    free(c);
    for (int i = 0; i < 30; i++)
        x[i] = i == 5 || i == 20 ? -INFINITY : (i < 15 ? 100 : 90) + (i * 7 % 5);
    assert_int_equal(stats_changes(x, 30, 0.01, &c), 1);
    assert_true(c[0].at == 15 && c[0].before == 102 && c[0].after == 92);
    free(c);
}

static void nothing_to_find(void **state)
{
    double x[30];
    struct stats_change *c = NULL;

    (void)state;
    for (int i = 0; i < 30; i++)
        x[i] = i < 15 ? 1 : 2;
    assert_int_equal(stats_changes(x + 12, 5, 0.5, &c), 0); /* shorter than two segments */
    assert_int_equal(stats_changes(x, 30, 0, &c), 0);
    assert_int_equal(stats_changes(x, 30, NAN, &c), 0);
    assert_int_equal(stats_changes(NULL, 0, 0.01, &c), 0);
    x[3] = NAN;
    assert_int_equal(stats_changes(x, 30, 0.01, &c), 0);
    for (int i = 0; i < 30; i++)
        x[i] = i == 17 ? -INFINITY : 1e9; /* constant, but for one failure */
    assert_int_equal(stats_changes(x, 30, 0.01, &c), 0);
    x[17] = 1e9;
    assert_int_equal(stats_changes(x, 30, 0.01, &c), 0);
    assert_null(c);
}

/* 5%, so that a few hundred histories tell; one in 20 of their values is an outlier. */
static void false_alarms(void **state)
{
    enum { TRIALS = 400 };
    struct lab l = LAB(8812);

    (void)state;
    l.drift_sd = 0;
    for (size_t n = 15; n <= 60; n *= 2) {
        size_t alarms = 0;

        for (size_t trial = 0; trial < TRIALS; trial++) {
            double x[60];
            struct stats_change *c;

            for (size_t i = 0; i < n; i++)
                x[i] = lab_execute(&l);
            alarms += stats_changes(x, n, 0.05, &c) > 0;
            free(c);
        }
        assert_true(alarms <= 33); /* 20 expected; more than 33 in one of 500 */
        assert_true(alarms >= 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nile),          cmocka_unit_test(levels_in_order),
        cmocka_unit_test(ends_and_failures), cmocka_unit_test(nothing_to_find),
        cmocka_unit_test(false_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
