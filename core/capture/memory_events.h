/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sampling of memory accesses with address, source and latency, which only some CPUs can: Intel by
 * PEBS, AMD by IBS, ARM by SPE. The kernel shows which as devices in sysfs.
 */
#ifndef CAPTURE_MEMORY_EVENTS_H
#define CAPTURE_MEMORY_EVENTS_H

#include <bench/types.h>

#include "base/text.h"

struct memory_events {
    const char *kind;      /* "PEBS", "IBS" or "SPE" */
    struct strings events; /* for `perf record --event=` */
    struct strings names;  /* by which they are switched */
};

/* `devices` is EVENT_DEVICES (events.h), or a test's. `latency` in cycles is the least that is
 * sampled of loads, 0: the usual 30. ENVIRONMENT error when the machine has none of them; its hint
 * says what would have. Caller releases `ret`. */
int memory_events_find(struct memory_events *ret, const char *devices, int64_t latency,
                       struct bench_error *err);
/* Whether they can be opened for single processes, as far as a device that exists does not say so.
 */
int memory_events_try(const struct memory_events *m, const char *devices, struct bench_error *err);
void memory_events_release(struct memory_events *m);

#endif
