/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags that come from tables: every scalar key of a scenario has one, with '-' for '_', and so has
 * every option of a command's capture. For getopt_long(), with `opterr` 0: what it refuses is said
 * here, in our words.
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <getopt.h>

#include "scenario/scenario.h"

/* Rows of a table. */
size_t flags_count(const struct bench_option *table);
/* A flag for each row, whose `val` is `first` plus the row's number. Returns how many. */
size_t flags_add(struct option *ret, const struct bench_option *table, int first);
/* Frees the array, and the names of those that flags_add() made: `first` is the least given to it.
 */
void flags_free(struct option *options, int first);
/* The flag's line in a help text. */
void flags_help(const struct option *flag, const struct bench_option *row);

/* --set KEY=VALUE */
int flags_set(struct scenario *s, const char *arg, struct bench_error *err);
/* `flag`: the key's or option's own name, which the user wrote with '-' for '_'. */
int flags_set_key(struct scenario *s, const char *key, const char *flag, const char *arg,
                  struct bench_error *err);
/* What getopt_long() refused, with the nearest flag. Returns -1. */
int flags_unknown(const char *command, const char *word, const struct option *options,
                  struct bench_error *err);

#endif
