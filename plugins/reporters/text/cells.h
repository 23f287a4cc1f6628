/* SPDX-License-Identifier: Apache-2.0 */
/* What a document holds, and its estimates as cells of a table. */
#ifndef TEXT_CELLS_H
#define TEXT_CELLS_H

#include "notes.h"
#include "table.h"

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

/* Hops of the longest chain, all of them. */
uint32_t longest_chain(const struct bench_document *d);

/* The same, as far as tables show them. */
uint32_t most_hops(const struct bench_document *d);

/* Starts the row of an arm; a new point of a sweep gets a line of its own first. */
void arm_row(struct table *t, const struct bench_document *d, uint32_t i);

/* Behind a number: "~" when it was scaled, "*" when something else has to be known of it. */
const char *mark_of(const struct bench_estimate *e);

/* A dash for what is not a number, else its mark, each with a footnote. Without the unit
 * where the column's head says it. */
void put_value(struct table *t, int at, const struct bench_estimate *e, bool unit,
               struct footnotes *notes, const char *note_name);
void put_estimate(struct table *t, int at, const struct bench_estimate *e, struct footnotes *notes,
                  const char *note_name);
void put_interval(struct table *t, int at, const struct bench_estimate *e);
void put_ratio(struct table *t, int at, int at_interval, const struct bench_estimate *e);
/* How many repetitions succeeded, and who limited them. */
void put_runs(struct table *t, int ok, int by, const struct bench_arm *a);
void put_share(struct table *t, int at, double v);

#endif
