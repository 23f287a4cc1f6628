/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The profiles of one thing: stacks per repetition, and what they were sampled from. Filled by
 * whoever reads them; owns all it holds. Zero-initialised is empty and valid.
 */
#ifndef PROFILE_PROFILE_SET_H
#define PROFILE_PROFILE_SET_H

#include "profile/comparison.h"

struct profile_set {
    struct profile *items;
    size_t count, capacity;
    char *event; /* "cpu-clock", or NULL: unknown */
    char *unit;  /* of the weights; NULL while empty */
    double lost; /* samples, together */
};

/* A repetition without stacks and a divisor of 1, to be filled; valid until the next is added. */
struct profile *profile_set_add(struct profile_set *set);
/* All repetitions together; caller frees. */
struct stacks *profile_set_merge(const struct profile_set *set);
double profile_set_samples(const struct profile_set *set); /* 0: unknown of one of them */
void profile_set_release(struct profile_set *set);

#define cleanup_profile_set __attribute__((cleanup(profile_set_release)))

#endif
