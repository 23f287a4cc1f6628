/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in TCP workload: both ends run in children of the core and count in a shared page.
 *
 *   stream  each client sends as fast as it can, the server discards
 *   echo    each client sends as fast as it can, the server sends everything back
 *
 * Every connection has one thread of its own on each side that blocks in the kernel: on a loopback
 * this beats event loops, MSG_ZEROCOPY, splice and io_uring by a factor.
 *
 * Life of either end: crew_init → flow_start() per connection → SIGTERM or a failure → crew_stop().
 * A thread that stops reads what the kernel counted for its connection before it closes it, so the
 * page ends with two independent counts of the same bytes that must be equal (see `settle`).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bench/workload.h>

/* Room for the descriptors that are not connections. */
#define SPARE_DESCRIPTORS 32
#define STACK_SIZE ((size_t)256 * 1024)
#define STOP_GRACE_MS 20
/* The states of a connection that nobody here has shut down (netinet/tcp.h, which cannot be
 * included beside linux/tcp.h). */
#define STATE_CLOSE 7
#define STATE_CLOSE_WAIT 8

enum mode { MODE_STREAM, MODE_ECHO };
enum receive { RECEIVE_DISCARD, RECEIVE_COPY };
enum pin { PIN_NONE, PIN_FLOW };

struct options {
    int mode, receive, pin;
    int64_t send_size, receive_size, receive_buffer;
    char *congestion;
};

static const char *const modes[] = {"stream", "echo", NULL};
static const char *const receives[] = {"discard", "copy", NULL};
static const char *const pins[] = {"none", "flow", NULL};

static const struct bench_host *host;

struct flow;

/* How a thread is scheduled: struct sched_attr as it was first published; glibc has none. */
struct schedule {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

/* The threads of one end. */
struct crew {
    const struct bench_child *child;
    const struct options *options;
    bool client;
    void (*run)(struct flow *f); /* what a connection does */
    char *payload;               /* what every client sends; not written while threads run */
    struct flow *flows;          /* all that were started and not yet joined; the main thread's */
    int64_t started;             /* how many ever; the main thread's */
    int failed;                  /* eventfd: readable once `message` is set */
    int terminate;               /* signalfd of SIGTERM */
    struct schedule ordinary;    /* of the threads; size 0: leave it alone */
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_rwlock_t gate; /* held by the main thread while threads may not start yet */
    char message[sizeof(((struct bench_page *)0)->message)];
};

/* One connection and its thread. */
struct flow {
    struct crew *crew;
    struct flow *next;
    struct bench_slot *slot;
    int64_t number; /* from 1 */
    pthread_t thread;
    int fd;        /* guarded by the lock once `finished` may be set */
    bool finished; /* guarded by the lock: `fd` is closed, the thread can be joined */
    int error;     /* that ended the connection */
    bool fin;      /* the peer ended the connection in order */
    uint64_t sent, received;
    char *buffer; /* for what is received; discarding never touches it */
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    /* Added, not stored: flows beyond BENCH_SLOTS share a slot. */
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static bool stopping(const struct flow *f)
{
    return atomic_load_explicit(&f->crew->stopping, memory_order_acquire);
}

/* Addresses */

struct endpoint {
    struct sockaddr_storage address;
    socklen_t length;
    char text[64]; /* "127.0.0.1:4711" */
};

static void endpoint_init(struct endpoint *e, const struct bench_address *a)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&e->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e->address;

