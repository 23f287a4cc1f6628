/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of requests and responses. Connections (callers) are shared out to one thread per CPU
 * (workers); nothing else is shared between workers, each has counters and histograms of its own.
 *
 * A request is begun (it is due), sent (the kernel took its first byte) and done (its response is
 * complete); on a connection all three happen in order, so a caller counts them and keeps the times
 * of those between begun and done in a ring.
 */
#ifndef BUILTIN_REQUESTS_H
#define BUILTIN_REQUESTS_H

#include "arrivals.h"
#include "builtin.h"

struct request {
    int64_t intended, sent;
};

struct worker;

struct caller {
    struct flow flow;
    struct worker *worker;
    struct request *ring; /* of `size`, a power of 2; request i is at i mod size */
    uint64_t size;
    uint64_t begun, sent, done;
    uint32_t events; /* what epoll was asked for */
    bool connected;  /* crr */
};

struct requests {
    struct crew crew;
    struct caller *callers;
    struct worker *workers;
    int64_t n_callers, n_workers, running; /* running: threads that were started */
    bool open;                             /* loop */
    bool crr;                              /* a connection for each request */
    struct endpoint server;
    int64_t start_ns;      /* of the schedule */
    uint64_t depth;        /* most that one connection has sent and not got answered; 0: any */
    uint64_t most_waiting; /* on one connection, sent or not */
};

struct worker {
    struct requests *all;
    int64_t number; /* from 0; callers number, number + n_workers, … are its own */
    pthread_t thread;
    int epoll;
    char *buffer;
    struct bench_slot *slot;
    struct bench_histogram *histogram[BENCH_LATENCIES];
    struct arrivals arrivals; /* stands at the next of one of its callers */
};

/* Counts a request that is due. -1 after crew_fail() when too many wait. */
int caller_begin(struct caller *a, int64_t intended);
/* Stamps the next request as sent. */
void caller_sent(struct caller *a, int64_t now);
/* Counts the oldest one as answered. */
void caller_done(struct caller *a, int64_t now);
/* Asks epoll for `events`, if it was not asked for them already. */
void caller_watch(struct caller *a, uint32_t events);

/* crr.c: opens a connection for the oldest request, unless one is open. 0, or -1 after
 * crew_fail(), like the following. */
int crr_go_on(struct caller *a);
int crr_event(struct caller *a, uint32_t events);
void crr_close(struct caller *a);

#endif
