/* SPDX-License-Identifier: Apache-2.0 */
/* No relay: the client reaches the server directly. The ceiling that every relay is measured
 * against. */
#include <bench/relay.h>

#include "shared/plugin.h"

/* Whatever the two ends speak. */
static const char *const protocols[] = {"tcp", "http1", "http2", NULL};

static const struct bench_relay none = {
    .plugin = {PLUGIN(none, BENCH_RELAY), .name = "none",
               .description = "no relay: the client reaches the server directly"},
    .protocols = protocols,
    .max_hops = 0,
};

PLUGIN_EXPORT(none)
