/* SPDX-License-Identifier: Apache-2.0 */
/* A library that is no plugin: its entry point is not exported. */
#include <bench/relay.h>

/* Another name than the ABI's, so that the header does not export it. */
const struct bench_plugin *bench_plugin_hidden(const struct bench_host *host);

const struct bench_plugin *bench_plugin_hidden(const struct bench_host *host)
{
    (void)host;
    return NULL;
}
