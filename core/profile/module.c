/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/module.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "profile/elf_symbols.h"

#define JIT_MAX (64 << 20)
#define DEBUG_FILES "/usr/lib/debug/.build-id"

struct elf_file {
    int fd;
    int errnum; /* why `fd` is -1 */
    Elf *elf;
};

static void elf_file_close(struct elf_file *f)
{
    elf_end(f->elf);
    if (f->fd >= 0)
        close(f->fd);
}

#define cleanup_elf_file __attribute__((cleanup(elf_file_close)))

/* Not mapped: a file cut short would be a SIGBUS. */
static struct elf_file elf_file_open(const char *path)
{
    struct elf_file f = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat st;

    f.errnum = f.fd < 0 ? errno : 0;
    if (f.fd >= 0 && fstat(f.fd, &st) == 0 && S_ISREG(st.st_mode) &&
        elf_version(EV_CURRENT) != EV_NONE)
        f.elf = elf_begin(f.fd, ELF_C_READ, NULL);
    return f;
}

/* As recorded; without a recorded build-id it has to be believed. */
static bool is_same(const struct module *m, Elf *elf)
{
    char found[sizeof(m->build_id)];

    elf_symbols_build_id(elf, found);
    return !m->build_id[0] || strcmp(found, m->build_id) == 0;
}

static void read_symbols(struct module *m, Elf *runtime)
{
    char id[sizeof(m->build_id)];
    cleanup_elf_file struct elf_file split = {.fd = -1};
    Elf *symbols = runtime;

    elf_symbols_build_id(runtime, id);
    if (id[0] && !elf_symbols_has_symtab(runtime)) {
        cleanup_free char *path = xasprintf(DEBUG_FILES "/%.2s/%s.debug", id, id + 2);

        split = elf_file_open(path);
        if (split.elf && elf_symbols_has_symtab(split.elf))
            symbols = split.elf;
    }
    m->symbols.mangled = true;
    elf_symbols_read(&m->symbols, runtime, symbols);
    symbol_table_finish(&m->symbols);
}

/* How many bytes our own vdso has, which begins at `start`. */
static size_t vdso_size(uint64_t start)
{
    cleanup_free char *maps = file_peek("/proc/self/maps"),
                      *line = xasprintf("\n%llx-", (unsigned long long)start);
    const char *found = maps ? strstr(maps, line) : NULL;

    return found ? (size_t)(strtoull(found + strlen(line), NULL, 16) - start) : 0;
}

/* The kernel maps the same one into every process. A copy in a file, which can be closed. */
static struct elf_file vdso_open(void)
{
    uint64_t start = getauxval(AT_SYSINFO_EHDR);
    size_t size = start ? vdso_size(start) : 0;
    struct elf_file f = {.fd = size ? memfd_create("vdso", MFD_CLOEXEC) : -1};

    if (f.fd >= 0 && write(f.fd, (const void *)start, size) == (ssize_t)size &&
        elf_version(EV_CURRENT) != EV_NONE)
        f.elf = elf_begin(f.fd, ELF_C_READ, NULL);
    return f;
}

static struct elf_file open_any(const struct module *m)
{
    return strcmp(m->path, "[vdso]") == 0 ? vdso_open() : elf_file_open(m->path);
}

/* As recorded: the file itself, or else the copy that perf keeps of all that it records. */
static struct elf_file open_recorded(const struct module *m)
{
    struct elf_file f = open_any(m);
    const char *home = getenv("HOME");

    if (m->build_id[0] && home && !(f.elf && is_same(m, f.elf))) {
        cleanup_free char *path =
            xasprintf("%s/.debug/.build-id/%.2s/%s/elf", home, m->build_id, m->build_id + 2);
        struct elf_file copy = elf_file_open(path);

        if (copy.elf && is_same(m, copy.elf)) {
            elf_file_close(&f);
            return copy;
        }
        elf_file_close(&copy);
    }
    return f;
}

