/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in TCP workload: both ends run in children of the core and count in a shared page.
 *
 *   stream  each client sends as fast as it can, or at a given bit rate, the server discards
 *   echo    each client sends as fast as it can, the server sends everything back
 *   rr      requests and responses of given sizes, in a closed loop or at a given rate
 *   crr     the same with a connection for each request
 *
 * Life of either end: crew_init → connections (flows) → SIGTERM or a failure → crew_finish(). A
 * flow that stops reads what the kernel counted for its connection before it closes it, so the page
 * ends with two independent counts of the same bytes that must be equal (see flow_settle).
 *
 * plugin.c what the core sees · crew.c an end and its threads · socket.c the kernel's side ·
 * flow.c a connection · verify.c its payload · bulk.c clients of stream and echo · requests.c
 * clients of rr, crr.c of crr · arrivals.c when requests are due · serve.c what a server does with
 * a connection · server.c, processes.c, loops.c how it has many
 */
#ifndef BUILTIN_H
#define BUILTIN_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bench/workload.h>

#include "verify.h"

enum mode { MODE_STREAM, MODE_ECHO, MODE_RR, MODE_CRR };
enum receive { RECEIVE_DISCARD, RECEIVE_COPY };
enum pin { PIN_NONE, PIN_FLOW };
enum server_model { SERVER_AUTO, SERVER_THREAD, SERVER_EPOLL, SERVER_PROCESS };

struct options {
    int mode, receive, pin, server, verify;
    int64_t send_size, receive_size, receive_buffer;
    int64_t request_size, response_size, depth, delay_ns;
    double rate_per_connection;
    char *congestion;
};

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
    void (*run)(struct flow *f); /* what a connection with a thread of its own does */
    char *payload;               /* what is sent; not written while threads run */
    size_t payload_size;
    struct flow *flows;       /* with a thread, started and not yet joined; the main thread's */
    int64_t started;          /* how many ever; the main thread's */
    int failed;               /* eventfd: readable once `message` is set */
    int halt;                 /* eventfd: readable once `stopping` is set */
    int terminate;            /* signalfd of SIGTERM */
    struct schedule ordinary; /* of the threads; size 0: leave it alone */
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_rwlock_t gate; /* held by the main thread while threads may not start yet */
    char *message; /* in the page, where a process that serves a connection can set it too */
};

/* One connection, and its thread if it has one. */
struct flow {
    struct crew *crew;
    struct flow *next, *previous;
    struct bench_slot *slot;
    int64_t number; /* from 1 */
    pthread_t thread;
    int fd;        /* guarded by the lock once `finished` may be set */
    bool finished; /* guarded by the lock: `fd` is closed, the thread can be joined */
    int error;     /* that ended the connection */
    bool fin;      /* the peer ended the connection in order */
    uint64_t sent, received;
    char *buffer;                /* for what is received; discarding never touches it */
    size_t chunk;                /* what the last call received */
    uint32_t events;             /* what epoll was asked for, if at all */
    struct verify_stream stream; /* verify: what is sent; a server learns the number */
    char header[VERIFY_HEADER];  /* verify: from which a server learns it */
    int64_t arrived_ns, free_ns; /* delay: of the last chunk; when the next request is begun */
    uint64_t served;             /* delay: requests whose time is over */
};

/* crew.c */

/* Sets up an end; `run` is for flow_start(). On failure the caller goes on to crew_finish(). */
int crew_init(struct crew *c, const struct bench_child *child, bool client,
              void (*run)(struct flow *f));
