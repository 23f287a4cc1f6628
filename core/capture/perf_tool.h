/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The perf tool as a child of the bench: `perf record`, which samples one role for exactly the
 * window, and `perf report` on what it left.
 *
 * Life of a recording: perf_tool_spawn, while the role stands at the gate → perf_tool_await, until
 * perf has attached to the role's init, whose events all that the role starts will inherit → (the
 * role is let go) → perf_tool_switch on and off at the window's edges → perf_tool_stop asks perf to
 * write its file up → perf_tool_finish waits for that → perf_tool_free, in any state. Several run
 * side by side: spawn all, then wait for each.
 *
 * perf is contained as roles are (role.h), in a group of its own and without a PID namespace, where
 * it could not see the role. What it prints is kept in its directory. Every wait has a deadline and
 * ends when perf does; an error carries perf's last words.
 */
#ifndef CAPTURE_PERF_TOOL_H
#define CAPTURE_PERF_TOOL_H

#include "base/text.h"
#include "capture/capture.h"

struct perf_tool;

struct perf_program {
    char *path;
    char *version; /* "perf version 6.1.187" */
};

/* perf on this machine: found, and new enough for its control commands. ENVIRONMENT error with a
 * hint otherwise. */
int perf_find(struct perf_program *ret, struct bench_error *err);
void perf_program_release(struct perf_program *p);
/* The version that `perf --version` printed, if it is new enough. Caller frees. */
char *perf_version(const char *printed, struct bench_error *err);

struct perf_recording {
    const struct perf_program *perf;
    const char *name; /* "record-relay_1": of its directory, its group, and NAME.perf.data */
    const struct role *role;
    /* Of `perf record`, without the target, the output and the control: events and options. The
     * events named in `events` count in the window only; they are enabled as they are opened, so
     * that an event `dummy` before them, which follows what is started and mapped, always is. */
    const struct strings *arguments;
    const char *const *events; /* as perf calls them, at most PERF_EVENT_NAME; NULL-terminated */
};
#define PERF_EVENT_NAME 48 /* perf takes commands of 64 bytes */

int perf_tool_spawn(struct perf_tool **ret, const struct capture_target *t,
                    const struct perf_recording *recording, struct bench_error *err);
/* Until perf has attached and the events are off. */
int perf_tool_await(struct perf_tool *p, struct bench_error *err);
/* Several at once, so that their windows are one: all are told, then all have answered. */
int perf_tool_switch(struct perf_tool *const *tools, size_t n, bool on, struct bench_error *err);
void perf_tool_stop(struct perf_tool *p);
int perf_tool_finish(struct perf_tool *p, struct bench_error *err);
void perf_tool_free(struct perf_tool *p); /* NULL is fine */

/* Runs `perf ARGUMENTS` to its end. What it prints becomes the file NAME.txt of the repetition, its
 * messages stay in NAME-report. */
int perf_tool_report(const struct capture_target *t, const struct perf_program *perf,
                     const char *name, const struct strings *arguments, struct bench_error *err);

/* What perf answers on its control channel. */
struct perf_answers {
    char line[32];
    size_t length;
    unsigned count; /* answers that were understood */
    bool wrong;     /* something else was */
};
void perf_answers_add(struct perf_answers *a, const char *bytes, size_t n);

#endif
