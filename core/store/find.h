/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stored run a word stands for: a run directory; the name of one below bench-results, also
 * "latest"; the name of a scenario, for its newest run; a part of a run's name that only one has.
 */
#ifndef STORE_FIND_H
#define STORE_FIND_H

#include <bench/types.h>

/* Opens the run's directory. Of several runs that the word may stand for, the error has a list.
 * Returns the descriptor or -1. */
int run_find(const char *word, struct bench_error *err);

#endif
