/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored run → bench_document. Every printed number passes through here, so `bench run` and `bench
 * report` cannot differ.
 */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include <bench/reporter.h>

#include "store/store.h"

struct document; /* owns everything that bench_document points to */

int document_new(struct document **ret, const struct stored_run *run, struct bench_error *err);
/* With these gates in place of those of the run's scenario. */
int document_new_gated(struct document **ret, const struct stored_run *run,
                       const struct strings *gates, struct bench_error *err);
/* The arms only, with their estimates and who limited them: a quarter of the work. */
int document_new_brief(struct document **ret, const struct stored_run *run,
                       struct bench_error *err);
const struct bench_document *document_get(const struct document *d);
void document_free(struct document *d);

#endif
