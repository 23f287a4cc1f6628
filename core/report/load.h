/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a repetition kept up with the rate that it was given: what its metrics and its series
 * say, for stats/saturation.h.
 */
#ifndef REPORT_LOAD_H
#define REPORT_LOAD_H

#include "report/observed.h"
#include "stats/saturation.h"

/* `rate` (requests per second) stands in for what the workload does not count. Everything but
 * p99_light, which is another repetition's p99. All NaN when the repetition failed. */
void load_of(const struct repetition_record *r, double rate, struct load *ret);

/* Whether most of an arm's repetitions at `rate` were saturated: then the reason of the first of
 * them, and how many, in `ret`. */
void load_judge(const struct bench_arm *arm, const struct observations *ok, double rate,
                double p99_light, struct text *ret);
/* "answered 96.9% of the requests that were due"; "" for SATURATION_NONE. */
void load_explain(const struct load *l, enum saturation_sign s, char *out, size_t size);

#endif
