/* SPDX-License-Identifier: Apache-2.0 */
/* h2load over HTTP/2 without TLS, against nghttpd, which speaks nothing else. */
#include "shared/h2load.h"
#include "shared/origin.h"
#include "shared/wrapper.h"

static const struct bench_option options[] = {
    H2LOAD_OPTIONS,
    {.name = "streams",
     .type = BENCH_OPTION_INTEGER,
     .offset = BENCH_OFFSET(struct h2load, in_flight),
     .unit = "streams",
     .minimum = 1,
     .maximum = 100000,
     .fallback = "1",
     .help = "requests in flight on each connection"},
    {0},
};

static int server(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct h2load *o = state;

    (void)err;
    host->argument(p, "nghttpd");
    host->argument(p, "--no-tls");
    host->argument(p, "--htdocs=.");
    host->argument(p, "--workers=%lld", (long long)o->server_threads);
    host->argument(p, "--max-concurrent-streams=%lld", (long long)o->in_flight);
    host->argument(p, "--address=%s", role->listen.host);
    host->argument(p, "%u", role->listen.port);
    origin_payload(p, o->requests_size);
    host->listens(p, role->listen.port);
    return 0;
}

static int client(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    return h2load_client(state, false, role, p, err);
}

/* As plain TCP every relay carries it. */
static const char *const protocols[] = {"tcp", "http2", NULL};

static const struct bench_program programs[] = {
    H2LOAD_PROGRAM,
    {.name = "nghttpd",
     .version = (const char *const[]){"--version", NULL},
     .apt = "nghttp2-server",
     .dnf = "nghttp2"},
    {0},
};

static const struct bench_workload workload = {
    .plugin = {PLUGIN(workload, BENCH_WORKLOAD), .name = "h2load",
               .description = "HTTP/2 requests of h2load to nghttpd", .options = options,
               .state_size = sizeof(struct h2load), .programs = programs},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = h2load_parse,
};

PLUGIN_EXPORT(workload)
