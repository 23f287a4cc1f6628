/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of the bench. Every sample is stamped with CLOCK_MONOTONIC; CLOCK_REALTIME serves only
 * to name runs and to align the records of wrapped tools. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

int64_t clock_now(void);                   /* CLOCK_MONOTONIC ns */
int64_t clock_wall(void);                  /* CLOCK_REALTIME ns */
/* CLOCK_REALTIME less CLOCK_MONOTONIC, to some microseconds. Constant until the machine's clock is
 * set: both are slewed alike. */
int64_t clock_offset(void);
void clock_rfc3339(int64_t wall_ns, char out[32]);  /* 2026-11-20T06:49:44Z */
struct timespec clock_timespec(int64_t ns);

/* Time as it is read and waited for by code whose tests have a time of their own. */
struct clock {
    int64_t (*now)(const struct clock *c);    /* as clock_now() */
    int64_t (*offset)(const struct clock *c); /* as clock_offset() */
    /* poll(2) until a time of `now`; a time that has passed only looks. */
    int (*poll)(const struct clock *c, struct pollfd *fds, nfds_t n, int64_t until_ns);
    /* Whether this process was stopped (Ctrl-Z) and went on since the last call: time passed in
     * which it saw nothing. NULL: never. The system's knows while SIGCONT is blocked. */
    bool (*stood_still)(const struct clock *c);
};
extern const struct clock clock_system;

#endif
