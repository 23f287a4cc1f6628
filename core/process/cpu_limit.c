/* SPDX-License-Identifier: Apache-2.0 */
#include "process/cpu_limit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "process/controller.h"

/* The kernel refuses a smaller quota (min_cfs_quota_period). */
#define SMALLEST_QUOTA_US INT64_C(1000)

struct limit {
    char period[32], quota[32], max[64];
    struct controller_value values[2];
    size_t n;
};

int cpu_limit_check(double cpus, int64_t period_ns, struct bench_error *err)
{
    int64_t period_us = period_ns / NS_PER_US;

    if (!isfinite(cpus) || cpus < 0)
        return error_set(err, BENCH_ERROR_USAGE, "a CPU limit of '%g' is not possible", cpus);
    if (cpus == 0)
        return 0;
    if (period_ns < NS_PER_MS || period_ns > NS_PER_S) {
        char text[32];

        error_set(err, BENCH_ERROR_USAGE, "a CPU period of '%s' is not possible",
                  format_duration(period_ns, text, sizeof(text)));
        error_hint(err, "the kernel takes 1ms to 1s; 100ms is usual");
        return -1;
    }
    if (cpus * (double)period_us < (double)SMALLEST_QUOTA_US) {
        char text[32];

        error_set(err, BENCH_ERROR_USAGE, "a CPU limit of '%g' is too small", cpus);
        error_hint(err, "the smallest possible is %g with a period of %s, and 0.001 with 1s",
                   (double)SMALLEST_QUOTA_US / (double)period_us,
                   format_duration(period_ns, text, sizeof(text)));
        return -1;
    }
    return 0;
}

/* Version 1 takes them one by one and refuses a quota that does not fit the period of the moment.
 */
static void describe_limit(struct limit *l, enum cgroup_version version, double cpus,
                           int64_t period_ns)
{
    int64_t period = period_ns / NS_PER_US, quota = llround(cpus * (double)period);

    snprintf(l->period, sizeof(l->period), "%" PRId64, period);
    snprintf(l->quota, sizeof(l->quota), "%" PRId64, quota);
    snprintf(l->max, sizeof(l->max), "%s %s", l->quota, l->period);
    if (version == CGROUP_V2) {
        l->values[0] = (struct controller_value){"cpu.max", l->max};
        l->n = 1;
    } else {
        l->values[0] = (struct controller_value){"cpu.cfs_period_us", l->period};
        l->values[1] = (struct controller_value){"cpu.cfs_quota_us", l->quota};
        l->n = 2;
    }
}

int cpu_limit_set(enum cgroup_version version, const char *group, double cpus, int64_t period_ns,
                  struct bench_error *err)
{
    struct limit limit;

    describe_limit(&limit, version, cpus, period_ns);
    if (controller_set("cpu", group, limit.values, limit.n, err) < 0 ||
        controller_verify("cpu", group, limit.values, limit.n, err) < 0)
        return error_context(err, "CPU limit of '%g'", cpus);
    return 0;
}
