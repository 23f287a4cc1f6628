/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.db beside the run directories: what is asked of many runs, without reading all of them. A
 * cache and nothing else: all of it comes from the run directories, so it may be deleted at any
 * time. Runs are not entered by those who write them but by whoever asks next:
 *
 * - a directory that came or went changes the modification time of the results directory, and then
 *   names are compared;
 * - a run that had not ended when it was read, or could not be read, is looked at again every time:
 *   one is "damaged" by its content, and "unreadable" for a reason that may pass (no permission, an
 *   error of the disk, too many open files);
 * - a run that has ended is trusted from then on. What is changed in it by hand needs a rebuild.
 *
 * Several benches may use it at once and may be killed at any moment. Who uses it holds a shared
 * lock on the results directory, who replaces it an exclusive one. Where it cannot be written, the
 * same questions are answered from memory, after reading every run.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <bench/reporter.h>

#include "base/text.h"

#define INDEX_FILE "index.db"
#define INDEX_SCHEMA 3

struct run_index;

/* A question for the index; may be asked twice, so it begins from nothing each time. */
typedef int (*index_use)(struct run_index *x, void *context, struct bench_error *err);

/* How far reading many runs has come. */
typedef void (*index_progress)(void *context, size_t done, size_t n);

/*
 * Opens the index of the results directory (NULL: bench-results), brings it up to date, calls
 * `use`. An index that is missing is made; so is one that is damaged or of an older schema, or with
 * `rebuild` set, and `notes` gets a line that says so. One of a newer schema is refused by number.
 * Results that do not exist yet are an empty index.
 */
int index_with(const char *directory, bool rebuild, index_use use, void *context,
               index_progress progress, struct strings *notes, struct bench_error *err);

/* Which runs; zero is all of them. */
struct index_filter {
    const char *pattern; /* part of the directory's name, or of the id */
    const char *name;    /* glob over the scenario's name */
    const char *relay;   /* an arm's name, or its plugin */
    const char *state;
    const char *since; /* RFC 3339 in UTC, or its beginning */
    int64_t limit;     /* the newest so many; 0: all */
    const char *sort;  /* one of index_sorts, behind '-' the other way; NULL: "started" */
    bool brief;        /* not all members of the runs are wanted: see there */
};

/* NULL-terminated. */
extern const char *const index_sorts[];
/* What the state of a run may be. */
extern const char *const index_states[];

/* Strings may be NULL where a damaged run does not say. They live until the visit ends. */
struct indexed_run {
    const char *directory; /* its name below the results */
    const char *started, *state;
    const char *reason;    /* why it is "damaged" or "unreadable" */
    const char *relays;    /* the arms, separated by ", " */
    int64_t planned, done; /* repetitions */
    /* Not when it was to be brief. */
    const char *id, *name, *finished;
    const char *workload, *protocol;
    const char *bench_version, *kernel, *cpu_model;
    int64_t cpus; /* online; 0: unknown */
};

typedef void (*index_visit)(void *context, const struct indexed_run *run);

int index_runs(struct run_index *x, const struct index_filter *filter, index_visit visit,
               void *context, struct bench_error *err);

/*
 * Estimates: of each run, arm, point of the sweep and metric, as the report computes them. The
 * store cannot compute them, so whoever can enters those of the runs that have none yet.
 */

/* An arm at a point, with what identifies it; NULL: unknown. */
struct index_arm {
    const struct bench_arm *arm;
    bool baseline;
    const char *binary;   /* SHA-256 of the relay's program */
    const char *code;     /* of all that it had mapped as code */
    const char *settings; /* of everything that was set for it */
    /* For each of its estimates, what part of the event was counted; NULL: all of it. The array may
     * be NULL as well. */
    const char *const *parts;
};

/* Adds the directories of those runs whose estimates are missing or another version's. */
int index_unestimated(struct run_index *x, const struct index_filter *filter, struct strings *ret,
                      struct bench_error *err);
/* Replaces the estimates of the run. Those of a run that had not `ended` when it was read are left
 * out if it has by now. */
int index_put_estimates(struct run_index *x, const char *directory, bool ended,
                        const struct index_arm *arms, size_t n, struct bench_error *err);

struct index_sample {
    const char *directory, *id, *name, *started; /* of the run */
    const char *bench_version, *kernel, *cpu_model;
    int64_t cpus;
    const char *arm, *relay, *point;
    bool baseline;
    const char *binary, *code, *settings;
    const char *part; /* of the event that was counted; NULL: all of it */
    enum bench_state state;
    double value, low, high;             /* NaN: none */
    double ratio, ratio_low, ratio_high; /* to the baseline; NaN: none */
    int64_t n;
};

typedef void (*index_visit_sample)(void *context, const struct index_sample *sample);

/* A metric in all arms of the runs, oldest first; `point` NULL: at all points. */
int index_samples(struct run_index *x, const struct index_filter *filter, const char *metric,
                  const char *point, index_visit_sample visit, void *context,
                  struct bench_error *err);
/* The metric as it is known: name, unit, title, direction and format; its strings are `kept`'s. One
 * that no run has is refused, with the nearest. */
int index_metric(struct run_index *x, const char *name, struct bench_metric *ret,
                 struct strings *kept, struct bench_error *err);

#endif
