/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits checked out (history.h) and built, by a command for the shell that is run where a commit
 * was checked out.
 */
#ifndef STUDY_BUILD_H
#define STUDY_BUILD_H

#include "study/history.h"

struct build {
    struct history *history; /* open */
    const char *logs;        /* in its directory of this name every build prints */
    const char *command;
    int64_t timeout_ns;
};

enum { BUILD_DIGITS = 10 }; /* of a hash, for people */

/*
 * One of three: *ret_tree, where it is, removed with history_discard(); *ret_why it cannot be
 * built; *ret_interrupted. Both texts are the caller's. -1: it could not even be tried.
 */
int build_commit(const struct build *b, const char *commit, char **ret_tree, char **ret_why,
                 bool *ret_interrupted, struct bench_error *err);

#endif
