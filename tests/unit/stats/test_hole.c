/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "stats/hole.h"

enum { TICKS = 20 };
#define TICK 0.1
#define LEAST 0.2

static void fill(double x[TICKS], double seconds[TICKS], double amount)
{
    for (size_t i = 0; i < TICKS; i++) {
        x[i] = amount;
        seconds[i] = TICK;
    }
}

static bool has_hole(const double x[TICKS], struct hole *ret)
{
    double seconds[TICKS];

    for (size_t i = 0; i < TICKS; i++)
        seconds[i] = TICK;
    return stats_hole(x, seconds, TICKS, 1, LEAST, ret);
}

static void a_stop_in_a_steady_window(void **state)
{
    double x[TICKS], seconds[TICKS];
    struct hole hole;

    (void)state;
    fill(x, seconds, 100);
    assert_false(has_hole(x, &hole));
    x[7] = x[8] = 0;
    assert_true(has_hole(x, &hole));
    assert_int_equal(hole.first, 7);
    assert_int_equal(hole.count, 2);
    assert_true(fabs(hole.seconds - 0.2) < 1e-9);
    assert_false(stats_hole(x, seconds, TICKS, 1, 0.25, &hole));   /* too short a one */
    assert_false(stats_hole(x, seconds, TICKS, 20, LEAST, &hole)); /* few pieces were due in it */
}

static void at_an_edge_it_may_have_begun_or_ended(void **state)
{
    double x[TICKS], seconds[TICKS];
    struct hole hole;

    (void)state;
    fill(x, seconds, 100);
    x[0] = x[1] = x[2] = 0;
    x[17] = x[18] = x[19] = 0;
    assert_false(has_hole(x, &hole));
}

static void bursts_are_no_holes(void **state)
{
    double x[TICKS], seconds[TICKS];
    struct hole hole;

    (void)state;
    fill(x, seconds, 0);
    for (size_t i = 0; i < TICKS; i += 4)
        x[i] = 400;
    assert_false(has_hole(x, &hole));
    x[8] = 0; /* one burst is late: still nothing else than bursts */
    assert_false(has_hole(x, &hole));
    fill(x, seconds, 100);
    x[3] = x[4] = x[11] = 0; /* single pauses of a tick beside one of two */
    assert_false(has_hole(x, &hole));
}

/* For the next request, 1 on average. */
static double wait(struct random *r)
{
    return -log(lab_uniform(r));
}

/* Requests at random moments, at rates from one to fifty per tick. */
static void chance_makes_none(void **state)
{
    struct random random = {.state = 8812};
    size_t found = 0;

    (void)state;
    for (int window = 0; window < 20000; window++) {
        double x[TICKS], rate = 1 + window % 50;
        struct hole hole;

        for (size_t i = 0; i < TICKS; i++) {
            double due = wait(&random);

            for (x[i] = 0; due < rate; due += wait(&random))
                x[i]++;
        }
        found += has_hole(x, &hole);
    }
    assert_int_equal(found, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_in_a_steady_window),
        cmocka_unit_test(at_an_edge_it_may_have_begun_or_ended),
        cmocka_unit_test(bursts_are_no_holes),
        cmocka_unit_test(chance_makes_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
