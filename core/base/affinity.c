/* SPDX-License-Identifier: Apache-2.0 */
#include "base/affinity.h"

#include <errno.h>
#include <sched.h>

#include "base/error.h"
#include "base/units.h"

static void make_set(const uint64_t *cpus, cpu_set_t *ret)
{
    CPU_ZERO(ret);
    for (unsigned cpu = 0; cpu < UNITS_CPU_WORDS * 64; cpu++)
        if (cpus[cpu / 64] >> (cpu % 64) & 1)
            CPU_SET(cpu, ret);
}

int affinity_set(const uint64_t *cpus, struct bench_error *err)
{
    cpu_set_t wanted, got;
    int failed;

    if (!cpus)
        return 0;
    make_set(cpus, &wanted);
    failed = sched_setaffinity(0, sizeof(wanted), &wanted) < 0 ||
             sched_getaffinity(0, sizeof(got), &got) < 0;
    /* The kernel leaves out what is offline or not allowed, without a word. */
    if (!failed && CPU_EQUAL(&wanted, &got))
        return 0;
    if (failed)
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot run on the wanted CPUs");
    else
        error_set(err, BENCH_ERROR_ENVIRONMENT, "cannot run on all of the wanted CPUs");
    error_hint(err, "'cpus' must name CPUs that are online and allowed: see 'nproc --all', "
                    "'taskset -p $$'");
    return -1;
}

int affinity_try(const uint64_t *cpus, struct bench_error *err)
{
    cpu_set_t old;
    int result;

    if (sched_getaffinity(0, sizeof(old), &old) < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot read the affinity");
    result = affinity_set(cpus, err);
    sched_setaffinity(0, sizeof(old), &old);
    return result;
}
