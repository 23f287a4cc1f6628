/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls of each role, counted by their number, every one of them: a small BPF program at the
 * kernel's tracepoint sys_enter tells the role by its PID namespace and adds one in a table of its
 * CPU, which is mapped here. Reading is plain memory, and exact while the role stands still.
 *
 * It runs for each system call of the machine, from syscall_counts_open() to _free(); it costs no
 * context switch anything, as counters of perf do that follow threads.
 */
#ifndef CAPTURE_SYSCALL_COUNTS_H
#define CAPTURE_SYSCALL_COUNTS_H

#include <sys/types.h>

#include <bench/types.h>

enum { SYSCALL_NUMBERS = 512 }; /* the last stands for every number that is not below it */

struct syscall_counts;

/* Whether this machine can: tries it. ENVIRONMENT error with a hint where the kernel refuses. */
int syscall_counts_possible(struct bench_error *err);
/* Of the processes in the PID namespaces that `inits` are in; they must not be the caller's. */
int syscall_counts_open(struct syscall_counts **ret, const pid_t *inits, size_t n,
                        struct bench_error *err);
/* Sums over all CPUs into ret[SYSCALL_NUMBERS]; `i` as in `inits`. */
void syscall_counts_read(const struct syscall_counts *c, size_t i, int64_t *ret);
/* Calls at which the kernel could not run the program: they are in no count. */
int64_t syscall_counts_missed(const struct syscall_counts *c);
void syscall_counts_free(struct syscall_counts *c); /* NULL is fine */

#endif
