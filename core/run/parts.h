/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a repetition share and nobody else sees: repetition.c keeps its life and its
 * waits, start.c, measure.c and stop.c are its three stages, statistics.c asks the relays.
 */
#ifndef RUN_PARTS_H
#define RUN_PARTS_H

#include "capture/capture.h"
#include "run/describe.h"
#include "run/repetition.h"

struct repetition {
    struct session *session;
    const struct step *step;
    const struct scenario *scenario;
    const struct arm *arm;
    char *directory, *title; /* "SCENARIO: ARM, POINT" */
    struct network *network;
    struct cast cast;        /* who plays: descriptions, in chain order */
    struct cgroup **cgroups; /* per member */
    struct role **roles;     /* per member; NULL until spawned */
    struct capture **captures;
    size_t n_captures;
    struct histogram *before[BENCH_LATENCIES];    /* the client's at the slice's begin, or NULL */
    struct histogram *latencies[BENCH_LATENCIES]; /* of the slices so far, or NULL */
    bool capturing;                               /* between begin and end */
    bool interrupted;
    const struct member *ended; /* although nobody asked */
    bool client_done;           /* a wrapper's client ended by itself, as it should */
    int64_t started_ns;
    int64_t totals_ns; /* when the captures' totals were read last */
    int64_t client_begin_ns, client_end_ns; /* released; seen to have ended, or stopped */
    struct repetition_record record;
};

/* Waits until `until_ns`, a role's unexpected end (-1), an interrupt (-1), or the planned end of a
 * wrapper's client. */
int repetition_watch(struct repetition *p, int64_t until_ns, struct bench_error *err);
/* Says who it was: the member that ended, else the one (may be NULL) that was waited for. */
int repetition_context(const struct repetition *p, const char *phase, const struct member *awaited,
                       struct bench_error *err);
/* statistics.c: reads what each hop counts itself, before the window; and after it, keeping the
 * difference in the record. */
int statistics_begin(struct repetition *p, struct bench_error *err);
int statistics_end(struct repetition *p, struct bench_error *err);
/* Ends the captures of a window; the first error is told. */
int repetition_end_captures(struct repetition *p, struct bench_error *err);

#endif
