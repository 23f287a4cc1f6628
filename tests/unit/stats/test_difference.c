/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../harness/lab.h"
#include "base/memory.h"
#include "stats/difference.h"

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%.12g is not %.12g", got, expected);
}

/* One quantity, by hand: of the 20 divisions of 1 2 3 | 4 5 6 only that and its mirror are as far.
 */
static void permutation_of_one(void **state)
{
    const double apart[] = {1, 2, 3, 14, 15, 16}, same[] = {1, 2, 3, 1, 2, 3}, zero[6] = {0};
    double far[] = {0, 1, 2, 3, 104, 105, 106, 107};
    double p;

    (void)state;
    stats_permutation(apart, 1, 3, 3, &p);
    assert_near(p, 2.0 / 20, 1e-12);
    stats_permutation(far, 1, 4, 4, &p);
    assert_near(p, 2.0 / 70, 1e-12);
    far[4] = 103; /* unequal sides have no mirror; here only 105 106 107 | rest is as far */
    stats_permutation(far, 1, 3, 5, &p);
    assert_near(p, 2.0 / 56, 1e-12);
    stats_permutation(same, 1, 3, 3, &p);
    assert_near(p, 1, 0);
    stats_permutation(zero, 1, 3, 3, &p);
    assert_near(p, 1, 0);
    stats_permutation(NULL, 0, 3, 3, NULL);
}

/* Adding quantities that say nothing raises p, but keeps the clear one below what one test allows.
 */
static void permutation_of_many(void **state)
{
    enum { TESTS = 300, N = 6 };
    struct random r = {.state = 8812};
    double values[TESTS * 2 * N], p[TESTS];

    (void)state;
    for (int i = 0; i < TESTS * 2 * N; i++)
        values[i] = lab_uniform(&r) + (i < 2 * N && i >= N ? 5 : 0);
    stats_permutation(values, TESTS, N, N, p);
    assert_near(p[0], 2.0 / 924, 1e-12);
    for (int t = 1; t < TESTS; t++)
        assert_true(p[t] > 0.05);
}

/* Where not all divisions can be tried: the least p is one of 2000, and twice gives the same. */
static void random_divisions(void **state)
{
    enum { N = 12 };
    double values[2 * N], p, again;

    (void)state;
    for (int i = 0; i < 2 * N; i++)
        values[i] = i % N + (i < N ? 0 : 100);
    stats_permutation(values, 1, N, N, &p);
    assert_near(p, 1.0 / 2000, 1e-12);
    for (int i = 0; i < 2 * N; i++)
        values[i] = (i * 7) % 24;
    stats_permutation(values, 1, N, N, &p);
    stats_permutation(values, 1, N, N, &again);
    assert_true(p == again && p > 0.1);
}

/* Sixty quantities that do not differ, with slow outliers common to all of a repetition: at most in
 * 5% of the rounds is any of them called different; and not in much fewer. */
static void false_alarms_of_permutation(void **state)
{
    enum { ROUNDS = 1000, TESTS = 60, N = 5 };
    struct random r = {.state = 2};
    int alarms = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        double values[TESTS * 2 * N], p[TESTS], slow[2 * N];
        bool any = false;

        for (int k = 0; k < 2 * N; k++)
            slow[k] = lab_uniform(&r) < 0.1 ? 1.3 : 1;
        for (int i = 0; i < TESTS * 2 * N; i++)
            values[i] = (10 + lab_uniform(&r) + lab_uniform(&r)) * slow[i % (2 * N)];
        stats_permutation(values, TESTS, N, N, p);
        for (int t = 0; t < TESTS; t++)
            any |= p[t] <= 0.05;
        alarms += any;
    }
    /* 50 expected; three standard deviations are 21. */
    assert_true(alarms >= 25 && alarms <= 71);
}

/* R: binom.test(a, a + b, p)$p.value where the distribution is symmetric; else by hand. */
static void count_rates(void **state)
{
    (void)state;
    assert_near(stats_count_rates(5, 1, 0, 1), 2.0 / 32, 1e-12);
    assert_near(stats_count_rates(0, 1, 5, 1), 2.0 / 32, 1e-12);
    assert_near(stats_count_rates(10, 1, 20, 1), 0.09873715, 1e-7);
    assert_near(stats_count_rates(10, 1, 20, 2), 1, 1e-12);
    assert_near(stats_count_rates(3, 1, 0, 3), 2.0 / 64, 1e-12);
    assert_near(stats_count_rates(7, 1, 7, 1), 1, 0);
    assert_near(stats_count_rates(0, 1, 0, 1), 1, 0);
    assert_near(stats_count_rates(4.6, 1, 0.4, 1), 2.0 / 32, 1e-12); /* weights are rounded */
    /* Far out, and large: 500,000 against 504,000 is 3.99 standard deviations. */
    assert_near(stats_count_rates(0, 1, 1000, 1), 0, 1e-200);
    assert_near(stats_count_rates(500000, 1, 504000, 1), erfc(3.991 / M_SQRT2), 2e-6);
    assert_true(isnan(stats_count_rates(1, 0, 1, 1)) && isnan(stats_count_rates(-1, 1, 1, 1)));
    assert_true(isnan(stats_count_rates(NAN, 1, 1, 1)) &&
                isnan(stats_count_rates(1, 1, INFINITY, 1)));
}

static double poisson(struct random *r, double mean)
{
    double n = 0;

    for (double t = -log(lab_uniform(r)); t < mean; t -= log(lab_uniform(r)))
        n++;
    return n;
}

/* Equal rates, unequal exposures: called different at 5% in at most 5% of 10,000 pairs, and not
 * much less where the counts are large enough to be fine. */
static void false_alarms_of_counts(void **state)
{
    enum { ROUNDS = 10000 };
    struct random r = {.state = 1};

    (void)state;
    for (double rate = 0.5; rate <= 50; rate *= 10) {
        int alarms = 0;

        for (int i = 0; i < ROUNDS; i++)
            alarms += stats_count_rates(poisson(&r, rate), 1, poisson(&r, 2 * rate), 2) <= 0.05;
        assert_true(alarms <= 0.05 * ROUNDS);
        if (rate == 50)
            assert_true(alarms >= 0.03 * ROUNDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permutation_of_one), cmocka_unit_test(permutation_of_many),
        cmocka_unit_test(random_divisions),   cmocka_unit_test(false_alarms_of_permutation),
        cmocka_unit_test(count_rates),        cmocka_unit_test(false_alarms_of_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
