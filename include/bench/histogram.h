/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A latency histogram in shared memory, written by a role's `main` and sampled by the core:
 * log-linear with 3 significant digits from 1 ns to 68 s, constant size, about 2 ns to record. Its
 * bucket layout is that of HdrHistogram (lowest value 1 ns, 3 digits), so the core exports it
 * without loss.
 *
 * Recording is atomic and relaxed: threads may share one, though each is faster with its own.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#include <bench/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_HISTOGRAM_HALF 1024 /* linear steps per octave: 3 digits need 1000 */
#define BENCH_HISTOGRAM_OCTAVES 26
#define BENCH_HISTOGRAM_COUNTS ((BENCH_HISTOGRAM_OCTAVES + 1) * BENCH_HISTOGRAM_HALF)
#define BENCH_HISTOGRAM_MAXIMUM \
    ((INT64_C(2) * BENCH_HISTOGRAM_HALF << (BENCH_HISTOGRAM_OCTAVES - 1)) - 1)

struct bench_histogram {
    uint64_t counts[BENCH_HISTOGRAM_COUNTS]; /* accessed through __atomic builtins */
};

/* The bucket of a latency in ns: negative ones count as 0, those beyond the maximum in the last. */
static inline uint32_t bench_histogram_index(int64_t ns)
{
    uint32_t octave;

    if (ns < 0)
        ns = 0;
    if (ns > BENCH_HISTOGRAM_MAXIMUM)
        ns = BENCH_HISTOGRAM_MAXIMUM;
    octave = 63 - (uint32_t)__builtin_clzll((uint64_t)ns | (2 * BENCH_HISTOGRAM_HALF - 1)) - 10;
    return octave * BENCH_HISTOGRAM_HALF + (uint32_t)((uint64_t)ns >> octave);
}

static inline void bench_histogram_record(struct bench_histogram *h, int64_t ns)
{
    __atomic_fetch_add(&h->counts[bench_histogram_index(ns)], 1, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif
#endif
