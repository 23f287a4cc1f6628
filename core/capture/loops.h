/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which threads accept connections: each waits in accept(), or for events of an epoll instance that
 * is its own and has a listening socket in it. nginx, haproxy and envoy work like that. Threads
 * that share one instance are a pool: any of them takes the next event, as in skrouterd and in Go.
 *
 * What a thread waits for is the system call in which it sleeps (/proc/PID/task/TID/syscall), and
 * what an instance has in it is in /proc/PID/fdinfo. Nothing is known of poll(), select() and
 * io_uring.
 *
 * Zeroed is empty and valid: loops_find… → loops_release.
 */
#ifndef CAPTURE_LOOPS_H
#define CAPTURE_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "process/network.h"

/* An epoll instance that a thread was seen to wait for. */
struct loop {
    pid_t pid;
    int fd;
    pid_t tid;    /* the first that was seen */
    bool shared;  /* another one was seen, too */
    bool accepts; /* it has a listening socket in it */
};

struct loops {
    struct loop *items;
    size_t count, capacity;
};

/* Beside indices of loops. */
enum { LOOP_UNKNOWN = -1, LOOP_ACCEPT = -2 };

/* Whether this kernel tells, and lets us know, what threads wait for. */
bool loops_supported(void);
/* The index of the loop for whose events the thread waits right now, LOOP_ACCEPT when it waits in
 * accept(), LOOP_UNKNOWN when it runs or waits for something else. */
int loops_find(struct loops *l, pid_t pid, pid_t tid, struct network *network);
/* How many epoll instances of the process have a listening socket in them and were never seen to be
 * waited for: those of threads that are always busy. Looks at every descriptor of the process. */
size_t loops_unseen(const struct loops *l, pid_t pid, struct network *network);
void loops_release(struct loops *l);

#endif
