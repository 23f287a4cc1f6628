/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates of a document as cells of a table. */
#ifndef TEXT_CELLS_H
#define TEXT_CELLS_H

#include "notes.h"
#include "table.h"
#include "shared/lookup.h"

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
