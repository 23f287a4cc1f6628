/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control groups around the bench allow: every role is in one of them, so a CPU quota
 * there holds for all roles together. Groups above the top of this cgroup namespace are not
 * visible.
 *
 * Life: cgroup_around_open → cgroup_around_read… → cgroup_around_close. Opening never fails:
 * without control groups there is nothing around.
 */
#ifndef PROCESS_AROUND_H
#define PROCESS_AROUND_H

#include "process/cgroup.h"

struct around_group {
    int quota, period, stat; /* files; `period` is -1 on version 2 */
    char *path;              /* below the mount, "" for its top */
};

struct cgroup_around {
    enum cgroup_version version;
    struct around_group *groups; /* from the innermost outwards, those that can have a quota */
    size_t count, capacity;
};

struct around_usage {
    double cpus; /* the smallest quota; 0: none */
    int64_t period_us;
    const char *path; /* of its group; belongs to the cgroup_around */
    /* Cumulative, summed over the groups that have a quota. */
    int64_t throttled_ns, periods, throttled_periods;
};

void cgroup_around_open(struct cgroup_around *a, const struct cgroup_host *h);
/* About 5 µs for each group around. */
void cgroup_around_read(const struct cgroup_around *a, struct around_usage *ret);
void cgroup_around_close(struct cgroup_around *a);

#endif
