/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "base/memory.h"
#include "stats/unpaired.h"

static void assert_close(double got, double expected, double within)
{
    assert_true(fabs(got - expected) <= within);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Hollander and Wolfe, permeability of the human chorioamnion, the example of R's help page:
 * wilcox.test(x, y, alternative = "g") gives W = 35, p-value = 0.1272, two-sided twice that; the
 * estimate in the book is .305. */
static void published_example(void **state)
{
    const double x[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    const double y[] = {1.15, 0.88, 0.90, 0.74, 1.21};
    struct stats_interval i;

    (void)state;
    stats_unpaired(x, 10, y, 5, 0.05, &i);
    assert_close(i.estimate, 0.305, 1e-12);
    assert_close(stats_unpaired_p(x, 10, y, 5), 2 * 0.1272, 1e-4);
    assert_close(stats_unpaired_p(y, 5, x, 10), 2 * 0.1272, 1e-4);
    assert_int_equal(i.k, 9);
}

/* Critical values of U for a two-sided 5%, as in every textbook's table; k is one more. */
static void published_critical_values(void **state)
{
    static const struct {
        size_t n, m, critical;
    } row[] = {{4, 4, 0},  {5, 5, 2},    {6, 6, 5},    {7, 7, 8},    {8, 8, 13},    {9, 9, 17},
               {5, 10, 8}, {10, 10, 23}, {12, 12, 37}, {15, 15, 64}, {20, 20, 127}, {8, 20, 41}};
    double x[20];
    struct stats_interval i;

    (void)state;
    for (int j = 0; j < 20; j++)
        x[j] = j;
    for (size_t r = 0; r < ARRAY_SIZE(row); r++) {
        stats_unpaired(x, row[r].n, x, row[r].m, 0.05, &i);
        assert_int_equal(i.k, row[r].critical + 1);
    }
    stats_unpaired(x, 3, x, 3, 0.05, &i); /* the least p of 3 and 3 is .1 */
    assert_true(!i.has_interval && i.estimate == 0 && isnan(i.low));
}

/* All choices of n among the n + m values, the rank sum of each by counting. */
static double brute_p(const double *values, size_t n, size_t m)
{
    double rank[12], observed = 0;
    size_t low = 0, high = 0, all = 0;

    for (size_t i = 0; i < n + m; i++) {
        rank[i] = 0.5;
        for (size_t j = 0; j < n + m; j++)
            rank[i] += values[j] < values[i] ? 1 : values[j] == values[i] ? 0.5 : 0;
        observed += i < n ? rank[i] : 0;
    }
    for (unsigned choice = 0; choice < 1u << (n + m); choice++) {
        double sum = 0;

        if ((size_t)__builtin_popcount(choice) != n)
            continue;
        for (size_t i = 0; i < n + m; i++)
            sum += choice >> i & 1 ? rank[i] : 0;
        all++;
        low += sum <= observed;
        high += sum >= observed;
    }
    return fmin(1, 2.0 * (double)(low < high ? low : high) / (double)all);
}

static void agrees_with_brute_force(void **state)
{
    struct random r = {.state = 8812};

    (void)state;
    for (size_t trial = 0; trial < 200; trial++) {
        size_t n = 1 + random_below(&r, 6), m = 1 + random_below(&r, 6), all = 0;
        double values[12], d[36];
        struct stats_interval i;

        for (size_t j = 0; j < n + m; j++)
            values[j] = (double)random_below(&r, 8) + (j < n ? 2 : 0);
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < m; b++)
                d[all++] = values[a] - values[n + b];
        qsort(d, all, sizeof(*d), compare);
        assert_close(stats_unpaired_p(values, n, values + n, m), brute_p(values, n, m), 1e-12);
        stats_unpaired(values, n, values + n, m, 0.2, &i);
        assert_true(i.estimate == (d[(all - 1) / 2] + d[all / 2]) / 2);
        if (i.has_interval)
            assert_true(i.low == d[i.k - 1] && i.high == d[all - i.k]);
    }
}

static void p_agrees_with_the_interval(void **state)
{
    struct lab l = LAB(8812);

    (void)state;
    for (size_t trial = 0; trial < 400; trial++) {
        size_t n = 3 + random_below(&l.random, 10), m = 3 + random_below(&l.random, 10);
        double x[13], y[13], p, shift = 0.5 * (double)random_below(&l.random, 4);
        static const double alphas[] = {0.1, 0.05, 0.01};

        for (size_t j = 0; j < 13; j++) {
            x[j] = lab_normal(&l.random) + shift;
            y[j] = lab_normal(&l.random);
        }
        p = stats_unpaired_p(x, n, y, m);
        for (size_t a = 0; a < ARRAY_SIZE(alphas); a++) {
            struct stats_interval i;

            stats_unpaired(x, n, y, m, alphas[a], &i);
            assert_int_equal(i.low > 0 || i.high < 0, p <= alphas[a] * (1 + 1e-12));
        }
    }
}

static void least_samples(void **state)
{
    (void)state;
    assert_int_equal(stats_unpaired_least(0.1), 3);
    assert_int_equal(stats_unpaired_least(0.05), 4);
    assert_int_equal(stats_unpaired_least(0), 0);
    assert_int_equal(stats_unpaired_least(NAN), 0);
    for (double alpha = 0.5; alpha > 1e-6; alpha *= 0.7) {
        size_t n = stats_unpaired_least(alpha);
        double x[14] = {0};
        struct stats_interval i;

        stats_unpaired(x, n, x, n, alpha, &i);
        assert_true(i.has_interval);
        stats_unpaired(x, n - 1, x, n - 1, alpha, &i);
        assert_false(i.has_interval);
    }
}

static void odd_samples(void **state)
{
    const double x[] = {1, 2, NAN}, ties[] = {3, 3, 3, 3};
    const double up[] = {INFINITY, INFINITY, 1}, low[] = {INFINITY, 0, 0};
    static double a[60], b[60];
    struct stats_interval i;
    double p;

    (void)state;
    stats_unpaired(x, 3, ties, 4, 0.05, &i);
    assert_true(isnan(i.estimate) && !i.has_interval && isnan(stats_unpaired_p(x, 3, ties, 4)));
    stats_unpaired(ties, 4, NULL, 0, 0.05, &i);
    assert_true(isnan(i.estimate) && !i.has_interval);
    assert_true(isnan(stats_unpaired_p(NULL, 0, ties, 4)));
    assert_true(stats_unpaired_p(ties, 4, ties, 3) == 1);
    stats_unpaired(ties, 4, ties, 4, NAN, &i);
    assert_true(i.estimate == 0 && !i.has_interval);
    stats_unpaired(up, 3, low, 3, 0.05, &i); /* −∞, 0, 0, 1, 1 and four times ∞ */
    assert_true(i.estimate == 1);

    /* Above 50 the normal approximation: U = 861 of 51 and 50 makes z = 2.808639. */
    for (int j = 0; j < 60; j++) {
        a[j] = j;
        b[j] = j + 9.25;
    }
    p = stats_unpaired_p(a, 51, b, 50);
    assert_close(p, erfc(2.8086392507 / sqrt(2)), 1e-9);
    stats_unpaired(a, 51, b, 50, 0.05, &i);
    assert_true(i.has_interval && i.low < i.estimate && i.estimate < i.high);
    for (int j = 0; j < 60; j++)
        a[j] = 7;
    assert_true(stats_unpaired_p(a, 60, a, 60) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_example),       cmocka_unit_test(published_critical_values),
        cmocka_unit_test(agrees_with_brute_force), cmocka_unit_test(p_agrees_with_the_interval),
        cmocka_unit_test(least_samples),           cmocka_unit_test(odd_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
