/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a comparison may stop. Looking after every block and stopping at the first difference finds
 * one in a quarter of all identical pairs; these rules keep the error that they state. Pure
 * functions; docs/measurement.md, "When to stop", has the simulations.
 */
#ifndef STATS_SEQUENTIAL_H
#define STATS_SEQUENTIAL_H

#include <stdbool.h>
#include <stddef.h>

/* --- two stages: an interval as narrow as asked for ------------------------------------------ */

enum { STATS_FIRST_STAGE = 10, STATS_MOST_BLOCKS = 40 };

/* How many blocks in all, after STATS_FIRST_STAGE whose deciding interval has the half width w (in
 * ln), for one of ln(1 + precision): 10 (w/h)², rounded up, within 10 to 40. 40 when w is not
 * finite or the precision not positive. */
size_t stats_second_stage(double half_width, double precision);

/* --- looks: stop as soon as the verdict is known --------------------------------------------- */

struct stats_look {
    size_t n;     /* after so many blocks … */
    double alpha; /* … stats_compare() at this level, m as usual; stop unless INCONCLUSIVE */
};

/* The i-th look, from 0; false behind the last. Together they make a family error of 5%. The levels
 * of Wang and Tsiatis 1987 (power .25), rounded to what ten signs can reach: 2/1024 is the least p
 * of ten blocks, so the steeper boundaries of O'Brien and Fleming never end at the first look. */
bool stats_look(size_t i, struct stats_look *ret);

#endif
