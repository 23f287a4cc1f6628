/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/summary.h"

enum { DIVISIONS = 2000 };

/* --- permutation ----------------------------------------------------------------------------- */

struct permutation {
    size_t tests, n, m;
    double *values;                      /* around the mean of their test */
    double *squares;                     /* their sum, by test */
    double *apart, *within, *statistics; /* of one division, by test */
};

static void centre(struct permutation *p, const double *values)
{
    size_t total = p->n + p->m;

    for (size_t t = 0; t < p->tests; t++) {
        double mean = stats_mean(values + t * total, total);

        for (size_t i = 0; i < total; i++) {
            double v = values[t * total + i] - mean;

            p->values[t * total + i] = v;
            p->squares[t] += v * v;
        }
    }
}

/* Fills `statistics` for the division whose one side is `side`; returns the largest. As all values
 * of a test sum up to 0, so do the sums of the sides: one gives both means, and what is left
 * within. */
static double divide(const struct permutation *p, const size_t *side)
{
    const double k = 1 / (double)p->n + 1 / (double)p->m;
    double usual, most = 0;

    for (size_t t = 0; t < p->tests; t++) {
        const double *values = p->values + t * (p->n + p->m);
        double sum = 0;

        for (size_t i = 0; i < p->n; i++)
            sum += values[side[i]];
        p->apart[t] = fabs(sum) * k;
        p->within[t] = sqrt(fmax(0, p->squares[t] - sum * sum * k) / (double)(p->n + p->m - 2));
    }
    usual = stats_mean(p->within, p->tests);
    for (size_t t = 0; t < p->tests; t++) {
        double deviation = p->within[t] + usual;

        p->statistics[t] = deviation > 0 ? p->apart[t] / deviation : p->apart[t] > 0 ? INFINITY : 0;
        most = fmax(most, p->statistics[t]);
    }
    return most;
}

/* The next choice of n of `total` in lexicographic order; false after the last. */
static bool next_choice(size_t *side, size_t n, size_t total)
{
    size_t i = n;

    while (i > 0 && side[i - 1] == total - n + i - 1)
        i--;
    if (i == 0)
        return false;
    side[i - 1]++;
    for (; i < n; i++)
        side[i] = side[i - 1] + 1;
    return true;
}

/* C(n + m, n), or any number above DIVISIONS. */
static double choices(size_t n, size_t m)
{
    double count = 1;

    for (size_t i = 1; i <= n; i++)
        count *= (double)(m + i) / (double)i;
    return round(count);
}

/* The largest statistic of each division, the one that is asked about among them; returns how many.
 */
static size_t try_divisions(const struct permutation *p, double *ret)
{
    size_t total = p->n + p->m, count = 0;
    cleanup_free size_t *order = xcalloc(total, sizeof(*order));
    struct random random = {.state = 1};

    for (size_t i = 0; i < total; i++)
        order[i] = i;
    if (choices(p->n, p->m) <= DIVISIONS) {
        do
            ret[count++] = divide(p, order);
        while (next_choice(order, p->n, total));
        return count;
    }
    while (count < DIVISIONS) {
        ret[count++] = divide(p, order);
        random_shuffle(&random, order, total);
    }
    return count;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* How many of the sorted `values` are at least `least`. */
static size_t count_from(const double *values, size_t count, double least)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t probe = (low + high) / 2;

        if (values[probe] >= least)
            low = probe + 1;
        else
            high = probe;
    }
    return low;
}

void stats_permutation(const double *values, size_t tests, size_t n, size_t m, double *ret_p)
{
    cleanup_free double *room = xcalloc(tests * (n + m + 4), sizeof(*room));
    cleanup_free size_t *asked = xcalloc(n, sizeof(*asked));
    struct permutation p = {
        .tests = tests,
        .n = n,
        .m = m,
        .values = room,
        .squares = room + tests * (n + m),
        .apart = room + tests * (n + m + 1),
        .within = room + tests * (n + m + 2),
        .statistics = room + tests * (n + m + 3),
    };
    double largest[DIVISIONS];
    size_t count;

    centre(&p, values);
    count = try_divisions(&p, largest);
    qsort(largest, count, sizeof(*largest), descending);
    for (size_t i = 0; i < n; i++)
        asked[i] = i;
    divide(&p, asked);
    for (size_t t = 0; t < tests; t++) /* the mirrored division may differ in the last bits */
        ret_p[t] = (double)count_from(largest, count, p.statistics[t] * (1 - 1e-9)) / (double)count;
}

/* --- counts ---------------------------------------------------------------------------------- */

/* P(X ≥ k), X binomial: the terms from k on, until they no longer count. */
static double upper_tail(double k, double n, double p)
{
    double term, sum = 0;

    if (k <= 0)
        return 1;
    if (k < n * p) /* the other tail is shorter */
        return 1 - upper_tail(n - k + 1, n, 1 - p);
    term =
        exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p));
    for (; k <= n && term > sum * 1e-17; k++) {
        sum += term;
        term *= (n - k) / (k + 1) * p / (1 - p);
    }
    return sum < 1 ? sum : 1;
}

double stats_count_rates(double count_a, double exposure_a, double count_b, double exposure_b)
{
    double a = round(count_a), b = round(count_b), p = exposure_b / (exposure_a + exposure_b), low,
           high;

    if (!(exposure_a > 0) || !(exposure_b > 0) || !(p > 0 && p < 1) || !(a >= 0) || !(b >= 0) ||
        isinf(a + b))
        return NAN;
    high = upper_tail(b, a + b, p);
    low = upper_tail(a, a + b, 1 - p);
    return fmin(1, 2 * fmin(low, high));
}
