/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The symbols of an ELF file, at their offsets in the file: .symtab and .dynsym, and a NAME@plt for
 * each stub through which a function of another library is called. Nothing in the file is trusted.
 */
#ifndef PROFILE_ELF_SYMBOLS_H
#define PROFILE_ELF_SYMBOLS_H

#include <libelf.h>

#include "profile/symbol_table.h"

/* Adds to `t`. `runtime` is the file that was mapped; `symbols` is that one again, or the one that
 * holds what was split off it (/usr/lib/debug). */
void elf_symbols_read(struct symbol_table *t, Elf *runtime, Elf *symbols);
bool elf_symbols_has_symtab(Elf *elf);
/* From an offset in the file to the address that it was linked for. */
bool elf_symbols_address(Elf *elf, uint64_t offset, uint64_t *ret);
/* Lower-case hex, "" without one. */
void elf_symbols_build_id(Elf *elf, char ret[2 * 20 + 1]);

#endif
