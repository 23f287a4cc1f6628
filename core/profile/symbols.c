/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/address_space.h"
#include "profile/by_id.h"
#include "profile/kernel_symbols.h"

#define KERNEL "[kernel.kallsyms]"
#define KERNEL_UNKNOWN "[kernel]"
/* MISC_FORK_EXEC of tools/perf: a fork that perf made up at its start; maps come as records. */
#define MISC_MADE_UP PERF_RECORD_MISC_FORK_EXEC

struct process {
    uint32_t id;
    struct address_space space;
};

struct thread {
    uint32_t id;
    char *comm;
};

struct symbols {
    const struct perf_header *header;
    struct by_id processes, threads;
    struct module **modules;
    size_t n_modules, modules_capacity;
    struct symbol_table kernel;
    bool kernel_loaded;
    const char *kernel_problem;
    uint64_t kernel_text; /* where "_text" was */
    char kernel_build_id[2 * 20 + 1];
};

void symbols_free(struct symbols *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->processes.n; i++)
        address_space_release(&((struct process *)by_id_at(&s->processes, i))->space);
    for (size_t i = 0; i < s->threads.n; i++)
        free(((struct thread *)by_id_at(&s->threads, i))->comm);
    for (size_t i = 0; i < s->n_modules; i++)
        module_free(s->modules[i]);
    symbol_table_release(&s->kernel);
    by_id_release(&s->processes);
    by_id_release(&s->threads);
    free(s->modules);
    free(s);
}

void symbols_freep(struct symbols **s)
{
    symbols_free(*s);
}

const char *symbols_comm(const struct symbols *s, uint32_t tid)
{
    const struct thread *thread = by_id_find(&s->threads, tid);

    return thread ? thread->comm : "";
}

static void set_comm(struct symbols *s, uint32_t tid, const char *comm)
{
    char *copy = xstrdup(comm); /* may be that of a thread that moves */
    struct thread *thread = by_id_get(&s->threads, tid);

    free(thread->comm);
    thread->comm = copy;
}

struct symbols *symbols_new(const struct perf_header *header)
{
    struct symbols *s = xcalloc(1, sizeof(*s));

    s->header = header;
    s->processes.size = sizeof(struct process);
    s->threads.size = sizeof(struct thread);
    set_comm(s, 0, "swapper"); /* the idle thread, of which no record tells */
    return s;
}

/* That of the record itself, else that of the file's table, of `path`; "" when neither tells. */
static void recorded_build_id(const struct symbols *s, const struct perf_mmap *map,
                              const char *path, char ret[2 * 20 + 1])
{
    const char *listed = perf_header_build_id(s->header, path);

    ret[0] = '\0';
    if (!map->build_id)
        strcpy(ret, listed ? listed : "");
    for (size_t i = 0; map->build_id && i < map->build_id_size; i++)
        snprintf(ret + 2 * i, 3, "%02x", map->build_id[i]);
}

/* The one that is known by that path and build-id already, else a new one. */
static struct module *get_module(struct symbols *s, const struct perf_record *r)
{
    char build_id[2 * 20 + 1];
    struct module *made;

    recorded_build_id(s, &r->map, r->map.path, build_id);
    made = module_new(r->map.path, r->pid, build_id);
    for (size_t i = 0; i < s->n_modules; i++)
        if (strcmp(s->modules[i]->path, made->path) == 0 &&
            strcmp(s->modules[i]->build_id, build_id) == 0) {
            module_free(made);
            return s->modules[i];
        }
    s->modules = grow(s->modules, &s->modules_capacity, s->n_modules + 1, sizeof(*s->modules));
    s->modules[s->n_modules++] = made;
    return made;
}

/* "[kernel.kallsyms]_text", whose offset is the address of that symbol. Modules are found in
 * /proc/kallsyms by address. */
static void record_kernel_map(struct symbols *s, const struct perf_mmap *map)
{
    if (strcmp(map->path, KERNEL "_text") != 0)
        return;
    s->kernel_text = map->offset;
    recorded_build_id(s, map, KERNEL, s->kernel_build_id);
}

static void record_map(struct symbols *s, const struct perf_record *r)
{
    const struct perf_mmap *map = &r->map;
    struct area area = {map->start, map->start + map->length, map->offset, NULL};
    struct process *process;

    if ((r->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL) {
        record_kernel_map(s, map);
        return;
    }
    if (area.end <= area.start)
        return;
    area.module = get_module(s, r);
    process = by_id_get(&s->processes, r->pid);
    address_space_map(&process->space, &area);
}

static void record_comm(struct symbols *s, const struct perf_record *r)
{
    /* After an exec, too, what was mapped before is left there, as perf does: samples that are
     * taken while exec is still at work have the old stack. What is mapped from now on covers it.
     */
    set_comm(s, r->tid, r->comm);
}

static void record_fork(struct symbols *s, const struct perf_record *r)
{
    struct process *child, *parent;

    set_comm(s, r->tid, symbols_comm(s, r->parent_tid));
    if (r->pid == r->parent_pid || (r->misc & MISC_MADE_UP))
        return;
    child = by_id_get(&s->processes, r->pid);
    parent = by_id_find(&s->processes, r->parent_pid);
    child->space.n = 0;
    if (parent)
        address_space_copy(&child->space, &parent->space);
}

void symbols_record(struct symbols *s, const struct perf_record *r)
{
    switch (r->type) {
    case PERF_RECORD_MMAP:
    case PERF_RECORD_MMAP2:
        record_map(s, r);
        break;
    case PERF_RECORD_COMM:
        record_comm(s, r);
        break;
    case PERF_RECORD_FORK:
        record_fork(s, r);
        break;
    default:
        break;
    }
}

static struct frame kernel_frame(struct symbols *s, uint64_t address)
{
    const char *name;

    if (!s->kernel_loaded)
        s->kernel_problem = kernel_symbols_read(&s->kernel, s->kernel_build_id, s->kernel_text);
    s->kernel_loaded = true;
    name = symbol_table_find(&s->kernel, address);
    return (struct frame){name ? name : KERNEL_UNKNOWN, FRAME_KERNEL, KERNEL};
}

struct module *symbols_module(struct symbols *s, uint32_t pid, uint64_t address,
                              uint64_t *ret_offset)
{
    const struct process *process = by_id_find(&s->processes, pid);
    const struct area *area = process ? address_space_find(&process->space, address) : NULL;

    if (!area)
        return NULL;
    *ret_offset = address - area->start + area->offset;
    return area->module;
}

uint64_t symbols_changes(const struct symbols *s, uint32_t pid)
{
    const struct process *process = by_id_find(&s->processes, pid);

    return process ? process->space.changes : 0;
}

struct frame symbols_frame(struct symbols *s, uint32_t pid, uint64_t address, bool kernel)
{
    uint64_t offset;
    struct module *m;
    const char *name;

    if (kernel)
        return kernel_frame(s, address);
    m = symbols_module(s, pid, address, &offset);
    if (!m)
        return (struct frame){STACKS_UNKNOWN, FRAME_USER, NULL};
    name = module_symbol(m, offset, address);
    return (struct frame){name ? name : m->unknown, FRAME_USER, m->path};
}

void symbols_problems(const struct symbols *s, struct strings *ret)
{
    if (s->kernel_problem)
        strings_addf(ret, "%s: %s", KERNEL_UNKNOWN, s->kernel_problem);
    for (size_t i = 0; i < s->n_modules; i++)
        if (s->modules[i]->problem)
            strings_addf(ret, "%s: %s", s->modules[i]->path, s->modules[i]->problem);
}
