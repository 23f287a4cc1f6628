/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much is too much: whether a relay kept up with a rate of requests, and a search for the
 * highest one with which it does. Pure functions; docs/measurement.md, "Saturation", has the rule.
 *
 * Life of a search: saturation_begin → as long as saturation_next() names a rate: try it,
 * saturation_tell() → `low` is the highest that was kept up with, 0: none was.
 */
#ifndef STATS_SATURATION_H
#define STATS_SATURATION_H

#include <stdbool.h>
#include <stddef.h>

#define SATURATION_LEAST_DONE 0.98 /* of the requests that were due */
#define SATURATION_MOST_BACKLOG                                                                  \
    0.01                            /* growth of the requests that wait, per request that is due \
                                     */
#define SATURATION_MOST_SLOWER 10.0 /* p99 over its value under light load */
#define SATURATION_LIGHT 0.2        /* of the capacity: what counts as light load */

/* What one repetition showed. NaN: not known, and then not judged. */
struct load {
    double offered, done;  /* requests per second */
    double backlog;        /* by which the requests that wait grow, per second */
    double p99, p99_light; /* seconds, from when the request was due */
};

enum saturation_sign { SATURATION_NONE, SATURATION_BEHIND, SATURATION_BACKLOG, SATURATION_SLOW };

/* The first of the rules that says "saturated". */
enum saturation_sign saturation_judge(const struct load *l);

/* Slope of y over x: the median of the slopes between all pairs (Theil 1950, Sen 1968), which a
 * stall or two do not move. NaN below 3 points. */
double saturation_slope(const double *x, const double *y, size_t n);

struct saturation_search {
    double capacity;  /* of the slowest arm in a closed loop, requests per second */
    double precision; /* high / low - 1 that ends the search */
    double low, high; /* kept up with, 0: nothing yet; not kept up with, infinite: everything was */
    unsigned tries;
};

void saturation_begin(struct saturation_search *s, double capacity, double precision);
/* The next rate to try, rounded to 3 digits. false: the search is over. */
bool saturation_next(const struct saturation_search *s, double *ret_rate);
/* To 3 digits, as all rates of a search are. */
double saturation_round(double rate);
void saturation_tell(struct saturation_search *s, double rate, bool kept_up);

#endif
