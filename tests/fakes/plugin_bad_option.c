/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin whose option table does not fit: the field lies outside the state. */
#include <bench/relay.h>

struct state {
    int64_t workers;
};

static const struct bench_option options[] = {
    {.name = "workers", .type = BENCH_OPTION_INTEGER, .offset = 4096, .help = "far away"},
    {0},
};

static int describe(void *state, const struct bench_hop *hop, struct bench_process *process,
                    struct bench_error *err)
{
    (void)state, (void)hop, (void)process, (void)err;
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

static const struct bench_relay relay = {
    .plugin = {.size = sizeof(relay),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY,
               .name = "bad-option",
               .description = "a fake",
               .options = options,
               .state_size = sizeof(struct state)},
    .protocols = protocols,
    .max_hops = 1,
    .describe = describe,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *host)
{
    (void)host;
    return &relay.plugin;
}
