/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The symbols of one binary (or of the kernel): add them all, finish once, then find by address.
 * Names are copied, and demangled when they are asked for.
 *
 * Where several symbols start at one address, the choice is that of `perf script`
 * (choose_best_symbol() in linux/tools/perf/util/symbol.c), and so are the ends of symbols that
 * have no size, and the form of demangled names: without parameters.
 */
#ifndef PROFILE_SYMBOL_TABLE_H
#define PROFILE_SYMBOL_TABLE_H

#include <stddef.h>
#include <bench/types.h>

#include "base/text.h"

enum symbol_binding { SYMBOL_LOCAL, SYMBOL_GLOBAL, SYMBOL_WEAK };

struct symbol {
    uint64_t start, end;
    size_t name;     /* where in `names` */
    char *demangled; /* NULL: not asked for yet, or not mangled */
    enum symbol_binding binding;
    bool asked;
    uint32_t order; /* among those that were added */
};

/* Zero-initialised is empty and valid. */
struct symbol_table {
    struct symbol *items; /* in the order of addresses, when finished */
    size_t n, capacity;
    struct text names; /* each with its NUL */
    bool mangled;      /* C++ and Rust names are demangled */
};

void symbol_table_add(struct symbol_table *t, uint64_t start, uint64_t size,
                      enum symbol_binding binding, const char *name);
void symbol_table_finish(struct symbol_table *t);
/* Its name, demangled where it can be; NULL when no symbol holds `address`. Lives as long as `t`.
 */
const char *symbol_table_find(struct symbol_table *t, uint64_t address);
void symbol_table_release(struct symbol_table *t);

#endif
