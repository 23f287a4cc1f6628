/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <signal.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_offset(void)
{
    int64_t best = INT64_MAX, offset = 0;

    /* The closest reading of several: the process may lose its CPU between two calls. */
    for (int i = 0; i < 5; i++) {
        int64_t before = clock_now(), wall = clock_wall(), took = clock_now() - before;

        if (took < best) {
            best = took;
            offset = wall - before - took / 2;
        }
    }
    return offset;
}

void clock_rfc3339(int64_t wall_ns, char out[32])
{
    time_t seconds = wall_ns / NS_PER_S;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct timespec clock_timespec(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

static int64_t system_now(const struct clock *c)
{
    (void)c;
    return clock_now();
}

static int64_t system_offset(const struct clock *c)
{
    (void)c;
    return clock_offset();
}

static int system_poll(const struct clock *c, struct pollfd *fds, nfds_t n, int64_t until_ns)
{
    struct timespec left = clock_timespec(until_ns - clock_now());

    (void)c;
    return ppoll(fds, n, &left, NULL);
}

/* The only trace that it leaves in a process: SIGCONT, pending while it is blocked. */
static bool system_stood_still(const struct clock *c)
{
    const struct timespec at_once = {0};
    sigset_t set;

    (void)c;
    sigemptyset(&set);
    sigaddset(&set, SIGCONT);
    return sigtimedwait(&set, NULL, &at_once) == SIGCONT;
}

const struct clock clock_system = {.now = system_now,
                                   .offset = system_offset,
                                   .poll = system_poll,
                                   .stood_still = system_stood_still};
