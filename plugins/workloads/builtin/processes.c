/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a process for each connection. */
#include "builtin.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct processes {
    struct crew *crew;
    int listener;
    pid_t *pids;
    size_t count, capacity;
};

/* Of the process that serves it, for the signal handler; unused in the server itself. */
static struct flow *served;

struct processes *processes_new(struct crew *c, int listener)
{
    struct processes *p = calloc(1, sizeof(*p));

    if (!p) {
        crew_fail(c, "processes: %s", strerror(ENOMEM));
        return NULL;
    }
    *p = (struct processes){.crew = c, .listener = listener};
    return p;
}

/* As threads are stopped: a call that was about to block returns at once. */
static void told_to_stop(int signal)
{
    (void)signal;
    atomic_store_explicit(&served->crew->stopping, true, memory_order_release);
    fcntl(served->fd, F_SETFL, O_NONBLOCK);
}

static int serve_process(struct crew *c, struct flow *f, pid_t parent)
{
    struct sigaction action = {.sa_handler = told_to_stop}; /* no SA_RESTART */
    sigset_t set;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1);
    if (getppid() != parent)
        return 1;
    crew_ordinary(c);
    served = f;
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, NULL); /* one that came meanwhile is taken now */
    if (c->options->pin == PIN_NONE || !crew_pin(c, f->number))
        serve_blocking(f);
    flow_settle(f);
    close(f->fd);
    return 0;
}

static int remember(struct processes *p, pid_t pid)
{
    size_t capacity = p->capacity ? 2 * p->capacity : 64;
    pid_t *pids;

    if (p->count == p->capacity) {
        pids = realloc(p->pids, capacity * sizeof(*pids));
        if (!pids) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
            return crew_fail(p->crew, "processes: %s", strerror(ENOMEM));
        }
        p->pids = pids;
        p->capacity = capacity;
    }
    p->pids[p->count++] = pid;
    return 0;
}

int processes_serve(struct processes *p, int fd)
{
    struct crew *c = p->crew;
    struct flow f = {
        .crew = c, .fd = fd, .number = c->started + 1, .slot = crew_slot(c, c->started)};
    pid_t parent = getpid(), pid;
    int error;

    f.stream.from_server = true;
    f.buffer = malloc((size_t)c->options->receive_size);
    pid = f.buffer ? fork() : -1;
    error = errno;
    if (pid == 0) {
        close(p->listener);
        _exit(serve_process(c, &f, parent));
    }
    close(fd);
    free(f.buffer);
    if (pid < 0)
        return crew_fail(c, "start a process for connection %lld: %s; 'ulimit -u' limits them",
                         (long long)f.number, strerror(error));
    count(&f.slot->connections, 1);
    c->started++;
    return remember(p, pid);
}

static void forget(struct processes *p, pid_t pid)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->pids[i] == pid) {
            p->pids[i] = p->pids[--p->count];
            return;
        }
}

void processes_reap(struct processes *p)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        forget(p, pid);
        if (WIFSIGNALED(status))
            crew_fail(p->crew, "a process that served a connection was killed by signal %d",
                      WTERMSIG(status));
    }
}

void processes_stop(struct processes *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        kill(p->pids[i], SIGTERM);
    for (size_t i = 0; i < p->count; i++)
        while (waitpid(p->pids[i], NULL, 0) < 0 && errno == EINTR)
            ;
    free(p->pids);
    free(p);
}
