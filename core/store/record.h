/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of one repetition, in memory: filled by the runner, written and read back by the
 * store, and the only input of the report. Raw: cumulative counters, times, commands, identities.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <jansson.h>

#include "capture/disturbances.h"
#include "capture/series.h"
#include "stats/histogram.h"
#include "base/text.h"

struct record_role {
    char *name;                 /* "client", "relay_1", "server" */
    struct strings argv;        /* empty for a built-in role */
    struct strings environment; /* what the bench set over its own environment */
    double cpu_limit;           /* CPUs, 0: none */
    int64_t cpu_period_ns;
    char *cpus;       /* affinity "0-1", or NULL */
    int status;       /* wait status, -1: ran until stopped */
    bool forced;      /* had to be killed */
    char *version;    /* as the program prints it, or NULL */
    json_t *binaries; /* identity_process(), or NULL */
};

struct record_total {
    char *metric;
    double value;
};

/* A latency distribution of the window; file latency.hlog, one line per name. */
struct record_latency {
    char *name; /* "service", "response", "lag" */
    struct histogram *histogram;
};

/* A part of the window, CLOCK_MONOTONIC. */
struct record_slice {
    int64_t begin_ns, end_ns;
};

struct repetition_record {
    uint32_t index, block; /* step; from 1 */
    char *arm, *relay, *point;
    char *purpose; /* "measure"; one with another purpose enters no estimate */
    uint32_t hops;
    uint64_t seed;
    char *delivered; /* role whose received bytes are the payload: "server" or "client" */
    char *network;   /* "isolated" or "host" */
    char *congestion;
    char *clocksource; /* of the kernel meanwhile, or NULL */
    bool ok;
    struct bench_error error; /* when not ok */
    struct strings
        warnings; /* what to know of it although it counts, each without its arm's name */
    int64_t started_wall_ns;                /* CLOCK_REALTIME */
    int64_t wall_minus_monotonic_ns;        /* at its start */
    int64_t clock_step_ns;                  /* by how much that had changed at its end */
    int64_t total_ns;                       /* whole repetition */
    int64_t warmup_ns;                      /* as executed */
    int64_t window_begin_ns, window_end_ns; /* CLOCK_MONOTONIC; both 0 when it got that far never */
    /* The window's parts when others were measured in between (slices.h); none: it is in one piece.
     */
    struct record_slice *slices;
    size_t n_slices;
    bool joined;               /* window and series are one piece again */
    struct record_role *roles; /* server, client, relay_1 … */
    size_t n_roles;
    struct record_total *totals; /* from a wrapper's parser or the page's end values */
    size_t n_totals;
    struct record_latency *latencies;
    size_t n_latencies;
    json_t *captures; /* array: {capture, role, files, …} of what captures left; or NULL */
    struct disturbances disturbances; /* what was done to the roles in the window: disturbed.h */
    struct series series;
    char *directory; /* relative to the run */
};

/* Whether it counts in estimates; true as well when it is from a bench that knew no purposes. */
bool record_measures(const struct repetition_record *r);
struct record_role *record_add_role(struct repetition_record *r, const char *name);
void record_add_slice(struct repetition_record *r, int64_t begin_ns, int64_t end_ns);
void record_add_total(struct repetition_record *r, const char *metric, double value);
/* A sentence without the arm's name; one that is there already is not added again. */
void record_warn(struct repetition_record *r, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* Takes ownership of the histogram. */
void record_add_latency(struct repetition_record *r, const char *name, struct histogram *histogram);
void record_release(struct repetition_record *r);

#endif
