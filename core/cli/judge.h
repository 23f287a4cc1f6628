/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between this machine and a scenario: facts in, findings out. Pure functions, so that
 * every machine can be judged on any other; check.c gathers the facts and prints.
 */
#ifndef CLI_JUDGE_H
#define CLI_JUDGE_H

#include <jansson.h>

#include <bench/types.h>

#include "capture/memory_events.h"
#include "capture/sampling.h"
#include "capture/tracefs.h"
#include "plugin/registry.h"
#include "process/containment.h"

enum finding_level {
    FINDING_OK,
    FINDING_WARN,    /* it works, at a price */
    FINDING_MISSING, /* the scenario cannot run */
};

struct finding {
    enum finding_level level;
    const char *subject; /* a literal: "cgroups" */
    char *text;          /* what is, and what it costs */
    char *mend;          /* what to do about it, or NULL */
};

struct findings {
    struct finding *items;
    size_t count, capacity;
};

/* `mend` may be NULL or empty; it is copied. */
void finding_add(struct findings *f, enum finding_level level, const char *subject,
                 const char *mend, const char *fmt, ...) BENCH_PRINTF(5, 6);
/* MISSING, with the error's message and hint. */
void finding_error(struct findings *f, const char *subject, const struct bench_error *err);
size_t findings_count(const struct findings *f, enum finding_level level);
void findings_release(struct findings *f);

/* What the scenario asks of the machine: the most over all points of its sweep. */
struct needs {
    int64_t jobs;
    double cpu_limit; /* 0: none */
};

struct machine {
    bool root;
    /* Containment: tried for real. */
    struct bench_error containment_error; /* kind NONE: it works */
    bool pid_namespaces;
    const struct cgroup_host *cgroups;
    struct bench_error limit_error; /* of setting the scenario's limit; kind NONE: it was set */
    /* Network: tried for real. */
    bool isolated;                    /* a network of its own could be made */
    struct bench_error network_error; /* of making what the scenario wants */
    const char *congestion;           /* of the network that the scenario gets */
    /* Counters. */
    bool pmu;
    int paranoid; /* -2: unreadable */
    enum tracefs_access tracefs;
    /* Sampling: tried for real. */
    struct bench_error perf_error; /* of the perf tool; kind NONE: it will do */
    struct sampling sampling;      /* the best that could be opened */
    struct bench_error sampling_error;
    struct memory_events memory; /* what samples memory accesses */
    struct bench_error memory_error;
    struct bench_error switches_error, calls_error; /* of recording switches, counting calls */
    /* Limits of the network that the scenario gets, and of this process; -1: unknown. */
    int64_t open_files, backlog, ports;
};

/* `all`: also what is in order. */
void judge_plugins(const struct registry *r, bool all, struct findings *f);
/* A program that no arm of the scenario uses. `path` NULL: not found; `version` may be NULL. */
void judge_program(const struct bench_program *program, const struct bench_plugin *plugin,
                   const char *path, const char *version, struct findings *f);
void judge_containment(const struct machine *m, struct findings *f);
void judge_cgroups(const struct machine *m, const struct needs *n, struct findings *f);
void judge_network(const struct machine *m, struct findings *f);
void judge_counters(const struct machine *m, struct findings *f);
/* What the captures that sample, or see every event, have to work with: those named, or all. */
void judge_sampling(const struct machine *m, const struct strings *captures, struct findings *f);
void judge_limits(const struct machine *m, const struct needs *n, struct findings *f);
/* What disturbs measurements; `facts` as from facts_collect(). */
void judge_noise(const json_t *facts, struct findings *f);

#endif
