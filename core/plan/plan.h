/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checked scenario becomes an ordered, immutable list of steps. No side effects, no clock: the
 * same scenario and seed give the same plan (`bench run --dry-run` prints it).
 *
 * Order: for each block, the points of the sweep in random order; at each point every arm once, in
 * random order, all from the seed. A block is thus one repetition of every arm.
 *
 * Captures that cost too much to be near a measurement get repetitions of their own: the k-th of
 * each follows the k-th block (those that are left over, the last), again in random order.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "scenario/scenario.h"

/* A seed is a number below that, which every reader of JSON holds exactly. */
#define PLAN_SEEDS (UINT64_C(1) << 53)

/* One point of the sweep: the scenario with the axes' values applied, plugins resolved and their
 * option states filled. Without a sweep there is one, labelled "". */
struct point {
    char *label; /* "jobs=10 hops=2" */
    struct scenario scenario;
    const struct bench_workload *workload;
    void *workload_state;
    const struct bench_relay **relays; /* per arm */
    void **relay_states;               /* per arm */
    uint32_t *hops; /* per arm: hops of the scenario, at most what the relay has */
};

/* What a repetition is for. Only what serves PURPOSE_MEASURE enters an estimate. */
#define PURPOSE_MEASURE "measure"
#define PURPOSE_CAPTURE "capture:" /* and its name */
#define PURPOSE_SEARCH "search"    /* of the highest rate, study/saturation.h */
#define PURPOSE_PILOT "pilot"      /* for the length of the warm-up, study/warmup.h */

struct step {
    uint32_t index; /* from 1, in order of execution */
    uint32_t block; /* from 1 */
    const struct point *point;
    size_t arm;          /* index into point->scenario.arms */
    uint64_t seed;       /* the same for every arm of a block */
    const char *purpose; /* PURPOSE_MEASURE unless plan_follow() says otherwise */
    /* What this repetition is for; NULL: an ordinary one, with every capture that has none of its
     * own. */
    const struct capture_request *capture;
};

struct plan {
    struct scenario scenario; /* as it was asked for, without its sweep */
    uint64_t seed;
    struct point *points;
    size_t n_points;
    struct step *steps;
    size_t n_steps;
    uint32_t blocks;
    struct strings purposes; /* of the captures */
    uint32_t before;         /* steps of the run that other plans had before this one */
};

/* `scenario` must have passed scenario_check() and outlive nothing: it is copied. */
int plan_make(struct plan *ret_plan, const struct scenario *scenario, const struct registry *r,
              struct bench_error *err);
/* The plan continues a run: its steps are numbered from `before` + 1. `purpose`: of all of them;
 * NULL: each keeps its own. */
void plan_follow(struct plan *p, uint32_t before, const char *purpose);
/* Its blocks are numbered from `before` + 1. */
void plan_follow_blocks(struct plan *p, uint32_t before);
void plan_release(struct plan *p);

#endif
