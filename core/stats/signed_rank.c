/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/signed_rank.h"

#include <math.h>

#include "base/memory.h"
#include "stats/rank.h"

enum { EXACT_N = 200 }; /* a null distribution costs n³ steps */

/* The probability of each sum, from 0 to that of all ranks, when each rank enters the sum or not by
 * a fair coin. Caller frees. */
static double *null_distribution(const size_t *ranks, size_t n)
{
    size_t most = 0;
    double *f;

    for (size_t i = 0; i < n; i++)
        most += ranks[i];
    f = xcalloc(most + 1, sizeof(*f));
    f[0] = 1;
    most = 0;
    for (size_t i = 0; i < n; i++) {
        most += ranks[i];
        for (size_t v = most + 1; v-- > 0;)
            f[v] = 0.5 * (f[v] + (v >= ranks[i] ? f[v - ranks[i]] : 0));
    }
    return f;
}

/* --- interval ------------------------------------------------------------------------------- */

struct sample {
    const double *sorted;
    size_t n;
};

/* How many Walsh averages (s[i] + s[j]) / 2, i ≤ j, are at most `limit`, in O(n): the average grows
 * with either index, so the bound on i only falls while j rises. */
static size_t walsh_at_most(const void *set, double limit)
{
    const struct sample *s = set;
    size_t count = 0, bound = s->n;

    for (size_t j = 0; j < s->n; j++) {
        while (bound > 0 && rank_middle(s->sorted[bound - 1], s->sorted[j]) > limit)
            bound--;
        count += bound < j + 1 ? bound : j + 1;
    }
    return count;
}

/* k = #{v: F(v) ≤ tail} from the exact null distribution of the signed-rank sum. */
static size_t exact_k(size_t n, double tail)
{
    cleanup_free size_t *ranks = xcalloc(n, sizeof(*ranks));
    cleanup_free double *f = NULL;
    size_t most = n * (n + 1) / 2, k = 0;

    for (size_t i = 0; i < n; i++)
        ranks[i] = i + 1;
    f = null_distribution(ranks, n);
    for (double sum = f[0]; sum <= tail && k < most; sum += f[k])
        k++;
    return k;
}

static size_t normal_k(size_t n, double tail)
{
    double m = (double)n, mean = m * (m + 1) / 4, deviation = sqrt(mean * (2 * m + 1) / 6);
    double last = floor(mean - rank_normal_quantile(tail) * deviation - 0.5);

    return last < 0 ? 0 : (size_t)last + 1;
}

void stats_signed_rank(const double *x, size_t n, double alpha, struct stats_interval *ret)
{
    cleanup_free double *sorted = NULL;
    size_t all = n * (n + 1) / 2;
    struct sample s;

    *ret = (struct stats_interval){.estimate = NAN, .low = NAN, .high = NAN};
    if (n == 0 || rank_any_nan(x, n))
        return;
    sorted = rank_sorted(x, n);
    s = (struct sample){sorted, n};
    ret->estimate = rank_middle(rank_select(walsh_at_most, &s, (all + 1) / 2),
                                rank_select(walsh_at_most, &s, all / 2 + 1));
    if (!(alpha > 0 && alpha < 1))
        return;
    ret->k = n <= EXACT_N ? exact_k(n, alpha / 2) : normal_k(n, alpha / 2);
    if (ret->k == 0)
        return;
    ret->has_interval = true;
    ret->low = rank_select(walsh_at_most, &s, ret->k);
    ret->high = rank_select(walsh_at_most, &s, all + 1 - ret->k);
}

/* --- p --------------------------------------------------------------------------------------- */

static double exact_tail(const double *ranks, size_t n, double t)
{
    cleanup_free size_t *doubled = xcalloc(n, sizeof(*doubled)); /* mid-ranks become whole */
    cleanup_free double *f = NULL;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        doubled[i] = (size_t)(2 * ranks[i]);
    f = null_distribution(doubled, n);
    for (size_t v = 0; v <= (size_t)(2 * t); v++)
        sum += f[v];
    return sum;
}

static double normal_tail(const double *ranks, size_t n, double sum, double t)
{
    double squares = 0;

    for (size_t i = 0; i < n; i++)
        squares += ranks[i] * ranks[i];
    return rank_normal_tail((sum / 2 - t - 0.5) / sqrt(squares / 4));
}

double stats_signed_rank_p(const double *x, size_t n)
{
    cleanup_free double *size = xcalloc(n + 1, sizeof(*size));
    cleanup_free double *ranks = xcalloc(n + 1, sizeof(*ranks));
    double sum = 0, positive = 0, t, tail;
    size_t m = 0;

    if (n == 0 || rank_any_nan(x, n))
        return NAN;
    for (size_t i = 0; i < n; i++)
        size[i] = fabs(x[i]);
    rank_mid(size, n, ranks);
    for (size_t i = 0; i < n; i++) {
        if (x[i] == 0)
            continue;
        sum += ranks[i];
        positive += x[i] > 0 ? ranks[i] : 0;
        ranks[m++] = ranks[i];
    }
    if (m == 0)
        return 1;
    t = fmin(positive, sum - positive);
    tail = n <= EXACT_N ? exact_tail(ranks, m, t) : normal_tail(ranks, m, sum, t);
    return fmin(1, 2 * tail);
}

size_t stats_signed_rank_least(double alpha)
{
    size_t n = 0;

    if (!(alpha > 0 && alpha < 1))
        return 0;
    for (double p = 2; p > alpha; p /= 2)
        n++;
    return n;
}
