/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/syscall_counts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"

/* One for each role and CPU: what that CPU counted for that role. */
struct table {
    uint64_t count[SYSCALL_NUMBERS];
};

struct syscall_counts {
    int map, program, link;
    struct table *tables;
    size_t roles, cpus;
};

/* ---- the program ---- */

struct code {
    struct bpf_insn *insns;
    size_t n, capacity;
};

static void emit(struct code *c, uint8_t op, uint8_t dst, uint8_t src, int16_t offset,
                 int32_t immediate)
{
    c->insns = grow(c->insns, &c->capacity, c->n + 1, sizeof(*c->insns));
    c->insns[c->n++] = (struct bpf_insn){
        .code = op, .dst_reg = dst & 0xf, .src_reg = src & 0xf, .off = offset, .imm = immediate};
}

static void move(struct code *c, uint8_t dst, uint8_t src)
{
    emit(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set(struct code *c, uint8_t dst, int32_t value)
{
    emit(c, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static void set_wide(struct code *c, uint8_t dst, uint8_t kind, uint64_t value)
{
    emit(c, BPF_LD | BPF_DW | BPF_IMM, dst, kind, 0, (int32_t)value);
    emit(c, 0, 0, 0, 0, (int32_t)(value >> 32));
}

static void call(struct code *c, int32_t function)
{
    emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

static void leave(struct code *c)
{
    set(c, BPF_REG_0, 0);
    emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* What bpf_get_ns_current_pid_tgid() compares with. */
struct namespace
{
    uint64_t device, inode;
};

enum { ROLE_INSNS = 10 };

/* r8 = i, and on to the end of all roles when the current process is in that namespace. */
static void find_role(struct code *c, const struct namespace *ns, size_t i, size_t n)
{
    set(c, BPF_REG_8, (int32_t)i);
    set_wide(c, BPF_REG_1, 0, ns->device);
    set_wide(c, BPF_REG_2, 0, ns->inode);
    move(c, BPF_REG_3, BPF_REG_10);
    emit(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, -8);
    set(c, BPF_REG_4, 8);
    call(c, BPF_FUNC_get_ns_current_pid_tgid);
    /* Over the other roles, and the two instructions that leave. */
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, (int16_t)((n - i - 1) * ROLE_INSNS + 2), 0);
}

/* The context of a raw tracepoint are its arguments: registers, number. */
static void assemble(struct code *c, const struct namespace *ns, size_t roles, size_t cpus, int map)
{
    emit(c, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_1, 8, 0);
    emit(c, BPF_JMP | BPF_JLT | BPF_K, BPF_REG_6, 0, 1, SYSCALL_NUMBERS);
    set(c, BPF_REG_6, SYSCALL_NUMBERS - 1);
    for (size_t i = 0; i < roles; i++)
        find_role(c, &ns[i], i, roles);
    leave(c);
    /* The table of role and CPU: r0 = &tables[r8 * cpus + cpu], or NULL. */
    call(c, BPF_FUNC_get_smp_processor_id);
    emit(c, BPF_ALU64 | BPF_MUL | BPF_K, BPF_REG_8, 0, 0, (int32_t)cpus);
    emit(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_8, BPF_REG_0, 0, 0);
    emit(c, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_8, -4, 0);
    set_wide(c, BPF_REG_1, BPF_PSEUDO_MAP_FD, (uint32_t)map);
    move(c, BPF_REG_2, BPF_REG_10);
    emit(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4);
    call(c, BPF_FUNC_map_lookup_elem);
    emit(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 5, 0);
    /* Nobody else writes there: a program is not interrupted by itself. */
    emit(c, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_6, 0, 0, 3);
    emit(c, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_6, 0, 0);
    emit(c, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_0, 0, 0);
    emit(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, 1);
    emit(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0);
    leave(c);
}

/* ---- the kernel ---- */

static int explain(int errnum, struct bench_error *err)
{
    if (errnum == ENOSYS || errnum == EINVAL) {
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errnum,
                    "this kernel does not run the BPF program that counts system calls");
        error_hint(err, "it takes Linux 5.7 or later with CONFIG_BPF_SYSCALL; 'stat' with 'events: "
                        "raw_syscalls:sys_enter' counts them without names");
    } else if ((errnum == EPERM || errnum == EACCES) && geteuid() != 0) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "counting system calls takes CAP_BPF and CAP_PERFMON, which this user lacks");
        error_hint(err,
                   "run as root, or with both; 'stat' with 'events: raw_syscalls:sys_enter' counts "
                   "them without names where perf_event_paranoid allows it");
    } else if (errnum == EPERM || errnum == EACCES) {
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errnum,
                    "the kernel refuses the BPF program that counts system calls");
        error_hint(err, "in a container, allow it (docker: '--cap-add BPF --cap-add PERFMON', "
                        "and a seccomp profile with bpf()); else look for kernel lockdown in "
                        "'/sys/kernel/security/lockdown'");
    } else {
        error_errno(err, BENCH_ERROR_RUN, errnum, "cannot count system calls");
    }
    return -1;
}

static int find_namespace(struct namespace *ret, pid_t pid, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("/proc/%d/ns/pid", (int)pid);
    struct stat own, st;

    if (stat("/proc/self/ns/pid", &own) < 0 || stat(path, &st) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "'%s'", path);
    if (own.st_ino == st.st_ino) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "roles cannot be told apart without PID namespaces of their own");
        error_hint(err,
                   "run as root: a user namespace ('unshare -Ur') does not do; 'bench check' says "
                   "what stands in the way");
        return -1;
    }
    /* As the kernel writes a device number, which differs from what stat() shows. */
    *ret = (struct namespace){.device = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev),
                              .inode = st.st_ino};
    return 0;
}

