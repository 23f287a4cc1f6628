/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repetition's record as repetition.json: all of it but the series, which is a table of its own
 * (series_text.h), and the directory, which is where the file lies.
 */
#ifndef STORE_RECORD_JSON_H
#define STORE_RECORD_JSON_H

#include "store/record.h"

/* New reference. */
json_t *record_to_json(const struct repetition_record *r);
/* Fills a zeroed record; on error it is released. */
int record_from_json(struct repetition_record *ret, json_t *json, struct bench_error *err);

#endif
