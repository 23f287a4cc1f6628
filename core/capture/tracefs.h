/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracepoints as tracefs shows them: SYSTEM:EVENT → the id that perf_event_open wants. The tree is
 * at /sys/kernel/tracing, on older systems below debugfs, and usually root's only. Where it is not
 * mounted and privilege allows, it is opened without being mounted anywhere.
 */
#ifndef CAPTURE_TRACEFS_H
#define CAPTURE_TRACEFS_H

#include <bench/types.h>
#include "base/text.h"

enum tracefs_access {
    TRACEFS_READABLE,
    TRACEFS_DENIED,  /* it is there, but not for this user */
    TRACEFS_MISSING, /* not mounted, or no CONFIG_TRACING */
};

enum tracefs_access tracefs_access(void);
/* Sets an ENVIRONMENT error that says what stands in the way of `event`. Returns -1. */
int tracefs_explain(const char *event, enum tracefs_access access, struct bench_error *err);
bool tracefs_has_system(const char *system);
/* The id of a tracepoint, or -1 when there is none. */
int64_t tracefs_id(const char *system, const char *event);
/* Appends every "system:event"; nothing when unreadable. */
void tracefs_names(struct strings *ret);

#endif
