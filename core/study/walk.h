/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which commit of a line to ask about next, until only one can be the first bad one. Commits that
 * cannot be judged are stepped around. Answers may be wrong: every question is given its share of
 * the error that the whole walk may make, and the shares never exceed it, however many questions
 * there will be. Pure: no I/O, no clock, the same answers give the same questions.
 *
 * Life: walk_begin() → walk_next(), walk_tell() … → walk_release().
 */
#ifndef STUDY_WALK_H
#define STUDY_WALK_H

#include <stdbool.h>
#include <stddef.h>

enum walk_answer {
    WALK_LIKE_GOOD,
    WALK_LIKE_BAD,
    WALK_UNDECIDED, /* it was measured, and neither was shown */
    WALK_BROKEN,    /* it could not be measured: no answer, so none that could be wrong */
};

/* The first bad commit is one of good + 1 … bad. */
struct walk {
    size_t good, bad;
    bool *skipped; /* [bad + 1] at the begin */
    double error;  /* what is left of it */
};

/* Commit 0 is good, commit `n` ≥ 1 is bad. */
void walk_begin(struct walk *w, size_t n, double error);
/* False when no question is left: then w->good + 1 … w->bad are the candidates, and all of them but
 * the last were skipped. *ret_error is what the answer may be wrong with. */
bool walk_next(const struct walk *w, size_t *ret_commit, double *ret_error);
/* About what walk_next() has just asked. */
void walk_tell(struct walk *w, enum walk_answer answer);
/* Questions that are left when no commit has to be skipped, at most. */
size_t walk_left(const struct walk *w);
void walk_release(struct walk *w);
#define cleanup_walk __attribute__((cleanup(walk_release)))

#endif
