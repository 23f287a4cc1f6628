/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first commit that behaves like a bad one. First good and bad are compared, until it is shown
 * that they differ by the margin, or not. Then commits between them are built and measured in
 * blocks with both, until the bets of stats/sides.h have shown whether it is like good or like bad;
 * study/walk.h chooses the commits and gives each its share of the error. Where the main line ends
 * at a merge, the merged branch is searched as well.
 *
 * Every comparison is an ordinary run (trial.h) in its own directory below that of the bisection;
 * "bisect.json" there (bisect_state.h) is written anew after each and has all that is needed to go
 * on. What is known is not measured again: the questions are asked in the same order, and known
 * answers are taken.
 */
#ifndef STUDY_BISECT_H
#define STUDY_BISECT_H

#include <jansson.h>

#include "run/session.h"
#include "study/bisect_scenario.h"

/* What a bisection begins with. */
struct bisect_question {
    const char *repository, *good, *bad; /* revisions */
    const char *build;                   /* command for a shell */
    double error;                        /* of a wrong commit, in (0, 1) */
    int64_t timeout_ns;                  /* of a build */
};

struct bisect {
    struct session *session;
    const struct containment *containment; /* running; for builds */
    const struct registry *registry;
    const struct scenario *scenario; /* of bisect_prepare() */
    const char *directory;           /* of the bisection */
    const char *cache;               /* in which commits are checked out, exists */
    bool keep;                       /* they stay there */
    char *const *command;
    void (*say)(void *context, const char *line); /* progress */
    void *context;
};

/*
 * Begins with `q`, in a directory that is new or empty, and leaves nothing when `q` is wrong. Or,
 * without `q`, goes on with what the directory has; the scenario is then that of its scenario.yaml.
 * *ret_state, a new reference, is what bisect.json then says; also after an error, if there is one
 * to go on with:
 *
 *   format, repository, build, error, build_timeout_ns
 *   good, bad   {commit, subject}
 *   endpoints   {metric, effect, spread, blocks, beyond, verdict, run, ratio, low, high}
 *               ratio: bad by good; beyond: the margin; verdict: in words
 *   tried       [{commit, subject, answer, why, run, blocks, ratio, low, high}]: by good
 *   trials      runs that were begun
 *   outcome     null, "found", "several" or "no difference"
 *   candidates  [{commit, subject}]: the first bad one is among them
 *   trees       where commits are checked out, if they are kept
 *
 * An interrupt is no error: `outcome` is null.
 */
int bisect_run(struct bisect *b, const struct bisect_question *q, json_t **ret_state,
               struct bench_error *err);

#endif
