/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What workloads that wrap a load generator have in common: what they refuse to ask of the tool,
 * and what must hold before its numbers are believed.
 */
#ifndef SHARED_WRAPPER_H
#define SHARED_WRAPPER_H

#include <bench/workload.h>

#include "shared/plugin.h"

/* Above this share of failures a repetition has failed. */
#define WRAPPER_MAX_FAILED 0.001
/* What each connection of a paced tool has to send in the window. They send all at once and then all
 * wait, so that a window holds one time more or less of it. */
#define WRAPPER_LEAST_PACED 50
/* Stamps above this are none: the year 2100. No count of a run comes near it either. */
#define WRAPPER_LATEST_US 4102444800000000LL

/* USAGE unless each of the tool's threads has one of its `jobs`, which it calls a `job`. */
int wrapper_check_threads(const char *tool, int64_t threads, int64_t jobs, const char *job,
                          struct bench_error *err);
/* Whether the tool ended by itself, and with 0: the least that is asked of one, and not enough. */
int wrapper_check_ending(const char *tool, int status, struct bench_error *err);
/* Whether the time that the tool says it measured for is about that of its process: a tool that
 * measures by the wall clock is wrong when that is set. */
int wrapper_check_lasted(const char *tool, int64_t lasted_ns, const struct bench_leftovers *left,
                         struct bench_error *err);

#endif
