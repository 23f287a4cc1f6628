/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the plugins of this tree register:
 *
 *   static const struct bench_relay relay = {
 *       .plugin = {PLUGIN(relay, BENCH_RELAY), .name = …, .description = …},
 *       …
 *   };
 *
 *   PLUGIN_EXPORT(relay)
 */
#ifndef SHARED_PLUGIN_H
#define SHARED_PLUGIN_H

#include <bench/plugin.h>

/* The core's services, from the registration on. */
extern const struct bench_host *host;

/* The first fields of struct bench_plugin. */
#define PLUGIN(self, of_kind)                                                         \
    .size = sizeof(self), .abi_major = BENCH_ABI_MAJOR, .abi_minor = BENCH_ABI_MINOR, \
    .kind = (of_kind)

#define PLUGIN_EXPORT(self)                                                    \
    const struct bench_host *host;                                             \
                                                                               \
    const struct bench_plugin *bench_plugin_get(const struct bench_host *core) \
    {                                                                          \
        host = core;                                                           \
        return &(self).plugin;                                                 \
    }

#endif
