/* SPDX-License-Identifier: Apache-2.0 */
/* Reproducible random numbers: splitmix64 (public domain algorithm of S. Vigna). Not for secrets. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *r);
uint64_t random_below(struct random *r, uint64_t n); /* unbiased; n > 0 */
void random_shuffle(struct random *r, size_t *items, size_t n);
uint64_t random_seed(void); /* from getrandom() */

#endif
