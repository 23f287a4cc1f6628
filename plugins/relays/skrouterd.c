/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skrouterd, the router of Skupper: TCP over AMQP between routers.
 *
 *   client ─tcp─► hop 1 ─amqp─► … ─amqp─► hop n ─tcp─► server
 *
 * Hop 1 listens for clients only once a route to the last hop's connector is known, so that its
 * listening port alone says that the whole chain is up.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bench/relay.h>

#include "shared/plugin.h"

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
     .help = "also open a port of each router where skstat and skmanage can look in; skstat, where "
             "it is found, is asked before and after the window"},
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

/* Taking part in no measurement, it is left out where it is not installed. */
static int statistics(void *self, const struct bench_hop *hop, struct bench_process *reader,
                      struct bench_error *err)
{
    const struct state *state = self;
    const char *program = state->management ? host->find_program(reader, "skstat", NULL) : NULL;

    (void)err;
    if (!program)
        return 0;
    host->argument(reader, "%s", program);
    host->argument(reader, "--bus=%s:%u", hop->listen.host, hop->ports[PORT_MANAGEMENT]);
    host->argument(reader, "--general");
    return 0;
}

/* What only goes up, by its name in the table "Router Statistics" and by ours. */
static const struct counted {
    const char *printed, *name;
} counted[] = {
    {"Presettled Count", "presettled"},
    {"Dropped Presettled Count", "dropped_presettled"},
    {"Accepted Count", "accepted"},
    {"Rejected Count", "rejected"},
    {"Released Count", "released"},
    {"Modified Count", "modified"},
    {"Deliveries Delayed > 1sec", "delayed_1s"},
    {"Deliveries Delayed > 10sec", "delayed_10s"},
    {"Ingress Count", "ingress"},
    {"Egress Count", "egress"},
    {"Transit Count", "transit"},
};

/* The value in a line "  NAME   VALUE"; older and newer routers have other lines. */
static bool find_value(const char *table, const char *name, double *ret)
{
    const size_t length = strlen(name);

    for (const char *line = table; line; line = strchr(line, '\n')) {
        char *end;

        line += strspn(line, " \n");
        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        *ret = strtod(line + length, &end);
        return end > line + length && strspn(end, " \r") == strcspn(end, "\n");
    }
    return false;
}

/* "2026-11-20 13:37:55.978193+00:00 UTC", the first line, printed as soon as the router has
 * answered; NaN without it. */
static double answered_at(const char *table)
{
    struct tm t = {0};
    const char *rest = strptime(table, "%Y-%m-%d %H:%M:%S", &t);

    return rest ? (double)timegm(&t) + (*rest == '.' ? fmod(strtod(rest, NULL), 1) : 0) : NAN;
}

static int parse_statistics(void *state, const struct bench_statistics *read,
                            struct bench_result *result, struct bench_error *err)
{
    const double seconds = answered_at(read->end) - answered_at(read->begin);

    (void)state;
    if (!strstr(read->begin, "Router Statistics") || !strstr(read->end, "Router Statistics"))
        return host->fail(err, BENCH_ERROR_RUN, "skstat does not print 'Router Statistics'");
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        double begin, end;

        if (find_value(read->begin, counted[i].printed, &begin) &&
            find_value(read->end, counted[i].printed, &end))
            host->result_total(result, counted[i].name, end - begin);
    }
    /* skstat takes so long to start that what was counted is not of the window alone. */
    if (seconds > 0)
        host->result_total(result, "seconds", seconds);
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

static const char *const version[] = {"--version", NULL};
static const struct bench_program programs[] = {
    {.name = "skrouterd", .version = version}, /* packaged by neither Debian nor Fedora */
    {0},
};

static const struct bench_relay skrouterd = {
    .plugin = {PLUGIN(skrouterd, BENCH_RELAY), .name = "skrouterd",
               .description = "Skupper router, a chain of interior routers", .options = options,
               .state_size = sizeof(struct state), .programs = programs},
    .protocols = protocols,
    .max_hops = 64,
    .extra_ports = PORTS,
    .describe = describe,
    .statistics = statistics,
    .parse_statistics = parse_statistics,
};

PLUGIN_EXPORT(skrouterd)