    memset(e, 0, sizeof(*e));
    if (inet_pton(AF_INET6, a->host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(a->port);
        e->length = sizeof(*v6);
        snprintf(e->text, sizeof(e->text), "[%s]:%u", a->host, a->port);
    } else {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(a->port);
        inet_pton(AF_INET, a->host, &v4->sin_addr);
        e->length = sizeof(*v4);
        snprintf(e->text, sizeof(e->text), "%s:%u", a->host, a->port);
    }
}

/* Failures: the first one is what the user reads. */

static int crew_fail(struct crew *c, const char *fmt, ...) BENCH_PRINTF(2, 3);
static int crew_fail(struct crew *c, const char *fmt, ...)
{
    va_list ap;

    pthread_mutex_lock(&c->lock);
    if (!c->message[0]) {
        va_start(ap, fmt);
        vsnprintf(c->message, sizeof(c->message), fmt, ap);
        va_end(ap);
        eventfd_write(c->failed, 1);
    }
    pthread_mutex_unlock(&c->lock);
    return -1;
}

/* The client's connection is gone although nobody asked for it. */
static void flow_lost(struct flow *f, const char *what)
{
    int64_t jobs = f->crew->child->role->jobs;

    if (stopping(f))
        return;
    count(&f->slot->errors, 1);
    if (f->fin || f->error == EPIPE || f->error == ECONNRESET)
        crew_fail(f->crew, "connection %lld of %lld was closed by the peer after %llu bytes",
                  (long long)f->number, (long long)jobs, (unsigned long long)f->sent);
    else
        crew_fail(f->crew, "connection %lld of %lld: %s: %s", (long long)f->number, (long long)jobs,
                  what, strerror(f->error));
}

/* Transfers: > 0 bytes moved, 0 to try again unless stopping, -1 connection over (f->error). */

static int again(struct flow *f, int error)
{
    if (error == EINTR || error == EAGAIN)
        return 0;
    f->error = error;
    return -1;
}

static ssize_t flow_send(struct flow *f, const char *data, size_t n, int flags)
{
    ssize_t sent = send(f->fd, data, n, flags | MSG_NOSIGNAL);

    if (sent < 0)
        return again(f, errno);
    f->sent += (uint64_t)sent;
    count(&f->slot->bytes_sent, (uint64_t)sent);
    return sent;
}

static ssize_t flow_receive(struct flow *f, int flags)
{
    ssize_t n = recv(f->fd, f->buffer, (size_t)f->crew->options->receive_size, flags);

    if (n < 0)
        return again(f, errno);
    if (n == 0) {
        f->fin = true;
        return -1;
    }
    f->received += (uint64_t)n;
    count(&f->slot->bytes_received, (uint64_t)n);
    return n;
}

/* Takes bytes that nobody looks at. MSG_TRUNC frees them in the kernel instead of copying them. */
static ssize_t flow_consume(struct flow *f)
{
    return flow_receive(f, f->crew->options->receive == RECEIVE_DISCARD ? MSG_TRUNC : 0);
}

/* What one connection does */

static void client_stream(struct flow *f)
{
    size_t size = (size_t)f->crew->options->send_size;

    while (!stopping(f))
        if (flow_send(f, f->crew->payload, size, 0) < 0)
            return flow_lost(f, "send");
}

/*
 * Keeps up to two blocks on their way, so that a relay never waits for the client, while queues
 * stay short enough for the caches. One thread does both directions: it sends only while there is
 * room, because a sender that waited for room would deadlock with a server that does the same.
 */
static void client_echo(struct flow *f)
{
    size_t size = (size_t)f->crew->options->send_size;

    while (!stopping(f)) {
        ssize_t n = 0;

        if (f->sent - f->received <= size)
            n = flow_send(f, f->crew->payload, size, MSG_DONTWAIT);
        if (n < 0)
            return flow_lost(f, "send");
        if (f->received < f->sent) {
            if (flow_consume(f) < 0)
                return flow_lost(f, "receive");
        } else {
            /* No room although nothing is outstanding: rare, and the time limit is for stopping. */
            poll(&(struct pollfd){.fd = f->fd, .events = POLLOUT}, 1, 10);
        }
    }
}

static void server_stream(struct flow *f)
{
    while (!stopping(f))
        if (flow_consume(f) < 0)
            return;
}

static void server_echo(struct flow *f)
{
    while (!stopping(f)) {
        ssize_t n = flow_receive(f, 0);
        ssize_t done = 0;

        if (n < 0)
            return;
        while (done < n && !stopping(f)) {
            ssize_t sent = flow_send(f, f->buffer + done, (size_t)(n - done), 0);

            if (sent < 0)
                return;
            done += sent;
        }
    }
}

/* The kernel's count */

struct kernel_count {
    struct tcp_info info;
    int unread, unacked;
};

/*
 * One consistent look at a connection whose peer may still send and acknowledge: the queue lengths
 * and TCP_INFO are separate calls, so they are taken until TCP_INFO is the same before and after.
 */
static int kernel_count(int fd, struct kernel_count *k)
{
    for (int i = 0; i < 1000; i++) {
        struct tcp_info before = {0};
        socklen_t n = sizeof(before), m = sizeof(k->info);

        memset(&k->info, 0, sizeof(k->info));
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &before, &n) || ioctl(fd, SIOCINQ, &k->unread) ||
            ioctl(fd, SIOCOUTQ, &k->unacked) || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &k->info, &m))
            return -1;
        if (before.tcpi_bytes_acked == k->info.tcpi_bytes_acked &&
            before.tcpi_bytes_received == k->info.tcpi_bytes_received &&
            before.tcpi_state == k->info.tcpi_state)
            return 0;
    }
    return -1;
}

