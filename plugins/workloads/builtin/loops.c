/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a thread per CPU, each of which waits for all of its connections at once. */
#include "builtin.h"

#include <sys/epoll.h>

#define EVENTS 64

struct loop {
    struct crew *crew;
    int64_t number; /* from 1 */
    pthread_t thread;
    int epoll;
    char *buffer;         /* for what nobody keeps; an echo is kept in a buffer of its own */
    pthread_mutex_t lock; /* of the list: the main thread adds to it */
    struct flow *flows;
};

struct loops {
    struct crew *crew;
    struct loop *items;
    int64_t count, running;
};

static void watch(struct loop *l, struct flow *f, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = f};
    int operation = f->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (f->events == events)
        return;
    f->events = events; /* first: once it is watched, it is the loop's */
    if (epoll_ctl(l->epoll, operation, f->fd, &event))
        crew_fail(l->crew, "watch a connection: %s", strerror(errno));
}

static void end_flow(struct loop *l, struct flow *f)
{
    flow_settle(f);
    close(f->fd);
    pthread_mutex_lock(&l->lock);
    if (f->previous)
        f->previous->next = f->next;
    else
        l->flows = f->next;
    if (f->next)
        f->next->previous = f->previous;
    pthread_mutex_unlock(&l->lock);
    if (f->buffer != l->buffer)
        free(f->buffer);
    free(f);
}

/* What came, and the answer to it. */
static void flow_event(struct loop *l, struct flow *f)
{
    ssize_t n;

    do
        n = serve(f);
    while (n > 0 && serve_owes(f));
    if (n < 0)
        end_flow(l, f);
    else
        watch(l, f, serve_owes(f) ? EPOLLOUT : EPOLLIN);
}

static void *loop_main(void *arg)
{
    struct loop *l = arg;
    struct crew *c = l->crew;
    struct epoll_event events[EVENTS];

    crew_ordinary(c);
    if (c->options->pin == PIN_FLOW && crew_pin(c, l->number))
        return NULL;
    while (!crew_stopping(c)) {
        int n = epoll_wait(l->epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.ptr)
                flow_event(l, events[i].data.ptr);
    }
    return NULL;
}

static int start_loop(struct loop *l, struct crew *c, int64_t number)
{
    struct epoll_event halt = {.events = EPOLLIN};
    int error;

    *l = (struct loop){.crew = c, .number = number};
    pthread_mutex_init(&l->lock, NULL);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->buffer = malloc((size_t)c->options->receive_size);
    if (l->epoll < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->halt, &halt))
        error = errno;
    else
        error = l->buffer ? crew_thread(&l->thread, loop_main, l) : ENOMEM;
    if (!error)
        return 0;
    free(l->buffer);
    if (l->epoll >= 0)
        close(l->epoll);
    pthread_mutex_destroy(&l->lock);
    return crew_fail(c, "start an event loop: %s", strerror(error));
}

struct loops *loops_new(struct crew *c)
{
    struct loops *l = calloc(1, sizeof(*l));

    if (l) {
        *l = (struct loops){.crew = c, .count = crew_cpus()};
        l->items = calloc((size_t)l->count, sizeof(*l->items));
    }
    if (!l || !l->items) {
        free(l);
        crew_fail(c, "event loops: %s", strerror(ENOMEM));
        return NULL;
    }
    while (l->running < l->count && !start_loop(&l->items[l->running], c, l->running + 1))
        l->running++;
    if (l->running == l->count)
        return l;
    loops_stop(l);
    return NULL;
}

static void add_flow(struct loop *l, struct flow *f)
{
    pthread_mutex_lock(&l->lock);
    f->next = l->flows;
    if (f->next)
        f->next->previous = f;
    l->flows = f;
    pthread_mutex_unlock(&l->lock);
}

int loops_serve(struct loops *all, int fd)
{
    struct crew *c = all->crew;
    struct loop *l = &all->items[c->started % all->count];
    bool echo = c->options->mode == MODE_ECHO;
    struct flow *f = calloc(1, sizeof(*f));
    char *buffer = echo ? malloc((size_t)c->options->receive_size) : l->buffer;

    if (!f || !buffer) {
        free(f);
        if (echo)
            free(buffer);
        close(fd);
        return crew_fail(c, "connection %lld: %s", (long long)c->started + 1, strerror(ENOMEM));
    }
    *f = (struct flow){.crew = c,
                       .fd = fd,
                       .number = c->started + 1,
                       .slot = crew_slot(c, c->started),
                       .buffer = buffer};
    f->stream.from_server = true;
    count(&f->slot->connections, 1);
    c->started++;
    add_flow(l, f);
    watch(l, f, EPOLLIN);
    return 0;
}

void loops_stop(struct loops *l)
{
    if (!l)
        return;
    crew_stop(l->crew); /* wakes the loops too */
    for (int64_t i = 0; i < l->running; i++) {
        struct loop *item = &l->items[i];

        pthread_join(item->thread, NULL);
        while (item->flows)
            end_flow(item, item->flows);
        close(item->epoll);
        free(item->buffer);
        pthread_mutex_destroy(&item->lock);
    }
    free(l->items);
    free(l);
}
