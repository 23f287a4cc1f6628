/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verdict's interval is as wide as: whether the ratio varies from block to block as its
 * slices do (then longer windows narrow it), or by more (then the processes of a block differ, or
 * where the scheduler puts them). Only of windows in slices, and metrics that the series gives.
 */
#ifndef REPORT_SPREAD_NOTES_H
#define REPORT_SPREAD_NOTES_H

#include "report/observed.h"

/* `all`: the measuring repetitions. A line per comparison that is undecided, or whose size is. */
void spread_notes(const struct bench_document *d, const struct observations *all,
                  struct strings *ret);

#endif
