/* SPDX-License-Identifier: Apache-2.0 */
/* Several tests at once: what each p is worth among them. Pure functions. NaN is no test: it counts
 * for nothing and stays NaN. `ret_p` may be `p`. */
#ifndef STATS_MULTIPLE_H
#define STATS_MULTIPLE_H

#include <stddef.h>

/* Adjusted p: at most x with a chance of at most x for any test whose hypothesis is true, whatever
 * they have to do with each other. Holm 1979: (m − i)·p of the i-th smallest, i from 0, and never
 * below a smaller one's; it rejects at least what Bonferroni (alpha / m, compare.h) does. R:
 * p.adjust */
void stats_holm(const double *p, size_t n, double *ret_p);

#endif
