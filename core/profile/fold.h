/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A perf.data file → weighted stacks, in one pass over it: the samples of one event, root first,
 * the frames named as `perf script --no-inline` names them. A frame without a symbol is called
 * after its module, "[libc.so.6]", or "[kernel]", or "[unknown]" where nothing is mapped.
 *
 * And what has to be said about them: what was lost, and whether the stacks can be believed.
 */
#ifndef PROFILE_FOLD_H
#define PROFILE_FOLD_H

#include "base/text.h"
#include "profile/perf_data.h"
#include "profile/symbols.h"

struct fold_options {
    const char *event; /* as perf calls it; NULL: the first */
    bool count;        /* weigh each sample 1, not its period */
    bool no_comm;      /* leave out the name of the thread, which is the outermost frame */
};

struct fold_summary {
    char *event;      /* "cpu-clock:u" */
    const char *unit; /* of the weights: "ns" of clocks, "samples", else "events" */
    uint64_t samples;
    uint64_t lost;         /* records that the kernel had no room for */
    uint64_t late;         /* records that came too late to be put in order */
    uint64_t without_user; /* samples of processes without any user frame */
    uint64_t with_user;
    uint64_t broken;         /* of the latter: they end too early, see chain.h */
    char *broken_file;       /* where most of these end, when they are so many that it was built
                              * without frame pointers; else NULL */
    struct strings others;   /* "12 samples of 'task-clock'": of events that were not chosen */
    struct strings problems; /* "MODULE: why its functions have no names" */
};

/* Adds to `stacks`. Caller releases `ret`, also after an error. */
int perf_fold(int dirfd, const char *path, const struct fold_options *options,
              struct stacks *stacks, struct fold_summary *ret, struct bench_error *err);
/* One sentence for each thing that a reader has to know. */
void fold_notes(const struct fold_summary *s, struct strings *ret);
void fold_summary_release(struct fold_summary *s);

#define cleanup_fold_summary __attribute__((cleanup(fold_summary_release)))

#endif
