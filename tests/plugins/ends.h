/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the two ends of a built-in workload in children, without the runner: what tests/plugins and
 * tests/perf share. Life: workload_open → end_start (server, then client) → end_stop each →
 * workload_close.
 */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bench/workload.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"
#include "plugin/host.h"

struct workload {
    const struct bench_workload *plugin;
    void *state;
    struct bench_role role;
};

struct end {
    pid_t pid; /* 0: not running */
    struct bench_page *page;
    int status;      /* wait status once it ended */
    int64_t stop_ns; /* how long it took from SIGTERM to its end */
};

/* A port that was free a moment ago. */
static inline uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) || getsockname(fd, (struct sockaddr *)&a, &n))
        abort();
    close(fd);
    return ntohs(a.sin_port);
}

static inline int workload_set(struct workload *w, const char *name, const char *value,
                               struct bench_error *err)
{
    const struct bench_option *row = option_find(w->plugin->plugin.options, name);

    if (!row)
        return option_unknown(w->plugin->plugin.options, "option", name, err);
    return option_set(row, w->state, value, err);
}

/* The plugin as it was built beside this program (BUILD/tests/DIR/PROGRAM). */
static inline int workload_open(struct workload *w, const char *name, struct bench_error *err)
{
    char self[PATH_MAX] = "", path[PATH_MAX + 64];
    const struct bench_plugin *(*get)(const struct bench_host *);
    void *object;

    *w = (struct workload){0}; /* gcc -O3 sees the tests go on after a failure */
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "/proc/self/exe");
    snprintf(path, sizeof(path), "%s/plugins/workloads/%s.so", dirname(dirname(dirname(self))),
             name);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return error_set(err, BENCH_ERROR_RUN, "%s", dlerror());
    *(void **)&get = dlsym(object, BENCH_PLUGIN_SYMBOL);
    *w = (struct workload){.plugin = (const struct bench_workload *)get(host_get())};
    w->state = xcalloc(1, w->plugin->plugin.state_size);
    option_defaults(w->plugin->plugin.options, w->state);
    w->role = (struct bench_role){.size = sizeof(w->role), .protocol = "tcp", .jobs = 2};
    w->role.listen = (struct bench_address){.host = "127.0.0.1", .port = free_port()};
    w->role.connect = w->role.listen;
    return 0;
}

static inline void workload_close(struct workload *w)
{
    option_release(w->plugin->plugin.options, w->state);
    free(w->state);
}

static inline bool listening(uint16_t port)
{
    char line[256], want[32];
    bool found = false;
    FILE *f = fopen("/proc/self/net/tcp", "re");

    snprintf(want, sizeof(want), ":%04X 00000000:0000 0A", port);
    while (f && !found && fgets(line, sizeof(line), f))
        found = strstr(line, want) != NULL;
    if (f)
        fclose(f);
    return found;
}

/* Whether it ended within `timeout_ns`; then `status` is set and `pid` is 0. */
static inline bool end_wait(struct end *e, int64_t timeout_ns)
{
    int fd = e->pid ? (int)syscall(SYS_pidfd_open, e->pid, 0) : -1;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool over = !e->pid || poll(&p, 1, (int)(timeout_ns / NS_PER_MS)) > 0;

    if (fd >= 0)
        close(fd);
    if (over && e->pid) {
        waitpid(e->pid, &e->status, 0);
        e->pid = 0;
    }
    return over;
}

/* Starts the server or the client. A server is returned once it listens, or once it has ended. */
static inline void end_start(struct end *e, struct workload *w, enum bench_side side)
{
    struct bench_process process;
    struct bench_error err = {0};

    process_init(&process, NULL, NULL);
    if ((side == BENCH_SERVER ? w->plugin->server : w->plugin->client)(w->state, &w->role, &process,
                                                                       &err) < 0)
        abort();
    *e = (struct end){.page = mmap(NULL, sizeof(struct bench_page), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    e->page->size = sizeof(struct bench_page);
    e->pid = fork();
    if (e->pid == 0) {
        struct bench_child child = {
            .size = sizeof(child), .role = &w->role, .state = w->state, .page = e->page};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(process.main(&child));
    }
    for (size_t i = 0; i < process.n_ports; i++)
        while (!listening(process.ports[i]) && !end_wait(e, NS_PER_MS))
            ;
    process_release(&process);
}

/* Sends SIGTERM and waits for the end; one that hangs is killed after ten seconds. */
static inline void end_stop(struct end *e)
{
    int64_t begin = clock_now();

    if (!e->pid)
        return;
    kill(e->pid, SIGTERM);
    if (!end_wait(e, 10 * NS_PER_S)) {
        kill(e->pid, SIGKILL);
        end_wait(e, 10 * NS_PER_S);
    }
    e->stop_ns = clock_now() - begin;
}

static inline void end_release(struct end *e)
{
    if (e->pid)
        kill(e->pid, SIGKILL);
    end_wait(e, 10 * NS_PER_S);
    if (e->page)
        munmap(e->page, sizeof(struct bench_page));
    e->page = NULL;
}

/* The sum of a counter over all slots of a page. */
#define end_sum(end, counter)                                                                   \
    ({                                                                                          \
        uint64_t sum_ = 0;                                                                      \
        for (uint32_t i_ = 0; i_ < (end)->page->slots; i_++)                                    \
            sum_ += atomic_load_explicit(&(end)->page->slot[i_].counter, memory_order_relaxed); \
        sum_;                                                                                   \
    })

#endif
