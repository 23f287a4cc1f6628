/* SPDX-License-Identifier: Apache-2.0 */
/* slow_start PORT SERVER_PORT MILLISECONDS: a TCP relay that holds back everything from its clients
 * for 20 ms in the first so many milliseconds after the first connection, and then nothing. */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <netinet/tcp.h>

#include "fake.h"

enum { DELAY_US = 20000 };

struct pair {
    int client, server;
    int64_t slow_until; /* ms */
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static bool pass_on(int from, int to)
{
    char buffer[65536];
    ssize_t n = read(from, buffer, sizeof(buffer)), sent = 0, m;

    while (sent < n) {
        m = write(to, buffer + sent, (size_t)(n - sent));
        if (m <= 0)
            return false;
        sent += m;
    }
    return n > 0;
}

static void *relay(void *argument)
{
    struct pair *p = argument;
    struct pollfd fds[] = {{.fd = p->client, .events = POLLIN},
                           {.fd = p->server, .events = POLLIN}};
    bool alive = true;

    while (alive && poll(fds, 2, -1) > 0) {
        if (fds[0].revents && now_ms() < p->slow_until)
            usleep(DELAY_US);
        alive = (!fds[0].revents || pass_on(p->client, p->server)) &&
                (!fds[1].revents || pass_on(p->server, p->client));
    }
    close(p->client);
    close(p->server);
    free(p);
    return NULL;
}

static int connect_to(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        perror("connect");
        exit(2);
    }
    return fd;
}

int main(int argc, char **argv)
{
    int64_t slow_until = 0;
    int listener, on = 1;

    if (argc != 4)
        return 2;
    alarm(LIFETIME_S);
    listener = listen_on(argv[1]);
    for (;;) {
        struct pair *p = calloc(1, sizeof(*p));
        pthread_t thread;

        p->client = accept(listener, NULL, NULL);
        if (!slow_until)
            slow_until = now_ms() + atoi(argv[3]);
        p->slow_until = slow_until;
        p->server = connect_to(argv[2]);
        setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (pthread_create(&thread, NULL, relay, p) != 0)
            return 2;
        pthread_detach(thread);
    }
}
