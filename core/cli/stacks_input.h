/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks as the command line names them: files of folded text or perf.data files, or a stored run.
 * One side of a picture; zero-initialised is empty and valid.
 */
#ifndef CLI_STACKS_INPUT_H
#define CLI_STACKS_INPUT_H

#include "base/text.h"
#include "report/profiles.h"

struct stacks_input {
    struct stored_run run;    /* of files: empty */
    struct profiles profiles; /* of files only the set and notes are filled */
    char *what;               /* where it is from, in one line */
};

/* Whether `name` is a file rather than a run. */
bool stacks_input_is_file(const char *name);

/* How files are read. */
struct stacks_files {
    const struct strings *files;    /* repetitions of the same */
    const struct strings *divisors; /* none, one, or one for each */
    const char *unit;               /* of folded text; NULL: samples */
    const char *event;              /* of perf.data; NULL: the first */
};

/* Says on standard error which events are left out. Folded text that is a difference already fills
 * `before` too; NULL: it is an error. A file without stacks is one. */
int stacks_input_files(struct stacks_input *ret, struct stacks_input *before,
                       const struct stacks_files *from, struct bench_error *err);
int stacks_input_run(struct stacks_input *ret, const char *path,
                     const struct profile_choice *choice, struct bench_error *err);
/* Of another run what corresponds: the same capture, roles and point, and the same arm, if it has
 * that, else its only one. */
int stacks_input_like(struct stacks_input *ret, const char *path, const struct stacks_input *other,
                      struct bench_error *err);
/* Divides both: `*per` "operation", "byte" or "none"; NULL becomes what both can be divided by. */
int stacks_input_divide(struct stacks_input *before, struct stacks_input *after, const char **per,
                        struct bench_error *err);
void stacks_input_release(struct stacks_input *s);

#define cleanup_stacks_input __attribute__((cleanup(stacks_input_release)))

#endif
