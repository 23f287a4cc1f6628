/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What workloads that wrap a load generator have in common: how they are registered, what they
 * refuse to ask of the tool, and what must hold before its numbers are believed.
 *
 * A file that includes this is one workload and ends with WRAPPER(); the hooks then have `host`.
 */
#ifndef SHARED_WRAPPER_H
#define SHARED_WRAPPER_H

#include <bench/workload.h>

/* The core's services, from the registration on. */
extern const struct bench_host *host;

/* Above this share of failures a repetition has failed. */
#define WRAPPER_MAX_FAILED 0.001
/* Stamps above this are none: the year 2100. No count of a run comes near it either. */
#define WRAPPER_LATEST_US 4102444800000000LL

/* USAGE unless each of the tool's threads has one of its `jobs`, which it calls a `job`. */
int wrapper_check_threads(const char *tool, int64_t threads, int64_t jobs, const char *job,
                          struct bench_error *err);
/* Whether the tool ended by itself, and with 0: the least that is asked of one, and not enough. */
int wrapper_check_ending(const char *tool, int status, struct bench_error *err);

/* Registers the workload. `state` is the type of its options; `options`, `protocols` and `programs`
 * are tables of the file; the hooks follow as fields of struct bench_workload. */
#define WRAPPER(tool, text, state, ...)                                        \
    static const struct bench_workload workload = {                            \
        .plugin = {.size = sizeof(workload),                                   \
                   .abi_major = BENCH_ABI_MAJOR,                               \
                   .abi_minor = BENCH_ABI_MINOR,                               \
                   .kind = BENCH_WORKLOAD,                                     \
                   .name = tool,                                               \
                   .description = text,                                        \
                   .options = options,                                         \
                   .state_size = sizeof(state),                                \
                   .programs = programs},                                      \
        .protocols = protocols,                                                \
        __VA_ARGS__,                                                           \
    };                                                                         \
                                                                               \
    const struct bench_plugin *bench_plugin_get(const struct bench_host *core) \
    {                                                                          \
        host = core;                                                           \
        return &workload.plugin;                                               \
    }

#endif
