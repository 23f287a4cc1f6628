/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#define STOP_GRACE_MS 20
#define HEAD_START_NS INT64_C(10000000) /* threads need time until they look at the schedule */
#define EVENTS 64
/* Requests that may wait for an answer, on all connections: 64 MiB of time stamps. */
#define MOST_WAITING (UINT64_C(4) << 20)
#define MOST_LAG_NS INT64_C(1000000)
#define LEAST_SENT 0.99
#define MOST_SILENCE_NS INT64_C(1000000000)

/* One request */

static int grow(struct caller *a)
{
    struct requests *all = a->worker->all;
    uint64_t size = a->size ? 2 * a->size : 16;
    struct request *ring;

    if (a->size >= all->most_waiting)
        return crew_fail(&all->crew,
                         "connection %lld: %llu requests wait for their answers: the far end does "
                         "not keep up with 'rate'",
                         (long long)a->flow.number, (unsigned long long)a->size);
    ring = malloc(size * sizeof(*ring));
    if (!ring)
        return crew_fail(&all->crew, "requests: %s", strerror(ENOMEM));
    for (uint64_t i = a->done; i < a->begun; i++)
        ring[i % size] = a->ring[i % a->size];
    free(a->ring);
    a->ring = ring;
    a->size = size;
    return 0;
}

int caller_begin(struct caller *a, int64_t intended)
{
    if (a->begun - a->done == a->size && grow(a))
        return -1;
    a->ring[a->begun++ & (a->size - 1)].intended = intended;
    return 0;
}

void caller_sent(struct caller *a, int64_t now)
{
    struct request *r = &a->ring[a->sent++ & (a->size - 1)];

    r->sent = now;
    if (a->worker->all->open)
        bench_histogram_record(a->worker->histogram[BENCH_LATENCY_LAG], now - r->intended);
}

void caller_done(struct caller *a, int64_t now)
{
    const struct request *r = &a->ring[a->done++ & (a->size - 1)];

    bench_histogram_record(a->worker->histogram[BENCH_LATENCY_SERVICE], now - r->sent);
    if (a->worker->all->open)
        bench_histogram_record(a->worker->histogram[BENCH_LATENCY_RESPONSE], now - r->intended);
    count(&a->worker->slot->operations, 1);
}

void caller_watch(struct caller *a, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = a};

    if (a->events == events || a->worker->epoll < 0)
        return;
    if (epoll_ctl(a->worker->epoll, a->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, a->flow.fd, &event))
        crew_fail(a->flow.crew, "epoll: %s", strerror(errno));
    a->events = events;
}

/* Requests on a connection that stays. 0, or -1 when it is lost. */

/* Bytes that may be sent now: of all requests that were begun, within the depth. */
static uint64_t unsent(const struct caller *a)
{
    const struct requests *all = a->worker->all;
    uint64_t allowed = a->begun;

    if (all->depth && allowed > a->done + all->depth)
        allowed = a->done + all->depth;
    return allowed * (uint64_t)all->crew.options->request_size - a->flow.sent;
}

static int caller_send(struct caller *a)
{
    uint64_t size = (uint64_t)a->flow.crew->options->request_size, left;
    ssize_t n = 1;

    while (n > 0 && (left = unsent(a)) > 0) {
        int64_t now = now_ns();

        n = flow_send_payload(&a->flow, left, MSG_DONTWAIT);
        if (n < 0) {
            flow_lost(&a->flow, "send");
            return -1;
        }
        while (n > 0 && a->sent * size < a->flow.sent)
            caller_sent(a, now);
    }
    caller_watch(a, EPOLLIN | (n > 0 ? 0 : EPOLLOUT));
    return 0;
}

static int caller_receive(struct caller *a, int flags)
{
    uint64_t size = (uint64_t)a->flow.crew->options->response_size;
    ssize_t n = flow_consume(&a->flow, flags);
    int64_t now = now_ns();

    if (n < 0) {
        flow_lost(&a->flow, "receive");
        return -1;
    }
    while (a->done < a->sent && (a->done + 1) * size <= a->flow.received)
        caller_done(a, now);
    if (a->done == a->sent && a->done * size < a->flow.received)
        return crew_fail(a->flow.crew, "connection %lld: more came back than was asked for",
                         (long long)a->flow.number);
    return 0;
}

