/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skrouterd, the router of Skupper: TCP over AMQP between routers.
 *
 *   client ─tcp─► hop 1 ─amqp─► … ─amqp─► hop n ─tcp─► server
 *
 * Hop 1 listens for clients only once a route to the last hop's connector is known, so that its
 * listening port alone says that the whole chain is up.
 */
#include <bench/relay.h>

static const struct bench_host *host;

struct state {
    int64_t worker_threads;
    int management; /* bool */
};

static const struct bench_option options[] = {
    {.name = "worker_threads",
     .type = BENCH_OPTION_INTEGER,
     .offset = BENCH_OFFSET(struct state, worker_threads),
     .unit = "threads",
     .minimum = 1,
     .maximum = 1024,
     .fallback = "4",
     .help = "threads of each router that move data; 4 is skrouterd's own default"},
    {.name = "management",
     .type = BENCH_OPTION_BOOL,
     .offset = BENCH_OFFSET(struct state, management),
     .fallback = "false",
     .help = "also open a port of each router where skstat and skmanage can look in"},
    {0},
};

/* Extra ports of a hop. */
enum { PORT_ROUTERS, PORT_MANAGEMENT, PORTS };

static void add_entity(struct bench_process *p, const char *entity, const char *attributes,
                       const struct bench_address *at)
{
    host->file(p, "skrouterd.conf", "%s {\n    host: %s\n    port: %u\n%s}\n", entity, at->host,
               at->port, attributes);
}

static int describe(void *self, const struct bench_hop *hop, struct bench_process *p,
                    struct bench_error *err)
{
    const struct state *state = self;
    const bool first = hop->index == 1, last = hop->index == hop->count;
    const char *program = host->find_program(p, "skrouterd", err);
    struct bench_address at = hop->listen;

    if (!program)
        return -1;
    host->argument(p, "%s", program);
    host->argument(p, "--config=skrouterd.conf");
    host->file(p, "skrouterd.conf",
               "# hop %u of %u, written by bench\n"
               "router {\n"
               "    mode: interior\n"
               "    id: hop-%u\n"
               "    workerThreads: %lld\n"
               "}\n",
               hop->index, hop->count, hop->index, (long long)state->worker_threads);
    /* Flow logging, on by default, costs throughput; the default module stands for all. */
    host->file(p, "skrouterd.conf", "log {\n    module: DEFAULT\n    enable: warning+\n}\n");
    if (first) {
        add_entity(p, "tcpListener", "    address: bench\n", &hop->listen);
        host->listens(p, hop->listen.port);
    } else {
        at.port = hop->ports[PORT_ROUTERS];
        add_entity(p, "listener", "    role: inter-router\n", &at);
        host->listens(p, at.port);
    }
    if (last) {
        add_entity(p, "tcpConnector", "    address: bench\n", &hop->upstream);
    } else {
        at = hop->upstream;
        at.port = hop->next_ports[PORT_ROUTERS];
        add_entity(p, "connector", "    role: inter-router\n", &at);
    }
    if (state->management) {
        at = hop->listen;
        at.port = hop->ports[PORT_MANAGEMENT];
        add_entity(p, "listener",
                   "    role: normal\n    authenticatePeer: no\n    saslMechanisms: ANONYMOUS\n",
                   &at);
        host->listens(p, at.port);
    }
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

static const char *const version[] = {"--version", NULL};
static const struct bench_program programs[] = {
    {.name = "skrouterd", .version = version}, /* packaged by neither Debian nor Fedora */
    {0},
};

static const struct bench_relay skrouterd = {
    .plugin = {.size = sizeof(skrouterd),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY,
               .name = "skrouterd",
               .description = "Skupper router, a chain of interior routers",
               .options = options,
               .state_size = sizeof(struct state),
               .programs = programs},
    .protocols = protocols,
    .max_hops = 64,
    .extra_ports = PORTS,
    .describe = describe,
};

const struct bench_plugin *bench_plugin_get(const struct bench_host *core)
{
    host = core;
    return &skrouterd.plugin;
}
