/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs saved under a name, to compare with later: one small file each,
 * bench-results/baselines/NAME. Not in the index, which may be lost at any time. `results` is the
 * results directory, NULL for bench-results.
 */
#ifndef STORE_BASELINE_H
#define STORE_BASELINE_H

#include "base/text.h"

/* Whether a run may be saved under this name. */
int baseline_check_name(const char *name, struct bench_error *err);
/* `run` as store_read() takes it. Replaces what had this name. */
int baseline_save(const char *results, const char *name, const char *run, struct bench_error *err);
/* The run's directory: below `results`, or an absolute path. It is checked that the run is still
 * there. Caller frees. */
int baseline_find(const char *results, const char *name, char **ret_run, struct bench_error *err);
/* Adds the names, sorted. */
int baseline_list(const char *results, struct strings *ret, struct bench_error *err);

#endif
