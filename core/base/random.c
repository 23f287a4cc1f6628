/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <sys/random.h>

#include "base/clock.h"

uint64_t random_next(struct random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *r, uint64_t n)
{
    uint64_t reject = -n % n, x; /* 2^64 mod n: values below it would be drawn once too often */

    do
        x = random_next(r);
    while (x < reject);
    return x % n;
}

void random_shuffle(struct random *r, size_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below(r, i), t = items[i - 1];

        items[i - 1] = items[j];
        items[j] = t;
    }
}

uint64_t random_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = (uint64_t)clock_wall();
    return seed;
}
