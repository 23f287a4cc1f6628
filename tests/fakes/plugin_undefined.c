/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that misses a library: one of its symbols is nowhere. */
#include <bench/relay.h>

const struct bench_plugin *bench_fake_nowhere(void);

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return bench_fake_nowhere();
}
