/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <math.h>
#include <poll.h>

#define STOP_GRACE_MS 20
#define ECHO_DEPTH 2
#define PIECE_NS INT64_C(10000000)

/* Of what is verified: so little is on its way that it can all arrive after the last second … */
#define MOST_UNCONFIRMED (4 * VERIFY_PIECE)
#define LAST_SECOND_NS INT64_C(1000000000)

static uint64_t unconfirmed(const struct flow *f)
{
    return f->sent - f->received * VERIFY_PIECE;
}

static ssize_t send_stream(struct flow *f, size_t n)
{
    if (f->crew->options->verify && unconfirmed(f) >= MOST_UNCONFIRMED)
        return flow_consume(f, 0);
    return flow_send_payload(f, n, 0);
}

/* … and this waits for it. The last piece is filled up first, or nobody would confirm it. */
static void end_stream(struct flow *f)
{
    int64_t deadline = now_ns() + LAST_SECOND_NS;
    ssize_t n = 0;

    while (n >= 0 && unconfirmed(f) && now_ns() < deadline) {
        uint64_t missing = (VERIFY_PIECE - f->sent % VERIFY_PIECE) % VERIFY_PIECE;

        poll(&(struct pollfd){.fd = f->fd, .events = missing ? POLLOUT : POLLIN}, 1, 10);
        n = missing ? flow_send_payload(f, missing, MSG_DONTWAIT) : flow_consume(f, MSG_DONTWAIT);
    }
    if (unconfirmed(f))
        crew_invalid(
            f->crew,
            "verify: connection %u: of %llu bytes sent the last %llu were not confirmed by "
            "the server within %.3g s of the end",
            f->stream.connection, (unsigned long long)f->sent, (unsigned long long)unconfirmed(f),
            LAST_SECOND_NS * 1e-9);
}

static void end_echo(struct flow *f)
{
    int64_t deadline = now_ns() + LAST_SECOND_NS;
    ssize_t n = 0;

    while (n >= 0 && f->received < f->sent && now_ns() < deadline) {
        poll(&(struct pollfd){.fd = f->fd, .events = POLLIN}, 1, 10);
        n = flow_consume(f, MSG_DONTWAIT);
    }
    if (f->received < f->sent)
        crew_invalid(
            f->crew,
            "verify: connection %u: of %llu bytes sent only %llu were back within %.3g s of "
            "the end",
            f->stream.connection, (unsigned long long)f->sent, (unsigned long long)f->received,
            LAST_SECOND_NS * 1e-9);
}

static void client_stream(struct flow *f)
{
    size_t size = (size_t)f->crew->options->send_size;

    while (!crew_stopping(f->crew))
        if (send_stream(f, size) < 0)
            return flow_lost(f, "send");
}

/* Waits until then, or until we are told to stop. */
static void wait_until(const struct crew *c, int64_t due)
{
    int64_t left = due - now_ns();
    struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

    if (left > 0)
        ppoll(&(struct pollfd){.fd = c->halt, .events = POLLIN}, 1, &time, NULL);
}

/*
 * A given bit rate, in pieces of 10 ms. Connections are spread over such a piece of time. What a
 * stall held back follows at once, so the rate over a window is the one that was asked for.
 */
static void client_paced(struct flow *f)
{
    const struct crew *c = f->crew;
    double bytes_per_ns = c->options->rate_per_connection / 8e9;
    double piece = bytes_per_ns * PIECE_NS;
    size_t size = piece < 1 ? 1 : (size_t)fmin(piece, (double)c->options->send_size);
    int64_t start = now_ns() + PIECE_NS * (f->number - 1) / c->child->role->jobs;

    while (!crew_stopping(c)) {
        wait_until(c, start + (int64_t)((double)f->sent / bytes_per_ns));
        if (!crew_stopping(c) && send_stream(f, size) < 0)
            return flow_lost(f, "send");
    }
}

/*
 * Keeps `depth` blocks on their way. Two are enough that a relay never waits for the client when
 * they are large, while queues stay short enough for the caches. One thread does both directions:
 * it sends only while there is room, because a sender that waited for room would deadlock with a
 * server that does the same.
 */
static void client_echo(struct flow *f)
{
    size_t size = (size_t)f->crew->options->send_size;
    uint64_t depth = f->crew->options->depth ? (uint64_t)f->crew->options->depth : ECHO_DEPTH;

    while (!crew_stopping(f->crew)) {
        ssize_t n = (ssize_t)size;

        /* After a part of a block there is no room for another. */
        while (n == (ssize_t)size && f->sent - f->received <= (depth - 1) * size)
            n = flow_send_payload(f, size, MSG_DONTWAIT);
        if (n < 0)
            return flow_lost(f, "send");
        if (f->received < f->sent) {
            if (flow_consume(f, 0) < 0)
                return flow_lost(f, "receive");
        } else {
            /* No room although nothing is outstanding: rare, and the time limit is for stopping. */
            poll(&(struct pollfd){.fd = f->fd, .events = POLLOUT}, 1, 10);
        }
    }
}

static void client_run(struct flow *f)
{
    const struct options *o = f->crew->options;

    if (o->mode == MODE_ECHO)
        client_echo(f);
    else if (o->rate_per_connection > 0)
        client_paced(f);
    else
        client_stream(f);
    if (o->verify)
        (o->mode == MODE_ECHO ? end_echo : end_stream)(f);
}

/* All begin together: the first ones would leave no time to start the others. */
static int start_flows(struct crew *c)
{
    int64_t jobs = c->child->role->jobs, i = 0;
    int *fds = sockets_connect(c, jobs);
    int rc = fds ? 0 : -1;

    pthread_rwlock_wrlock(&c->gate);
    while (!rc && i < jobs)
        rc = flow_start(c, fds[i++]);
    pthread_rwlock_unlock(&c->gate);
    while (fds && i < jobs)
        close(fds[i++]);
    free(fds);
    return rc;
}

int bulk_client(const struct bench_child *child)
{
    const struct options *o = child->state;
    struct crew c;

    if (crew_init(&c, child, true, client_run) || crew_payload(&c, (size_t)o->send_size))
        return crew_finish(&c, false);
    if (!start_flows(&c))
        crew_wait(&c);
    /* Whoever stops a chain may reach the far end first: a connection that is closed just before
     * we are told to stop has not failed. */
    return crew_finish(&c, crew_asked_to_stop(&c, STOP_GRACE_MS));
}
