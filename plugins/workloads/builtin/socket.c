/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>

/* Addresses */

void endpoint_init(struct endpoint *e, const struct bench_address *a)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&e->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e->address;

    memset(e, 0, sizeof(*e));
    if (inet_pton(AF_INET6, a->host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(a->port);
        e->length = sizeof(*v6);
        snprintf(e->text, sizeof(e->text), "[%s]:%u", a->host, a->port);
    } else {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(a->port);
        inet_pton(AF_INET, a->host, &v4->sin_addr);
        e->length = sizeof(*v4);
        snprintf(e->text, sizeof(e->text), "%s:%u", a->host, a->port);
    }
}

int socket_open(struct crew *c, const struct endpoint *e)
{
    const char *congestion = c->options->congestion;
    int one = 1;
    int fd = socket(e->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return crew_fail(c, "socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (congestion && congestion[0] &&
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion))) {
        crew_fail(c,
                  "congestion '%s': %s; 'sysctl net.ipv4.tcp_available_congestion_control' lists "
                  "what there is",
                  congestion, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

int socket_refused(struct crew *c, const struct endpoint *to, int error)
{
    count(&crew_slot(c, 0)->errors, 1);
    if (error == EADDRNOTAVAIL)
        return crew_fail(c,
                         "connect to %s: no local port is free; widen 'sysctl "
                         "net.ipv4.ip_local_port_range' or lower 'jobs'",
                         to->text);
    return crew_fail(c, "connect to %s: %s", to->text, strerror(error));
}

/* An established connection, or -1; without a message when asked to stop meanwhile. */
static int open_connection(struct crew *c, const struct endpoint *to)
{
    int fd = socket_open(c, to);
    struct pollfd events[] = {{.fd = fd, .events = POLLOUT},
                              {.fd = c->terminate, .events = POLLIN}};
    int error = 0;
    socklen_t n = sizeof(error);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&to->address, to->length))
        error = errno;
    if (error == EINPROGRESS) {
        poll(events, 2, -1);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    }
    if (!error && !events[1].revents && !fcntl(fd, F_SETFL, 0))
        return fd;
    close(fd);
    return error ? socket_refused(c, to, error) : -1;
}

int *sockets_connect(struct crew *c, int64_t wanted)
{
    int *fds = calloc((size_t)wanted, sizeof(*fds));
    struct endpoint to;
    int64_t opened = 0;

    if (!fds) {
        crew_fail(c, "connections: %s", strerror(ENOMEM));
        return NULL;
    }
    endpoint_init(&to, &c->child->role->connect);
    while (opened < wanted && (fds[opened] = open_connection(c, &to)) >= 0)
        opened++;
    if (opened == wanted)
        return fds;
    while (opened > 0)
        close(fds[--opened]);
    free(fds);
    return NULL;
}

/* The kernel caps SO_RCVBUF silently; a size that was asked for and not given is an error. */
static int limit_receive_buffer(struct crew *c, int fd)
{
    int want = (int)c->options->receive_buffer, got = 0;
    socklen_t n = sizeof(got);

    if (!want)
        return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want));
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n);
    if (got / 2 < want) /* the kernel doubles it for its own bookkeeping */
        return crew_fail(c,
                         "receive_buffer: %d bytes wanted, the kernel gives %d; raise "
                         "'sysctl net.core.rmem_max'",
                         want, got / 2);
    return 0;
}

int socket_listen(struct crew *c)
{
    struct endpoint at;
    int one = 1, fd;

    endpoint_init(&at, &c->child->role->listen);
    fd = socket_open(c, &at);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (!limit_receive_buffer(c, fd)) {
        if (!bind(fd, (struct sockaddr *)&at.address, at.length) && !listen(fd, SOMAXCONN))
            return fd;
        crew_fail(c, "listen on %s: %s", at.text, strerror(errno));
    }
    close(fd);
    return -1;
}
