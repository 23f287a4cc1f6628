/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { EXACT_N = 200 }; /* the null distribution costs n³/2 steps */

static bool any_nan(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return true;
    return false;
}

double stats_mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : NAN;
}

double stats_deviation(const double *x, size_t n)
{
    double mean = stats_mean(x, n), squares = 0;

    if (n < 2)
        return NAN;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return sqrt(squares / (double)(n - 1));
}

double stats_cv(const double *x, size_t n)
{
    double mean = stats_mean(x, n);

    return n < 2 || mean == 0 ? NAN : stats_deviation(x, n) / fabs(mean);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double *sorted(const double *x, size_t n)
{
    double *copy = xcalloc(n ? n : 1, sizeof(*copy));

    if (n)
        memcpy(copy, x, n * sizeof(*copy));
    qsort(copy, n, sizeof(*copy), ascending);
    return copy;
}

/* (a + b) / 2 without overflow; −∞ and +∞ cancel. */
static double middle(double a, double b)
{
    return isinf(a) && isinf(b) && a != b ? 0 : a / 2 + b / 2;
}

double stats_median(const double *x, size_t n)
{
    cleanup_free double *s = NULL;

    if (n == 0 || any_nan(x, n))
        return NAN;
    s = sorted(x, n);
    return middle(s[(n - 1) / 2], s[n / 2]);
}

double stats_autocorrelation(const double *x, size_t n)
{
    double mean = stats_mean(x, n), products = 0, squares = 0;

    if (n < 4)
        return NAN;
    for (size_t i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        if (i > 0)
            products += (x[i] - mean) * (x[i - 1] - mean);
    }
    /* What is left of a constant sample is rounding. */
    return squares <= (double)n * pow(1e-12 * mean, 2) ? NAN : products / squares;
}

/* How many Walsh averages (s[i] + s[j]) / 2, i ≤ j, of the sorted sample are at most `limit`. The
 * average grows with either index, so the bound on i only falls while j rises. */
static size_t walsh_at_most(const double *s, size_t n, double limit)
{
    size_t count = 0, bound = n;

    for (size_t j = 0; j < n; j++) {
        while (bound > 0 && middle(s[bound - 1], s[j]) > limit)
            bound--;
        count += bound < j + 1 ? bound : j + 1;
    }
    return count;
}

/* Doubles in their order as integers, so that the order statistic can be bisected exactly. */
static uint64_t order_of(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static double double_of(uint64_t order)
{
    uint64_t bits = order >> 63 ? order & ~(UINT64_C(1) << 63) : ~order;
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* The k-th smallest Walsh average, k from 1, in O(n) per step and without building all n²/2. */
static double walsh_select(const double *s, size_t n, size_t k)
{
    uint64_t low = order_of(-INFINITY), high = order_of(INFINITY);

    while (low < high) {
        uint64_t probe = low + (high - low) / 2;

        if (walsh_at_most(s, n, double_of(probe)) >= k)
            high = probe;
        else
            low = probe + 1;
    }
    return double_of(low) + 0.0; /* −0 becomes 0 */
}

/* k = #{v: F(v) ≤ tail} from the exact null distribution of the signed-rank sum. */
static size_t exact_k(size_t n, double tail)
{
    size_t most = n * (n + 1) / 2, k = 0;
    cleanup_free double *f = xcalloc(most + 1, sizeof(*f));

    f[0] = 1;
    for (size_t r = 1; r <= n; r++)
        for (size_t v = r * (r + 1) / 2 + 1; v-- > 0;)
            f[v] = 0.5 * (f[v] + (v >= r ? f[v - r] : 0));
    for (double sum = f[0]; sum <= tail && k < most; sum += f[k])
        k++;
    return k;
}

/* The z that a standard normal exceeds with probability `tail`. */
static double normal_quantile(double tail)
{
    double low = 0, high = 40;

    for (int i = 0; i < 80; i++) {
        double z = (low + high) / 2;

        if (erfc(z / M_SQRT2) / 2 > tail)
            low = z;
        else
            high = z;
    }
    return low;
}

static size_t normal_k(size_t n, double tail)
{
    double m = (double)n, mean = m * (m + 1) / 4, deviation = sqrt(mean * (2 * m + 1) / 6);
    double last = floor(mean - normal_quantile(tail) * deviation - 0.5);

    return last < 0 ? 0 : (size_t)last + 1;
}

void stats_signed_rank(const double *x, size_t n, double alpha, struct stats_interval *ret)
{
    cleanup_free double *s = NULL;
    size_t all = n * (n + 1) / 2;

    *ret = (struct stats_interval){.estimate = NAN, .low = NAN, .high = NAN};
    if (n == 0 || any_nan(x, n))
        return;
    s = sorted(x, n);
    ret->estimate = middle(walsh_select(s, n, (all + 1) / 2), walsh_select(s, n, all / 2 + 1));
    if (!(alpha > 0 && alpha < 1))
        return;
    ret->k = n <= EXACT_N ? exact_k(n, alpha / 2) : normal_k(n, alpha / 2);
    if (ret->k == 0)
        return;
    ret->has_interval = true;
    ret->low = walsh_select(s, n, ret->k);
    ret->high = walsh_select(s, n, all + 1 - ret->k);
}
