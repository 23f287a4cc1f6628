/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/multiple.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

struct test {
    double p;
    size_t index;
};

static int by_p(const void *a, const void *b)
{
    const struct test *x = a, *y = b;

    return (x->p > y->p) - (x->p < y->p);
}

/* The tests without those that are none, ascending in p; caller frees. */
static struct test *list_tests(const double *p, size_t n, size_t *ret_m)
{
    struct test *tests = xcalloc(n + 1, sizeof(*tests));

    *ret_m = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(p[i]))
            tests[(*ret_m)++] = (struct test){p[i], i};
    qsort(tests, *ret_m, sizeof(*tests), by_p);
    return tests;
}

void stats_holm(const double *p, size_t n, double *ret_p)
{
    size_t m;
    cleanup_free struct test *tests = list_tests(p, n, &m);
    double most = 0;

    for (size_t i = 0; i < n; i++)
        ret_p[i] = NAN;
    for (size_t i = 0; i < m; i++) {
        most = fmin(1, fmax(most, tests[i].p * (double)(m - i)));
        ret_p[tests[i].index] = most;
    }
}
