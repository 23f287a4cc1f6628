/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Working with option tables (struct bench_option, ended by a row without a name). The same code
 * serves scenario keys, plugin options, capture options and command-line flags, so a value means
 * the same wherever it is written.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <bench/types.h>
#include "base/text.h"

/* The row called `name`, or NULL. `table` may be NULL. */
const struct bench_option *option_find(const struct bench_option *table, const char *name);
/* Sets `err` to "unknown WHAT 'name'" with the nearest name as the hint, or all names when none is
 * near; kind USAGE. Returns -1. */
int option_unknown(const struct bench_option *table, const char *what, const char *name,
                   struct bench_error *err);
/* Fills fresh memory `state` with every fallback. The table's fallbacks must be valid (tests check them). */
void option_defaults(const struct bench_option *table, void *state);
/* Parses `text` into the row's field, checking type and range; frees a string it replaces. */
int option_set(const struct bench_option *row, void *state, const char *text,
               struct bench_error *err);
/* Frees the strings that the options own; `state` itself stays. */
void option_release(const struct bench_option *table, void *state);
/* A deep copy of the state (strings duplicated). Caller: option_release() and free(). */
void *option_copy(const struct bench_option *table, const void *state, size_t size);
/* The value in the notation that option_set() reads; NULL for text that was not given. Caller
 * frees. */
char *option_format(const struct bench_option *row, const void *state);
/* "integer, 1 to 1000000, default 2" for help and documentation. Caller frees. */
char *option_describe(const struct bench_option *row);
/* Checks a table that came from a plugin: names, types, offsets within `size`, fallbacks, choices. */
int option_check(const struct bench_option *table, size_t size, struct bench_error *err);

#endif
