/* SPDX-License-Identifier: Apache-2.0 */
/* What the fakes share: listening on 127.0.0.1 as a real server does, and lingering. */
#ifndef FAKES_FAKE_H
#define FAKES_FAKE_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The socket. Exits with status 2 when it cannot; without a port it does nothing and returns -1. */
static inline int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (!port)
        return -1;
    address.sin_port = htons((uint16_t)atoi(port));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0) {
        perror("listen");
        exit(2);
    }
    return fd;
}

enum { LIFETIME_S = 120 };

/* Until it is killed; when a test fails to do so, at last by the alarm. */
_Noreturn static inline void linger(void)
{
    alarm(LIFETIME_S);
    for (;;)
        pause();
}

#endif
