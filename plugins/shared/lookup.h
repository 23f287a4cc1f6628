/* SPDX-License-Identifier: Apache-2.0 */
/* What a reporter asks of a document. */
#ifndef SHARED_LOOKUP_H
#define SHARED_LOOKUP_H

#include <bench/reporter.h>

/* The arm's estimate of a metric, or NULL. */
const struct bench_estimate *find(const struct bench_arm *a, const char *name);

/* The same by stem and role. */
const struct bench_estimate *find_role(const struct bench_arm *a, const char *stem,
                                       const char *role);

/* The first metric with that name that any arm has. */
const struct bench_metric *metric_named(const struct bench_document *d, const char *name);

bool is_number(const struct bench_estimate *e);
bool is_sweep(const struct bench_document *d);
/* Whether an arm can be compared with the baseline: not so in a sweep of one arm alone. */
bool is_compared(const struct bench_document *d);

/* As heads name it. A long name would push other columns out, and its row says "baseline". */
const char *baseline_name(const struct bench_document *d);

/* Those that the verdicts compare with: the same, unless every arm has one of its own. */
const char *base_name(const struct bench_document *d);

/* Whether others are compared with the arm. */
bool is_base(const struct bench_document *d, const struct bench_arm *a);

/* The arm against the baseline there; NULL: it is that, or the metric does not decide there. */
const struct bench_comparison *find_comparison(const struct bench_document *d,
                                               const struct bench_arm *a,
                                               const struct bench_metric *m);

/* The smallest difference in the metric that the run could detect, of the arm where it is largest:
 * what the run as a whole could have missed: "3.1%". false when it is not known. */
bool detectable(const struct bench_document *d, const struct bench_metric *m, char *out,
                size_t size);

/* Whether it says anything of the size: not when too much failed. */
bool has_size(const struct bench_comparison *c);

/* Whether the metric has verdicts. */
bool decides(const struct bench_document *d, const struct bench_metric *m);

#endif
