/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "stats/order.h"

/* The tuna of Hollander and Wolfe, the example of R's help page: cor.test(x, y, method =
 * "spearman") gives rho = 0.6 and p-value = 0.0968, exactly. */
static void published_example(void **state)
{
    const double x[] = {44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1};
    const double y[] = {2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8};
    struct stats_order o, again;

    (void)state;
    stats_order(x, y, NULL, 9, &o);
    assert_true(fabs(o.correlation - 0.6) < 1e-12);
    assert_true(fabs(o.p - 0.0968) < 0.02);
    stats_order(x, y, NULL, 9, &again);
    assert_true(o.p == again.p);
}

/* Whichever the place, the second execution of a block is the slower: within the blocks all is
 * order, over all of them nearly none. Two blocks of two have four orders: p = 1/2. */
static void within_blocks(void **state)
{
    const double x[] = {10, 9, 30, 29, 2, 1, 18, 17, 8, 7, 25, 24};
    const double place[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    const size_t block[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    struct stats_order o;

    (void)state;
    stats_order(x, place, block, 12, &o);
    assert_true(o.correlation == -1);
    assert_true(fabs(o.p - 2.0 / 64) < 0.015);
    stats_order(x, place, NULL, 12, &o);
    assert_true(o.correlation > -0.2 && o.p > 0.5);
    stats_order(x, place, block, 4, &o);
    assert_true(fabs(o.p - 0.5) < 0.05);
}

static void what_cannot_be_told(void **state)
{
    const double x[] = {1, NAN, 3, 4, 5}, same[] = {2, 2, 2, 2, 2}, up[] = {1, 2, 3, 4, INFINITY};
    const size_t alone[] = {1, 2, 3, 4, 5};
    struct stats_order o;

    (void)state;
    stats_order(x, up, NULL, 5, &o);
    assert_true(isnan(o.correlation) && isnan(o.p));
    stats_order(up, x, NULL, 5, &o);
    assert_true(isnan(o.p));
    stats_order(up, up, NULL, 3, &o);
    assert_true(isnan(o.p));
    stats_order(NULL, NULL, NULL, 0, &o);
    assert_true(isnan(o.p));
    stats_order(up, same, NULL, 5, &o);
    assert_true(isnan(o.p));
    stats_order(same, up, NULL, 5, &o);
    assert_true(isnan(o.p));
    stats_order(up, up, alone, 5, &o);
    assert_true(isnan(o.p));
    stats_order(up, up, NULL, 5, &o);
    assert_true(o.correlation == 1 && o.p < 0.05);
}

/* Blocks of three arms on a drifting machine: no alarm for the place more often than at 5%, though
 * drift shows in the order of execution. */
static void false_alarms(void **state)
{
    enum { TRIALS = 300, N = 36 };
    struct lab l = LAB(8812);
    size_t place_alarms = 0, drift_alarms = 0;

    (void)state;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double x[N], place[N], when[N];
        size_t block[N];
        struct stats_order o;

        for (size_t i = 0; i < N; i++) {
            x[i] = lab_execute(&l);
            place[i] = (double)(i % 3);
            when[i] = (double)i;
            block[i] = i / 3;
        }
        stats_order(x, place, block, N, &o);
        place_alarms += o.p <= 0.05;
        stats_order(x, when, NULL, N, &o);
        drift_alarms += o.p <= 0.05;
    }
    assert_true(place_alarms < TRIALS / 10 && place_alarms > TRIALS / 100);
    assert_true(drift_alarms > TRIALS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_example),
        cmocka_unit_test(within_blocks),
        cmocka_unit_test(what_cannot_be_told),
        cmocka_unit_test(false_alarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
