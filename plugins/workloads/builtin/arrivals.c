/* SPDX-License-Identifier: Apache-2.0 */
#include "arrivals.h"

#include <math.h>

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Times between Poisson arrivals are exponentially distributed. */
static double gap(struct arrivals *a)
{
    double u = (double)(next_random(&a->random) >> 11) * 0x1p-53; /* [0, 1) */

    return a->poisson ? -log1p(-u) * a->mean_ns : a->mean_ns;
}

void arrivals_init(struct arrivals *a, double per_second, bool poisson, uint64_t seed)
{
    *a = (struct arrivals){.random = seed, .mean_ns = 1e9 / per_second, .poisson = poisson};
    a->due_ns = gap(a);
}

void arrivals_next(struct arrivals *a)
{
    a->number++;
    /* Constant ones by multiplication: they must not drift. */
    a->due_ns = a->poisson ? a->due_ns + gap(a) : (double)(a->number + 1) * a->mean_ns;
}
