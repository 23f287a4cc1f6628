/* SPDX-License-Identifier: Apache-2.0 */
/* Estimates of stored runs for the index, which cannot compute them itself. */
#ifndef REPORT_INDEXING_H
#define REPORT_INDEXING_H

#include "report/document.h"
#include "store/index.h"

/* Enters the estimates of one run, whose directory below the results has this name. */
int indexing_add(struct run_index *x, const char *directory, const struct stored_run *run,
                 const struct document *document, struct bench_error *err);
/* Reads those of the chosen runs that have no estimates yet, below `results`. `progress` (or NULL)
 * hears of each afterwards. `unread` gets why a run could not be read; it is tried again the next
 * time. */
int indexing_complete(struct run_index *x, const char *results, const struct index_filter *filter,
                      index_progress progress, void *context, struct strings *unread,
                      struct bench_error *err);

#endif
