/* SPDX-License-Identifier: Apache-2.0 */
/* run.json, read and checked; and how JSON files of a run are read at all. */
#ifndef STORE_RUN_JSON_H
#define STORE_RUN_JSON_H

#include <jansson.h>

#include <bench/types.h>

#include "scenario/scenario.h"

#define RUN_JSON_LIMIT (64 << 20)
/* Numbers of steps and blocks: searches and pilots have some beside those of the scenario. */
#define RUN_MOST_STEPS (10 * SCENARIO_MAX_STEPS)

/* Below `dirfd`, see file_open_beneath(), unless that is AT_FDCWD. New reference; messages begin
 * with `name` and the place in it. */
json_t *json_read(int dirfd, const char *path, const char *name, size_t limit,
                  struct bench_error *err);
/* The run.json of the run directory behind `dirfd`; `directory` is for messages. A newer format is
 * refused by number; "running" without a writer becomes "interrupted". New reference. */
json_t *run_json_read(int dirfd, const char *directory, struct bench_error *err);

#endif
