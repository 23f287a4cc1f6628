/* SPDX-License-Identifier: Apache-2.0 */
/* h2load over HTTP/1.1, against nginx as the origin server: nghttpd speaks HTTP/2 only. */
#include "shared/h2load.h"
#include "shared/origin.h"
#include "shared/wrapper.h"

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
    origin_describe(p, role, o->server_threads, o->requests_size);
    return 0;
}

static int client(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    return h2load_client(state, true, role, p, err);
}

/* As plain TCP every relay carries it. */
static const char *const protocols[] = {"tcp", "http1", NULL};

static const struct bench_program programs[] = {
    H2LOAD_PROGRAM,
    ORIGIN_PROGRAM,
    {0},
};

static const struct bench_workload workload = {
    .plugin = {PLUGIN(workload, BENCH_WORKLOAD), .name = "h2load-h1",
               .description = "HTTP/1.1 requests of h2load to nginx", .options = options,
               .state_size = sizeof(struct h2load), .programs = programs},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = h2load_parse,
};

PLUGIN_EXPORT(workload)
