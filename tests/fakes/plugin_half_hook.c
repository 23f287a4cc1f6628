/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that says how to ask for its statistics, but not how to read them. */
#include <bench/relay.h>

static const char *const protocols[] = {"tcp", NULL};

static int describe(void *state, const struct bench_hop *hop, struct bench_process *process,
                    struct bench_error *err)
{
    (void)state;
    (void)hop;
    (void)process;
    (void)err;
    return 0;
}

static const struct bench_relay relay = {
    .plugin = {.size = sizeof(relay),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY,
               .name = "half-hook",
               .description = "a fake"},
    .protocols = protocols,
    .max_hops = 1,
    .describe = describe,
    .statistics = describe,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return &relay.plugin;
}
