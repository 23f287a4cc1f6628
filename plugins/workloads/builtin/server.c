/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <poll.h>

/*
 * What a server does next with a connection: sends what it owes, else takes what comes. Returns
 * like a transfer; -1 also when the server is through with it.
 */
typedef ssize_t (*serve_fn)(struct flow *f);

static ssize_t serve_stream(struct flow *f)
{
    return flow_consume(f, 0);
}

/* What is owed is always the end of the last chunk. */
static ssize_t serve_echo(struct flow *f)
{
    size_t owed = (size_t)(f->received - f->sent);

    if (owed)
        return flow_send(f, f->buffer + f->chunk - owed, owed, 0);
    return flow_receive(f, 0);
}

static ssize_t serve_requests(struct flow *f)
{
    const struct options *o = f->crew->options;
    uint64_t answered = f->received / (uint64_t)o->request_size * (uint64_t)o->response_size;
    uint64_t owed = answered - f->sent;

    if (owed)
        return flow_send(f, f->crew->payload,
                         owed < f->crew->payload_size ? owed : f->crew->payload_size, 0);
    return flow_consume(f, 0);
}

static serve_fn const serve[] = {
    [MODE_STREAM] = serve_stream,
    [MODE_ECHO] = serve_echo,
    [MODE_RR] = serve_requests,
};

/* A connection with a thread of its own. */
static void serve_blocking(struct flow *f)
{
    serve_fn step = serve[f->crew->options->mode];

    while (!crew_stopping(f->crew))
        if (step(f) < 0)
            return;
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

/* Accepts until SIGTERM, which is true, or a failure. */
static bool serve_all(struct crew *c, int listener)
{
    struct pollfd events[] = {{.fd = c->terminate, .events = POLLIN},
                              {.fd = c->failed, .events = POLLIN},
                              {.fd = listener, .events = POLLIN}};

    do {
        crew_reap(c, false);
        poll(events, 3, -1);
    } while (!events[0].revents && !events[1].revents && !accept_all(c, listener));
    return events[0].revents;
}

int server(const struct bench_child *child)
{
    const struct options *o = child->state;
    struct crew c;
    bool asked = false;
    int listener = -1;

    if (!crew_init(&c, child, false, serve_blocking) &&
        !crew_payload(&c, payload_size(o->response_size)) && (listener = socket_listen(&c)) >= 0)
        asked = serve_all(&c, listener);
    if (listener >= 0)
        close(listener);
    return crew_finish(&c, asked);
}
