/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario: what to run, as the user wrote it, typed and checked. Read from YAML, or made from
 * flags alone; then changed by `--set` and flags; then checked against the plugins. The struct
 * keeps where each value came from ("file:line:column" or "--jobs"), so every later error can name
 * it.
 *
 * Life: scenario_init → scenario_read (optional) → scenario_set… → scenario_check → plan.
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include <jansson.h>

#include "base/option.h"
#include "plugin/registry.h"
#include "scenario/keys.h"
#include "scenario/settings.h"

/* One configuration being compared. */
struct arm {
    char *name;   /* unique; the relay's name unless given */
    char *plugin; /* relay plugin */
    char *path;   /* directory or program that is searched first, or NULL */
    struct settings env, options;
    double cpu_limit; /* of its own; negative: the scenario's. Ask scenario_cpu_limit() */
    /* Which of the scenario's captures run with this arm, in its ordinary repetitions and whatever
     * they cost: to measure that cost. Not `chooses_captures`: all as they are. */
    struct strings captures;
    bool chooses_captures;
    char *where;
};

#define CAPTURE_CHOSEN (-1)

struct capture_request {
    char *name; /* "stat" */
    struct settings options;
    char *where;
    /* Of its own, per arm and point; 0: it runs in the ordinary ones; CAPTURE_CHOSEN: only in those
     * of arms that choose it. Set by scenario_check() */
    int64_t repetitions;
};

/* `sweep: {jobs: [1, 10]}`: key is a scenario key, `workload.KEY` or `relay.KEY` (option of every
 * arm's relay that has it), `cpus.ROLE`. */
struct sweep_axis {
    char *key;
    struct strings values;
    struct strings wheres; /* one per value */
    char *where;           /* of the key */
};

/* CPUs of a role: "client", "server", "relay" or "relay_2". */
struct pin {
    char *role;
    char *cpus; /* "0-1,3" */
    char *where;
};

/* The longest chain of relays. */
#define SCENARIO_MAX_HOPS 16
/* The largest matrix: points of the sweep × arms × (repeat + repetitions of captures). */
#define SCENARIO_MAX_STEPS 100000
#define SCENARIO_MAX_ARMS 1000

struct scenario {
    /* Scalar keys; the table in keys.c binds names to these fields. */
    int64_t format;
    char *name, *workload, *protocol, *baseline;
    char *metric;     /* that decide a comparison, separated by commas; NULL: the usual one */
    int reject;       /* blocks of a comparison that do not count */
    int stop;         /* enum scenario_stop */
    double precision; /* of a comparison, 0: fixed number of blocks */
    double margin;    /* of a comparison: 0.03 is 3% */
    int64_t jobs, hops, repeat;
    int64_t seed; /* -1: drawn */
    int64_t warmup_ns, duration_ns, tick_ns;
    int64_t slice_ns;
    int interleave; /* enum scenario_interleave */
    double rate;    /* operations per second of the whole client; 0: closed loop; RATE_AUTO */
    int arrivals;   /* enum scenario_arrivals */
    double cpu_limit;
    int64_t cpu_period_ns;
    int network; /* enum scenario_network */
    char *congestion;
    int64_t start_timeout_ns, stop_timeout_ns;

    /* Structured keys. */
    struct settings workload_options;
    struct arm *arms;
    size_t n_arms, arms_capacity;
    struct capture_request *captures;
    size_t n_captures, captures_capacity;
    struct sweep_axis *axes;
    size_t n_axes, axes_capacity;
    struct pin *pins;
    size_t n_pins, pins_capacity;
    struct settings fail_on; /* gates: key and text are both the gate (report/gates.h) */
    struct strings left_out; /* of the sweep, by scenario_check(): "cpus.server=0-3" */

    struct settings given;         /* scalar keys that were set: their text and where */
    struct settings relay_options; /* `relay.KEY`, until scenario_check() hands them to the arms */
    char *file;                    /* path it was read from, or NULL */
};

/* Of `rate`: to be searched for. */
#define RATE_AUTO (-1.0)
/* Of `warmup_ns`: to be found (study/warmup.h). */
#define WARMUP_AUTO (-1)

