/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/kernel_symbols.h"

#include <ctype.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define KALLSYMS_MAX (256 << 20)
#define NOTES_MAX (64 << 10)

/* The build-id among the notes of the kernel; lower-case hex, "" without one. */
static void running_build_id(char ret[2 * 20 + 1])
{
    cleanup_free char *notes = NULL;
    Elf_Data data = {.d_type = ELF_T_NHDR, .d_version = EV_CURRENT, .d_align = 4};
    size_t at = 0, name, content;
    GElf_Nhdr note;

    ret[0] = '\0';
    if (file_read(AT_FDCWD, "/sys/kernel/notes", NOTES_MAX, &notes, &data.d_size, NULL) < 0)
        return;
    data.d_buf = notes;
    while ((at = gelf_getnote(&data, at, &note, &name, &content)) > 0)
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
            memcmp(notes + name, "GNU", sizeof("GNU")) == 0 && note.n_descsz <= 20)
            for (size_t i = 0; i < note.n_descsz; i++)
                snprintf(ret + 2 * i, 3, "%02x", (unsigned char)notes[content + i]);
}

/* What perf takes: code and data, of the kernel and its modules. */
static bool is_wanted(char type, const char *name)
{
    return name[0] != '$' && (strchr("TWDB", toupper(type)) || type == 'u' || type == 'l');
}

static enum symbol_binding binding_of(char type)
{
    if (type == 'W')
        return SYMBOL_WEAK;
    return isupper((unsigned char)type) ? SYMBOL_GLOBAL : SYMBOL_LOCAL;
}

struct line {
    uint64_t address;
    char type;
    const char *name, *module; /* "" of the kernel itself */
};

/* "ffffffff81000000 T _text" or "ffffffffc0000000 t init\t[ext4]"; cuts `text` into pieces. */
static bool read_line(char *text, struct line *ret)
{
    char *end, *tab;

    ret->address = strtoull(text, &end, 16);
    if (end == text || end[0] != ' ' || !end[1] || end[2] != ' ' || !end[3])
        return false;
    ret->type = end[1];
    ret->name = end + 3;
    tab = strchr(end + 3, '\t');
    ret->module = tab ? tab + 1 : "";
    if (tab)
        *tab = '\0';
    return true;
}

/* Where "_text" is now; 0 when addresses are hidden. */
static uint64_t find_text(const char *kallsyms)
{
    const char *found = strstr(kallsyms, " _text\n");

    while (found && found > kallsyms && found[-1] != '\n')
        found--;
    return found ? strtoull(found, NULL, 16) : 0;
}

const char *kernel_symbols_parse(struct symbol_table *t, char *kallsyms, uint64_t text)
{
    uint64_t now = find_text(kallsyms), moved = text && now ? text - now : 0;
    char *rest = kallsyms;
    bool any = false;

    while (rest && *rest) {
        struct line line;

        if (!read_line(strsep(&rest, "\n"), &line) || !is_wanted(line.type, line.name) ||
            (moved && *line.module)) /* where modules were then is not known */
            continue;
        any = any || line.address;
        symbol_table_add(t, line.address + moved, 0, binding_of(line.type), line.name);
    }
    if (!any) {
        symbol_table_release(t);
        return "this user may not see kernel addresses: 'sysctl kernel.kptr_restrict=0', or be "
               "root";
    }
    symbol_table_finish(t);
    return NULL;
}

const char *kernel_symbols_read(struct symbol_table *t, const char *build_id, uint64_t text)
{
    cleanup_free char *kallsyms = NULL;
    char running[2 * 20 + 1];

    running_build_id(running);
    if (*build_id && *running && strcmp(build_id, running) != 0)
        return "recorded on another kernel than the one that runs";
    if (file_read(AT_FDCWD, "/proc/kallsyms", KALLSYMS_MAX, &kallsyms, NULL, NULL) < 0)
        return "cannot read '/proc/kallsyms'";
    return kernel_symbols_parse(t, kallsyms, text);
}
