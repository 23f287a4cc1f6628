/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture: something collected during a repetition. Each kind is one constant ops struct in the
 * table captures[]; an instance lives for one repetition.
 *
 * Order of calls: open (roles stand at the gate; may add columns) → begin (window starts) → sample
 * on every tick, the first right after begin, the last right before end → end → finish (all roles
 * have ended, and the repetition is good so far) → close (always, also after errors and without
 * open). Roles live from open to end.
 *
 * Values that cost much and of which only the difference over a window is used belong into
 * sample_totals: with short ticks it is left out on most of them, and their rows stay without these
 * values. On both edges of a window and of a slice it is always called.
 *
 * A capture that perturbs gets repetitions of its own, one per arm and point unless its option
 * `repeat` says otherwise: they collect it and what is always collected, and enter no estimate.
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <jansson.h>

#include "capture/disturbances.h"
#include "capture/series.h"
#include "process/role.h"
#include "scenario/scenario.h"

struct capture_target {
    struct containment *containment; /* for processes that a capture starts */
    struct role *const *roles;       /* server, client, relay_1 … */
    size_t n_roles;
    struct network *network;
    struct series *series;
    struct disturbances *disturbances;
    const char *directory; /* of the repetition, for artifacts */
    const char *title;     /* what it is a repetition of: "SCENARIO: ARM"; lives until close */
    json_t *facts;         /* array: an object for each artifact of a role, kept in the record */
};

struct capture_ops {
    const char *name; /* "stat" */
    const char *help; /* one line */
    const struct bench_option *options;
    size_t state_size; /* options are filled at its start */
    bool always;       /* part of every repetition, cannot be named in a scenario */

    /* NULL hooks are skipped. `state` was zeroed, then options were set. */
    /* Checks options that the table cannot express (event names). */
    int (*check)(void *state, struct bench_error *err);
    /* Whether this machine can: ENVIRONMENT error with what stands in the way, what would mend it,
     * and the nearest thing that works. Asked before a run starts anything. */
    int (*probe)(void *state, struct bench_error *err);
    int (*open)(void *state, const struct capture_target *t, struct bench_error *err);
    int (*begin)(void *state, struct bench_error *err);
    /* Fills its columns of `row`. Must not block. */
    void (*sample)(void *state, int64_t *row);
    /* As sample, and called after it, for the same row. */
    void (*sample_totals)(void *state, int64_t *row);
    int (*end)(void *state, struct bench_error *err);
    /* Reads what was collected and writes artifacts. May take its time. */
    int (*finish)(void *state, struct bench_error *err);
    /* Why a repetition with these options is not for throughput: it costs too much. NULL when it is
     * fine; so is a NULL hook. Constant text. */
    const char *(*perturbs)(const void *state);
    void (*close)(void *state);
};

extern const struct capture_ops capture_resources; /* resources.c: always */
extern const struct capture_ops capture_disturbed; /* disturbed.c: always */
extern const struct capture_ops capture_stat;      /* counters.c */
extern const struct capture_ops capture_record;    /* record.c */
extern const struct capture_ops capture_c2c;       /* memory.c */
extern const struct capture_ops capture_mem;
extern const struct capture_ops capture_offcpu;   /* offcpu.c */
extern const struct capture_ops capture_syscalls; /* syscalls.c */

/* What each that may perturb has beside its own. */
extern const struct bench_option capture_common_options[];
/* NULL-terminated: resources first. */
extern const struct capture_ops *const captures[];
const struct capture_ops *capture_find(const char *name);
/* Their options, as scenario/document.h writes those of plugins. */
void captures_document(struct text *out);
/* For scenario_check(): the name and its options are valid; fills in its repetitions. */
int capture_known(struct capture_request *request, struct bench_error *err);
/* Whether this machine can do what a checked request asks for. */
int capture_possible(const struct capture_request *request, struct bench_error *err);

struct capture; /* one instance */
/* `options` may be NULL: every default. Calls `check`. */
int capture_new(struct capture **ret, const struct capture_ops *ops, const struct settings *options,
                struct bench_error *err);
int capture_open(struct capture *c, const struct capture_target *t, struct bench_error *err);
int capture_begin(struct capture *c, struct bench_error *err);
void capture_sample(struct capture *c, int64_t *row, bool totals);
int capture_end(struct capture *c, struct bench_error *err);
int capture_finish(struct capture *c, struct bench_error *err);
int capture_probe(struct capture *c, struct bench_error *err);
const char *capture_perturbs(const struct capture *c); /* reason or NULL */
/* Of its own; 0: it runs in the ordinary ones. */
int64_t capture_repetitions(const struct capture *c);
void capture_free(struct capture *c); /* NULL is fine */

#endif
