/* SPDX-License-Identifier: Apache-2.0 */
/* h2load over HTTP/1.1, against nginx as the origin server: nghttpd speaks HTTP/2 only. */
#include "shared/h2load.h"
#include "shared/origin.h"

static const struct bench_host *host;

static const struct bench_option options[] = {
    H2LOAD_OPTIONS,
    {.name = "pipeline",
     .type = BENCH_OPTION_INTEGER,
     .offset = BENCH_OFFSET(struct h2load, in_flight),
     .unit = "requests",
     .minimum = 1,
     .maximum = 100000,
     .fallback = "1",
     .help = "requests in flight on each connection (HTTP pipelining)"},
    {0},
};

static int server(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct h2load *o = state;

    (void)err;
    origin_describe(host, p, role, o->server_threads, o->requests_size);
    return 0;
}

static int client(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    return h2load_client(host, state, true, role, p, err);
}

static int parse(void *state, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err)
{
    return h2load_parse(host, state, left, result, err);
}

/* As plain TCP every relay carries it. */
static const char *const protocols[] = {"tcp", "http1", NULL};

static const struct bench_program programs[] = {
    H2LOAD_PROGRAM,
    ORIGIN_PROGRAM,
    {0},
};

static const struct bench_workload workload = {
    .plugin = {.size = sizeof(workload),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_WORKLOAD,
               .name = "h2load-h1",
               .description = "HTTP/1.1 requests of h2load to nginx",
               .options = options,
               .state_size = sizeof(struct h2load),
               .programs = programs},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = parse,
};

BENCH_EXPORT const struct bench_plugin *bench_plugin_get(const struct bench_host *core)
{
    host = core;
    return &workload.plugin;
}
