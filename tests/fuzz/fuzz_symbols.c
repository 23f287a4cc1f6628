/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target of where symbols come from. The first byte chooses: 'j' what a JIT compiler
 * wrote, 'k' /proc/kallsyms, else an ELF file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/elf_symbols.h"
#include "profile/kernel_symbols.h"
#include "profile/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_elf(struct symbol_table *t, char *bytes, size_t size)
{
    char build_id[2 * 20 + 1];
    Elf *elf;

    elf_version(EV_CURRENT);
    elf = elf_memory(bytes, size);
    if (elf && elf_kind(elf) == ELF_K_ELF) {
        elf_symbols_build_id(elf, build_id);
        elf_symbols_read(t, elf, elf);
        symbol_table_finish(t);
    }
    elf_end(elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct symbol_table t = {.mangled = true};
    cleanup_free char *bytes = NULL;

    if (size == 0)
        return 0;
    bytes = xcalloc(size, 1);
    memcpy(bytes, data + 1, size - 1);
    if (data[0] == 'j')
        module_parse_jit(&t, bytes);
    else if (data[0] == 'k')
        kernel_symbols_parse(&t, bytes, 0xffffffff92000000);
    else
        read_elf(&t, bytes, size - 1);
    for (size_t i = 0; i < t.n; i++)
        if (t.items[i].end > t.items[i].start && !symbol_table_find(&t, t.items[i].start))
            abort();
    symbol_table_release(&t);
    return 0;
}