enum scenario_arrivals { ARRIVALS_POISSON, ARRIVALS_CONSTANT };
enum scenario_stop { STOP_FIXED, STOP_LOOKS };
enum scenario_interleave { INTERLEAVE_NO, INTERLEAVE_AUTO, INTERLEAVE_YES };
enum scenario_network { NETWORK_AUTO, NETWORK_ISOLATED, NETWORK_HOST };

void scenario_init(struct scenario *s); /* every default, no arms */
/* "-" is standard input. At most 1 MiB, 100,000 nodes after aliases; USAGE error with
 * file:line:column. */
int scenario_read(struct scenario *s, const char *path, struct bench_error *err);
/* A dotted key: scalar key, `workload.KEY`, `relay.KEY` (every arm whose relay has that option),
 * `capture.NAME.KEY` (adds the capture if need be),
 * `cpus.ROLE`, `sweep.KEY` (comma-separated values; of one value: the same as setting the key),
 * `fail_on` (one more; "": none), `relays`, `capture` (comma-separated names; one that the scenario
 * has in its long form keeps that form). What is set replaces what the file says, a sweep of the
 * same key included; another workload starts without options. `where` ("--jobs") begins every
 * error. */
int scenario_set(struct scenario *s, const char *key, const char *text, const char *where,
                 struct bench_error *err);
/* Where a scalar key was set ("file:line:column", "--jobs"), or NULL when it has its default. */
const char *scenario_where(const struct scenario *s, const char *key);
/* Where the option or key was set that a plugin names in `message` as docs/plugin-api.md has it
 * ("threads: …", "option 'threads' …"); `owner_where` when it has not been set. NULL: it names
 * none. `options`: those of the plugin. */
const char *scenario_blamed(const struct scenario *s, const struct settings *options,
                            const char *owner_where, const char *message);
/* Resolves plugins and checks what needs them: names, options, protocols, hops, baseline, axes,
 * pins. An arm whose relay cannot carry the protocol is refused with the reason. Fills defaults
 * that depend on plugins (name, protocol, baseline, arms: "none" when empty, options of plugins).
 * Capture names are checked by the caller through `capture_known`, because captures lie above. */
typedef int (*capture_known_fn)(struct capture_request *c, struct bench_error *err);
int scenario_check(struct scenario *s, const struct registry *r, capture_known_fn capture_known,
                   struct bench_error *err);
/* CPUs of each of the arm's processes, 0: no limit. */
double scenario_cpu_limit(const struct scenario *s, const struct arm *arm);
/* The largest of any arm. */
double scenario_largest_cpu_limit(const struct scenario *s);
/* Forgets the axes. A point of the sweep is a copy without them, in which each value was set. */
void scenario_drop_sweep(struct scenario *s);
/* Makes of the only arm several that differ in what is captured: nothing, then each of the
 * scenario's captures by itself. Before scenario_check(). */
int scenario_capture_cost(struct scenario *s, struct bench_error *err);
/* Leaves the arm called `name` (NULL: the only one), which is then the baseline. */
int scenario_keep_arm(struct scenario *s, const char *name, struct bench_error *err);
/* Adds an arm like the first one under another name; valid until the next is added. */
struct arm *scenario_repeat_arm(struct scenario *s, const char *name);
/* Forgets the captures that want repetitions of their own, but for arms that choose them. */
void scenario_drop_captures(struct scenario *s);
/* Makes `rate` (0: closed loop) the only axis: what a search for the highest rate tries, and what
 * is measured once it was found. */
void scenario_sweep_rate(struct scenario *s, const double *rates, size_t n);
/* scenario_check() for one such point of a checked scenario. */
int scenario_check_point(struct scenario *s, const struct registry *r, struct bench_error *err);
void scenario_copy(struct scenario *to, const struct scenario *from);
void scenario_release(struct scenario *s);
/* The resolved scenario, every default written out; reading it back gives the same. New reference.
 */
json_t *scenario_json(const struct scenario *s);
/* The workload's options that somebody set, with their texts. New reference. */
json_t *scenario_chosen_options(const struct scenario *s);

#endif
