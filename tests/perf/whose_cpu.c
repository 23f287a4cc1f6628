/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom does the kernel charge for CPU time? A case whose truth is known: 'worker' writes to a
 * stream and reads it back itself, so all of the work is its own. 'woken' waits for the same
 * stream, is woken by the write and goes to sleep again. Both share one CPU.
 *
 *   whose_cpu within [ROUNDS]    the system call that wakes is the one that works: write(1 MiB)
 *   whose_cpu before [ROUNDS]    a write(1 byte) wakes, then write(1 MiB) to a stream of the worker
 *   whose_cpu alone [ROUNDS]     nobody is woken
 *
 * Prints µs per round of both, by perf's task-clock and by the scheduler (/proc/PID/schedstat,
 * which control groups, process clocks and ps sum up). "within" and "before" are the same work and
 * the same wake-ups: two clocks that tell the truth give the same figures for both.
 */
#include <err.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE ((size_t)1 << 20)

/* A process, and what the two clocks said when it was opened. */
struct watched {
    pid_t pid;
    int counter;
    double task_clock, charged; /* ns */
};

static double read_counter(const struct watched *w)
{
    unsigned long long ns = 0;

    if (read(w->counter, &ns, sizeof(ns)) != sizeof(ns))
        err(1, "task-clock");
    return (double)ns;
}

static double read_schedstat(const struct watched *w)
{
    char path[64];
    double ns;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)w->pid);
    f = fopen(path, "re");
    if (!f || fscanf(f, "%lf", &ns) != 1)
        err(1, "'%s'", path);
    fclose(f);
    return ns;
}

static struct watched watch(pid_t pid)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_TASK_CLOCK,
                                   .exclude_kernel =
                                       1, /* needs no privilege, and no clock heeds it */
                                   .exclude_hv = 1};
    struct watched w = {.pid = pid};

    w.counter = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (w.counter < 0)
        err(1, "perf_event_open");
    w.task_clock = read_counter(&w);
    w.charged = read_schedstat(&w);
    return w;
}

static void report(const char *name, const struct watched *w, long rounds)
{
    printf("  %s: task-clock %6.1f, scheduler %6.1f", name,
           (read_counter(w) - w->task_clock) / 1e3 / (double)rounds,
           (read_schedstat(w) - w->charged) / 1e3 / (double)rounds);
}

/* Both processes onto the first CPU that is allowed. */
static void pin(void)
{
    cpu_set_t allowed, one;
    int cpu = 0;

    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        err(1, "sched_getaffinity");
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        err(1, "sched_setaffinity");
}

static pid_t start_woken(int stream, volatile long *wakes)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    pid_t pid = fork();
    int epoll;

    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, stream, &event))
        err(1, "epoll");
    for (;; ++*wakes)
        if (epoll_wait(epoll, &event, 1, -1) < 0)
            err(1, "epoll_wait");
}

static void stream_open(int stream[2])
{
    int room = 64 << 20;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream))
        err(1, "socketpair");
    if (setsockopt(stream[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
        err(1, "SO_SNDBUFFORCE (needs root)");
}

static void pass(const int stream[2], char *buffer, size_t size)
{
    if (write(stream[0], buffer, size) != (ssize_t)size)
        err(1, "write");
    for (ssize_t n; size > 0; size -= (size_t)n)
        if ((n = recv(stream[1], buffer, size, 0)) <= 0)
            err(1, "recv");
}

static void work(long rounds, bool apart, const int watched[2], const int own[2], char *buffer)
{
    for (long i = 0; i < rounds; i++) {
        if (apart)
            pass(watched, buffer, 1);
        pass(apart ? own : watched, buffer, SIZE);
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long rounds = argc > 2 ? atol(argv[2]) : 1500, before;
    bool alone = !strcmp(mode, "alone"), apart = !strcmp(mode, "before");
    volatile long *wakes =
        mmap(NULL, sizeof(*wakes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *buffer = calloc(1, SIZE);
    struct watched worker, woken = {0};
    int watched[2], own[2];

    if ((!alone && !apart && strcmp(mode, "within")) || rounds < 1)
        errx(2, "usage: whose_cpu within|before|alone [ROUNDS]");
    if (wakes == MAP_FAILED || !buffer)
        err(1, "memory");
    stream_open(watched);
    stream_open(own);
    pin();
    if (!alone && (woken.pid = start_woken(watched[1], wakes)) < 0)
        err(1, "fork");
    work(50, apart, watched, own, buffer);
    usleep(20000); /* both are at rest */

    worker = watch(getpid());
    if (!alone)
        woken = watch(woken.pid);
    before = *wakes;
    work(rounds, apart, watched, own, buffer);
    usleep(2000);
    printf("%-6s  wake-ups %.2f", mode, (double)(*wakes - before) / (double)rounds);
    report("worker", &worker, rounds);
    if (!alone) {
        report("woken", &woken, rounds);
        kill(woken.pid, SIGKILL);
        waitpid(woken.pid, NULL, 0);
    }
    printf("\n");
    free(buffer);
    return 0;
}
