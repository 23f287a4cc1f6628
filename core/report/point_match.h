/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which points of two runs are the same: those of one label, and else those at which every key that
 * either run swept has the same value, whether it was swept there or set.
 */
#ifndef REPORT_POINT_MATCH_H
#define REPORT_POINT_MATCH_H

#include "store/store.h"

/* Of each run the label; what the point is called in both: the label that says more. */
struct point_match {
    char *labels[2];
    const char *joined; /* one of the labels */
};

struct point_matches {
    struct point_match *items;
    size_t count, capacity;
};

/* `arms`: of each run those that are compared, the first with the first. */
void point_matches_find(const struct stored_run *const runs[2], const struct strings *const arms[2],
                        struct point_matches *ret);
/* What a point of run `side` is called in both: itself, when it has no match. */
const char *point_matches_joined(const struct point_matches *m, size_t side, const char *label);
void point_matches_release(struct point_matches *m);

#define cleanup_point_matches __attribute__((cleanup(point_matches_release)))

#endif
