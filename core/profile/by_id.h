/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of each process or thread: structs that begin with a `uint32_t id`, in the order of
 * ids. Zero-initialised but for `size` is empty and valid; what the structs own is the caller's.
 */
#ifndef PROFILE_BY_ID_H
#define PROFILE_BY_ID_H

#include <stddef.h>
#include <bench/types.h>

struct by_id {
    size_t size; /* of one */
    void *items;
    size_t n, capacity;
};

/* NULL without one. Valid until another is added. */
void *by_id_find(const struct by_id *b, uint32_t id);
/* The one there is, or a new one that is zero but for its id. */
void *by_id_get(struct by_id *b, uint32_t id);
void *by_id_at(const struct by_id *b, size_t i);
void by_id_release(struct by_id *b);

#endif
