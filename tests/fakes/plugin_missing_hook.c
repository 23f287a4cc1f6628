/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that cannot describe its hops. */
#include <bench/relay.h>

static const char *const protocols[] = {"tcp", NULL};

static const struct bench_relay relay = {
    .plugin = {.size = sizeof(relay),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY,
               .name = "missing-hook",
               .description = "a fake"},
    .protocols = protocols,
    .max_hops = 1,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return &relay.plugin;
}