/* One more than the highest number that a CPU of this machine can have. */
static size_t count_cpus(void)
{
    cleanup_free char *text = file_peek("/sys/devices/system/cpu/possible");
    uint64_t mask[UNITS_CPU_WORDS] = {0};
    size_t n = 1;

    if (!text || parse_cpus(text, mask, NULL) < 0)
        return (size_t)sysconf(_SC_NPROCESSORS_CONF);
    for (size_t cpu = 0; cpu < UNITS_CPU_WORDS * 64; cpu++)
        if (mask[cpu / 64] >> (cpu % 64) & 1)
            n = cpu + 1;
    return n;
}

static int attach(struct syscall_counts *c, const struct namespace *ns, struct bench_error *err)
{
    LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);
    struct code code = {0};
    void *at;

    c->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench_syscalls", sizeof(uint32_t),
                            sizeof(struct table), (uint32_t)(c->roles * c->cpus), &mapped);
    if (c->map < 0)
        return explain(-c->map, err);
    at = mmap(NULL, c->roles * c->cpus * sizeof(struct table), PROT_READ, MAP_SHARED, c->map, 0);
    if (at == MAP_FAILED)
        return explain(errno, err);
    c->tables = at;
    assemble(&code, ns, c->roles, c->cpus, c->map);
    c->program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "bench_syscalls", "Apache-2.0",
                               code.insns, code.n, NULL);
    free(code.insns);
    if (c->program < 0)
        return explain(-c->program, err);
    c->link = bpf_raw_tracepoint_open("sys_enter", c->program);
    return c->link < 0 ? explain(-c->link, err) : 0;
}

static int open_counts(struct syscall_counts **ret, const struct namespace *ns, size_t n,
                       struct bench_error *err)
{
    struct syscall_counts *c = xcalloc(1, sizeof(*c));

    libbpf_set_print(NULL);
    *c = (struct syscall_counts){
        .map = -1, .program = -1, .link = -1, .roles = n, .cpus = count_cpus()};
    if (attach(c, ns, err) < 0) {
        syscall_counts_free(c);
        return -1;
    }
    *ret = c;
    return 0;
}

int syscall_counts_open(struct syscall_counts **ret, const pid_t *inits, size_t n,
                        struct bench_error *err)
{
    cleanup_free struct namespace *namespaces = xcalloc(n, sizeof(*namespaces));

    for (size_t i = 0; i < n; i++)
        if (find_namespace(&namespaces[i], inits[i], err) < 0)
            return -1;
    return open_counts(ret, namespaces, n, err);
}

int syscall_counts_possible(struct bench_error *err)
{
    const struct namespace nobody = {0};
    struct syscall_counts *c;

    if (open_counts(&c, &nobody, 1, err) < 0)
        return -1;
    syscall_counts_free(c);
    return 0;
}

void syscall_counts_read(const struct syscall_counts *c, size_t i, int64_t *ret)
{
    const struct table *tables = c->tables + i * c->cpus;

    for (size_t nr = 0; nr < SYSCALL_NUMBERS; nr++) {
        uint64_t sum = 0;

        for (size_t cpu = 0; cpu < c->cpus; cpu++)
            sum += __atomic_load_n(&tables[cpu].count[nr], __ATOMIC_RELAXED);
        ret[nr] = (int64_t)sum;
    }
}

int64_t syscall_counts_missed(const struct syscall_counts *c)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof(info);

    return bpf_obj_get_info_by_fd(c->program, &info, &size) < 0 ? 0
                                                                : (int64_t)info.recursion_misses;
}

void syscall_counts_free(struct syscall_counts *c)
{
    if (!c)
        return;
    if (c->link >= 0)
        close(c->link);
    if (c->program >= 0)
        close(c->program);
    if (c->tables)
        munmap(c->tables, c->roles * c->cpus * sizeof(struct table));
    if (c->map >= 0)
        close(c->map);
    free(c);
}
