/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many items that are independent to make and have to be used in order: threads make them ahead of
 * their user, a few only, so that memory stays bounded.
 *
 *   prefetch_new → prefetch_take once for each item → prefetch_free, at any time
 *
 * Where threads cannot be had, or are not worth it, items are made as they are taken.
 */
#ifndef BASE_PREFETCH_H
#define BASE_PREFETCH_H

#include <stddef.h>

struct prefetch;

struct prefetch_spec {
    size_t n;
    /* Item `i`, never NULL. Called by several threads at once, for each item once at most. */
    void *(*make)(void *context, size_t i);
    /* For items that were made and not taken. */
    void (*drop)(void *item);
    void *context;
};

struct prefetch *prefetch_new(const struct prefetch_spec *spec);
/* The next item, which is the caller's; NULL behind the last. */
void *prefetch_take(struct prefetch *p);
/* Waits for items that are being made. NULL is fine. */
void prefetch_free(struct prefetch *p);

#endif
