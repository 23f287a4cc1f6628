/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers with units, in and out. Parsing is exact or an error: no trailing characters, no
 * overflow, no NaN. Formatting writes at most `size` bytes and returns `out`.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <bench/types.h>

/* Each returns 0, or -1 with a message that quotes `text` and names the accepted notations. Then
 * errno is ERANGE when `text` is well formed, but no value of the type. */
int parse_integer(const char *text, int64_t *ret, struct bench_error *err);
int parse_number(const char *text, double *ret, struct bench_error *err);
int parse_duration(const char *text, int64_t *ret_ns, struct bench_error *err);
/* A date, with or without a time of day, in UTC; or how long before `now`. */
int parse_time(const char *text, int64_t now_wall_ns, int64_t *ret_wall_ns,
               struct bench_error *err);
int parse_size(const char *text, int64_t *ret_bytes, struct bench_error *err);
int parse_rate(const char *text, double *ret_per_second, struct bench_error *err);
/* "3%" or "0.03"; a bare number from 1 on is refused, since it may mean either. */
int parse_share(const char *text, double *ret, struct bench_error *err);
int parse_bool(const char *text, int *ret, struct bench_error *err);
/* "0-2,5" → bits of `ret[]`; CPUs are below 1024. */
#define UNITS_CPU_WORDS 16
int parse_cpus(const char *text, uint64_t ret[UNITS_CPU_WORDS], struct bench_error *err);

const char *format_si(double v, char *out,
                      size_t size); /* "12.3 G", "987 ", "1.00 k": a unit can follow */
const char *format_binary(double v, char *out, size_t size);  /* "12.3 Mi" */
const char *format_seconds(double s, char *out, size_t size); /* "12.3 ms" */

/* In the notation that the parser of the same name reads back to the same value. */
const char *format_duration(int64_t ns, char *out, size_t size);    /* "1500ms", "5s" */
const char *format_size(int64_t bytes, char *out, size_t size);     /* "64K", "1000" */
const char *format_rate(double per_second, char *out, size_t size); /* "10k" */
const char *format_number(double v, char *out, size_t size);        /* shortest: "0.1" */
const char *format_share(double v, char *out, size_t size);         /* "3%" */

#endif
