/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/rank.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

bool rank_any_nan(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return true;
    return false;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double *rank_sorted(const double *x, size_t n)
{
    double *copy = xcalloc(n ? n : 1, sizeof(*copy));

    if (n)
        memcpy(copy, x, n * sizeof(*copy));
    qsort(copy, n, sizeof(*copy), ascending);
    return copy;
}

/* How many of the sorted are below x, or at most x. */
static size_t count_below(const double *sorted, size_t n, double x, bool or_equal)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t probe = (low + high) / 2;

        if (sorted[probe] < x || (or_equal && sorted[probe] == x))
            low = probe + 1;
        else
            high = probe;
    }
    return low;
}

void rank_mid(const double *x, size_t n, double *ret)
{
    cleanup_free double *sorted = rank_sorted(x, n);

    for (size_t i = 0; i < n; i++)
        ret[i] = ((double)count_below(sorted, n, x[i], false) + 1 +
                  (double)count_below(sorted, n, x[i], true)) /
                 2;
}

double rank_middle(double a, double b)
{
    return isinf(a) && isinf(b) && a != b ? 0 : a / 2 + b / 2;
}

double rank_difference(double a, double b)
{
    return isinf(a) && a == b ? 0 : a - b;
}

void rank_shuffle(struct random *r, double *x, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below(r, i);
        double t = x[i - 1];

        x[i - 1] = x[j];
        x[j] = t;
    }
}

/* Doubles in their order as integers, so that an order statistic can be bisected exactly. */
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

double rank_select(size_t (*at_most)(const void *set, double limit), const void *set, size_t k)
{
    uint64_t low = order_of(-INFINITY), high = order_of(INFINITY);

    while (low < high) {
        uint64_t probe = low + (high - low) / 2;

        if (at_most(set, double_of(probe)) >= k)
            high = probe;
        else
            low = probe + 1;
    }
    return double_of(low) + 0.0; /* −0 becomes 0 */
}

double rank_normal_tail(double z)
{
    return erfc(z / M_SQRT2) / 2;
}

double rank_normal_quantile(double tail)
{
    double low = 0, high = 40;

    for (int i = 0; i < 80; i++) {
        double z = (low + high) / 2;

        if (rank_normal_tail(z) > tail)
            low = z;
        else
            high = z;
    }
    return low;
}
