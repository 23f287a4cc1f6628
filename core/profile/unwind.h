/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's stack from a copy of its memory and registers (perf record --call-graph=dwarf), by
 * what compilers write down for unwinding (.eh_frame); elfutils' libdwfl does the work.
 */
#ifndef PROFILE_UNWIND_H
#define PROFILE_UNWIND_H

#include "profile/symbols.h"

struct unwinder;

/* `symbols` has to outlive it. */
struct unwinder *unwinder_new(struct symbols *symbols);
void unwinder_free(struct unwinder *u);

enum { UNWIND_MAX = 127 }; /* frames: as many as perf has at most */

/* Leaf first; of every caller the address before the one where it goes on, which is in the call.
 * Returns how many; 0 when the sample has no registers, or those of another machine. */
size_t unwind(struct unwinder *u, const struct perf_record *r, uint64_t ret[UNWIND_MAX]);

void unwinder_freep(struct unwinder **u);
#define cleanup_unwinder __attribute__((cleanup(unwinder_freep)))

#endif
