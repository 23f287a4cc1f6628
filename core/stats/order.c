/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/order.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/rank.h"

enum { PERMUTATIONS = 1999, LEAST = 4 };

/* One behind the last of the group that begins at `begin`. */
static size_t group_end(const size_t *group, size_t n, size_t begin)
{
    size_t end = begin + 1;

    while (end < n && (!group || group[end] == group[begin]))
        end++;
    return end;
}

/* Mid-ranks within each group, about their mean; returns the sum of their squares. */
static double centred_ranks(const double *x, const size_t *group, size_t n, double *ret)
{
    double squares = 0;

    for (size_t i = 0, end; i < n; i = end) {
        end = group_end(group, n, i);
        rank_mid(x + i, end - i, ret + i);
        for (size_t j = i; j < end; j++) {
            ret[j] -= (double)(end - i + 1) / 2;
            squares += ret[j] * ret[j];
        }
    }
    return squares;
}

static void shuffle_within(struct random *r, double *x, const size_t *group, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        end = group_end(group, n, i);
        rank_shuffle(r, x + i, end - i);
    }
}

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

void stats_order(const double *x, const double *position, const size_t *group, size_t n,
                 struct stats_order *ret)
{
    cleanup_free double *a = xcalloc(n + 1, sizeof(*a));
    cleanup_free double *b = xcalloc(n + 1, sizeof(*b));
    struct random random = {.state = 1};
    double squares, observed;
    size_t as_large = 1;

    *ret = (struct stats_order){NAN, NAN};
    if (n < LEAST || rank_any_nan(x, n) || rank_any_nan(position, n))
        return;
    squares = centred_ranks(x, group, n, a) * centred_ranks(position, group, n, b);
    if (squares == 0)
        return;
    observed = product(a, b, n);
    for (size_t i = 0; i < PERMUTATIONS; i++) {
        shuffle_within(&random, a, group, n);
        as_large += fabs(product(a, b, n)) >= fabs(observed) * (1 - 1e-9);
    }
    ret->correlation = observed / sqrt(squares);
    ret->p = (double)as_large / (PERMUTATIONS + 1);
}
