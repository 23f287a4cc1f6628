/* SPDX-License-Identifier: Apache-2.0 */
/* The sentences around the numbers: how they were obtained, and what a reader must know. */
#ifndef REPORT_NOTES_H
#define REPORT_NOTES_H

#include "report/observed.h"
#include "store/store.h"

/* `all`: every repetition. `d` is complete except for its notes. */
void notes_design(const struct stored_run *run, const struct bench_document *d,
                  const struct observations *all, struct strings *ret);
void notes_warnings(const struct stored_run *run, const struct bench_document *d,
                    const struct observations *all, struct strings *ret);

#endif
