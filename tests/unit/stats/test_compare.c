/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "stats/compare.h"

static struct stats_outcome ok(double value)
{
    return (struct stats_outcome){.value = value};
}

static void log_ratios(void **state)
{
    const struct stats_outcome failed = {.value = 3, .failed = true};

    (void)state;
    assert_true(stats_log_ratio(ok(6), ok(3), BENCH_HIGHER_IS_BETTER) == log(6) - log(3));
    assert_true(stats_log_ratio(ok(6), ok(6), BENCH_NEUTRAL) == 0);
    /* A failure is worse than any number, in the direction that is the worse one. */
    assert_true(stats_log_ratio(failed, ok(3), BENCH_HIGHER_IS_BETTER) == -INFINITY);
    assert_true(stats_log_ratio(failed, ok(3), BENCH_LOWER_IS_BETTER) == INFINITY);
    assert_true(stats_log_ratio(ok(3), failed, BENCH_HIGHER_IS_BETTER) == INFINITY);
    assert_true(stats_log_ratio(ok(3), failed, BENCH_LOWER_IS_BETTER) == -INFINITY);
    assert_true(stats_log_ratio(failed, failed, BENCH_LOWER_IS_BETTER) == 0);
    assert_true(stats_log(ok(6), BENCH_NEUTRAL) == log(6));
    /* 0 is less than anything: the worst of rates, the best of costs. */
    assert_true(stats_log_ratio(ok(0), ok(3), BENCH_HIGHER_IS_BETTER) == -INFINITY);
    assert_true(stats_log_ratio(ok(0), ok(3), BENCH_LOWER_IS_BETTER) == -INFINITY);
    assert_true(stats_log_ratio(ok(0), ok(0), BENCH_LOWER_IS_BETTER) == 0);
    assert_true(isnan(stats_log_ratio(failed, ok(3), BENCH_NEUTRAL)));
    for (size_t i = 0; i < 3; i++) {
        const double bad[] = {-1, NAN, INFINITY};

        assert_true(isnan(stats_log_ratio(ok(bad[i]), ok(1), BENCH_HIGHER_IS_BETTER)));
        assert_true(isnan(stats_log_ratio(ok(1), ok(bad[i]), BENCH_HIGHER_IS_BETTER)));
    }
}

/* Differences 1 to 10: the intervals are the k-th and last but k-th of the 55 averages. */
static void levels(void **state)
{
    const double d[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct stats_comparison c;

    (void)state;
    stats_compare(d, 10, 0.05, 1, &c);
    assert_true(c.paired && c.n == 10 && c.least == 6);
    assert_true(c.alpha == 0.05 && c.interval.estimate == 5.5 && c.p == 2.0 / 1024);
    assert_int_equal(c.interval.k, 9); /* as every table has it */
    assert_int_equal(c.equivalence.k, 11);
    stats_compare(d, 10, 0.05, 3, &c);
    assert_int_equal(c.interval.k, 5); /* 2 F(4) = 14/1024 ≤ .05/3 < 2 F(5) = 20/1024 */
    assert_int_equal(c.equivalence.k, 11);
    stats_compare(d, 10, 0.05, 0, &c);
    assert_true(!c.interval.has_interval && c.equivalence.has_interval);
    stats_compare(d, 0, 0.05, 1, &c);
    assert_true(!c.interval.has_interval && isnan(c.interval.estimate) && isnan(c.p));
    stats_compare((double[]){1, NAN, 2, 3, 4, 5, 6}, 7, 0.05, 1, &c);
    assert_true(!c.interval.has_interval && isnan(c.interval.estimate) && isnan(c.p));
}

/* The permeability data of test_unpaired.c. */
static void unpaired(void **state)
{
    const double x[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    const double y[] = {1.15, 0.88, 0.90, 0.74, 1.21};
    struct stats_comparison c;

    (void)state;
    stats_compare_unpaired(x, 10, y, 5, 0.05, 2, &c);
    assert_true(!c.paired && c.n == 5 && c.least == 5);
    assert_true(c.alpha == 0.025 && fabs(c.interval.estimate - 0.305) < 1e-12);
    assert_true(c.interval.low < c.equivalence.low && c.interval.high > c.equivalence.high);
    assert_true(c.p > 0.25 && c.p < 0.26);
}

/* z(.025) = 1.95996, z(.2) = .84162 as in every table. */
static void detectable(void **state)
{
    const double d[] = {-2, -1, 0, 1, 2, 3, 4, 5, 6, INFINITY};
    struct stats_comparison c;

    (void)state;
    stats_compare(d, 6, 0.05, 1, &c); /* [-2, 3] */
    assert_true(fabs(stats_detectable(&c) - 2.5 * (1 + 0.841621 / 1.959964)) < 1e-5);
    assert_true(fabs(stats_spread(&c) - 2.5 * sqrt(6) / 1.959964) < 1e-5);
    stats_compare(d, 5, 0.05, 1, &c);
    assert_true(isnan(stats_detectable(&c)) && isnan(stats_spread(&c)));
    stats_compare(d + 4, 6, 0.05, 1, &c);
    assert_true(stats_detectable(&c) == INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_ratios),
        cmocka_unit_test(levels),
        cmocka_unit_test(unpaired),
        cmocka_unit_test(detectable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
