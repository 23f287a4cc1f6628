/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series as tab-separated text: a line of column names, the lines "#kind", "#state" and
 * "#reason", then a line per tick. Integers are exact; a missing value is "-".
 */
#ifndef STORE_SERIES_TEXT_H
#define STORE_SERIES_TEXT_H

#include "base/text.h"
#include "capture/series.h"

/* By enum bench_state, as files have them; NULL-terminated. */
extern const char *const series_state_names[];

void series_to_text(const struct series *s, struct text *ret);
/* Fills a zeroed series; on error it is released. `text` is changed; text[length] must be NUL.
 * Messages begin with the line's number. */
int series_from_text(struct series *ret, char *text, size_t length, struct bench_error *err);

#endif