/* The peer's FIN takes a number of the sequence, which the kernel counts as a received byte. After
 * a reset only the error tells whether a FIN had come before it: EPIPE instead of ECONNRESET. */
static bool fin_received(struct flow *f, const struct tcp_info *info)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (info->tcpi_state != STATE_CLOSE)
        return info->tcpi_state == STATE_CLOSE_WAIT;
    if (f->fin || f->error == EPIPE)
        return true;
    return !getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &n) && error == EPIPE;
}

/*
 * Adds what the kernel counted for this connection, in a form that must equal our own count:
 *   received = bytes_received − unread in the receive queue − 1 for a FIN
 *   sent     = bytes_acked + not yet acknowledged in the send queue − 1 for a client's SYN
 * Nothing here has shut the connection down, so there is no FIN of ours to subtract.
 */
static void settle(struct flow *f)
{
    struct kernel_count k;

    if (kernel_count(f->fd, &k))
        return;
    count(&f->slot->kernel_bytes_sent,
          k.info.tcpi_bytes_acked + (uint64_t)k.unacked - (f->crew->client ? 1 : 0));
    count(&f->slot->kernel_bytes_received,
          k.info.tcpi_bytes_received - (uint64_t)k.unread - (fin_received(f, &k.info) ? 1 : 0));
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
    s.runtime = 100000;
    schedule(&s);
    s.nice = -20;
    schedule(&s);
}

static void wake(int signal)
{
    (void)signal; /* interrupting a blocking call is all it is for */
}

/* Pins the calling thread: flows take the allowed CPUs in turn. Without a relay connections are
 * accepted in the order in which they were opened, so both ends of one land on the same CPU. */
static int flow_pin(struct flow *f)
{
    cpu_set_t allowed, one;
    int64_t skip;
    int cpu;

    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        return crew_fail(f->crew, "pin: %s", strerror(errno));
    skip = (f->number - 1) % CPU_COUNT(&allowed);
    for (cpu = 0; !CPU_ISSET(cpu, &allowed) || skip-- > 0; cpu++)
        ;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        return crew_fail(f->crew, "pin connection %lld to CPU %d: %s", (long long)f->number, cpu,
                         strerror(errno));
    return 0;
}

