/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs as JSON objects, by table: one row per member, and the row's kind knows how to write and
 * how to read it. Reading checks presence, type and range of every row; members that no row names
 * are ignored, so that an older bench reads what a newer one added.
 */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include <stdbool.h>

#include <jansson.h>

#include <bench/types.h>

struct field_kind {
    json_t *(*put)(const void *at); /* new reference, never NULL */
    /* `at` is zero before. -1: "expected …" in `err`; what was filled is released by the caller. */
    int (*get)(void *at, json_t *value, struct bench_error *err);
};

struct field {
    const char *name;
    const struct field_kind *kind;
    size_t offset;
    bool optional; /* may be missing, and is then left as it was: what older runs do not have */
};

extern const struct field_kind field_bool, field_int;
/* int64_t nanoseconds: of a clock or a length of time, so small that two add up; and a difference
 * of clocks, which may be negative. */
#define FIELD_TIME_MAX (INT64_MAX / 4)
extern const struct field_kind field_time, field_clock_offset;
extern const struct field_kind field_seed;         /* uint64_t, as a decimal string: JSON readers
                                                      that use doubles would round it */
extern const struct field_kind field_number;       /* double; null when not finite */
extern const struct field_kind field_text;         /* char *; NULL is written as "" */
extern const struct field_kind field_text_or_null; /* char * */
extern const struct field_kind field_strings;      /* struct strings */
extern const struct field_kind field_json;         /* json_t *, anything; NULL is null */

/* `table` ends with a row without a name. */
json_t *fields_put(const struct field *table, const void *object);
int fields_get(const struct field *table, void *object, json_t *json, struct bench_error *err);

/* An integer from `low` to `high`, or "expected an integer from LOW to HIGH". */
int field_integer_within(json_t *value, int64_t low, int64_t high, int64_t *ret,
                         struct bench_error *err);
/* Sets "expected WHAT". Returns -1. */
int field_expected(struct bench_error *err, const char *what);

#endif
