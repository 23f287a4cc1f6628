/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that does not want to be used. */
#include <bench/relay.h>

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return NULL;
}
