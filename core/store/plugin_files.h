/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files the plugins of a run are: a workload or relay of the same name from elsewhere
 * measures something else.
 */
#ifndef STORE_PLUGIN_FILES_H
#define STORE_PLUGIN_FILES_H

#include <jansson.h>

#include "base/text.h"
#include "plan/plan.h"

/* [{kind, name, path, size, build_id, sha256, replaces}], for run.json. `replaces` is the file of
 * the plugin whose name it takes, when that is another file; else null. New reference. */
json_t *plugin_files(const struct plan *plan, const struct registry *r);
/* A line for each of them that replaces another. */
void plugin_files_warn(const json_t *files, struct strings *ret);
/* Lines, as "workload plugin 'builtin': build_id …, …", where both name it and the files differ. */
void plugin_files_compare(const json_t *a, const json_t *b, struct strings *ret);

#endif
