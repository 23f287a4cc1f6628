/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUs that a process may run on: exactly those that were asked for, or an error. */
#ifndef BASE_AFFINITY_H
#define BASE_AFFINITY_H

#include <stdint.h>

#include <bench/types.h>

/* For the calling thread and what it starts. `cpus` has UNITS_CPU_WORDS words; NULL: as they are. */
int affinity_set(const uint64_t *cpus, struct bench_error *err);
/* Whether affinity_set() would work; nothing is changed. */
int affinity_try(const uint64_t *cpus, struct bench_error *err);

#endif
