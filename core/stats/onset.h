/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a series begins on another level than it goes on with: the split into two levels that
 * leaves the least sum of squares about them, and whether they differ by more than noise would.
 * (MSER cuts where the rest's mean is best known; where that rest hardly varies this is long after
 * the level has changed, and the two parts no longer differ.) Pure functions.
 */
#ifndef STATS_ONSET_H
#define STATS_ONSET_H

#include <stdbool.h>
#include <stddef.h>

/* Fewer observations say nothing of how noisy they are. */
#define ONSET_LEAST 20
/* A start counts when its mean differs from the rest's by more than so many standard errors,
 * widened by the autocorrelation; the split that looks best was chosen, so two or three would be
 * too few … */
#define ONSET_ERRORS 6
/* … and when it moves the mean of the whole by more than this share. */
#define ONSET_SHARE 0.005

struct onset {
    bool judged;         /* false: fewer than ONSET_LEAST, or not all finite */
    size_t cut;          /* observations before the split: 1 to 3/4 of all */
    double before, rest; /* the two means; NaN when not judged, as is `shift` */
    double shift;        /* mean of all / rest − 1 */
    int trend;           /* 0: steady; 1: starts low, −1: starts high */
};
void stats_onset(const double *x, size_t n, struct onset *ret);

/* The trend that more than half of the judged series share, or 0. One series may be unlucky; a
 * start that belongs to what is measured comes back. */
int stats_onset_majority(const struct onset *items, size_t n);

#endif
