/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay plugin: describes the process of each hop of a chain of relays.
 *
 *   client ──► hop 1 ──► … ──► hop n ──► server
 *
 * A hop accepts at `listen` and passes on to `upstream` (the next hop, or the server). Relays that
 * join their hops by a protocol of their own use the extra ports.
 */
#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

#include <bench/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_hop {
    uint32_t size;
    uint32_t index, count; /* 1 … count; hop 1 is next to the client */
    struct bench_address listen, upstream;
    const char *protocol; /* "tcp", "http1" or "http2": one of the plugin's `protocols` */
    /* `extra_ports` free ports of this hop, and those of hop index + 1 (NULL at the last hop). */
    const uint16_t *ports, *next_ports;
    double cpu_limit;      /* CPUs; 0: none */
    const char *directory; /* absolute; the process's own and its working directory */
    int64_t connections;   /* how many connections the workload will open at once */
};

/* What the reader of a hop's statistics printed, for `parse_statistics`; NUL-terminated. */
struct bench_statistics {
    uint32_t size;
    const char *begin, *end; /* right before the window, and right after it */
};

struct bench_relay {
    struct bench_plugin plugin;

    const char *const *protocols; /* what it can carry, NULL-terminated */
    uint32_t max_hops;            /* 0: never a process, the client reaches the server directly */
    uint32_t extra_ports;         /* per hop, beside the one in `listen` */

    /*
     * Required unless max_hops is 0. Called once for each hop of each repetition, hop 1 first,
     * before any process of it starts. Must not block. `hop` and `process` are valid during the
     * call only. Returns 0, or -1 with `err` set: the repetition fails before anything is started.
     */
    int (*describe)(void *state, const struct bench_hop *hop, struct bench_process *process,
                    struct bench_error *err);

    /* Both of the following are optional, and since ABI 1.1: what the relay counts itself. */

    /*
     * Describes a process that prints the hop's statistics to its standard output and ends: a
     * program, or a `main` (whose `role` is NULL). Called after `describe`, with the same
     * `hop`. The core runs it twice per repetition, right before the window and right after it, in
     * the hop's network, outside of the hop's group. That it fails, or takes more than 10 s, fails
     * the repetition. A reader that is left empty means that there are none.
     */
    int (*statistics)(void *state, const struct bench_hop *hop, struct bench_process *reader,
                      struct bench_error *err);

    /*
     * Required with `statistics`. Reports what was counted in between with host->result_total; a
     * name is of lower-case letters, digits and '_', and becomes the metric statistic_NAME_HOP.
     */
    int (*parse_statistics)(void *state, const struct bench_statistics *read,
                            struct bench_result *result, struct bench_error *err);
};

#ifdef __cplusplus
}
#endif
#endif
