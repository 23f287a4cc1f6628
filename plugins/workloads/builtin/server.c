/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <poll.h>

struct server {
    struct crew crew;
    int listener;
    struct processes *processes; /* one of these two, or a thread per connection */
    struct loops *loops;
};

/* Threads are fastest while each can have a CPU, and for streams always. */
static int model_of(const struct options *o, int64_t jobs)
{
    bool requests = o->mode == MODE_RR || o->mode == MODE_CRR;

    if (o->server != SERVER_AUTO)
        return o->server;
    return requests && !o->delay_ns && jobs > crew_cpus() ? SERVER_EPOLL : SERVER_THREAD;
}

static int serve_connection(struct server *s, int fd)
{
    if (s->processes)
        return processes_serve(s->processes, fd);
    if (s->loops)
        return loops_serve(s->loops, fd);
    return flow_start(&s->crew, fd);
}

static int accept_all(struct server *s)
{
    int flags = SOCK_CLOEXEC | (s->loops ? SOCK_NONBLOCK : 0);

    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, flags);

        if (fd >= 0) {
            if (serve_connection(s, fd))
                return -1;
        } else if (errno == EAGAIN) {
            return 0;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return crew_fail(&s->crew, "accept connection %lld: %s", (long long)s->crew.started + 1,
                             strerror(errno));
        }
    }
}

/* Accepts until SIGTERM, which is true, or a failure. */
static bool serve_all(struct server *s)
{
    struct pollfd events[] = {{.fd = s->crew.terminate, .events = POLLIN},
                              {.fd = s->crew.failed, .events = POLLIN},
                              {.fd = s->listener, .events = POLLIN}};

    do {
        crew_reap(&s->crew, false);
        if (s->processes)
            processes_reap(s->processes);
        poll(events, 3, -1);
    } while (!events[0].revents && !events[1].revents && !accept_all(s));
    return events[0].revents;
}

static int open_server(struct server *s, const struct bench_child *child)
{
    const struct options *o = child->state;
    struct crew *c = &s->crew;
    int model = model_of(o, child->role->jobs);

    if (crew_init(c, child, false, serve_blocking) ||
        crew_payload(c, payload_size(o->response_size)) || (s->listener = socket_listen(c)) < 0)
        return -1;
    if (model == SERVER_PROCESS && !(s->processes = processes_new(c, s->listener)))
        return -1;
    if (model == SERVER_EPOLL && !(s->loops = loops_new(c)))
        return -1;
    return 0;
}

int server(const struct bench_child *child)
{
    struct server s = {.listener = -1};
    bool asked = false;

    if (!open_server(&s, child))
        asked = serve_all(&s);
    processes_stop(s.processes);
    loops_stop(s.loops);
    if (s.listener >= 0)
        close(s.listener);
    return crew_finish(&s.crew, asked);
}
