/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two stored runs as one, so that one document compares them: every relay that both have (or
 * the only one of each) becomes two arms, one per run. They were not measured in the same blocks,
 * so nothing that happened to the machine in between cancels; what differs between the runs beside
 * their numbers is listed.
 */
#ifndef REPORT_SIDE_BY_SIDE_H
#define REPORT_SIDE_BY_SIDE_H

#include "store/store.h"

struct side {
    const char *label; /* "old" */
    struct stored_run *run;
};

/* Takes the repetitions of both; the runs are still the caller's to release. Which blocks are
 * thrown away is by the rule of the second run (`reject`). `rule` as in run.json
 * ("comparison"), taken. -1 (USAGE) when they have no relay in common, another workload, or did not
 * count the same event under the name of a metric that decides. */
int side_by_side(struct stored_run *ret, const struct side sides[2], json_t *rule,
                 struct bench_error *err);

#endif
