/* SPDX-License-Identifier: Apache-2.0 */
/* What captures left behind in a repetition, for the report: from the record's `captures`. */
#ifndef REPORT_ARTIFACTS_H
#define REPORT_ARTIFACTS_H

#include <bench/reporter.h>

#include "store/record.h"

/* One for each element of the record's array that is one; of a text that a tool made, in the run's
 * directory `run` (may be NULL), the beginning. Their texts are added to `kept`, which must outlive
 * them. */
struct bench_artifact **artifacts_of(const struct repetition_record *r, const char *run,
                                     struct strings *kept, uint32_t *ret_count);
void artifacts_free(struct bench_artifact **artifacts, uint32_t n);

#endif
