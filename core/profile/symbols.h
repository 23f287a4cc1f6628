/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an address in a recording to a name. It is told of every record in the order of time, and so
 * knows what each process has mapped at that moment (a fork copies) and how each
 * thread is called; then an address is looked up in the module that is there, and in the kernel.
 *
 *   new, per record symbols_record(), per address symbols_frame(), free. Owns all names.
 */
#ifndef PROFILE_SYMBOLS_H
#define PROFILE_SYMBOLS_H

#include "profile/perf_record.h"
#include "profile/stacks.h"
#include "profile/module.h"

struct symbols;

/* `header` (build-ids) has to outlive it. */
struct symbols *symbols_new(const struct perf_header *header);
void symbols_free(struct symbols *s);

/* Takes note of MMAP, MMAP2, COMM and FORK; other records mean nothing here. */
void symbols_record(struct symbols *s, const struct perf_record *r);
/* What is at `address` of a process, or of the kernel. `module` is NULL where nothing is mapped. */
struct frame symbols_frame(struct symbols *s, uint32_t pid, uint64_t address, bool kernel);
/* The name of a thread; "" when no record told. Lives until the thread gets another. */
const char *symbols_comm(const struct symbols *s, uint32_t tid);

/* What is mapped at `address`: NULL, or the module and where in its file. */
struct module *symbols_module(struct symbols *s, uint32_t pid, uint64_t address,
                              uint64_t *ret_offset);

/* Grows whenever something is mapped where something else was. */
uint64_t symbols_changes(const struct symbols *s, uint32_t pid);

/* Appends "MODULE: why there are no names for its functions", for all that were asked for. */
void symbols_problems(const struct symbols *s, struct strings *ret);

void symbols_freep(struct symbols **s);
#define cleanup_symbols __attribute__((cleanup(symbols_freep)))

#endif
