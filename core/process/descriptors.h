/* SPDX-License-Identifier: Apache-2.0 */
/* How many file descriptors a process has open, and how many it may have: what a relay of many
 * connections runs out of first. */
#ifndef PROCESS_DESCRIPTORS_H
#define PROCESS_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct descriptors {
    uint64_t open, limit;
};

/* False when nothing is known. Looks at every descriptor: 1 ms for 10,000. */
bool descriptors_read(pid_t pid, struct descriptors *ret);
/* So few are left that the next connection may have failed. */
bool descriptors_exhausted(const struct descriptors *d);

#endif
