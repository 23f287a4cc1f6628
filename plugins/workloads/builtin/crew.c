/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

/* Room for the descriptors that are not connections. */
#define SPARE_DESCRIPTORS 32
#define SHORT_SLICE 100000 /* ns; the least that the kernel takes */
#define STACK_SIZE ((size_t)256 * 1024)

int crew_fail(struct crew *c, const char *fmt, ...)
{
    va_list ap;

    pthread_mutex_lock(&c->lock);
    if (!c->message[0]) {
        va_start(ap, fmt);
        vsnprintf(c->message, sizeof(c->child->page->message), fmt, ap);
        va_end(ap);
        eventfd_write(c->failed, 1);
    }
    pthread_mutex_unlock(&c->lock);
    return -1;
}

void crew_invalid(struct crew *c, const char *fmt, ...)
{
    struct bench_page *page = c->child->page;
    va_list ap;

    pthread_mutex_lock(&c->lock);
    if (!page->invalid[0]) {
        va_start(ap, fmt);
        vsnprintf(page->invalid, sizeof(page->invalid), fmt, ap);
        va_end(ap);
    }
    pthread_mutex_unlock(&c->lock);
}

/* Threads */

static void schedule(const struct schedule *s)
{
    if (s->size)
        syscall(SYS_sched_setattr, 0, s, 0);
}

/*
 * A thousand busy threads keep the main thread from accepting, starting and stopping for seconds.
 * It needs next to no time, so it asks for short slices (Linux 6.12, no privilege) and, where that
 * is allowed, for priority. The threads that do the work go back to what the process was given.
 */
static void hurry(struct crew *c)
{
    struct schedule s;

    if (syscall(SYS_sched_getattr, 0, &c->ordinary, sizeof(c->ordinary), 0) ||
        c->ordinary.policy != SCHED_OTHER) {
        c->ordinary.size = 0;
        return;
    }
    s = c->ordinary;
    s.runtime = SHORT_SLICE;
    schedule(&s);
    s.nice = -20;
    schedule(&s);
}

static void wake(int signal)
{
    (void)signal; /* interrupting a blocking call is all it is for */
}

void crew_ordinary(const struct crew *c)
{
    schedule(&c->ordinary);
}

void crew_punctual(const struct crew *c)
{
    struct schedule s = c->ordinary;

    s.runtime = SHORT_SLICE;
    schedule(&s);
}

int crew_cpus(void)
{
    cpu_set_t allowed;

    return sched_getaffinity(0, sizeof(allowed), &allowed) ? 1 : CPU_COUNT(&allowed);
}

int crew_pin(struct crew *c, int64_t number)
{
    cpu_set_t allowed, one;
    int64_t skip;
    int cpu;

    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        return crew_fail(c, "pin: %s", strerror(errno));
    skip = (number - 1) % CPU_COUNT(&allowed);
    for (cpu = 0; !CPU_ISSET(cpu, &allowed) || skip-- > 0; cpu++)
        ;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        return crew_fail(c, "pin to CPU %d: %s", cpu, strerror(errno));
    return 0;
}

