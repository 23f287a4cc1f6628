/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every threshold from which a number of a report becomes a statement: who was the limit, and what
 * the rules of `bench explain` say. One table, which docs/measurement.md shows.
 */
#ifndef REPORT_THRESHOLDS_H
#define REPORT_THRESHOLDS_H

#include <stddef.h>

enum threshold {
    NO_THRESHOLD = 0, /* only in rules: nothing is compared */
    SATURATED,
    THROTTLED,
    MACHINE_IDLE,
    THREAD_LOW,
    THREAD_HIGH,
    OTHERS_AT_WORK,
    STEAL,
    TAIL_LOW,
    TAIL_HIGH,
    OVERFLOWS,
    RETRANSMITS,
    ACTIVE,
    IMBALANCE,
    CHURN,
    FLUSHES,
    SMALL_CALL,
    CALLS_TO_MOVE,
    MANY_CALLS,
    TINY_CALL,
    ONE_SIDED,
    SWITCHES_PER_REQUEST,
    SWITCHES_PER_MEGABYTE,
    WAITING,
    INVOLUNTARY,
    MIGRATIONS,
    FAULTS,
    GROWTH,
    GROWTH_SHARE,
    SOFTIRQ,
    LOW_IPC,
    CACHE_MISSES,
    FEW_CALLS,
    RESTING,
};

struct threshold_row {
    const char *name;
    double value;
    const char *unit, *meaning;
    const char *source; /* why this value */
};

double threshold(enum threshold t);
/* Row i of the documentation, or NULL behind the last. */
const struct threshold_row *threshold_row(size_t i);

#endif