static const char *load_file(struct module *m)
{
    cleanup_elf_file struct elf_file file = open_recorded(m);

    if (file.fd < 0)
        return file.errnum == ENOENT ? "it is gone" : "it cannot be opened";
    if (!file.elf || elf_kind(file.elf) != ELF_K_ELF)
        return "it is no ELF file";
    if (!is_same(m, file.elf))
        return "it is not the file that was recorded: another build-id";
    read_symbols(m, file.elf);
    return m->symbols.n ? NULL : "it has no symbols";
}

int module_open(struct module *m, uint64_t offset, uint64_t *ret_address)
{
    cleanup_elf_file struct elf_file file = {.fd = -1};
    int fd;

    if (!m->absolute && !m->closed)
        file = open_recorded(m);
    m->closed = !file.elf || !is_same(m, file.elf);
    if (m->closed || !elf_symbols_address(file.elf, offset, ret_address))
        return -1;
    fd = file.fd;
    file.fd = -1;
    return fd;
}

void module_parse_jit(struct symbol_table *t, const char *text)
{
    const char *line = text;

    while (*line) {
        const char *end = strchrnul(line, '\n');
        char *at, *name;
        uint64_t start = strtoull(line, &at, 16), size = at < end ? strtoull(at, &name, 16) : 0;

        if (at > line && at < end && name > at && name < end && *name == ' ' && name + 1 < end) {
            cleanup_free char *copy = xstrndup(name + 1, (size_t)(end - name - 1));

            symbol_table_add(t, start, size, SYMBOL_GLOBAL, copy);
        }
        line = *end ? end + 1 : end;
    }
    symbol_table_finish(t);
}

/* Anybody may have put it into /tmp: only that of this user, or of root. */
static const char *load_jit(struct module *m)
{
    cleanup_close int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    cleanup_free char *text = NULL;
    struct stat st;

    if (fd < 0)
        return "no description of code that was compiled while it ran";
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()))
        return "it is not owned by this user or root";
    if (file_read_fd(fd, m->path, JIT_MAX, &text, NULL, NULL) < 0)
        return "it cannot be read, or is too large";
    module_parse_jit(&m->symbols, text);
    return m->symbols.n ? NULL : "it has no symbols";
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool module_is_anonymous(const char *path)
{
    return strcmp(path, "//anon") == 0 || starts_with(path, "/dev/zero") ||
           starts_with(path, "/anon_hugepage") || starts_with(path, "/memfd:") ||
           starts_with(path, "/SYSV") || strcmp(path, "[heap]") == 0 || starts_with(path, "[stack");
}

/* Without the process's number, so that it is the same from run to run. */
static char *unknown_name(const struct module *m)
{
    const char *slash = strrchr(m->path, '/');

    if (m->absolute)
        return xstrdup("[anonymous]");
    return m->path[0] == '[' ? xstrdup(m->path) : xasprintf("[%s]", slash ? slash + 1 : m->path);
}

struct module *module_new(const char *path, uint32_t pid, const char *build_id)
{
    struct module *m = xcalloc(1, sizeof(*m));

    m->absolute = module_is_anonymous(path);
    m->path = m->absolute ? xasprintf("/tmp/perf-%u.map", pid) : xstrdup(path);
    strncpy(m->build_id, build_id, sizeof(m->build_id) - 1);
    m->unknown = unknown_name(m);
    return m;
}

static void load(struct module *m)
{
    if (m->absolute)
        m->problem = load_jit(m);
    else
        m->problem = load_file(m);
    m->loaded = true;
}

const char *module_symbol(struct module *m, uint64_t offset, uint64_t address)
{
    if (!m->loaded)
        load(m);
    return symbol_table_find(&m->symbols, m->absolute ? address : offset);
}

void module_free(struct module *m)
{
    if (!m)
        return;
    symbol_table_release(&m->symbols);
    free(m->path);
    free(m->unknown);
    free(m);
}
