/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prefetch.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
    MOST_THREADS = 8,
    LEAST_ITEMS = 16, /* fewer are made before a thread has begun */
    AHEAD = 4,        /* items for each thread */
    STACK = 1 << 20,
};

struct prefetch {
    struct prefetch_spec spec;
    pthread_mutex_t lock;
    pthread_cond_t made, taken;
    pthread_t threads[MOST_THREADS];
    size_t n_threads;
    void **ring; /* item i at i % room, NULL until it is made */
    size_t room;
    size_t next_make, next_take;
    bool stop;
};

/* Under the lock: whether there is an item to be made, and a place for it. */
static bool may_make(const struct prefetch *p)
{
    return p->next_make < p->spec.n && p->next_make < p->next_take + p->room;
}

static void *work(void *context)
{
    struct prefetch *p = context;

    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->next_make < p->spec.n) {
        void *item;
        size_t i;

        if (!may_make(p)) {
            pthread_cond_wait(&p->taken, &p->lock);
            continue;
        }
        i = p->next_make++;
        pthread_mutex_unlock(&p->lock);
        item = p->spec.make(p->spec.context, i);
        pthread_mutex_lock(&p->lock);
        p->ring[i % p->room] = item;
        pthread_cond_signal(&p->made);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static size_t threads_for(size_t n)
{
    cpu_set_t cpus;
    size_t count = sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : (size_t)CPU_COUNT(&cpus);

    if (n < LEAST_ITEMS || count < 2)
        return 0;
    return count < MOST_THREADS ? count : MOST_THREADS;
}

/* Signals are for the thread that takes. */
static void start(struct prefetch *p, size_t n)
{
    pthread_attr_t attributes;
    sigset_t all, old;

    if (n == 0 || pthread_attr_init(&attributes) != 0)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_setstacksize(&attributes, STACK);
    while (p->n_threads < n && pthread_create(&p->threads[p->n_threads], &attributes, work, p) == 0)
        p->n_threads++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
}

struct prefetch *prefetch_new(const struct prefetch_spec *spec)
{
    struct prefetch *p = xcalloc(1, sizeof(*p));
    size_t threads = threads_for(spec->n);

    p->spec = *spec;
    p->room = AHEAD * MOST_THREADS;
    p->ring = xcalloc(p->room, sizeof(*p->ring));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->made, NULL);
    pthread_cond_init(&p->taken, NULL);
    start(p, threads);
    return p;
}

void *prefetch_take(struct prefetch *p)
{
    size_t i = p->next_take;
    void *item;

    if (i >= p->spec.n)
        return NULL;
    if (p->n_threads == 0) {
        p->next_take = p->next_make = i + 1;
        return p->spec.make(p->spec.context, i);
    }
    pthread_mutex_lock(&p->lock);
    while (!p->ring[i % p->room])
        pthread_cond_wait(&p->made, &p->lock);
    item = p->ring[i % p->room];
    p->ring[i % p->room] = NULL;
    p->next_take++;
    pthread_cond_signal(&p->taken);
    pthread_mutex_unlock(&p->lock);
    return item;
}

void prefetch_free(struct prefetch *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->taken);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < p->room; i++)
        if (p->ring[i])
            p->spec.drop(p->ring[i]);
    pthread_cond_destroy(&p->made);
    pthread_cond_destroy(&p->taken);
    pthread_mutex_destroy(&p->lock);
    free(p->ring);
    free(p);
}
