/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "stats/mser.h"

enum { N = 250 };

/* Each batch is five times the same, so that its mean is the number itself. */
static void batches(const double *y, size_t k, struct stats_mser *ret)
{
    double x[40 * MSER_BATCH];

    for (size_t i = 0; i < k * MSER_BATCH; i++)
        x[i] = y[i / MSER_BATCH];
    stats_mser(x, k * MSER_BATCH, ret);
}

/* Leaving out one batch of twelve gives 8.18 / 11²; two, ten times ±1/2, 2.5 / 10²; three fewer
 * squares, but 2.22 / 9². */
static void by_hand(void **state)
{
    const double y[] = {10, 5, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2};
    struct stats_mser m;

    (void)state;
    batches(y, 12, &m);
    assert_true(m.judged && m.steady);
    assert_int_equal(m.cut, 2 * MSER_BATCH);
}

/* It still falls where the window ends: the best cut is the last one that is tried. */
static void what_does_not_settle(void **state)
{
    double y[20];
    struct stats_mser m;

    (void)state;
    for (size_t i = 0; i < 20; i++)
        y[i] = 100 - (double)i;
    batches(y, 20, &m);
    assert_true(m.judged && !m.steady);
    assert_int_equal(m.cut, 15 * MSER_BATCH);
}

/* A start that is 30% low and decays: after the cut, less than 1% of the level is missing on
 * average, and it is found in nearly every run. */
static void a_start_that_decays(void **state)
{
    enum { TRIALS = 200 };
    struct random random = {.state = 3};
    double bias = 0;
    size_t found = 0;

    (void)state;
    for (size_t t = 0; t < TRIALS; t++) {
        double x[N], sum = 0;
        struct stats_mser m;

        for (size_t i = 0; i < N; i++)
            x[i] = 100 * (1 - 0.3 * exp(-(double)i / 20)) + lab_normal(&random);
        stats_mser(x, N, &m);
        assert_true(m.judged);
        found += m.steady && m.cut >= 20;
        for (size_t i = m.cut; i < N; i++)
            sum += x[i];
        bias += sum / (double)(N - m.cut) / 100 - 1;
    }
    assert_true(fabs(bias / TRIALS) < 0.01);
    assert_true(found > TRIALS * 9 / 10);
}

static void what_cannot_be_told(void **state)
{
    double x[N] = {1};
    struct stats_mser m;

    (void)state;
    stats_mser(x, MSER_LEAST * MSER_BATCH - 1, &m);
    assert_false(m.judged);
    stats_mser(NULL, 0, &m);
    assert_false(m.judged);
    stats_mser(x, N, &m);
    assert_true(m.judged && m.cut == MSER_BATCH); /* behind which nothing varies */
    x[7] = NAN;
    stats_mser(x, N, &m);
    assert_false(m.judged);
    x[7] = INFINITY;
    stats_mser(x, N, &m);
    assert_false(m.judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(what_does_not_settle),
        cmocka_unit_test(a_start_that_decays),
        cmocka_unit_test(what_cannot_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
