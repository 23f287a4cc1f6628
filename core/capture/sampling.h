/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine can sample by, best first: cycles of the CPU, which also see code that runs
 * with interrupts off; the kernel's CPU clock, for want of a PMU; and either of them in user mode
 * only, where the kernel allows an ordinary user no more. Found by opening the event as perf would.
 */
#ifndef CAPTURE_SAMPLING_H
#define CAPTURE_SAMPLING_H

#include <stdint.h>

#include <bench/types.h>

struct sampling {
    char event[64];   /* as perf is told: "cycles", "cpu-clock:u" */
    const char *unit; /* of a sample's weight: "cycles", "ns", "events" */
    bool user_only;
    char *instead; /* why it is not a better one, and NULL when it is the best */
    char *mend;    /* what would give the better one */
};

/* The best that can be opened here. ENVIRONMENT error when nothing can. */
int sampling_choose(struct sampling *ret, struct bench_error *err);
/* The event of the user's choice, or an ENVIRONMENT error with the reason: nothing is chosen
 * instead. `event` has passed event_encode(), or is of perf's form PMU/…/, which only perf knows.
 */
int sampling_take(struct sampling *ret, const char *event, struct bench_error *err);
/* Whether its samples can come with the callers that the CPU has recorded (LBR). */
int sampling_branches(const struct sampling *s, struct bench_error *err);
void sampling_release(struct sampling *s);

/* How an event is opened; perf_event_open(2) for a process of one's own. Tests give another.
 * Returns as event_open() does. */
typedef int (*sampling_open_fn)(const char *event, bool *ret_user_only, struct bench_error *err);
int sampling_choose_by(struct sampling *ret, sampling_open_fn open, struct bench_error *err);

#endif
