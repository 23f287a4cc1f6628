/* SPDX-License-Identifier: Apache-2.0 */
/* A file system that is full shows as many different errors; one hint explains them. */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <bench/types.h>

/* When the file system of `directory` has no room left and there are files below `directory`:
 * replaces the hint of `err` by one that says so, and which of them is the largest. */
void disk_explain_full(const char *directory, struct bench_error *err);

#endif