/* Something to send: `size` bytes of noise. */
int crew_payload(struct crew *c, size_t size);
/* Enough of it to send messages of a size that stand in a row with few calls. */
static inline size_t payload_size(int64_t message)
{
    return message < 64 * 1024 ? 64 * 1024 : message > 1024 * 1024 ? 1024 * 1024 : (size_t)message;
}
/* Sets why this end failed, unless that is known already; the first is what the user reads. */
int crew_fail(struct crew *c, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* Sets why the numbers of this end must not be used; the first is what the user reads. */
void crew_invalid(struct crew *c, const char *fmt, ...) BENCH_PRINTF(2, 3);
bool crew_asked_to_stop(struct crew *c, int timeout_ms);
/* Until SIGTERM or a failure. Whether it was SIGTERM. */
bool crew_wait(struct crew *c);
/* Ends and joins every thread that flow_start() started. */
void crew_stop(struct crew *c);
/* Joins the flows that are over. */
void crew_reap(struct crew *c, bool all);
/* Stops everything; what `main` returns. Once we were asked to stop, nothing is a failure. */
int crew_finish(struct crew *c, bool asked);
/* Slot number `i`, made visible to the core. Main thread only. */
struct bench_slot *crew_slot(struct crew *c, int64_t i);
/* A thread like any other of this end: small stack. Returns an errno. */
int crew_thread(pthread_t *ret_thread, void *(*run)(void *), void *arg);
/* Gives the calling thread back the scheduling that the process was given. */
void crew_ordinary(const struct crew *c);
/* For a thread that must keep a schedule: short slices. No priority: where it counts between roles
 * at all it starves a relay on the same CPU (docs/measurement.md, tests/perf/priority.c). */
void crew_punctual(const struct crew *c);
/* Pins the calling thread: numbers from 1 take the allowed CPUs in turn. Without a relay
 * connections are accepted in the order in which they were opened, so both ends of one land on the
 * same CPU. */
int crew_pin(struct crew *c, int64_t number);
int crew_cpus(void); /* that this process may use */

static inline bool crew_stopping(const struct crew *c)
{
    return atomic_load_explicit(&c->stopping, memory_order_acquire);
}

/* Starts the thread of an established connection. Takes `fd`. */
int flow_start(struct crew *c, int fd);

/* socket.c */

struct endpoint {
    struct sockaddr_storage address;
    socklen_t length;
    char text[64]; /* "127.0.0.1:4711" */
};

void endpoint_init(struct endpoint *e, const struct bench_address *a);
/* A non-blocking socket for `e`, or -1 after crew_fail(). */
int socket_open(struct crew *c, const struct endpoint *e);
/* Tells why connecting failed. */
int socket_refused(struct crew *c, const struct endpoint *to, int error);
/* Connects everything before anything is sent, so that no connection has to fight the others.
 * NULL after crew_fail(), or when asked to stop meanwhile; then nothing is open. */
int *sockets_connect(struct crew *c, int64_t count);
/* A listening, non-blocking socket, or -1 after crew_fail(). */
int socket_listen(struct crew *c);

/* flow.c */

static inline void count(BENCH_ATOMIC(uint64_t) * counter, uint64_t n)
{
    /* Added, not stored: flows beyond BENCH_SLOTS share a slot. */
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Transfers: > 0 bytes moved, 0 to try again unless stopping, -1 connection over (f->error). */
ssize_t flow_send(struct flow *f, const char *data, size_t n, int flags);
ssize_t flow_receive(struct flow *f, int flags);
/* Takes payload. Unless it is verified nobody looks at it, and MSG_TRUNC frees it in the kernel
 * instead of copying it. */
ssize_t flow_consume(struct flow *f, int flags);
/* Sends up to `n` bytes of payload. */
ssize_t flow_send_payload(struct flow *f, uint64_t n, int flags);
/* The client's connection is gone although nobody asked for it. */
void flow_lost(struct flow *f, const char *what);
/* Adds what the kernel counted for this connection. Before it is closed. */
void flow_settle(struct flow *f);

/* Clients and servers: what runs in the child. */

/*
 * What a server does next with a connection: sends what it owes, else takes what comes. Returns
 * like a transfer; -1 also when the server is through with it.
 */
ssize_t serve(struct flow *f);
bool serve_owes(const struct flow *f);
/* Until the connection is over or we are told to stop. */
void serve_blocking(struct flow *f);

/* Servers of many connections. They take `fd`; NULL or -1 after crew_fail(). */
struct processes;
struct processes *processes_new(struct crew *c, int listener);
int processes_serve(struct processes *p, int fd);
void processes_reap(struct processes *p);
void processes_stop(struct processes *p);

struct loops;
struct loops *loops_new(struct crew *c);
int loops_serve(struct loops *l, int fd);
void loops_stop(struct loops *l);

int bulk_client(const struct bench_child *child);
int requests_client(const struct bench_child *child);
int server(const struct bench_child *child);

static inline int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#endif
