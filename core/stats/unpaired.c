/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/unpaired.h"

#include <math.h>

#include "base/memory.h"
#include "stats/rank.h"

enum { EXACT_N = 50 }; /* of either sample; a null distribution costs n⁴ steps */

/* --- null distribution ---------------------------------------------------------------------- */

/* The probability of each sum, from 0 to `most`, of n of the `total` ranks, all choices alike. No
 * sum is larger than `most`. Caller frees. */
static double *null_distribution(const size_t *ranks, size_t total, size_t n, size_t most)
{
    size_t width = most + 1;
    cleanup_free double *ways = xcalloc((n + 1) * width, sizeof(*ways)); /* by number and sum */
    double *f = xcalloc(width, sizeof(*f)), all = 0;

    ways[0] = 1;
    for (size_t i = 0; i < total; i++)
        for (size_t k = i + 1 < n ? i + 1 : n; k > 0; k--)
            for (size_t v = ranks[i]; v <= most; v++)
                ways[k * width + v] += ways[(k - 1) * width + v - ranks[i]];
    for (size_t v = 0; v <= most; v++)
        all += ways[n * width + v];
    for (size_t v = 0; v <= most; v++)
        f[v] = ways[n * width + v] / all;
    return f;
}

static double deviation(size_t n, size_t m, double ties)
{
    double a = (double)n, b = (double)m, all = a + b;

    return sqrt(a * b / 12 * (all + 1 - ties / (all * (all - 1))));
}

/* --- interval ------------------------------------------------------------------------------- */

struct samples {
    const double *x, *y; /* ascending */
    size_t n, m;
};

/* How many x_i − y_j are at most `limit`: the larger x_i, the fewer y_j are large enough. */
static size_t differences_at_most(const void *set, double limit)
{
    const struct samples *s = set;
    size_t count = 0, j = 0;

    for (size_t i = 0; i < s->n; i++) {
        while (j < s->m && rank_difference(s->x[i], s->y[j]) > limit)
            j++;
        count += s->m - j;
    }
    return count;
}

static size_t exact_k(size_t n, size_t m, double tail)
{
    size_t least = n * (n + 1) / 2, k = 0;
    cleanup_free size_t *ranks = xcalloc(n + m, sizeof(*ranks));
    cleanup_free double *f = NULL;

    for (size_t i = 0; i < n + m; i++)
        ranks[i] = i + 1;
    f = null_distribution(ranks, n + m, n, least + n * m);
    for (double sum = f[least]; sum <= tail && k < n * m; sum += f[least + k])
        k++;
    return k;
}

static size_t normal_k(size_t n, size_t m, double tail)
{
    double mean = (double)n * (double)m / 2;
    double last = floor(mean - rank_normal_quantile(tail) * deviation(n, m, 0) - 0.5);

    return last < 0 ? 0 : (size_t)last + 1;
}

void stats_unpaired(const double *x, size_t n, const double *y, size_t m, double alpha,
                    struct stats_interval *ret)
{
    cleanup_free double *sorted_x = NULL, *sorted_y = NULL;
    size_t all = n * m;
    struct samples s;

    *ret = (struct stats_interval){.estimate = NAN, .low = NAN, .high = NAN};
    if (all == 0 || rank_any_nan(x, n) || rank_any_nan(y, m))
        return;
    sorted_x = rank_sorted(x, n);
    sorted_y = rank_sorted(y, m);
    s = (struct samples){sorted_x, sorted_y, n, m};
    ret->estimate = rank_middle(rank_select(differences_at_most, &s, (all + 1) / 2),
                                rank_select(differences_at_most, &s, all / 2 + 1));
    if (!(alpha > 0 && alpha < 1))
        return;
    ret->k = n <= EXACT_N && m <= EXACT_N ? exact_k(n, m, alpha / 2) : normal_k(n, m, alpha / 2);
    if (ret->k == 0)
        return;
    ret->has_interval = true;
    ret->low = rank_select(differences_at_most, &s, ret->k);
    ret->high = rank_select(differences_at_most, &s, all + 1 - ret->k);
}

/* --- p --------------------------------------------------------------------------------------- */

/* `ranks`: the mid-ranks, those of x first. Doubled they are whole. */
static double exact_p(const double *ranks, size_t n, size_t m)
{
    cleanup_free size_t *doubled = xcalloc(n + m, sizeof(*doubled));
    cleanup_free double *f = NULL;
    size_t observed = 0, most = 2 * (n * (n + 1) / 2 + n * m);
    double low = 0, high = 0;

    for (size_t i = 0; i < n + m; i++) {
        doubled[i] = (size_t)(2 * ranks[i]);
        observed += i < n ? doubled[i] : 0;
    }
    f = null_distribution(doubled, n + m, n, most);
    for (size_t v = 0; v <= observed; v++)
        low += f[v];
    for (size_t v = observed; v <= most; v++)
        high += f[v];
    return fmin(1, 2 * fmin(low, high));
}

static double normal_p(const double *ranks, const double *sorted, size_t n, size_t m)
{
    double sum = 0, ties = 0, spread;

    for (size_t i = 0; i < n; i++)
        sum += ranks[i];
    for (size_t i = 0, j; i < n + m; i = j) {
        double t;

        for (j = i; j < n + m && sorted[j] == sorted[i];)
            j++;
        t = (double)(j - i);
        ties += t * t * t - t;
    }
    spread = deviation(n, m, ties);
    sum = fabs(sum - (double)n * (double)(n + m + 1) / 2);
    return spread > 0 ? fmin(1, 2 * rank_normal_tail((sum - 0.5) / spread)) : 1;
}

double stats_unpaired_p(const double *x, size_t n, const double *y, size_t m)
{
    cleanup_free double *both = xcalloc(n + m + 1, sizeof(*both));
    cleanup_free double *ranks = xcalloc(n + m + 1, sizeof(*ranks));
    cleanup_free double *sorted = NULL;

    if (n == 0 || m == 0 || rank_any_nan(x, n) || rank_any_nan(y, m))
        return NAN;
    for (size_t i = 0; i < n + m; i++)
        both[i] = i < n ? x[i] : y[i - n];
    rank_mid(both, n + m, ranks);
    if (n <= EXACT_N && m <= EXACT_N)
        return exact_p(ranks, n, m);
    sorted = rank_sorted(both, n + m);
    return normal_p(ranks, sorted, n, m);
}

size_t stats_unpaired_least(double alpha)
{
    size_t n = 0;

    if (!(alpha > 0 && alpha < 1))
        return 0;
    for (double p = 2; p > alpha; n++)
        p *= (double)(n + 1) / (double)(2 * (2 * n + 1)); /* C(2n, n) to C(2n + 2, n + 1) */
    return n;
}
