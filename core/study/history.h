/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history of a program in a git repository, and its commits checked out to be built. Everything
 * is asked of git; the user's checkout, branches and index stay as they are. A commit is checked
 * out as a linked work tree below a directory of its own, without hooks; that directory is removed
 * by history_close(), or by the guardian when the bench dies, and what a bench that was killed left
 * in the repository's list of work trees is taken out by the next history_open().
 *
 * Every string returned is the caller's.
 */
#ifndef STUDY_HISTORY_H
#define STUDY_HISTORY_H

#include "base/text.h"
#include "process/containment.h"

struct history {
    /* The caller's, set before history_open(). */
    const struct containment *containment;
    int interrupt_fd; /* readable: stop */
    bool keep;        /* the trees stay */
    /* Ours. */
    char *git;        /* the program */
    char *repository; /* absolute */
    char *trees;      /* below which commits are checked out, absolute */
    char *log;        /* what git prints, there too */
    bool interrupted; /* the last question was; that is its error */
};

/* `cache`: an existing directory, in which that of the trees is made; it may not lie in the work
 * tree of the repository. */
int history_open(struct history *h, const char *repository, const char *cache,
                 struct bench_error *err);
/* The hash of the commit that `revision` names. */
int history_resolve(struct history *h, const char *revision, char **ret_hash,
                    struct bench_error *err);
/* Whether it is a clone of the newest commits only. */
int history_shallow(struct history *h, bool *ret, struct bench_error *err);
/* Commits of the main line (first parents) of `to` that neither `from` nor `also` has, oldest
 * first. */
int history_line(struct history *h, const char *from, const char *also, const char *to,
                 struct strings *ret, struct bench_error *err);
/* Whether any commit that `to` has and `from` has not is a merge. */
int history_merges(struct history *h, const char *from, const char *to, bool *ret,
                   struct bench_error *err);
int history_contains(struct history *h, const char *ancestor, const char *commit, bool *ret,
                     struct bench_error *err);
int history_parents(struct history *h, const char *commit, struct strings *ret,
                    struct bench_error *err);
int history_subject(struct history *h, const char *commit, char **ret, struct bench_error *err);
/* Checks it out; *ret_path is absolute. */
int history_checkout(struct history *h, const char *commit, char **ret_path,
                     struct bench_error *err);
/* Removes what history_checkout() made, unless `keep`. */
int history_discard(struct history *h, const char *path, struct bench_error *err);
/* Begins an argv with what makes a program not know of the repository that a hook or `git bisect
 * run` which started us has set. */
void history_forget_repository(struct strings *argv);
/* Trees that are left are removed too, unless `keep`. Fine after a failed history_open(). */
int history_close(struct history *h, struct bench_error *err);

#endif
