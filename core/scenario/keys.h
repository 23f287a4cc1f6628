/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a scenario: the tables that checks, flags, help and documentation come from. */
#ifndef SCENARIO_KEYS_H
#define SCENARIO_KEYS_H

#include <bench/types.h>

/* The scalar keys, by fields of struct scenario; a row without a name ends them. */
extern const struct bench_option scenario_keys[];

/* The keys that are lists or maps, for help only; likewise. */
struct scenario_structure {
    const char *name, *shape, *help;
};
extern const struct scenario_structure scenario_structures[];

/* "unknown key 'NAME'"; `more` are names beside the keys themselves, NULL-terminated. */
int scenario_unknown_key(const char *name, const char *const *more, struct bench_error *err);

#endif
