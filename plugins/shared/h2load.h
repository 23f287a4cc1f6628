/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2load, the client of workloads `h2load` and `h2load-h1`: how it is started, and what is believed
 * of what it leaves behind.
 *
 * Numbers come from its record of every request, cut to the core's window. Its summary covers more
 * than the window, exits with 0 without a server and counts no failure when the server dies; it
 * only serves to find out what went wrong.
 */
#ifndef SHARED_H2LOAD_H
#define SHARED_H2LOAD_H

#include <bench/workload.h>

struct h2load {
    int64_t requests_size; /* bytes of a response */
    int64_t threads, in_flight, server_threads;
    int keep_log; /* bool */
};

/* The rows of the option table that both workloads share.
 */
#define H2LOAD_OPTIONS                                                                          \
    {.name = "requests_size",                                                                   \
     .type = BENCH_OPTION_SIZE,                                                                 \
     .offset = BENCH_OFFSET(struct h2load, requests_size),                                      \
     .unit = "bytes",                                                                           \
     .minimum = 1,                                                                              \
     .maximum = 16 << 20,                                                                       \
     .fallback = "1K",                                                                          \
     .help = "body of each response"},                                                          \
        {.name = "threads",                                                                     \
         .type = BENCH_OPTION_INTEGER,                                                          \
         .offset = BENCH_OFFSET(struct h2load, threads),                                        \
         .unit = "threads",                                                                     \
         .minimum = 1,                                                                          \
         .maximum = 1024,                                                                       \
         .fallback = "1",                                                                       \
         .help = "threads of h2load; no more than 'jobs', its clients"},                        \
        {.name = "server_threads",                                                              \
         .type = BENCH_OPTION_INTEGER,                                                          \
         .offset = BENCH_OFFSET(struct h2load, server_threads),                                 \
         .minimum = 1,                                                                          \
         .maximum = 1024,                                                                       \
         .fallback = "1",                                                                       \
         .help = "threads of nghttpd, or workers of nginx"},                                    \
    {                                                                                           \
        .name = "keep_log", .type = BENCH_OPTION_BOOL,                                          \
        .offset = BENCH_OFFSET(struct h2load, keep_log), .fallback = "false",                   \
        .help = "keep h2load's record of every request with the run, 30 bytes each; of failed " \
                "repetitions it is always kept"                                                 \
    }

#define H2LOAD_PROGRAM                                                         \
    {                                                                          \
        .name = "h2load", .version = (const char *const[]){"--version", NULL}, \
        .apt = "nghttp2-client", .dnf = "nghttp2"                              \
    }

/* Describes the client. `h1`: HTTP/1.1, else HTTP/2 without TLS. */
int h2load_client(const struct h2load *options, bool h1, const struct bench_role *role,
                  struct bench_process *p, struct bench_error *err);

/* The workload's `parse`. */
int h2load_parse(void *options, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err);
/* The same with the record of requests from `log`. */
int h2load_parse_log(const struct h2load *options, const char *log,
                     const struct bench_leftovers *left, struct bench_result *result,
                     struct bench_error *err);

#endif
