/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A perf.data file of system calls (perf record --event=raw_syscalls:sys_enter) → how many of each.
 * Weighed by the period of each sample, so that a recording of every 97th call gives about as many
 * as there were.
 */
#ifndef PROFILE_SYSCALLS_H
#define PROFILE_SYSCALLS_H

#include <stddef.h>
#include <bench/types.h>

struct syscall_count {
    uint32_t number;
    char *name; /* "sendto"; "syscall 999" when the number is not known */
    uint64_t count;
};

/* Zero-initialised is empty and valid. */
struct syscall_counts {
    struct syscall_count *items; /* the most frequent first */
    size_t n;
    uint64_t total, lost;
};

/* Caller releases `ret`. */
int perf_count_syscalls(const char *path, struct syscall_counts *ret, struct bench_error *err);
void syscall_counts_release(struct syscall_counts *c);

#define cleanup_syscall_counts __attribute__((cleanup(syscall_counts_release)))

#endif
