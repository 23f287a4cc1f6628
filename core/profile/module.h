/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that was mapped into a process and holds code: a file, the vdso, or memory that a
 * compiler filled while the program ran and described in /tmp/perf-PID.map. Its symbols are read
 * when they are first asked for. A file that is not the one that was recorded, by its build-id,
 * has none: a name that is wrong is worse than none.
 */
#ifndef PROFILE_MODULE_H
#define PROFILE_MODULE_H

#include "profile/symbol_table.h"

struct module {
    char *path;                /* as in the recording */
    char *unknown;             /* "[libc.so.6]": the name of a frame without a symbol */
    char build_id[2 * 20 + 1]; /* as recorded; "" when it is not known */
    bool absolute;             /* symbols have addresses in memory, not offsets in a file */
    bool loaded;
    const char *problem; /* why there are no symbols, once loaded; NULL when there are */
    bool closed;         /* there is no file to be opened */
    struct symbol_table symbols;
};

/* `path` as in a record MMAP of process `pid`; `build_id` may be "". */
struct module *module_new(const char *path, uint32_t pid, const char *build_id);
/* The symbol at `offset` in the file, or at `address` if `absolute`; NULL without one. */
const char *module_symbol(struct module *m, uint64_t offset, uint64_t address);
/* The file, if it is the one that was recorded; its address for `offset`. -1 without. Caller
 * closes. */
int module_open(struct module *m, uint64_t offset, uint64_t *ret_address);
void module_free(struct module *m);

/* Whether it is memory without a file behind it that can hold code, so that each process has its
 * own. */
bool module_is_anonymous(const char *path);

/* "START SIZE NAME" in hex, per line: what a JIT compiler writes. */
void module_parse_jit(struct symbol_table *t, const char *text);

#endif