static void *flow_main(void *arg)
{
    struct flow *f = arg;
    struct crew *c = f->crew;

    schedule(&c->ordinary);
    pthread_rwlock_rdlock(&c->gate);
    pthread_rwlock_unlock(&c->gate);
    if (c->options->pin == PIN_NONE || !flow_pin(f))
        c->run(f);
    settle(f);
    pthread_mutex_lock(&c->lock);
    close(f->fd);
    f->finished = true;
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* The slot of the next connection. */
static struct bench_slot *crew_slot(struct crew *c)
{
    if (c->started < BENCH_SLOTS)
        atomic_store_explicit(&c->child->page->slots, (uint32_t)c->started + 1,
                              memory_order_release);
    return &c->child->page->slot[c->started % BENCH_SLOTS];
}

static int start_thread(struct flow *f)
{
    pthread_attr_t attributes;
    int error;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    error = pthread_create(&f->thread, &attributes, flow_main, f);
    pthread_attr_destroy(&attributes);
    return error;
}

/* Starts the thread of an established connection. Takes `fd`. */
static int flow_start(struct crew *c, int fd)
{
    struct flow *f = calloc(1, sizeof(*f));
    char *buffer = malloc((size_t)c->options->receive_size);
    int error = ENOMEM;

    if (f && buffer) {
        *f = (struct flow){
            .crew = c, .fd = fd, .buffer = buffer, .number = c->started + 1, .slot = crew_slot(c)};
        count(&f->slot->connections, 1);
        error = start_thread(f);
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

/* Joins and frees the flows that are over, or all of them. */
static void crew_reap(struct crew *c, bool all)
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
static void crew_stop(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store_explicit(&c->stopping, true, memory_order_release);
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
    if (c->terminate < 0 || c->failed < 0)
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

static int crew_init(struct crew *c, const struct bench_child *child, bool client)
{
    *c = (struct crew){.child = child, .options = child->state, .client = client};
    c->failed = c->terminate = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_rwlock_init(&c->gate, NULL);
    if (c->options->mode == MODE_ECHO)
        c->run = client ? client_echo : server_echo;
    else
        c->run = client ? client_stream : server_stream;
    c->payload = client ? payload_new((size_t)c->options->send_size) : NULL;
    if (client && !c->payload)
        return crew_fail(c, "buffers: %s", strerror(ENOMEM));
    if (catch_signals(c) || allow_descriptors(c))
        return -1;
    hurry(c);
    return 0;
}

/* Stops everything; what `main` returns. Once we were asked to stop, nothing is a failure. */
static int crew_finish(struct crew *c, bool asked)
{
    crew_stop(c);
    free(c->payload);
    if (c->failed >= 0)
        close(c->failed);
    if (c->terminate >= 0)
        close(c->terminate);
    pthread_rwlock_destroy(&c->gate);
    pthread_mutex_destroy(&c->lock);
    if (asked || !c->message[0])
        return 0;
    memcpy(c->child->page->message, c->message, sizeof(c->message));
    return 1;
}

/* A socket for `e` with the options that both ends share, or -1. */
static int open_socket(struct crew *c, const struct endpoint *e, int flags)
{
    const char *congestion = c->options->congestion;
    int one = 1;
    int fd = socket(e->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0)
        return crew_fail(c, "socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (congestion && congestion[0] &&
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion))) {
        crew_fail(c,
                  "congestion '%s': %s; 'sysctl net.ipv4.tcp_available_congestion_control' lists "
                  "what there is",
                  congestion, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static bool asked_to_stop(struct crew *c, int timeout_ms)
{
    return poll(&(struct pollfd){.fd = c->terminate, .events = POLLIN}, 1, timeout_ms) > 0;
}

/* An established connection, or -1; without a message when asked to stop meanwhile. */
static int open_connection(struct crew *c, const struct endpoint *to)
{
    int fd = open_socket(c, to, SOCK_NONBLOCK);
    struct pollfd events[] = {{.fd = fd, .events = POLLOUT},
                              {.fd = c->terminate, .events = POLLIN}};
    int error = 0;
    socklen_t n = sizeof(error);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&to->address, to->length))
        error = errno;
    if (error == EINPROGRESS) {
        poll(events, 2, -1);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    }
    if (!error && !events[1].revents && !fcntl(fd, F_SETFL, 0))
        return fd;
    close(fd);
    if (error) {
        count(&crew_slot(c)->errors, 1);
        crew_fail(c, "connect to %s: %s", to->text, strerror(error));
    }
    return -1;
}

/* Connects everything before anything is sent, so that no connection has to fight the others. */
static int open_connections(struct crew *c, int *fds, int64_t *ret_open)
{
    struct endpoint to;

    endpoint_init(&to, &c->child->role->connect);
    for (int64_t i = 0; i < c->child->role->jobs; i++) {
        fds[i] = open_connection(c, &to);
        if (fds[i] < 0)
            return -1;
        *ret_open = i + 1;
    }
    return 0;
}

static int client_start(struct crew *c)
{
    int *fds = calloc((size_t)c->child->role->jobs, sizeof(*fds));
    int64_t opened = 0, i = 0;
    int rc;

    if (!fds)
        return crew_fail(c, "connections: %s", strerror(ENOMEM));
    rc = open_connections(c, fds, &opened);
    /* All begin together: the first ones would leave no time to start the others. */
    pthread_rwlock_wrlock(&c->gate);
    while (!rc && i < opened)
        rc = flow_start(c, fds[i++]);
    pthread_rwlock_unlock(&c->gate);
    while (i < opened)
        close(fds[i++]);
    free(fds);
    return rc;
}

static int client_main(const struct bench_child *child)
{
    struct crew c;

    if (crew_init(&c, child, true))
        return crew_finish(&c, false);
    if (!client_start(&c)) {
        struct pollfd events[] = {{.fd = c.terminate, .events = POLLIN},
                                  {.fd = c.failed, .events = POLLIN}};

        poll(events, 2, -1);
    }
    /* Whoever stops a chain may reach the far end first: a connection that is closed just before
     * we are told to stop has not failed. */
    return crew_finish(&c, asked_to_stop(&c, STOP_GRACE_MS));
}

/* The kernel caps SO_RCVBUF silently; a size that was asked for and not given is an error. */
static int limit_receive_buffer(struct crew *c, int fd)
{
    int want = (int)c->options->receive_buffer, got = 0;
    socklen_t n = sizeof(got);

    if (!want)
        return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want));
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n);
    if (got / 2 < want) /* the kernel doubles it for its own bookkeeping */
        return crew_fail(c,
                         "receive_buffer: %d bytes wanted, the kernel gives %d; raise "
                         "'sysctl net.core.rmem_max'",
                         want, got / 2);
    return 0;
}

