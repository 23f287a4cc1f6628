/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which blocks of a comparison do not count, because the machine did something else meanwhile. The
 * rules are fixed before the run (key `reject`) and blind to what was measured; a block is thrown
 * away as a whole, for all arms. docs/measurement.md, "What is thrown away".
 */
#ifndef REPORT_FITNESS_H
#define REPORT_FITNESS_H

#include "report/observed.h"
#include "store/store.h"

/* More than this share of the blocks: the environment is unfit, nothing is decided. */
#define FITNESS_MOST_REJECTED 0.25

struct rejected_block {
    uint32_t block;
    char *why; /* "steal 2.4% > 1%" */
};

struct fitness {
    struct rejected_block *rejected;
    size_t n_rejected, capacity;
    size_t n_blocks; /* in all */
};

/* `all`: the measuring repetitions of the run, of every arm and point. `metrics`: names of those
 * that decide; the counters among them have a rule of their own. */
void fitness_find(const struct stored_run *run, const struct observations *all,
                  const struct strings *metrics, struct fitness *ret);
bool fitness_rejects(const struct fitness *f, uint32_t block);
bool fitness_unfit(const struct fitness *f);
void fitness_release(struct fitness *f);

#endif
