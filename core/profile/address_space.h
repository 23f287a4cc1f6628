/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process has mapped: areas that do not overlap, in the order of addresses. Does not own the
 * modules. Zero-initialised is empty and valid.
 */
#ifndef PROFILE_ADDRESS_SPACE_H
#define PROFILE_ADDRESS_SPACE_H

#include <stddef.h>

#include "profile/module.h"

struct area {
    uint64_t start, end, offset; /* in the file */
    struct module *module;
};

struct address_space {
    struct area *areas;
    size_t n, capacity;
    uint64_t changes; /* how often something was mapped over something else */
};

/* Cuts what was there before, as mmap() does. */
void address_space_map(struct address_space *s, const struct area *area);
void address_space_copy(struct address_space *s, const struct address_space *from);
/* NULL when nothing is mapped there. */
const struct area *address_space_find(const struct address_space *s, uint64_t address);
void address_space_release(struct address_space *s);

#endif