static int open_listener(struct crew *c)
{
    struct endpoint at;
    int one = 1, fd;

    endpoint_init(&at, &c->child->role->listen);
    fd = open_socket(c, &at, SOCK_NONBLOCK);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (!limit_receive_buffer(c, fd)) {
        if (!bind(fd, (struct sockaddr *)&at.address, at.length) && !listen(fd, SOMAXCONN))
            return fd;
        crew_fail(c, "listen on %s: %s", at.text, strerror(errno));
    }
    close(fd);
    return -1;
}

static int accept_all(struct crew *c, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0) {
            if (flow_start(c, fd))
                return -1;
        } else if (errno == EAGAIN) {
            return 0;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return crew_fail(c, "accept connection %lld: %s", (long long)c->started + 1,
                             strerror(errno));
        }
    }
}

static int server_main(const struct bench_child *child)
{
    struct crew c;
    bool asked = false;
    int listener = -1;

    if (!crew_init(&c, child, false) && (listener = open_listener(&c)) >= 0) {
        struct pollfd events[] = {{.fd = c.terminate, .events = POLLIN},
                                  {.fd = c.failed, .events = POLLIN},
                                  {.fd = listener, .events = POLLIN}};

        do {
            crew_reap(&c, false);
            poll(events, 3, -1);
        } while (!events[0].revents && !events[1].revents && !accept_all(&c, listener));
        asked = events[0].revents;
    }
    if (listener >= 0)
        close(listener);
    return crew_finish(&c, asked);
}

/* The plugin */

static int describe_server(void *state, const struct bench_role *role,
                           struct bench_process *process, struct bench_error *err)
{
    (void)state;
    (void)err;
    host->main(process, server_main);
    host->listens(process, role->listen.port);
    return 0;
}

static int describe_client(void *state, const struct bench_role *role,
                           struct bench_process *process, struct bench_error *err)
{
    (void)state;
    (void)role;
    (void)err;
    host->main(process, client_main);
    return 0;
}

static enum bench_side delivered(const void *state)
{
    return ((const struct options *)state)->mode == MODE_ECHO ? BENCH_CLIENT : BENCH_SERVER;
}

#define FIELD(field) BENCH_OFFSET(struct options, field)
#define MEBI (1024.0 * 1024)

static const struct bench_option options[] = {
    {.name = "mode",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(mode),
     .fallback = "stream",
     .choices = modes,
     .help = "stream: client to server; echo: the server sends everything back"},
    {.name = "send_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(send_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "1M",
     .help = "how much the client gives to one send()"},
    {.name = "receive_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(receive_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "512K",
     .help = "how much one recv() may take"},
    {.name = "receive",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(receive),
     .fallback = "discard",
     .choices = receives,
     .help = "discard: the kernel frees payload without copying it (MSG_TRUNC), which leaves the "
             "most CPU to the relay; copy: as an application would"},
    {.name = "receive_buffer",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(receive_buffer),
     .unit = "bytes",
     .minimum = 0,
     .maximum = 512 * MEBI,
     .fallback = "0",
     .help = "SO_RCVBUF of the server's connections, 0: the kernel's own tuning"},
    {.name = "congestion",
     .type = BENCH_OPTION_STRING,
     .offset = FIELD(congestion),
     .help = "TCP congestion control of the client's and server's sockets, empty: the network's"},
    {.name = "pin",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(pin),
     .fallback = "none",
     .choices = pins,
     .help =
         "flow: both ends of a connection on one CPU; fastest without a relay, harmful with one"},
    {0},
};

static const char *const protocols[] = {"tcp", NULL};

static const struct bench_workload workload = {
    .plugin = {.size = sizeof(workload),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_WORKLOAD,
               .name = "builtin",
               .description = "TCP streams and echoes, counted inside the bench",
               .options = options,
               .state_size = sizeof(struct options)},
    .protocols = protocols,
    .server = describe_server,
    .client = describe_client,
    .delivered = delivered,
};

BENCH_EXPORT const struct bench_plugin *bench_plugin_get(const struct bench_host *h)
{
    host = h;
    return &workload.plugin;
}
