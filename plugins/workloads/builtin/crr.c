/* SPDX-License-Identifier: Apache-2.0 */
/* A connection for each request: connect → send → receive → the server's end of it → close. */
#include "requests.h"

#include <sys/epoll.h>

int crr_go_on(struct caller *a)
{
    struct requests *all = a->worker->all;
    struct flow *f = &a->flow;
    int64_t now = now_ns();

    if (f->fd >= 0)
        return 0;
    f->fd = socket_open(&all->crew, &all->server);
    if (f->fd < 0)
        return -1;
    f->sent = f->received = 0;
    f->fin = false;
    f->error = 0;
    a->events = 0;
    f->stream.connection =
        (uint32_t)(a->done * (uint64_t)all->n_callers + (uint64_t)f->number); /* one of its own */
    caller_sent(a, now);
    if (connect(f->fd, (const struct sockaddr *)&all->server.address, all->server.length) &&
        errno != EINPROGRESS)
        return socket_refused(&all->crew, &all->server, errno);
    caller_watch(a, EPOLLOUT);
    return 0;
}

void crr_close(struct caller *a)
{
    if (a->connected)
        flow_settle(&a->flow);
    if (a->flow.fd >= 0)
        close(a->flow.fd);
    a->flow.fd = -1;
    a->connected = false;
}

static int connected(struct caller *a)
{
    int error = 0;
    socklen_t n = sizeof(error);

    getsockopt(a->flow.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    if (error)
        return socket_refused(a->flow.crew, &a->worker->all->server, error);
    a->connected = true;
    count(&a->flow.slot->connections, 1);
    return 0;
}

static int send_request(struct caller *a)
{
    struct flow *f = &a->flow;
    uint64_t size = (uint64_t)f->crew->options->request_size;
    ssize_t n = 1;

    while (n > 0 && f->sent < size)
        n = flow_send_payload(f, size - f->sent, MSG_DONTWAIT);
    if (n < 0) {
        flow_lost(f, "send");
        return -1;
    }
    caller_watch(a, f->sent < size ? EPOLLOUT : EPOLLIN);
    return 0;
}

static int receive_response(struct caller *a)
{
    struct flow *f = &a->flow;
    uint64_t size = (uint64_t)f->crew->options->response_size;
    ssize_t n = flow_consume(f, MSG_DONTWAIT);

    if (n < 0 && f->fin && f->received == size) {
        crr_close(a);
        return 0;
    }
    if (n < 0) {
        flow_lost(f, "receive");
        return -1;
    }
    if (n > 0 && f->received == size)
        caller_done(a, now_ns());
    if (f->received > size)
        return crew_fail(f->crew, "connection %lld: more came back than was asked for",
                         (long long)f->number);
    return 0;
}

int crr_event(struct caller *a, uint32_t events)
{
    uint64_t size = (uint64_t)a->flow.crew->options->request_size;

    if (!a->connected && connected(a))
        return -1;
    if (a->flow.sent < size)
        return send_request(a);
    return events & ~(uint32_t)EPOLLOUT ? receive_response(a) : 0;
}
