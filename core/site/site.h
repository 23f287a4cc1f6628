/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A site: what one host does of one repetition. core/run decides what is done when, and waits; a
 * site does it. A host opens sites, any number at once. The implementation in this process is
 * local.h; a test has one that starts nothing.
 *
 * Life: host_ops.open → prepare → (the chain is composed) → hold → every role is HELD →
 * open_captures → release and identify, role by role → set_phase, sample … → begin → begin_slice,
 * sample …, end_slice, as often as needed → end → ask_to_stop and stop, role by role → finish →
 * remove → free. `stop`, `remove` and `free` work in any state.
 *
 * No operation waits for a role: what takes time is begun, and `state` or `statistics_ready` tells
 * when it is done. `descriptors` are readable when that may have changed. Roles are named by their
 * index in the chain.
 *
 * The site fills these parts of the record: roles (when they are held), network, congestion,
 * series, captures, disturbances, latencies, totals, and warnings of how its roles behaved.
 * Everything else is the caller's.
 */
#ifndef SITE_SITE_H
#define SITE_SITE_H

#include <poll.h>

#include <jansson.h>

#include "site/role_chain.h"
#include "store/record.h"

enum site_state {
    SITE_STARTING, /* not held yet; or released, and not executing yet */
    SITE_HELD,     /* stands at its gate */
    SITE_RUNNING,  /* executes, and does not listen yet */
    SITE_READY,    /* listens on all its ports */
    SITE_EXITED,   /* ended, or never came to run */
};

/* When the relays' own statistics are read. */
enum site_moment { SITE_BEFORE_WINDOW, SITE_AFTER_WINDOW };

/* Roles, and a reader of statistics for each hop. */
#define SITE_MAX_DESCRIPTORS (2 * CHAIN_MAX_ROLES)

struct site;

struct site_ops {
    /* The network, and the ports of the chain. */
    int (*prepare)(struct site *s, struct bench_error *err);
    /* Finds the programs, makes the groups and starts every role up to its gate. */
    int (*hold)(struct site *s, struct bench_error *err);
    int (*open_captures)(struct site *s, struct bench_error *err);
    int (*release)(struct site *s, size_t role, struct bench_error *err);
    /* Hashes the role's program and libraries: takes a moment the first time. */
    void (*identify)(struct site *s, size_t role);

    enum site_state (*state)(struct site *s, size_t role);
    int (*status)(const struct site *s, size_t role); /* wait status; -1 before it ended */
    /* Returns -1 and why the role got no further than its state, with its last words. */
    int (*error)(struct site *s, size_t role, struct bench_error *err);
    /* The end of what it has printed: whole lines of at most `limit` bytes. Caller frees; NULL: nothing.
     */
    char *(*last_lines)(struct site *s, size_t role, size_t limit);
    /* Fills at most SITE_MAX_DESCRIPTORS; returns how many. */
    nfds_t (*descriptors)(struct site *s, struct pollfd *fds);

    void (*set_phase)(struct site *s, enum bench_phase phase); /* for built-in roles */
    /* Adds a row to the series, of captures that read totals only when it is asked for them;
     * returns its time. */
    int64_t (*sample)(struct site *s, bool totals);
    /* Begins to read what each hop counts itself. */
    int (*read_statistics)(struct site *s, enum site_moment moment, struct bench_error *err);
    /* 1: read, and after the window kept as totals; 0: not yet. */
    int (*statistics_ready)(struct site *s, struct bench_error *err);
    int (*begin)(struct site *s, struct bench_error *err); /* the window: captures */
    /* Both sample everything, and return when. */
    int64_t (*begin_slice)(struct site *s);
    int64_t (*end_slice)(struct site *s);
    /* The window is over; when it is `whole`, the latencies of its slices are kept. */
    int (*end)(struct site *s, bool whole, struct bench_error *err);

    /* The client, between slices. */
    void (*pause)(struct site *s);
    void (*resume)(struct site *s);

    void (*ask_to_stop)(struct site *s, size_t role);
    /* Kills what still lives of the role and keeps its status and totals; *ret_forced: it had to be
     * killed. -1: something survived that. */
    int (*stop)(struct site *s, size_t role, bool *ret_forced, struct bench_error *err);
    /* Of a good repetition, when all roles have stopped: what the client says of its own numbers,
     * then the captures' artifacts. */
    int (*valid)(struct site *s, struct bench_error *err);
    int (*finish)(struct site *s, struct bench_error *err);
    /* Captures, readers and groups. */
    int (*remove)(struct site *s, struct bench_error *err);
    void (*free)(struct site *s);
};

/* Begins what a site embeds; its operations are called through it. */
struct site {
    const struct site_ops *ops;
};

struct site_spec {
    const struct step *step;
    struct role_chain *chain;         /* initialised; outlives the site */
    struct repetition_record *record; /* outlives the site */
    const char *directory;            /* the repetition's, exists */
    const char *title;                /* "SCENARIO: ARM, POINT" */
};

struct host;

struct host_ops {
    /* Whether this host can do what the plan asks of it: captures, CPUs, limits, networks,
     * descriptors, programs (whose versions it then knows). */
    int (*check)(struct host *h, const struct plan *plan, struct bench_error *err);
    json_t *(*facts)(struct host *h); /* of the machine; a new reference */
    struct site *(*open)(struct host *h, const struct site_spec *spec);
};

/* Outlives its sites. */
struct host {
    const struct host_ops *ops;
};

#endif
