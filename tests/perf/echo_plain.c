/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plainest echo benchmark, to compare with: 16 KiB buffers, send() and recv() that block. For
 * each of 2 connections the client has a thread that sends and one that receives, the server one
 * that returns what it got. Prints the Gbit/s that came back.
 *
 *   echo_plain SECONDS
 */
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIZE 16384
#define CONNECTIONS 2

struct connection {
    int fd;
    _Atomic unsigned long long received;
};

static void start(void *(*run)(void *), struct connection *c)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, c))
        errx(1, "cannot start a thread");
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    char buffer[SIZE];
    ssize_t n;

    while ((n = recv(c->fd, buffer, SIZE, 0)) > 0)
        if (send(c->fd, buffer, (size_t)n, MSG_NOSIGNAL) < 0)
            break;
    return NULL;
}

static void *feed(void *arg)
{
    static const char buffer[SIZE] = "x";
    struct connection *c = arg;

    while (send(c->fd, buffer, SIZE, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

static void *drain(void *arg)
{
    struct connection *c = arg;
    char buffer[SIZE];
    ssize_t n;

    while ((n = recv(c->fd, buffer, SIZE, MSG_WAITALL)) > 0)
        atomic_fetch_add(&c->received, (unsigned long long)n);
    return NULL;
}

static void run_server(int listener)
{
    struct connection connections[CONNECTIONS] = {0};
    int one = 1;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i].fd = accept(listener, NULL, NULL);
        setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        start(serve, &connections[i]);
    }
    for (;;)
        pause();
}

static double wait_for(double seconds)
{
    struct timespec begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    usleep((useconds_t)(seconds * 1e6));
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static unsigned long long total(struct connection *c)
{
    unsigned long long sum = 0;

    for (int i = 0; i < CONNECTIONS; i++)
        sum += atomic_load(&c[i].received);
    return sum;
}

int main(int argc, char **argv)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static struct connection connections[CONNECTIONS]; /* threads outlive main() */
    socklen_t n = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    unsigned long long before;
    double seconds;

    if (argc != 2)
        errx(2, "usage: echo_plain SECONDS");
    if (bind(listener, (struct sockaddr *)&a, n) || listen(listener, CONNECTIONS) ||
        getsockname(listener, (struct sockaddr *)&a, &n))
        err(1, "listen");
    if (fork() == 0)
        run_server(listener);
    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(connections[i].fd, (struct sockaddr *)&a, n))
            err(1, "connect");
        start(feed, &connections[i]);
        start(drain, &connections[i]);
    }
    wait_for(0.3);
    before = total(connections);
    seconds = wait_for(atof(argv[1]));
    printf("%.3f\n", (double)(total(connections) - before) * 8 / seconds / 1e9);
    return 0;
}
