/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives bytes to the parser of a wrapper, whose source the target includes so that libFuzzer sees
 * it. The first byte chooses how the client ended; the rest is the file that the parser reads.
 */
#ifndef FUZZ_WRAPPER_H
#define FUZZ_WRAPPER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bench/workload.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"
#include "plugin/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory; `ret_path` names it. The caller closes it. */
static inline int fuzz_file(const uint8_t *data, size_t size, char ret_path[32])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(ret_path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* What is accepted must be a measurement: a window with something in it. */
static inline void fuzz_parse(const struct bench_workload *w, const struct bench_leftovers *left)
{
    void *state = xcalloc(1, w->plugin.state_size);
    struct bench_result result = {.begin_ns = left->window_begin_ns, .end_ns = left->window_end_ns};
    struct bench_error err = {0};

    option_defaults(w->plugin.options, state);
    if (w->parse(state, left, &result, &err) == 0) {
        if (result.end_ns <= result.begin_ns || (!result.n_totals && !result.requests))
            abort();
        for (size_t i = 0; i < result.n_totals; i++)
            if (!(result.totals[i].value >= 0))
                abort();
    } else if (!err.message[0]) {
        abort();
    }
    result_release(&result);
    option_release(w->plugin.options, state);
    free(state);
}

/* The window of the recorded outputs, which all stand for about one second. */
static inline struct bench_leftovers fuzz_leftovers(uint8_t how)
{
    const int64_t begin = 1700000000 * NS_PER_S;

    return (struct bench_leftovers){
        .size = sizeof(struct bench_leftovers),
        .client_status = how % 4 == 3   ? -1
                         : how % 4 == 2 ? 9
                         : how % 4 == 1 ? 256
                                        : 0,
        .window_begin_ns = begin,
        .window_end_ns = begin + NS_PER_S,
        .client_begin_ns = begin,
        .client_end_ns = begin + NS_PER_S,
    };
}

#endif
