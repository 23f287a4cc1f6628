/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that makes numbers like a real one: each execution is disturbed by a drift over the
 * whole order of execution (AR(1)), by noise of its own, and one in 20 is slow by 5 to 30%.
 * Logarithms.
 */
#ifndef HARNESS_LAB_H
#define HARNESS_LAB_H

#include <math.h>

#include "base/random.h"

enum { LAB_ARMS = 8 };

struct lab {
    struct random random;
    double correlation, drift_sd, noise_sd;
    double drift; /* now */
};

#define LAB(seed)                                                                           \
    {                                                                                       \
        .random = {.state = (seed)}, .correlation = 0.9, .drift_sd = 0.05, .noise_sd = 0.02 \
    }

static inline double lab_uniform(struct random *r)
{
    return ((double)(random_next(r) >> 11) + 0.5) / 9007199254740992.0;
}

static inline double lab_normal(struct random *r)
{
    return sqrt(-2 * log(lab_uniform(r))) * cos(2 * M_PI * lab_uniform(r));
}

static inline double lab_execute(struct lab *l)
{
    double y;

    l->drift = l->correlation * l->drift +
               sqrt(1 - l->correlation * l->correlation) * l->drift_sd * lab_normal(&l->random);
    y = l->drift + l->noise_sd * lab_normal(&l->random);
    return random_below(&l->random, 20) ? y : y - 0.05 - 0.25 * lab_uniform(&l->random);
}

/* One execution of every arm in random order, `effect[j]` being what arm j truly is in ln. */
static inline void lab_block(struct lab *l, const double *effect, size_t arms, double *ret)
{
    size_t order[LAB_ARMS];

    for (size_t i = 0; i < arms; i++)
        order[i] = i;
    random_shuffle(&l->random, order, arms);
    for (size_t i = 0; i < arms; i++)
        ret[order[i]] = effect[order[i]] + lab_execute(l);
}

/* n blocks of two arms, the second `effect` above the first: its differences. */
static inline void lab_pairs(struct lab *l, double effect, size_t n, double *ret)
{
    for (size_t i = 0; i < n; i++) {
        double y[2];

        lab_block(l, (double[]){0, effect}, 2, y);
        ret[i] = y[1] - y[0];
    }
}

#endif
