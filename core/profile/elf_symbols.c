/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/elf_symbols.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/demangle.h"

static Elf_Scn *section_of_type(Elf *elf, GElf_Word type, GElf_Shdr *ret)
{
    for (Elf_Scn *s = elf_nextscn(elf, NULL); s; s = elf_nextscn(elf, s))
        if (gelf_getshdr(s, ret) && ret->sh_type == type && ret->sh_entsize)
            return s;
    return NULL;
}

static Elf_Scn *section_of_name(Elf *elf, const char *name, GElf_Shdr *ret)
{
    size_t names;

    if (elf_getshdrstrndx(elf, &names) < 0)
        return NULL;
    for (Elf_Scn *s = elf_nextscn(elf, NULL); s; s = elf_nextscn(elf, s)) {
        const char *found;

        if (gelf_getshdr(s, ret) && (found = elf_strptr(elf, names, ret->sh_name)) &&
            strcmp(found, name) == 0)
            return s;
    }
    return NULL;
}

bool elf_symbols_has_symtab(Elf *elf)
{
    GElf_Shdr header;

    return section_of_type(elf, SHT_SYMTAB, &header);
}

/* From an address in memory to the offset in the file. */
static bool to_offset(Elf *elf, uint64_t *address)
{
    size_t n = 0;

    if (elf_getphdrnum(elf, &n) < 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr p;

        if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_LOAD || *address < p.p_vaddr ||
            *address - p.p_vaddr >= (p.p_memsz > p.p_filesz ? p.p_memsz : p.p_filesz))
            continue;
        *address += p.p_offset - p.p_vaddr;
        return true;
    }
    return false;
}

bool elf_symbols_address(Elf *elf, uint64_t offset, uint64_t *ret)
{
    size_t n = 0;

    if (elf_getphdrnum(elf, &n) < 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr p;

        if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_LOAD || offset < p.p_offset ||
            offset - p.p_offset >= p.p_filesz)
            continue;
        *ret = offset - p.p_offset + p.p_vaddr;
        return true;
    }
    return false;
}

static enum symbol_binding binding_of(const GElf_Sym *s)
{
    switch (GELF_ST_BIND(s->st_info)) {
    case STB_GLOBAL:
        return SYMBOL_GLOBAL;
    case STB_WEAK:
        return SYMBOL_WEAK;
    default:
        return SYMBOL_LOCAL;
    }
}

static bool is_text_or_data(Elf *elf, const GElf_Shdr *section)
{
    const char *name;
    size_t names;

    return elf_getshdrstrndx(elf, &names) == 0 &&
           (name = elf_strptr(elf, names, section->sh_name)) &&
           (strstr(name, "text") || strstr(name, "data"));
}

/* What perf takes for a symbol: functions, objects, and labels in text and data. */
static bool is_wanted(Elf *elf, const GElf_Sym *s)
{
    int type = GELF_ST_TYPE(s->st_info), visibility = GELF_ST_VISIBILITY(s->st_other);
    GElf_Shdr section;

    if (s->st_name == 0 || s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS ||
        !gelf_getshdr(elf_getscn(elf, s->st_shndx), &section) || !(section.sh_flags & SHF_ALLOC))
        return false;
    if (type == STT_NOTYPE)
        return visibility != STV_HIDDEN && visibility != STV_INTERNAL &&
               is_text_or_data(elf, &section);
    return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT;
}

/* Names of ARM that mark where code and data begin, and identify nothing. */
static bool is_mapping_symbol(GElf_Half machine, const char *name)
{
    return (machine == EM_ARM || machine == EM_AARCH64) && name[0] == '$' && name[1] &&
           strchr("adtx", name[1]) && (name[2] == '\0' || name[2] == '.');
}

static void read_table(struct symbol_table *t, Elf *runtime, Elf *elf, GElf_Word type)
{
    GElf_Shdr header;
    Elf_Scn *section = section_of_type(elf, type, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    size_t n = data ? header.sh_size / header.sh_entsize : 0;
    GElf_Ehdr file;

    if (!gelf_getehdr(elf, &file))
        return;
    for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
        const char *name;
        GElf_Sym s;

        if (!gelf_getsym(data, (int)i, &s) || !is_wanted(elf, &s) ||
            !(name = elf_strptr(elf, header.sh_link, s.st_name)) ||
            is_mapping_symbol(file.e_machine, name) || !to_offset(runtime, &s.st_value))
            continue;
        symbol_table_add(t, s.st_value, s.st_size, binding_of(&s), name);
    }
}

/* The size of a stub, and of what stands before the first. */
static bool stub_sizes(GElf_Half machine, const GElf_Shdr *plt, uint64_t *ret_stub,
                       uint64_t *ret_head)
{
    switch (machine) {
    case EM_AARCH64:
        *ret_stub = 16;
        *ret_head = 32;
        return true;
    case EM_X86_64:
        *ret_stub = *ret_head = plt->sh_entsize == 8 ? 8 : 16;
        return true;
    default:
        return false;
    }
}

/* One stub per relocation, in their order. .plt.sec has no head. */
static void read_stubs(struct symbol_table *t, Elf *elf)
{
    GElf_Shdr plt, relocations, symbols;
    Elf_Scn *of_relocations, *of_symbols;
    Elf_Data *data, *symbol_data;
    uint64_t stub, head, at;
    GElf_Ehdr file;

    if (!gelf_getehdr(elf, &file) ||
        !(of_relocations = section_of_name(elf, ".rela.plt", &relocations)) ||
        relocations.sh_type != SHT_RELA || !relocations.sh_entsize ||
        !(of_symbols = elf_getscn(elf, relocations.sh_link)) ||
        !gelf_getshdr(of_symbols, &symbols) || symbols.sh_type != SHT_DYNSYM ||
        !(data = elf_getdata(of_relocations, NULL)) ||
        !(symbol_data = elf_getdata(of_symbols, NULL)))
        return;
    if (section_of_name(elf, ".plt.sec", &plt)) {
        if (!stub_sizes(file.e_machine, &plt, &stub, &head))
            return;
        at = plt.sh_offset;
    } else {
        if (!section_of_name(elf, ".plt", &plt) || !stub_sizes(file.e_machine, &plt, &stub, &head))
            return;
        at = plt.sh_offset + head;
    }
    for (size_t i = 0; i < relocations.sh_size / relocations.sh_entsize && i <= INT32_MAX; i++) {
        const char *name;
        GElf_Rela r;
        GElf_Sym s;

        if (gelf_getrela(data, (int)i, &r) &&
            gelf_getsym(symbol_data, (int)GELF_R_SYM(r.r_info), &s) &&
            (name = elf_strptr(elf, symbols.sh_link, s.st_name))) {
            cleanup_free char *stub_name = xasprintf("%s" DEMANGLE_STUB, name);

            symbol_table_add(t, at, stub, SYMBOL_GLOBAL, stub_name);
        }
        at += stub;
    }
}

void elf_symbols_read(struct symbol_table *t, Elf *runtime, Elf *symbols)
{
    read_table(t, runtime, symbols, SHT_SYMTAB);
    read_table(t, runtime, runtime, SHT_DYNSYM);
    read_stubs(t, runtime);
}

void elf_symbols_build_id(Elf *elf, char ret[2 * 20 + 1])
{
    const unsigned char *bytes;
    const void *found;
    ssize_t n = dwelf_elf_gnu_build_id(elf, &found);

    bytes = found;
    ret[0] = '\0';
    for (ssize_t i = 0; i < n && i < 20; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}