/* Sends what may be sent; in a closed loop every answer allows another request. */
static int caller_go_on(struct caller *a)
{
    const struct requests *all = a->worker->all;

    while (!all->open && a->begun - a->done < all->depth)
        if (caller_begin(a, 0))
            return -1;
    if (all->crr)
        return a->begun > a->done ? crr_go_on(a) : 0;
    return unsent(a) ? caller_send(a) : 0;
}

/* Workers */

/* A single connection in a closed loop needs no event queue. */
static void one_by_one(struct caller *a)
{
    struct pollfd ready = {.fd = a->flow.fd, .events = POLLIN | POLLOUT};

    while (!crew_stopping(a->flow.crew) && !caller_go_on(a)) {
        bool full = unsent(a) > 0;

        if (full) /* the time limit is for stopping */
            poll(&ready, 1, 10);
        if ((!full || ready.revents & ~POLLOUT) && caller_receive(a, full ? MSG_DONTWAIT : 0))
            return;
    }
}

static struct caller *caller_of(const struct worker *w, uint64_t arrival)
{
    return &w->all->callers[arrival % (uint64_t)w->all->n_callers];
}

/* Goes on to an arrival of this worker. */
static void own_arrival(struct worker *w)
{
    while (caller_of(w, w->arrivals.number)->worker != w)
        arrivals_next(&w->arrivals);
}

static int64_t due(const struct worker *w)
{
    return w->all->start_ns + (int64_t)w->arrivals.due_ns;
}

/* Begins what is due. */
static int keep_schedule(struct worker *w)
{
    int64_t now = now_ns();

    while (due(w) <= now) {
        struct caller *a = caller_of(w, w->arrivals.number);

        count(&w->slot->due, 1);
        if (caller_begin(a, due(w)) || caller_go_on(a))
            return -1;
        arrivals_next(&w->arrivals);
        own_arrival(w);
    }
    return 0;
}

/* epoll_wait() counts in milliseconds; ppoll() does not. */
static int await(struct worker *w, struct epoll_event *events)
{
    int64_t left = w->all->open ? due(w) - now_ns() : -1;
    struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

    if (left > 0)
        ppoll(&(struct pollfd){.fd = w->epoll, .events = POLLIN}, 1, &time, NULL);
    return epoll_wait(w->epoll, events, EVENTS, w->all->open ? 0 : -1);
}

static int caller_event(struct caller *a, uint32_t events)
{
    if (a->worker->all->crr) {
        if (crr_event(a, events))
            return -1;
    } else if (events & ~(uint32_t)EPOLLOUT && caller_receive(a, MSG_DONTWAIT))
        return -1;
    return caller_go_on(a);
}

static int start_callers(struct worker *w)
{
    for (int64_t i = w->number; i < w->all->n_callers; i += w->all->n_workers) {
        if (!w->all->crr)
            caller_watch(&w->all->callers[i], EPOLLIN);
        if (caller_go_on(&w->all->callers[i]))
            return -1;
    }
    return 0;
}

static void event_loop(struct worker *w)
{
    struct crew *c = &w->all->crew;
    struct epoll_event events[EVENTS], halt = {.events = EPOLLIN};

    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->halt, &halt)) {
        crew_fail(c, "epoll: %s", strerror(errno));
        return;
    }
    if (start_callers(w))
        return;
    while (!crew_stopping(c)) {
        int n;

        if (w->all->open && keep_schedule(w))
            return;
        n = await(w, events);
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr && caller_event(events[i].data.ptr, events[i].events))
                return;
    }
}

