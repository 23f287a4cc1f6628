/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <poll.h>

#define STOP_GRACE_MS 20

static void client_stream(struct flow *f)
{
    size_t size = (size_t)f->crew->options->send_size;

    while (!crew_stopping(f->crew))
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

    while (!crew_stopping(f->crew)) {
        ssize_t n = 0;

        if (f->sent - f->received <= size)
            n = flow_send(f, f->crew->payload, size, MSG_DONTWAIT);
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

    if (crew_init(&c, child, true, o->mode == MODE_ECHO ? client_echo : client_stream) ||
        crew_payload(&c, (size_t)o->send_size))
        return crew_finish(&c, false);
    if (!start_flows(&c))
        crew_wait(&c);
    /* Whoever stops a chain may reach the far end first: a connection that is closed just before
     * we are told to stop has not failed. */
    return crew_finish(&c, crew_asked_to_stop(&c, STOP_GRACE_MS));
}
