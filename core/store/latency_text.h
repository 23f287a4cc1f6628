/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency.hlog: the latency distributions of a repetition as an HdrHistogram log (version 1.3), one
 * line per distribution, its name in the Tag. HistogramLogProcessor and the HdrHistogram libraries
 * read it.
 */
#ifndef STORE_LATENCY_TEXT_H
#define STORE_LATENCY_TEXT_H

#include "store/record.h"

void latency_to_text(const struct repetition_record *r, struct text *out);
/* Adds what `text` holds to the record. An error begins with the line's number: "3: …". */
int latency_from_text(struct repetition_record *r, const char *text, struct bench_error *err);

#endif
