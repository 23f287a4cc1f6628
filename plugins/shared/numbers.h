/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as people read them: three digits, a prefix, a unit. Buffers of 80 bytes hold any. And
 * as programs do. */
#ifndef SHARED_NUMBERS_H
#define SHARED_NUMBERS_H

#include <bench/reporter.h>

struct prefix {
    double factor;
    const char *name; /* "G", "Mi", "ms" */
};

/* The prefix in which the metric's value v reads best. */
const struct prefix *prefix_of(const struct bench_metric *m, double v);

/* The number alone, in units of the prefix. */
void mantissa(const struct bench_metric *m, const struct prefix *p, double v, char *out,
              size_t size);

/* "12.3 Gbit/s", "9.87 MiB", "12.3 ms", "12.3%", "0.993". */
void with_unit(const struct bench_metric *m, double v, char *out, size_t size);

/* A change against the baseline: "-81.1%", or "x 12.3" where percent would mislead. */
void change(double ratio, char *out, size_t size);

/* The shortest text that reads back as the same finite number; returns `out`. */
#define EXACT_SIZE 40
const char *exact(double v, char out[EXACT_SIZE]);

/* "ok", "not supported", … */
const char *state_name(enum bench_state s);

#endif
