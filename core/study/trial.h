/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A comparison that goes on block by block until somebody has seen enough: an ordinary run in a
 * directory of its own, with a rule that is stored before its first repetition. Blocks that do not
 * count (report/fitness.h) are thrown away, and measured again.
 */
#ifndef STUDY_TRIAL_H
#define STUDY_TRIAL_H

#include "run/runner.h"
#include "stats/compare.h"

enum { TRIAL_MOST_ARMS = 3 };

/* What a trial has so far. Blocks that do not count are not among them. */
struct trial_seen {
    char metric[128]; /* that decides; "" before the first repetition that succeeded */
    enum bench_direction direction;
    size_t n;                                        /* blocks */
    struct stats_outcome (*blocks)[TRIAL_MOST_ARMS]; /* [n], arms as the scenario has them */
    size_t failed[TRIAL_MOST_ARMS];                  /* blocks in which the arm failed */
    char why[1024];                                  /* the last failure, or "" */
};

/* ln of arm `a` over arm `b` in every block in which neither failed; in *ret_n how many. Caller
 * frees. */
double *trial_ratios(const struct trial_seen *seen, size_t a, size_t b, size_t *ret_n);

/* How many blocks more; 0: enough. */
typedef size_t (*trial_judge)(void *context, const struct trial_seen *seen);

struct trial_spec {
    const struct scenario *scenario; /* with `repeat`: blocks before the judge is first asked */
    const struct registry *registry;
    const char *directory;
    char *const *command;
    trial_judge judge;
    void *context;
};

/* Runs and stores it. The session's store is the trial's meanwhile. *ret_seen, to be released, is
 * what the judge saw last. -1 as well when too many blocks did not count (ENVIRONMENT). An arm
 * whose program cannot be found is an error before the directory is made. */
int trial_run(struct session *session, const struct trial_spec *spec, struct trial_seen *ret_seen,
              enum runner_outcome *ret_outcome, struct bench_error *err);
void trial_seen_release(struct trial_seen *seen);

#endif
