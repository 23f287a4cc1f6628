/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin for a newer minor of the ABI: its struct has grown, which is fine. */
#include <bench/relay.h>

static int describe(void *state, const struct bench_hop *hop, struct bench_process *process,
                    struct bench_error *err)
{
    (void)state, (void)hop, (void)process, (void)err;
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

/* As relay.h of that minor would have it: one more hook at the end. */
struct newer_relay {
    struct bench_relay relay;
    int (*hook_of_the_future)(void *state);
};

static const struct newer_relay newer = {
    .relay =
        {
            .plugin = {.size = sizeof(newer),
                       .abi_major = BENCH_ABI_MAJOR,
                       .abi_minor = BENCH_ABI_MINOR + 7,
                       .kind = BENCH_RELAY,
                       .name = "newer-minor",
                       .description = "a fake"},
            .protocols = protocols,
            .max_hops = 1,
            .describe = describe,
        },
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return &newer.relay.plugin;
}
