/* SPDX-License-Identifier: Apache-2.0 */
/* A registry filled by hand: one workload with options, relays none, fast (options, tcp only),
 * short (one hop). Nothing of them is ever called. */
#ifndef TESTS_SCENARIO_PLUGINS_H
#define TESTS_SCENARIO_PLUGINS_H

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenario/scenario.h"

struct work_state {
    int mode;
    int64_t size;
    char *note;
};

struct fast_state {
    int64_t workers;
    char *extra;
};

static const char *const work_modes[] = {"stream", "echo", NULL};
static const struct bench_option work_options[] = {
    {"mode", BENCH_OPTION_CHOICE, BENCH_OFFSET(struct work_state, mode), NULL, 0, 0, "stream",
     work_modes, "direction"},
    {"size", BENCH_OPTION_SIZE, BENCH_OFFSET(struct work_state, size), NULL, 1, 1 << 20, "64K",
     NULL, "of a message"},
    {"note", BENCH_OPTION_STRING, BENCH_OFFSET(struct work_state, note), NULL, 0, 0, NULL, NULL,
     "anything"},
    {0},
};
static const struct bench_option fast_options[] = {
    {"workers", BENCH_OPTION_INTEGER, BENCH_OFFSET(struct fast_state, workers), NULL, 1, 64, "1",
     NULL, "threads"},
    {"extra", BENCH_OPTION_STRING, BENCH_OFFSET(struct fast_state, extra), NULL, 0, 0, NULL, NULL,
     "configuration lines"},
    {0},
};

static const char *const tcp_and_http[] = {"tcp", "http1", NULL};
static const char *const tcp_only[] = {"tcp", NULL};

#define PLUGIN(type, kind_, name_, options_, state_)                                             \
    {                                                                                            \
        .size = sizeof(struct type), .abi_major = BENCH_ABI_MAJOR, .abi_minor = BENCH_ABI_MINOR, \
        .kind = (kind_), .name = (name_), .description = "for tests", .options = (options_),     \
        .state_size = (state_)                                                                   \
    }

static const struct bench_workload work = {
    .plugin =
        PLUGIN(bench_workload, BENCH_WORKLOAD, "builtin", work_options, sizeof(struct work_state)),
    .protocols = tcp_and_http,
};
static const struct bench_workload other_work = {
    .plugin = PLUGIN(bench_workload, BENCH_WORKLOAD, "other", NULL, 0),
    .protocols = tcp_only,
};
static const struct bench_relay relay_none = {
    .plugin = PLUGIN(bench_relay, BENCH_RELAY, "none", NULL, 0),
    .protocols = tcp_only,
};
static const struct bench_relay relay_fast = {
    .plugin = PLUGIN(bench_relay, BENCH_RELAY, "fast", fast_options, sizeof(struct fast_state)),
    .protocols = tcp_only,
    .max_hops = UINT32_MAX,
};
static const struct bench_relay relay_short = {
    .plugin = PLUGIN(bench_relay, BENCH_RELAY, "short", NULL, 0),
    .protocols = tcp_and_http,
    .max_hops = 1,
};

static struct plugin test_plugins[] = {
    {.path = (char *)"work.so", .info = &work.plugin},
    {.path = (char *)"other.so", .info = &other_work.plugin},
    {.path = (char *)"none.so", .info = &relay_none.plugin},
    {.path = (char *)"fast.so", .info = &relay_fast.plugin},
    {.path = (char *)"short.so", .info = &relay_short.plugin},
};
static const struct registry test_registry = {.plugins = test_plugins,
                                              .count = ARRAY_SIZE(test_plugins)};

/* Captures "stat" and "record" exist; "record" has a repetition of its own, or what its option
 * `repeat` says. */
static inline int test_capture_known(struct capture_request *c, struct bench_error *err)
{
    static const char *const names[] = {"stat", "record", NULL};

    const char *repeat = settings_get(&c->options, "repeat");

    c->repetitions = strcmp(c->name, "stat") == 0 ? 0 : repeat ? llabs(atoll(repeat)) % 1000 : 1;
    if (strcmp(c->name, "stat") == 0 || strcmp(c->name, "record") == 0)
        return 0;
    return error_unknown(err, "capture", c->name, names);
}

#endif
