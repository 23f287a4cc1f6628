/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A latency histogram at rest: the difference of two snapshots of the shared one, or the records of a
 * wrapped tool. Merged within a repetition only; percentiles are never averaged.
 */
#ifndef STATS_HISTOGRAM_H
#define STATS_HISTOGRAM_H

#include <bench/histogram.h>

#include "base/text.h"

struct histogram {
    uint64_t counts[BENCH_HISTOGRAM_COUNTS];
    uint64_t total;
};

struct histogram *histogram_new(void); /* empty; caller frees with free() */
void histogram_record(struct histogram *h, int64_t ns, uint64_t times);
/* Adds (or subtracts) what `shared` holds now; total follows. */
void histogram_add_shared(struct histogram *h, const struct bench_histogram *shared);
void histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_subtract(struct histogram *from, const struct histogram *what);

/* The highest latency (ns) that shares a bucket with the smallest recorded one that at least
 * q·total records do not exceed: what HdrHistogram prints. NaN when empty. */
double histogram_percentile(const struct histogram *h, double q);
double histogram_mean(const struct histogram *h);    /* ns, bucket middles; NaN when empty */
double histogram_maximum(const struct histogram *h); /* ns; NaN when empty */
/* Whether a percentile may be printed: total ≥ 10 / (1 − q) (docs/measurement.md). */
bool histogram_supports(const struct histogram *h, double q);

/*
 * HdrHistogram V2 encoding, compressed and in base64 (HistogramLogProcessor and every HdrHistogram
 * library read it), and back. Decoding accepts what we write (1 ns unit, 3 digits) and refuses
 * anything else with a reason. Format: HdrHistogram's V2EncodingCookieBase, ZigZag LEB128 counts.
 */
char *histogram_encode(const struct histogram *h); /* caller frees */
int histogram_decode(struct histogram *h, const char *text, struct bench_error *err);

#endif
