/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture: something collected during a repetition. Each kind is one constant ops struct in the
 * table captures[]; an instance lives for one repetition.
 *
 * Order of calls: open (roles stand at the gate; may add columns) → started (all roles ready) →
 * begin (window starts) → sample on every tick, the first right after begin, the last right before
 * end → end → finish (roles have been stopped) → close (always, also after errors).
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include "capture/series.h"
#include "process/role.h"
#include "scenario/scenario.h"

struct capture_target {
    struct role *const *roles; /* server, client, relay_1 … */
    size_t n_roles;
    struct network *network;
    struct series *series;
    const char *directory; /* of the repetition, for artifacts */
};

struct capture_ops {
    const char *name; /* "stat" */
    const char *help; /* one line */
    const struct bench_option *options;
    size_t state_size; /* options are filled at its start */
    bool always;       /* part of every repetition, cannot be named in a scenario */
    bool perturbs;     /* costs enough that its repetitions are not for throughput */

    /* NULL hooks are skipped, except close. `state` was zeroed, then options were set. */
    /* Checks options that the table cannot express (event names). */
    int (*check)(void *state, struct bench_error *err);
    int (*open)(void *state, const struct capture_target *t, struct bench_error *err);
    int (*begin)(void *state, struct bench_error *err);
    /* Fills its columns of `row`. Must not block. */
    void (*sample)(void *state, int64_t *row);
    int (*end)(void *state, struct bench_error *err);
    void (*close)(void *state);
};

/* NULL-terminated: resources first. */
extern const struct capture_ops *const captures[];
const struct capture_ops *capture_find(const char *name);
/* For scenario_check(): the name and its options are valid. */
int capture_known(const struct capture_request *request, struct bench_error *err);

struct capture; /* one instance */
int capture_new(struct capture **ret, const struct capture_ops *ops,
                const struct settings *options, struct bench_error *err);
int capture_open(struct capture *c, const struct capture_target *t, struct bench_error *err);
int capture_begin(struct capture *c, struct bench_error *err);
void capture_sample(struct capture *c, int64_t *row);
int capture_end(struct capture *c, struct bench_error *err);
void capture_free(struct capture *c); /* NULL is fine */

#endif
