/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What captures that sample with the perf tool share: one `perf record` per role, each with its
 * file CAPTURE-ROLE.perf.data in the repetition's directory, all on for exactly the window.
 *
 * Life: recording_open (roles at the gate; waits until every perf has attached) → recording_begin →
 * recording_end (off, and asked to write up) → recording_finish (the files are complete, and hold
 * what was asked for) → recording_close, in any state.
 */
#ifndef CAPTURE_RECORDING_H
#define CAPTURE_RECORDING_H

#include "capture/perf_tool.h"
#include "profile/stacks.h"

struct recorded {
    char *role;
    char *name; /* "record-relay_1": files are NAME.perf.data, NAME.json … */
    char *path; /* of NAME.perf.data, absolute */
};

struct recording {
    struct capture_target target;
    struct perf_program perf;
    char *capture;
    struct strings events;
    struct perf_tool **tools;
    struct recorded *items; /* one per role */
    size_t count;
};

struct recording_spec {
    const char *capture;             /* "record" */
    const char *roles;               /* as roles.h has them */
    const struct strings *arguments; /* as struct perf_recording's */
    const char *const *events;
};

int recording_open(struct recording *r, const struct capture_target *t,
                   const struct recording_spec *spec, struct bench_error *err);
int recording_begin(struct recording *r, struct bench_error *err);
int recording_end(struct recording *r, struct bench_error *err);
int recording_finish(struct recording *r, struct bench_error *err);
/* Keeps what is to be known of item `i`: `facts` (taken), with the capture, the role, the files, as
 * NAME.json and in the repetition's record. The files are NAME.perf.data and NAME.`more`, for each
 * up to a NULL. */
int recording_keep(struct recording *r, size_t i, const char *const *more, json_t *facts,
                   struct bench_error *err);
/* The same of an item whose stacks these are, in the `unit` of the facts: as text (NAME.folded), as
 * a picture (NAME.svg) and for speedscope (NAME.speedscope.json). */
int recording_keep_stacks(struct recording *r, size_t i, struct stacks *stacks, json_t *facts,
                          struct bench_error *err);
void recording_close(struct recording *r);

#endif