/* What should have been begun by now. */
static void end_schedule(struct worker *w)
{
    int64_t now = now_ns();

    for (; due(w) <= now; own_arrival(w)) {
        count(&w->slot->due, 1);
        arrivals_next(&w->arrivals);
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct crew *c = &w->all->crew;

    if (w->all->open)
        crew_punctual(c);
    else
        crew_ordinary(c);
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_rwlock_rdlock(&c->gate);
    pthread_rwlock_unlock(&c->gate);
    if (c->options->pin == PIN_FLOW && crew_pin(c, w->number + 1))
        return NULL;
    if (w->all->open || w->all->crr || w->number + w->all->n_workers < w->all->n_callers)
        event_loop(w);
    else
        one_by_one(&w->all->callers[w->number]);
    if (w->all->open)
        end_schedule(w);
    return NULL;
}

/* The client */

static int worker_init(struct requests *r, int64_t number)
{
    const struct bench_role *role = r->crew.child->role;
    struct bench_page *page = r->crew.child->page;
    struct worker *w = &r->workers[number];

    *w = (struct worker){.all = r, .number = number, .epoll = -1};
    w->slot = crew_slot(&r->crew, number);
    for (int i = 0; i < BENCH_LATENCIES; i++)
        w->histogram[i] = &page->histogram[i][number % BENCH_HISTOGRAMS];
    w->buffer = malloc((size_t)r->crew.options->receive_size);
    if (!w->buffer)
        return crew_fail(&r->crew, "buffers: %s", strerror(ENOMEM));
    if (r->open)
        arrivals_init(&w->arrivals, role->rate, role->poisson, role->seed);
    return 0;
}

static void caller_init(struct requests *r, int64_t i, int fd)
{
    struct worker *w = &r->workers[i % r->n_workers];

    r->callers[i] = (struct caller){.worker = w};
    r->callers[i].flow = (struct flow){
        .crew = &r->crew, .fd = fd, .number = i + 1, .slot = w->slot, .buffer = w->buffer};
    r->callers[i].flow.stream.connection = (uint32_t)i + 1;
    if (fd >= 0)
        count(&w->slot->connections, 1);
}

static int prepare(struct requests *r)
{
    int cpus = crew_cpus();
    int64_t jobs = r->crew.child->role->jobs;
    int *fds;

    r->n_workers = jobs < cpus ? jobs : cpus;
    r->workers = calloc((size_t)r->n_workers, sizeof(*r->workers));
    r->callers = calloc((size_t)jobs, sizeof(*r->callers));
    if (!r->workers || !r->callers)
        return crew_fail(&r->crew, "connections: %s", strerror(ENOMEM));
    for (int64_t i = 0; i < r->n_workers; i++)
        if (worker_init(r, i))
            return -1;
    fds = r->crr ? NULL : sockets_connect(&r->crew, jobs);
    if (!fds && !r->crr)
        return -1;
    for (; r->n_callers < jobs; r->n_callers++)
        caller_init(r, r->n_callers, fds ? fds[r->n_callers] : -1);
    free(fds);
    return 0;
}

static int start(struct requests *r)
{
    int error = 0;

    atomic_store(&r->crew.child->page->latencies,
                 1u << BENCH_LATENCY_SERVICE |
                     (r->open ? 1u << BENCH_LATENCY_RESPONSE | 1u << BENCH_LATENCY_LAG : 0));
    pthread_rwlock_wrlock(&r->crew.gate);
    while (!error && r->running < r->n_workers) {
        struct worker *w = &r->workers[r->running];

        if (r->open)
            own_arrival(w);
        error = crew_thread(&w->thread, worker_main, w);
        r->running += !error;
    }
    r->start_ns = now_ns() + HEAD_START_NS;
    pthread_rwlock_unlock(&r->crew.gate);
    return error ? crew_fail(&r->crew, "start a thread: %s", strerror(error)) : 0;
}

/* A worker that waits in the kernel for its only connection is woken as a flow is. */
static void stop(struct requests *r)
{
    crew_stop(&r->crew);
    for (int64_t i = 0; !r->crr && i < r->n_callers; i++) /* those of crr never wait */
        fcntl(r->callers[i].flow.fd, F_SETFL, O_NONBLOCK);
    for (int64_t i = 0; i < r->running; i++) {
        pthread_kill(r->workers[i].thread, SIGUSR1);
        pthread_join(r->workers[i].thread, NULL);
    }
}

static void release(struct requests *r)
{
    for (int64_t i = 0; i < r->n_callers; i++) {
        if (!r->crr) {
            flow_settle(&r->callers[i].flow);
            close(r->callers[i].flow.fd);
        } else {
            crr_close(&r->callers[i]);
        }
        free(r->callers[i].ring);
    }
    for (int64_t i = 0; r->workers && i < r->n_workers; i++) {
        if (r->workers[i].epoll > 0)
            close(r->workers[i].epoll);
        free(r->workers[i].buffer);
    }
    free(r->callers);
    free(r->workers);
}

/* The lag that 99% of the requests did not pass, over all workers. */
static int64_t lag_p99(const struct bench_page *page)
{
    const struct bench_histogram *lags = page->histogram[BENCH_LATENCY_LAG];
    uint64_t total = 0, sum = 0;
    uint32_t i, octave;

    for (int k = 0; k < BENCH_HISTOGRAMS; k++)
        for (i = 0; i < BENCH_HISTOGRAM_COUNTS; i++)
            total += lags[k].counts[i];
    for (i = 0; i < BENCH_HISTOGRAM_COUNTS - 1; i++) {
        for (int k = 0; k < BENCH_HISTOGRAMS; k++)
            sum += lags[k].counts[i];
        if ((double)sum >= 0.99 * (double)total)
            break;
    }
    octave = i < 2 * BENCH_HISTOGRAM_HALF ? 0 : i / BENCH_HISTOGRAM_HALF - 1;
    return (int64_t)(i - octave * BENCH_HISTOGRAM_HALF) << octave;
}

/* Whether what was measured is what was asked for. One request is always on its way. */
static void judge(struct requests *r)
{
    const struct bench_page *page = r->crew.child->page;
    uint64_t planned = 0, sent = 0;
    int64_t lag = lag_p99(page);

    for (uint32_t i = 0; i < atomic_load(&page->slots); i++)
        planned += atomic_load(&page->slot[i].due);
    for (int64_t i = 0; i < r->n_callers; i++)
        sent += r->callers[i].sent;
    if (planned == 0 || (lag <= MOST_LAG_NS && (double)sent + 1 >= LEAST_SENT * (double)planned))
        return;
    crew_invalid(&r->crew,
                 "%llu of %llu planned requests were sent (%.4g%%), 99%% of them within %.3g ms of "
                 "their time; 99%% and 1 ms are needed: lower 'rate', or give the client more CPU",
                 (unsigned long long)sent, (unsigned long long)planned,
                 100 * (double)sent / (double)planned, (double)lag * 1e-6);
}

/* Verified payload that stopped short leaves a request without an answer and nothing to compare. */
static void judge_answers(struct requests *r, int64_t now)
{
    int64_t patience = MOST_SILENCE_NS + r->crew.options->delay_ns;

    for (int64_t i = 0; i < r->n_callers; i++) {
        const struct caller *a = &r->callers[i];
        const struct request *oldest = &a->ring[a->done & (a->size - 1)];

        if (a->sent == a->done || now - oldest->sent < patience)
            continue;
        crew_invalid(
            &r->crew,
            "verify: connection %u: request %llu has had no answer for %.1f s; bytes after "
            "offset %llu of what the client sent, or %llu of what the server sent, were lost",
            a->flow.stream.connection, (unsigned long long)a->done + 1,
            (double)(now - oldest->sent) * 1e-9,
            (unsigned long long)(a->flow.sent -
                                 (a->sent - a->done) * (uint64_t)r->crew.options->request_size),
            (unsigned long long)a->flow.received);
    }
}

int requests_client(const struct bench_child *child)
{
    const struct options *o = child->state;
    struct requests r = {.open = child->role->rate > 0, .depth = (uint64_t)o->depth};
    bool asked;

    r.crr = o->mode == MODE_CRR;
    if (r.crr || (!r.open && !r.depth))
        r.depth = 1;
    endpoint_init(&r.server, &child->role->connect);
    r.most_waiting = MOST_WAITING / (uint64_t)child->role->jobs;
    if (r.most_waiting < 2 * r.depth)
        r.most_waiting = 2 * r.depth;
    if (crew_init(&r.crew, child, true, NULL) ||
        crew_payload(&r.crew, payload_size(o->request_size)) || prepare(&r) || start(&r))
        asked = false;
    else
        asked = crew_wait(&r.crew) || crew_asked_to_stop(&r.crew, STOP_GRACE_MS);
    stop(&r);
    if (r.open && r.n_callers)
        judge(&r);
    if (o->verify)
        judge_answers(&r, now_ns());
    release(&r);
    return crew_finish(&r.crew, asked);
}
