/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin for an ABI that this bench does not speak. */
#include <bench/relay.h>

static int describe(void *state, const struct bench_hop *hop, struct bench_process *process,
                    struct bench_error *err)
{
    (void)state, (void)hop, (void)process, (void)err;
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

static const struct bench_relay relay = {
    .plugin = {.size = sizeof(relay),
               .abi_major = BENCH_ABI_MAJOR + 1,
               .abi_minor = 3,
               .kind = BENCH_RELAY,
               .name = "other-major",
               .description = "a fake"},
    .protocols = protocols,
    .max_hops = 1,
    .describe = describe,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return &relay.plugin;
}
