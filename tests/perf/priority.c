/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What short slices and a raised priority give a client that shares a CPU with a relay, and what
 * they take from the relay. The client wakes every millisecond and works for a part of it, the
 * relay never sleeps; as the bench has them, each in a session of its own, or both in one. Prints
 * for each case how late the client was and how much CPU the relay got in the time. As root.
 */
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../plugins/workloads/builtin/builtin.h"
#include "base/clock.h"
#include "stats/histogram.h"

enum { PERIOD_NS = 1000000, SLICE_NS = 100000 };

struct variant {
    const char *name;
    bool slice;
    int nice;
};

/* Where this thread may run, and how. */
static void become(const struct variant *v, bool own_session)
{
    struct schedule s;
    cpu_set_t first;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (sched_setaffinity(0, sizeof(first), &first) || (own_session && setsid() < 0) ||
        syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0))
        _exit(1);
    s.runtime = v->slice ? SLICE_NS : s.runtime;
    s.nice = v->nice;
    if (syscall(SYS_sched_setattr, 0, &s, 0))
        _exit(1);
}

static pid_t start_relay(bool own_session)
{
    pid_t pid = fork();

    if (pid == 0) {
        become(&(struct variant){0}, own_session);
        for (;;)
            ;
    }
    return pid;
}

static int64_t thread_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static double cpu_of(pid_t pid)
{
    struct timespec t = {0};
    clockid_t clock;

    if (!clock_getcpuclockid(pid, &clock))
        clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Like an open loop: late work is done all the same. */
static void run_client(double load, double seconds, pid_t relay)
{
    struct histogram *late = histogram_new();
    int64_t begin = clock_now(), due = begin, work = (int64_t)(load * PERIOD_NS);
    double cpu = cpu_of(relay);

    prctl(PR_SET_TIMERSLACK, 1);
    while (due < begin + (int64_t)(seconds * 1e9)) {
        struct timespec t = {.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
        int64_t until;

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        histogram_record(late, clock_now() - due, 1);
        for (until = thread_time() + work; thread_time() < until;)
            ;
        due += PERIOD_NS;
    }
    printf("late by p50 %7.0f µs, p99 %7.0f µs; the relay got %.3f CPUs\n",
           histogram_percentile(late, 0.5) * 1e-3, histogram_percentile(late, 0.99) * 1e-3,
           (cpu_of(relay) - cpu) / ((double)(clock_now() - begin) * 1e-9));
    fflush(stdout);
    free(late);
}

/* In a child, whose session ends with it. */
static int measure(const struct variant *v, bool apart, double load, double seconds)
{
    pid_t parent = fork();
    int status;

    if (parent == 0) {
        pid_t relay;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!apart && setsid() < 0) /* never in that of the shell */
            _exit(1);
        relay = start_relay(apart);
        become(v, apart);
        printf("%s, client of %2.0f%% with %-17s ", apart ? "a session each" : "one session   ",
               load * 100, v->name);
        run_client(load, seconds, relay);
        kill(relay, SIGKILL);
        waitpid(relay, &status, 0);
        _exit(0);
    }
    waitpid(parent, &status, 0);
    return status;
}

int main(int argc, char **argv)
{
    static const struct variant variants[] = {{"nothing", false, 0},
                                              {"short slices", true, 0},
                                              {"nice -20", false, -20},
                                              {"both", true, -20}};
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    int failed = 0;

    for (int apart = 1; apart >= 0; apart--)
        for (int k = 0; k < 2; k++)
            for (size_t i = 0; i < 4; i++)
                failed |= measure(&variants[i], apart, k ? 0.7 : 0.2, seconds);
    return failed != 0;
}
