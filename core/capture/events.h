/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event names → perf_event_attr. libpfm4 knows hardware and software events; tracepoints
 * ("syscalls:sys_enter_write", "sched:sched_switch") are looked up in tracefs, because libpfm4 only
 * looks for debugfs. `rNNNN` is a raw event. perf's modifiers work on all: `cycles:u`, `r1c0:k`,
 * `instructions:ukpp`.
 */
#ifndef CAPTURE_EVENTS_H
#define CAPTURE_EVENTS_H

#include <linux/perf_event.h>
#include <sys/types.h>

#include <bench/types.h>
#include "base/text.h"

/* Where the kernel shows its event sources. */
#define EVENT_DEVICES "/sys/bus/event_source/devices"

/* USAGE error with the nearest name for one that nobody knows; ENVIRONMENT when the name may be
 * right but cannot be looked up here: tracefs is missing or unreadable, the PMU is another CPU's.
 * `attr->size` is set; inherit, disabled and read_format are the caller's. */
int event_encode(const char *name, struct perf_event_attr *attr, struct bench_error *err);
/* One line per event that can be opened here or could be elsewhere, for `bench list events`. Kinds:
 * "hardware", "software", "cache", "tracepoint", and the name of a CPU's own PMU ("skl"). */
typedef void (*event_visit_fn)(void *context, const char *kind, const char *name, bool usable,
                               const char *help);
void event_list(event_visit_fn visit, void *context);

/* event_open.c: from here on, the kernel is asked. */

/* Opens it on `pid`, any CPU, as `attr` says. Returns a descriptor, or -1 with a reason that
 * explains errno for this event and says what to change; `ret_state` is then NOT_SUPPORTED or
 * FAILED. At EACCES/EPERM it retries user-only where that counts anything: *ret_user_only then says
 * whether kernel mode is missing from the count. */
int event_open(const char *name, struct perf_event_attr *attr, pid_t pid, bool *ret_user_only,
               enum bench_state *ret_state, struct bench_error *err);
/* What `errnum` means for this event: sets message and hint, returns the state. */
enum bench_state event_explain(const char *name, const struct perf_event_attr *attr, int errnum,
                               struct bench_error *err);
/* True when the machine counts `cycles` in hardware. */
bool event_have_pmu(void);
/* Whether it notes the build-id of what is mapped, for attr.build_id (Linux 5.12). */
bool event_have_build_ids(void);
int event_paranoid(void); /* /proc/sys/kernel/perf_event_paranoid, or -2 when unreadable */

#endif
