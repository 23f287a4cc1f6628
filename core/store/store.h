/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as a directory; docs/store-format.md describes the files. Written so that a crash at any
 * moment leaves every finished repetition readable: a repetition exists once its repetition.json
 * does, and that file is renamed into place last. Whether a "running" run still is one, the kernel
 * knows: the writer holds a lock on the directory.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <jansson.h>

#include "store/record.h"
#include "plan/plan.h"

#define STORE_FORMAT 1

struct store_writer {
    char *path; /* absolute */
    char *id;   /* "20261120-064944-http-over-two-relays-3f9a" */
    int dirfd;
    json_t *run; /* run.json as last written */
};

/* Creates the run directory: `path` when given (must not exist or be empty), else
 * bench-results/ID below the working directory with a `latest` link beside it. Writes run.json with
 * scenario, plan, environment (borrowed, may be NULL) and the command. */
int store_create(struct store_writer *w, const char *path, const struct plan *plan,
                 json_t *environment, char *const *command, struct bench_error *err);
/* Adds the points and steps of another plan of the same run, which continues those before
 * (plan_follow()). Its seed and blocks become the run's. */
int store_extend(struct store_writer *w, const struct plan *plan, struct bench_error *err);
/* Adds a member to run.json: what was found out during the run. Takes the reference. */
int store_note(struct store_writer *w, const char *key, json_t *value, struct bench_error *err);
/* Makes the directory of a repetition; absolute path, caller frees. One without repetition.json was
 * not finished, and readers pass over it. */
int store_begin(struct store_writer *w, const struct step *step, char **ret_directory,
                struct bench_error *err);
/* Writes series.tsv, then repetition.json. Sets record->directory. */
int store_add(struct store_writer *w, struct repetition_record *record, struct bench_error *err);
/* Writes the final state: "complete", "interrupted" or "failed". */
int store_finish(struct store_writer *w, const char *state, struct bench_error *err);
void store_writer_release(struct store_writer *w);

/* One that was finished, and whose files are damaged: what the plan says of it. */
struct lost_repetition {
    char *arm, *point;
    uint32_t block;
    bool measures; /* it would have counted in estimates */
};

struct stored_run {
    char *path, *id;
    uint64_t seed;
    json_t *run; /* run.json: format, id, name, started, state, command, seed, scenario, plan, … */
    struct repetition_record *repetitions; /* in order of execution */
    size_t n_repetitions;
    struct strings damaged;       /* "repetitions/0003-nginx: reason": skipped, not fatal */
    struct lost_repetition *lost; /* of these, those that the plan has */
    size_t n_lost, lost_capacity;
};

/* `word` stands for a run as run_find() has it. A newer format is refused by number. The state
 * "running" of a dead writer reads as "interrupted". A file that cannot be read for the moment
 * (error_is_passing()) is an error: a run with a part missing may have another verdict. */
int store_read(struct stored_run *ret, const char *word, struct bench_error *err);
/* Opens its directory, to read what captures left in it (file_open_beneath()). */
int stored_run_open(const struct stored_run *r, struct bench_error *err);
/* `arm` and `point` are copied. */
void stored_run_add_lost(struct stored_run *r, const char *arm, const char *point, uint32_t block,
                         bool measures);
void stored_run_release(struct stored_run *r);

#endif
