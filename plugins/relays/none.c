/* SPDX-License-Identifier: Apache-2.0 */
/* No relay: the client reaches the server directly. The ceiling that every relay is measured
 * against. */
#include <bench/relay.h>

/* Whatever the two ends speak. */
static const char *const protocols[] = {"tcp", "http1", "http2", NULL};

static const struct bench_relay none = {
    .plugin = {.size = sizeof(none),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY,
               .name = "none",
               .description = "no relay: the client reaches the server directly"},
    .protocols = protocols,
    .max_hops = 0,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return &none.plugin;
}
