/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the CPU limit is true: two processes that spin get quota × wall time within [.98, 1.01],
 * at each limit, and that they were throttled is counted in nearly every period. Needs the
 * right to set limits, and more than one CPU for 1 CPU to be a limit at all. Exits 1 when one is
 * wrong, 2 when others on the machine left too little for the limit to matter.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "process/cgroup.h"

#define PERIOD (100 * NS_PER_MS)
#define WINDOW (10 * NS_PER_S)

static pid_t spin(struct cgroup *g)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (cgroup_attach_self(g, NULL) < 0)
            _exit(1);
        for (;;)
            ;
    }
    return pid;
}

static void wait_for(int64_t ns)
{
    const struct timespec time = clock_timespec(ns);

    nanosleep(&time, NULL);
}

/* The use of the group between two looks, as a share of what the limit allows in that time. */
static double share(struct cgroup *g, double limit, double *ret_throttled)
{
    struct cgroup_usage before, after;
    int64_t begin, length;

    wait_for(10 * PERIOD); /* until both are there, and the first period is over */
    cgroup_read(g, &before);
    begin = clock_now();
    wait_for(WINDOW);
    cgroup_read(g, &after);
    length = clock_now() - begin;
    *ret_throttled = (after.throttled_periods.value - before.throttled_periods.value) /
                     (after.periods.value - before.periods.value);
    return (after.cpu_ns.value - before.cpu_ns.value) / (limit * (double)length);
}

static int check(const struct cgroup_host *host, const char *id, double limit)
{
    struct bench_error err = {0};
    struct cgroup *g = NULL;
    double got = 0, throttled = 0;
    pid_t pids[2];
    bool held, ok;

    if (cgroup_new(&g, host, id, "spin", limit, PERIOD, &err) < 0) {
        printf("WRONG  limits: %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        pids[i] = spin(g);
    got = share(g, limit, &throttled);
    cgroup_kill(g);
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        waitpid(pids[i], NULL, 0);
    held = throttled < 0.95 && got < 0.98; /* by others, not by the limit */
    ok = got >= 0.98 && got <= 1.01 && throttled >= 0.95;
    if (cgroup_remove(g, &err) < 0)
        held = ok = false;
    cgroup_close(g);
    printf(
        "%-6s limits: at %.2f CPUs %.4f of quota x wall was used, must be .98 to 1.01; throttled "
        "in %.0f%% of the periods, must be 95\n",
        ok     ? "ok"
        : held ? "UNTOLD"
               : "WRONG",
        limit, got, throttled * 100);
    return ok ? 0 : held ? 2 : 1;
}

int main(void)
{
    static const double limits[] = {0.25, 0.5, 0.9, 1.0};
    struct bench_error err = {0};
    struct cgroup_host host;
    char id[64];
    int status = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    cgroup_host_detect(&host);
    cgroup_owner_id(id, sizeof(id));
    if (!host.can_limit || sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        printf("limits: skipped: %s\n", host.can_limit ? "needs two CPUs" : host.why_not);
        return 0;
    }
    if (cgroup_host_enter(&host, id, &err) < 0) {
        printf("WRONG  limits: %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        int one = check(&host, id, limits[i]);

        status = one == 1 || status == 0 ? one : status;
    }
    if (cgroup_destroy_tree(&host, id) != 0)
        status = 1;
    cgroup_host_leave(&host);
    return status;
}
