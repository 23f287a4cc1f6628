/* SPDX-License-Identifier: Apache-2.0 */
/* How the files of this folder fill a struct scenario; nothing else needs it. */
#ifndef SCENARIO_PARTS_H
#define SCENARIO_PARTS_H

#include "scenario/scenario.h"
#include "scenario/yaml.h"

/* In the place of a list of captures or gates: an empty one. */
#define SCENARIO_NONE "none"

/* Each appends an element and returns it; valid until the next call. */
struct arm *scenario_add_arm(struct scenario *s, const char *where);
struct capture_request *scenario_add_capture(struct scenario *s, const char *name,
                                             const char *where);
/* Replaces an axis of the same key. */
struct sweep_axis *scenario_add_axis(struct scenario *s, const char *key, const char *where);
void scenario_remove_axis(struct scenario *s, const char *key); /* if there is one */
/* Replaces a pin of the same role. */
void scenario_put_pin(struct scenario *s, const char *role, const char *cpus, const char *where);
int scenario_set_scalar(struct scenario *s, const struct bench_option *row, const char *text,
                        const char *where, struct bench_error *err);
/* scenario_read() of a tree that was parsed already. */
int scenario_read_tree(struct scenario *s, const struct yaml_tree *tree, struct bench_error *err);

#endif
