/* SPDX-License-Identifier: Apache-2.0 */
/* What the quantities of rules (rules.h) come to in one repetition, and which metrics that takes.
 */
#ifndef REPORT_QUANTITIES_H
#define REPORT_QUANTITIES_H

#include "report/observed.h"
#include "report/rules.h"

/* What a rule speaks of: a repetition, and a role in it (NULL: none). */
struct subject {
    const struct observed *o;
    const char *role;
};

enum { MOST_CITED = 24 };

/* Metrics that were looked at, each once. */
struct cited {
    const struct bench_metric *metrics[MOST_CITED];
    size_t count;
};

/* The metric that a word stands for, "{role}" replaced; NULL when it is not there. */
const struct metric_value *subject_metric(const struct subject *s, const char *pattern);
/* The sum of the words that are known; NaN when none is. */
double quantity_sum(const struct subject *s, const char *words, struct cited *cited);
/* NaN when it is not known. */
double quantity_value(const struct quantity *q, const struct subject *s, struct cited *cited);

#endif
