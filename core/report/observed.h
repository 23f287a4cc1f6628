/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repetition as the report sees it: its record, its metrics, who limited it. And the estimates of
 * one arm from its repetitions.
 */
#ifndef REPORT_OBSERVED_H
#define REPORT_OBSERVED_H

#include "report/limit.h"
#include "report/metrics.h"

#define REPORT_CONFIDENCE 0.95

struct observed {
    const struct repetition_record *record;
    struct metric_set set;
    struct limit limit; /* of an ok repetition */
};

/* Some of the repetitions, in order of execution; the items belong to somebody else. */
struct observations {
    const struct observed **items;
    size_t count, capacity;
};
void observations_add(struct observations *o, const struct observed *item);
void observations_release(struct observations *o);

/* The value of a metric in the repetition, NaN when it is not a number there. */
double observed_number(const struct observed *o, const char *metric);
/* The median over those in which it is a number; NaN when there is none. */
double observed_median(const struct observations *o, const char *metric);
/* Least and largest over the repetitions; false when there is no number. */
bool observed_range(const struct observations *o, const char *metric, double *ret_low,
                    double *ret_high);
/* The repetition of a block, or NULL. */
const struct observed *observed_of_block(const struct observations *o, uint32_t block);
/* Whether every role of every repetition was given its CPUs; also when there are none. */
bool observed_pinned(const struct observations *o);

/*
 * One estimate per metric that any of the repetitions has, in table order; never an average of
 * percentiles, always one number per repetition. `baseline` (NULL or empty for the baseline itself)
 * gives the ratios, from the blocks in which both succeeded. The caller frees the array; reasons
 * belong to the records.
 */
struct bench_estimate **estimate_all(const struct observations *arm,
                                     const struct observations *baseline, uint32_t *ret_count);
/* Adds the events that only `apart` counted: repetitions for captures, none of whose other numbers
 * is comparable. `reason` is said of each that has none of its own. */
struct bench_estimate **estimate_events(struct bench_estimate **all, uint32_t *count,
                                        const struct observations *apart,
                                        const struct observations *baseline, const char *reason);

/* What `n` of an arm's repetitions are called: all of them, or only the valid ones. */
const char *counted_repetitions(const struct bench_arm *arm, size_t n);

#endif
