/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx as an origin server: answers every request for /payload with a file of a given size over
 * HTTP/1.1, on connections that stay open. Not a relay; that is plugins/relays/nginx.c.
 */
#ifndef SHARED_ORIGIN_H
#define SHARED_ORIGIN_H

#include <bench/workload.h>

/* The file that origin servers serve, and the path of its URL. */
#define ORIGIN_PAYLOAD "payload"
#define ORIGIN_MAX_SIZE (16 << 20)

/* Adds the file to the description of a server. */
void origin_payload(struct bench_process *p, int64_t size);
/* "http://127.0.0.1:80/payload" as one argument. */
void origin_url(struct bench_process *p, const struct bench_address *at);
/* Describes nginx as the server of `role`. */
void origin_describe(struct bench_process *p, const struct bench_role *role, int64_t workers,
                     int64_t size);

#define ORIGIN_PROGRAM                                                                      \
    {                                                                                       \
        .name = "nginx", .version = (const char *const[]){"-v", NULL}, .apt = "nginx-core", \
        .dnf = "nginx-core"                                                                 \
    }

#endif
