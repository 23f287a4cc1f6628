/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether groups differ by more than their parts explain: one-way analysis of variance with random
 * groups. The groups are blocks, the parts their slices: where the parts explain it all, longer
 * groups narrow an estimate as more groups do; where they do not, only more groups help, or what
 * makes them differ has to go. Pure function; the same answer every time.
 */
#ifndef STATS_NESTED_H
#define STATS_NESTED_H

#include <stddef.h>

struct stats_nested {
    double groups; /* sample standard deviation of the groups' means */
    double parts;  /* what it would be by the parts alone: pooled deviation within, over √parts */
    double p;      /* of means so far apart when parts do not depend on their group */
};

/*
 * `x`: the parts of group 0, of group 1 …, as many in each. p by 1999 random permutations of all
 * parts (and the order itself), so no distribution is assumed. NaN when fewer than 3 groups or 2
 * parts, not finite, or nothing varies within the groups.
 */
void stats_nested(const double *x, size_t groups, size_t parts, struct stats_nested *ret);

#endif