static void *flow_main(void *arg)
{
    struct flow *f = arg;
    struct crew *c = f->crew;

    crew_ordinary(c);
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_rwlock_rdlock(&c->gate);
    pthread_rwlock_unlock(&c->gate);
    if (c->options->pin == PIN_NONE || !crew_pin(c, f->number))
        c->run(f);
    flow_settle(f);
    pthread_mutex_lock(&c->lock);
    close(f->fd);
    f->finished = true;
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct bench_slot *crew_slot(struct crew *c, int64_t i)
{
    struct bench_page *page = c->child->page;

    if (i < BENCH_SLOTS && (uint32_t)i >= atomic_load(&page->slots))
        atomic_store_explicit(&page->slots, (uint32_t)i + 1, memory_order_release);
    return &page->slot[i % BENCH_SLOTS];
}

int crew_thread(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    int error;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    error = pthread_create(ret_thread, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    return error;
}

int flow_start(struct crew *c, int fd)
{
    struct flow *f = calloc(1, sizeof(*f));
    char *buffer = malloc((size_t)c->options->receive_size);
    int error = ENOMEM;

    if (f && buffer) {
        *f = (struct flow){.crew = c,
                           .fd = fd,
                           .buffer = buffer,
                           .number = c->started + 1,
                           .slot = crew_slot(c, c->started)};
        f->stream =
            (struct verify_stream){.connection = (uint32_t)f->number, .from_server = !c->client};
        count(&f->slot->connections, 1);
        error = crew_thread(&f->thread, flow_main, f);
    }
    if (error) {
        close(fd);
        free(buffer);
        free(f);
        return crew_fail(c, "start a thread for connection %lld: %s", (long long)c->started + 1,
                         strerror(error));
    }
    c->started++;
    f->next = c->flows;
    c->flows = f;
    return 0;
}

void crew_reap(struct crew *c, bool all)
{
    for (struct flow **link = &c->flows; *link;) {
        struct flow *f = *link;
        bool finished;

        pthread_mutex_lock(&c->lock);
        finished = f->finished;
        pthread_mutex_unlock(&c->lock);
        if (!finished && !all) {
            link = &f->next;
            continue;
        }
        pthread_join(f->thread, NULL);
        *link = f->next;
        free(f->buffer);
        free(f);
    }
}

/* Ends every thread. A thread between its look at `stopping` and its next call would miss the
 * signal; with O_NONBLOCK set before, that call returns by itself. */
void crew_stop(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store_explicit(&c->stopping, true, memory_order_release);
    if (c->halt >= 0)
        eventfd_write(c->halt, 1);
    for (struct flow *f = c->flows; f; f = f->next)
        if (!f->finished) {
            fcntl(f->fd, F_SETFL, O_NONBLOCK);
            pthread_kill(f->thread, SIGUSR1);
        }
    pthread_mutex_unlock(&c->lock);
    crew_reap(c, true);
}

/* An end of the workload */

static int allow_descriptors(struct crew *c)
{
    struct rlimit limit;
    int64_t need = c->child->role->jobs + SPARE_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return crew_fail(c, "getrlimit: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (rlim_t)need)
        return crew_fail(c,
                         "%lld jobs need %lld file descriptors, but the limit is %llu; raise it "
                         "('ulimit -Hn')",
                         (long long)c->child->role->jobs, (long long)need,
                         (unsigned long long)limit.rlim_cur);
    return 0;
}

static int catch_signals(struct crew *c)
{
    struct sigaction action = {.sa_handler = wake}; /* no SA_RESTART */
    sigset_t set;

    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGTERM, SIG_DFL); /* were it ignored, it would never become readable */
    c->terminate = signalfd(-1, &set, SFD_CLOEXEC);
    c->failed = eventfd(0, EFD_CLOEXEC);
    c->halt = eventfd(0, EFD_CLOEXEC);
    if (c->terminate < 0 || c->failed < 0 || c->halt < 0)
        return crew_fail(c, "wait for signals: %s", strerror(errno));
    return 0;
}

/* What a relay could compress or deduplicate would flatter it, so: noise, the same in every run. */
static char *payload_new(size_t size)
{
    char *payload = malloc(size);
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; payload && i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        payload[i] = (char)x;
    }
    return payload;
}

int crew_payload(struct crew *c, size_t size)
{
    c->payload = payload_new(size);
    c->payload_size = size;
    return c->payload ? 0 : crew_fail(c, "buffers: %s", strerror(ENOMEM));
}

int crew_init(struct crew *c, const struct bench_child *child, bool client,
              void (*run)(struct flow *f))
{
    *c = (struct crew){.child = child, .options = child->state, .client = client, .run = run};
    c->message = child->page->message;
    c->failed = c->halt = c->terminate = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_rwlock_init(&c->gate, NULL);
    if (catch_signals(c) || allow_descriptors(c))
        return -1;
    hurry(c);
    return 0;
}

bool crew_asked_to_stop(struct crew *c, int timeout_ms)
{
    return poll(&(struct pollfd){.fd = c->terminate, .events = POLLIN}, 1, timeout_ms) > 0;
}

bool crew_wait(struct crew *c)
{
    struct pollfd events[] = {{.fd = c->terminate, .events = POLLIN},
                              {.fd = c->failed, .events = POLLIN}};

    poll(events, 2, -1);
    return events[0].revents;
}

static void close_event(int fd)
{
    if (fd >= 0)
        close(fd);
}

int crew_finish(struct crew *c, bool asked)
{
    crew_stop(c);
    free(c->payload);
    close_event(c->failed);
    close_event(c->halt);
    close_event(c->terminate);
    pthread_rwlock_destroy(&c->gate);
    pthread_mutex_destroy(&c->lock);
    if (asked)
        c->message[0] = '\0';
    return c->message[0] ? 1 : 0;
}
