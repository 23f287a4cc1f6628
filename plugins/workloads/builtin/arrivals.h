/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When requests of an open loop are due: a sequence that is determined by seed and rate alone, so
 * every arm of a block, and every thread of a client, sees the same. Pure.
 */
#ifndef BUILTIN_ARRIVALS_H
#define BUILTIN_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

struct arrivals {
    uint64_t random; /* state of splitmix64 */
    double mean_ns;
    bool poisson;
    uint64_t number; /* of the arrival that is next, from 0 */
    double due_ns;   /* when, after the start */
};

/* Stands at the first arrival. */
void arrivals_init(struct arrivals *a, double per_second, bool poisson, uint64_t seed);
void arrivals_next(struct arrivals *a);

#endif
