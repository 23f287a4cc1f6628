/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/unwind.h"

#include <asm/perf_regs.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "profile/by_id.h"

#define PROCESSES_MAX 32 /* whose files are kept open */

#if defined(__x86_64__)
enum { REGISTER_PC = PERF_REG_X86_IP, REGISTER_SP = PERF_REG_X86_SP };
/* In DWARF's order. */
static const unsigned char dwarf_order[] = {
    PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_BX,  PERF_REG_X86_SI,
    PERF_REG_X86_DI,  PERF_REG_X86_BP,  PERF_REG_X86_SP,  PERF_REG_X86_R8,  PERF_REG_X86_R9,
    PERF_REG_X86_R10, PERF_REG_X86_R11, PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14,
    PERF_REG_X86_R15, PERF_REG_X86_IP,
};
#elif defined(__aarch64__)
enum { REGISTER_PC = PERF_REG_ARM64_PC, REGISTER_SP = PERF_REG_ARM64_SP };
static const unsigned char dwarf_order[] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
};
#else
enum { REGISTER_PC = 0, REGISTER_SP = 0 };
static const unsigned char dwarf_order[1];
#define UNWIND_UNSUPPORTED
#endif

/* A process, and what libdwfl knows of its files. */
struct unwound {
    uint32_t id;
    Dwfl *dwfl;
    bool attached;
    uint64_t changes; /* of its mappings, when `dwfl` was made */
};

struct unwinder {
    struct symbols *symbols;
    struct by_id processes; /* of struct unwound */
    /* the sample that is being unwound */
    const struct perf_record *record;
    Dwfl *dwfl;
    uint64_t sp;
    uint64_t *addresses;
    size_t n;
};

struct unwinder *unwinder_new(struct symbols *symbols)
{
    struct unwinder *u = xcalloc(1, sizeof(*u));

    u->symbols = symbols;
    u->processes.size = sizeof(struct unwound);
    return u;
}

static void forget(struct unwinder *u)
{
    for (size_t i = 0; i < u->processes.n; i++)
        dwfl_end(((struct unwound *)by_id_at(&u->processes, i))->dwfl);
    by_id_release(&u->processes);
}

void unwinder_free(struct unwinder *u)
{
    if (!u)
        return;
    forget(u);
    free(u);
}

void unwinder_freep(struct unwinder **u)
{
    unwinder_free(*u);
}

static bool register_of(const struct perf_sample *s, unsigned number, uint64_t *ret)
{
    uint64_t bit = 1ULL << number;

    if (!(s->register_mask & bit))
        return false;
    *ret = s->registers[__builtin_popcountll(s->register_mask & (bit - 1))];
    return true;
}

/* What unwinds is in the files that were mapped; split debug files, which libdwfl would look for,
 * maybe over the network, are not needed. */
static int no_debug_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                         const char *file, const char *link, GElf_Word crc, char **ret)
{
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)ret;
    return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_debuginfo = no_debug_file,
    .section_address = dwfl_offline_section_address,
};

/* Tells libdwfl which file is mapped at `address`, if it does not know yet. */
static void report(struct unwinder *u, uint64_t address)
{
    uint64_t offset, linked;
    struct module *m;
    int fd;

    if (dwfl_addrmodule(u->dwfl, address))
        return;
    m = symbols_module(u->symbols, u->record->pid, address, &offset);
    fd = m ? module_open(m, offset, &linked) : -1;
    if (fd >= 0 && !dwfl_report_elf(u->dwfl, m->path, m->path, fd, address - linked, true))
        close(fd);
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
    if (*thread_arg)
        return 0;
    *thread_arg = arg;
    return dwfl_pid(dwfl);
}

/* The copy of the stack is all the memory there is. */
static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret, void *arg)
{
    const struct unwinder *u = arg;
    const struct perf_sample *s = &u->record->sample;
    uint64_t at = address - u->sp;

    (void)dwfl;
    if (address < u->sp || s->stack_size < sizeof(*ret) || at > s->stack_size - sizeof(*ret))
        return false;
    memcpy(ret, s->stack + at, sizeof(*ret));
    return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    const struct unwinder *u = arg;
    Dwarf_Word words[sizeof(dwarf_order)];
    uint64_t pc;

    for (size_t i = 0; i < sizeof(dwarf_order); i++)
        if (!register_of(&u->record->sample, dwarf_order[i], &words[i]))
            return false;
    if (!register_of(&u->record->sample, REGISTER_PC, &pc))
        return false;
    dwfl_thread_state_register_pc(thread, pc);
    return dwfl_thread_state_registers(thread, 0, sizeof(dwarf_order), words);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = read_memory,
    .set_initial_registers = set_registers,
};

/* Called for a frame before its caller is looked for, which asking whether `pc` is exact does too:
 * by then the file must be known. */
static int take_frame(Dwfl_Frame *frame, void *arg)
{
    struct unwinder *u = arg;
    Dwarf_Addr pc;
    bool exact;

    if (!dwfl_frame_pc(frame, &pc, NULL))
        return DWARF_CB_ABORT;
    report(u, pc);
    if (!dwfl_frame_pc(frame, &pc, &exact))
        return DWARF_CB_ABORT;
    u->addresses[u->n++] = pc - !exact;
    return u->n < UNWIND_MAX ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static struct unwound *get_process(struct unwinder *u, uint32_t pid)
{
    uint64_t changes = symbols_changes(u->symbols, pid);
    struct unwound *p;

    if (u->processes.n >= PROCESSES_MAX && !by_id_find(&u->processes, pid))
        forget(u);
    p = by_id_get(&u->processes, pid);
    if (p->dwfl && p->changes != changes) {
        dwfl_end(p->dwfl);
        p->dwfl = NULL;
    }
    if (!p->dwfl) {
        p->dwfl = dwfl_begin(&callbacks);
        p->changes = changes;
        p->attached = false;
    }
    return p;
}

size_t unwind(struct unwinder *u, const struct perf_record *r, uint64_t ret[UNWIND_MAX])
{
    const struct perf_sample *s = &r->sample;
    struct unwound *p;
    uint64_t pc;

#ifdef UNWIND_UNSUPPORTED
    return 0;
#endif
    if (s->abi != PERF_SAMPLE_REGS_ABI_64 || !register_of(s, REGISTER_PC, &pc) ||
        !register_of(s, REGISTER_SP, &u->sp))
        return 0;
    p = get_process(u, r->pid);
    u->record = r;
    u->dwfl = p->dwfl;
    u->addresses = ret;
    u->n = 0;
    if (u->dwfl) {
        report(u, pc); /* the first tells libdwfl which machine it is */
        if (!p->attached)
            p->attached = dwfl_attach_state(u->dwfl, NULL, (pid_t)r->pid, &thread_callbacks, u);
        if (p->attached)
            dwfl_getthread_frames(u->dwfl, (pid_t)r->pid, take_frame, u);
    }
    if (u->n == 0)
        ret[u->n++] = pc;
    return u->n;
}
