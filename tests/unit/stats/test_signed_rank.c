/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/signed_rank.h"

static void assert_close(double got, double expected)
{
    assert_true(fabs(got - expected) <= 1e-12 * (1 + fabs(expected)));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void small_and_odd_samples(void **state)
{
    const double x[] = {3, 3, 3, 3};
    const double nan[] = {1, NAN, 3, 4, 5, 6, 7};
    struct stats_interval i;

    (void)state;
    stats_signed_rank(NULL, 0, 0.05, &i);
    assert_true(isnan(i.estimate) && !i.has_interval && i.k == 0 && isnan(i.low) && isnan(i.high));
    stats_signed_rank(x, 1, 0.05, &i);
    assert_true(i.estimate == 3 && !i.has_interval);
    stats_signed_rank((double[]){1, 2}, 2, 0.05, &i);
    assert_true(i.estimate == 1.5 && !i.has_interval && isnan(i.low));
    stats_signed_rank(nan, 7, 0.05, &i);
    assert_true(isnan(i.estimate) && !i.has_interval);
    stats_signed_rank((double[]){1, 2, 3, 4, 5, 6}, 6, NAN, &i);
    assert_true(i.estimate == 3.5 && !i.has_interval);
    stats_signed_rank((double[]){DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX, DBL_MAX}, 6, 0.05,
                      &i);
    assert_true(i.estimate == DBL_MAX && i.high == DBL_MAX);
}

/* A failed pair is ±∞: it moves the ends of the interval by its rank, never the numbers to NaN. */
static void infinities_keep_their_rank(void **state)
{
    const double x[] = {-1, -2, -3, -4, -5, -6, -7, -8, -9, -INFINITY};
    const double both[] = {-INFINITY, INFINITY};
    struct stats_interval i;

    (void)state;
    stats_signed_rank(x, 10, 0.05, &i);
    assert_true(isfinite(i.estimate) && i.estimate < -5);
    assert_true(i.has_interval && i.low == -INFINITY && i.high == -3);
    stats_signed_rank(both, 2, 0.05, &i);
    assert_true(i.estimate == 0);
}

/* Hollander, Wolfe, Chicken, table 3.1 (depression scale factor IV, y − x): θ̂ = −.46 and the 96%
 * interval (−.786, −.010), example 3.3 and 3.4. R's wilcox.test(conf.int=TRUE) gives the same. */
static void published_example(void **state)
{
    const double x[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    const double y[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double d[9];
    struct stats_interval i;

    (void)state;
    for (int j = 0; j < 9; j++)
        d[j] = y[j] - x[j];
    stats_signed_rank(d, 9, 0.04, &i);
    assert_close(i.estimate, -0.46);
    assert_int_equal(i.k, 6);
    assert_close(i.low, -0.786);
    assert_close(i.high, -0.010);
}

/* Two-sided 5% and 1% critical values of the signed-rank sum, as in every textbook's table; R:
 * qsignrank(0.025, n) and qsignrank(0.005, n). k is one more than the critical value. */
static void published_critical_values(void **state)
{
    static const struct {
        size_t n, k95, k99;
    } row[] = {
        {5, 0, 0},    {6, 1, 0},    {7, 3, 0},    {8, 4, 1},      {9, 6, 2},      {10, 9, 4},
        {11, 11, 6},  {12, 14, 8},  {13, 18, 10}, {14, 22, 13},   {15, 26, 16},   {16, 30, 20},
        {17, 35, 24}, {18, 41, 28}, {19, 47, 33}, {20, 53, 38},   {21, 59, 43},   {22, 66, 49},
        {23, 74, 55}, {24, 82, 62}, {25, 90, 69}, {30, 138, 110}, {40, 265, 221}, {50, 435, 374},
    };
    double x[50];
    struct stats_interval i;

    (void)state;
    for (int j = 0; j < 50; j++)
        x[j] = j;
    for (size_t r = 0; r < ARRAY_SIZE(row); r++) {
        stats_signed_rank(x, row[r].n, 0.05, &i);
        assert_int_equal(i.k, row[r].k95);
        assert_int_equal(i.has_interval, row[r].k95 > 0);
        stats_signed_rank(x, row[r].n, 0.01, &i);
        assert_int_equal(i.k, row[r].k99);
    }
}

/* k from the definition: the signed-rank sums of all 2^n sign patterns. */
static size_t brute_k(size_t n, double tail)
{
    size_t sums[14 * 15 / 2 + 1] = {0}, k = 0, below = 0;

    for (unsigned signs = 0; signs < 1u << n; signs++) {
        size_t sum = 0;

        for (size_t r = 0; r < n; r++)
            sum += signs >> r & 1 ? r + 1 : 0;
        sums[sum]++;
    }
    for (size_t v = 0; v <= n * (n + 1) / 2; v++) {
        below += sums[v];
        if ((double)below <= tail * (double)(1u << n))
            k++;
    }
    return k;
}

static void agrees_with_brute_force(void **state)
{
    static const double alphas[] = {0.2, 0.1, 0.05, 0.03125, 0.02, 0.01, 0.001};
    struct random r = {.state = 8812};

    (void)state;
    for (size_t n = 1; n <= 14; n++) {
        double x[14], walsh[14 * 15 / 2];
        size_t m = 0;

        /* Few distinct values, so that ties and zeros occur. */
        for (size_t j = 0; j < n; j++)
            x[j] = (double)random_below(&r, 9) - 4;
        for (size_t a = 0; a < n; a++)
            for (size_t b = a; b < n; b++)
                walsh[m++] = (x[a] + x[b]) / 2;
        qsort(walsh, m, sizeof(*walsh), compare);
        for (size_t a = 0; a < ARRAY_SIZE(alphas); a++) {
            struct stats_interval i;

            stats_signed_rank(x, n, alphas[a], &i);
            assert_int_equal(i.k, brute_k(n, alphas[a] / 2));
            assert_true(i.estimate == (walsh[(m - 1) / 2] + walsh[m / 2]) / 2);
            if (i.k > 0)
                assert_true(i.low == walsh[i.k - 1] && i.high == walsh[m - i.k]);
        }
    }
}

/* Beyond n = 200 k is approximate: within a fifth of a percent of the exact one. */
static void large_samples(void **state)
{
    enum { N = 260, M = N * (N + 1) / 2 };
    static double x[2000], f[M + 1];
    struct stats_interval i;
    double sum = 0;
    size_t k = 0;

    (void)state;
    for (int j = 0; j < 2000; j++)
        x[j] = j;
    f[0] = 1;
    for (size_t r = 1; r <= N; r++)
        for (size_t v = M + 1; v-- > 0;)
            f[v] = 0.5 * (f[v] + (v >= r ? f[v - r] : 0));
    while ((sum += f[k]) <= 0.025)
        k++;
    stats_signed_rank(x, N, 0.05, &i);
    assert_true(fabs((double)i.k - (double)k) <= 0.002 * (double)k);
    assert_true(i.estimate == (N - 1) / 2.0 && i.low < i.estimate && i.estimate < i.high);
    stats_signed_rank(x, 2000, 0.05, &i);
    assert_true(i.has_interval && i.estimate == 999.5 && i.low + i.high == 1999);
}

/* The p from the definition: mid-ranks by counting, all 2^n sign patterns, zeros in no sum. */
static double brute_p(const double *x, size_t n)
{
    double rank[10], observed = 0;
    size_t low = 0, high = 0;

    for (size_t i = 0; i < n; i++) {
        rank[i] = 0.5;
        for (size_t j = 0; j < n; j++)
            rank[i] += fabs(x[j]) < fabs(x[i]) ? 1 : fabs(x[j]) == fabs(x[i]) ? 0.5 : 0;
        rank[i] = x[i] == 0 ? 0 : rank[i];
        observed += x[i] > 0 ? rank[i] : 0;
    }
    for (unsigned signs = 0; signs < 1u << n; signs++) {
        double sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += signs >> i & 1 ? rank[i] : 0;
        low += sum <= observed;
        high += sum >= observed;
    }
    return fmin(1, 2.0 * (double)(low < high ? low : high) / (double)(1u << n));
}

static void p_is_the_share_of_sign_flips(void **state)
{
    struct random r = {.state = 8812};

    (void)state;
    for (size_t n = 1; n <= 10; n++)
        for (size_t trial = 0; trial < 30; trial++) {
            double x[10];

            for (size_t j = 0; j < n; j++)
                x[j] = (double)random_below(&r, 15) - 4;
            assert_close(stats_signed_rank_p(x, n), brute_p(x, n));
        }
}

/* Whenever the interval excludes 0, p is as small; without ties and zeros also the other way. */
static void p_agrees_with_the_interval(void **state)
{
    static const double alphas[] = {0.2, 0.1, 0.05, 0.05 / 3, 0.01};
    struct random r = {.state = 8812};

    (void)state;
    for (size_t trial = 0; trial < 3000; trial++) {
        size_t n = 4 + random_below(&r, 12);
        bool ties = random_below(&r, 2);
        double x[16], p;

        for (size_t j = 0; j < n; j++)
            x[j] = ties ? (double)random_below(&r, 12) - 3
                        : (double)random_below(&r, 1000000) - 300000.5 + (double)j * 1e-3;
        p = stats_signed_rank_p(x, n);
        for (size_t a = 0; a < ARRAY_SIZE(alphas); a++) {
            struct stats_interval i;
            bool excludes;

            stats_signed_rank(x, n, alphas[a], &i);
            excludes = i.low > 0 || i.high < 0;
            assert_true(!excludes || p <= alphas[a]);
            assert_true(ties || excludes == (p <= alphas[a]));
        }
    }
}

/* R: wilcox.test(x, y, paired = TRUE, alternative = "greater") of the depression data, the example
 * of its help page: V = 40, p-value = 0.01953; two-sided twice that. */
static void published_p(void **state)
{
    const double x[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    const double y[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double d[9];

    (void)state;
    for (int j = 0; j < 9; j++)
        d[j] = x[j] - y[j];
    assert_close(stats_signed_rank_p(d, 9), 20.0 / 512);
}

static void odd_p(void **state)
{
    static double large[300];
    double p;

    (void)state;
    assert_true(isnan(stats_signed_rank_p(NULL, 0)));
    assert_true(isnan(stats_signed_rank_p((double[]){1, NAN}, 2)));
    assert_close(stats_signed_rank_p((double[]){0, 0, 0}, 3), 1);
    assert_close(stats_signed_rank_p((double[]){INFINITY, INFINITY, 1, 2, 3, 4}, 6), 2.0 / 64);
    assert_close(stats_signed_rank_p((double[]){-INFINITY, INFINITY}, 2), 1);
    /* Above 200 the normal takes over; zeros and ties included. */
    for (int j = 0; j < 300; j++)
        large[j] = j % 20 ? (j % 2 ? j + 1 : -j - 1.5) : 0;
    p = stats_signed_rank_p(large, 300);
    assert_true(p > 0.3 && p < 0.7);
    for (int j = 0; j < 300; j++)
        large[j] = j % 10 ? j + 1 : -j - 1;
    assert_true(stats_signed_rank_p(large, 300) < 1e-20);
}

static void least_samples(void **state)
{
    (void)state;
    assert_int_equal(stats_signed_rank_least(0.05), 6);
    assert_int_equal(stats_signed_rank_least(0.05 / 2), 7);
    assert_int_equal(stats_signed_rank_least(0.05 / 3), 7);
    assert_int_equal(stats_signed_rank_least(0.05 / 6), 8);
    assert_int_equal(stats_signed_rank_least(0.0625), 5);
    assert_int_equal(stats_signed_rank_least(0), 0);
    assert_int_equal(stats_signed_rank_least(NAN), 0);
    for (double alpha = 0.5; alpha > 1e-6; alpha *= 0.7) {
        size_t n = stats_signed_rank_least(alpha);
        double x[24] = {0};
        struct stats_interval i;

        stats_signed_rank(x, n, alpha, &i);
        assert_true(i.has_interval);
        stats_signed_rank(x, n - 1, alpha, &i);
        assert_false(i.has_interval);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_and_odd_samples),
        cmocka_unit_test(infinities_keep_their_rank),
        cmocka_unit_test(published_example),
        cmocka_unit_test(published_critical_values),
        cmocka_unit_test(agrees_with_brute_force),
        cmocka_unit_test(large_samples),
        cmocka_unit_test(p_is_the_share_of_sign_flips),
        cmocka_unit_test(p_agrees_with_the_interval),
        cmocka_unit_test(published_p),
        cmocka_unit_test(odd_p),
        cmocka_unit_test(least_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
