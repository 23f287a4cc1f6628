/* SPDX-License-Identifier: Apache-2.0 */
#include "run/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static const struct arm *arm_of(const struct cast *c)
{
    return &c->point->scenario.arms[c->arm];
}

/* Ports of a hop: its own, then the extra ones. */
static uint16_t *hop_ports(const struct cast *c, uint32_t hop)
{
    return c->ports + 1 + (size_t)(hop - 1) * (1 + c->point->relays[c->arm]->extra_ports);
}

static void init_member(struct member *m, const char *directory, char *title)
{
    m->title = title;
    m->directory = xasprintf("%s/%s", directory, m->name);
    m->stdout_path = xasprintf("%s/stdout", m->directory);
    m->stderr_path = xasprintf("%s/stderr", m->directory);
}

/* A process of an arm: found where the arm's programs are, with the arm's environment. */
static void init_process(struct bench_process *p, const struct cast *c)
{
    const struct arm *arm = arm_of(c);

    process_init(p, arm->path, settings_get(&arm->env, "PATH"));
    p->programs = c->point->relays[c->arm]->plugin.programs;
    for (size_t i = 0; i < arm->env.count; i++)
        host_get()->environment(p, arm->env.items[i].key, "%s", arm->env.items[i].text);
}

static void init_hop(struct cast *c, uint32_t hop, const char *directory)
{
    const struct arm *arm = arm_of(c);
    struct member *m = &c->members[hop];

    m->hop = hop;
    snprintf(m->name, sizeof(m->name), "relay_%u", hop);
    init_member(m, directory, xasprintf("relay '%s' (hop %u)", arm->name, hop));
    init_process(&m->process, c);
    init_process(&m->reader, c);
}

static void init_end(struct cast *c, size_t index, const char *name, const char *directory,
                     uint64_t seed)
{
    const struct scenario *s = &c->point->scenario;
    struct member *m = &c->members[index];

    snprintf(m->name, sizeof(m->name), "%s", name);
    init_member(m, directory, xasprintf("%s of '%s'", name, s->workload));
    process_init(&m->process, NULL, NULL);
    m->process.programs = c->point->workload->plugin.programs;
    m->role = (struct bench_role){
        .size = sizeof(m->role),
        .protocol = s->protocol,
        .jobs = s->jobs,
        .warmup_ns = s->warmup_ns,
        .duration_ns = s->duration_ns,
        .directory = m->directory,
        .seed = seed,
        .rate = s->rate > 0 ? s->rate : 0, /* what is searched for starts with a closed loop */
        .poisson = s->arrivals == ARRIVALS_POISSON,
    };
}

void cast_init(struct cast *c, const struct point *point, size_t arm, const char *directory,
               uint64_t seed)
{
    uint32_t hops = point->hops[arm];

    *c = (struct cast){.point = point, .arm = arm};
    c->count = hops + 2;
    c->client = hops + 1;
    c->members = xcalloc(c->count, sizeof(*c->members));
    c->n_ports = 1 + (size_t)hops * (1 + point->relays[arm]->extra_ports);
    c->ports = xcalloc(c->n_ports, sizeof(*c->ports));
    init_end(c, 0, "server", directory, seed);
    for (uint32_t hop = 1; hop <= hops; hop++)
        init_hop(c, hop, directory);
    init_end(c, c->client, "client", directory, seed);
}

static struct bench_address address_of(uint16_t port)
{
    return (struct bench_address){.host = "127.0.0.1", .port = port};
}

static int describe_hop(struct cast *c, uint32_t hop, struct bench_error *err)
{
    const struct scenario *s = &c->point->scenario;
    const struct bench_relay *relay = c->point->relays[c->arm];
    struct member *m = &c->members[hop];
    uint32_t hops = c->point->hops[c->arm];
    const uint16_t *own = hop_ports(c, hop), *next = hop < hops ? hop_ports(c, hop + 1) : NULL;
    struct bench_hop description = {
        .size = sizeof(description),
        .index = hop,
        .count = hops,
        .listen = address_of(own[0]),
        .upstream = address_of(next ? next[0] : c->ports[0]),
        .protocol = s->protocol,
        .ports = own + 1,
        .next_ports = next ? next + 1 : NULL,
        .cpu_limit = s->cpu_limit,
        .directory = m->directory,
        .connections = s->jobs,
    };

    if (relay->describe(c->point->relay_states[c->arm], &description, &m->process, err) < 0)
        return -1;
    /* A plugin that was built earlier is shorter. */
    if (relay->plugin.size <= offsetof(struct bench_relay, parse_statistics) || !relay->statistics)
        return 0;
    return relay->statistics(c->point->relay_states[c->arm], &description, &m->reader, err);
}

bool member_has_reader(const struct member *m)
{
    return m->reader.argv.count || m->reader.main;
}

static int describe_member(struct cast *c, size_t i, struct bench_error *err)
{
    const struct bench_workload *workload = c->point->workload;
    struct member *m = &c->members[i];
    int result;

    if (m->hop)
        result = describe_hop(c, m->hop, err);
    else if (i == c->client)
        result = workload->client(c->point->workload_state, &m->role, &m->process, err);
    else
        result = workload->server(c->point->workload_state, &m->role, &m->process, err);
    return result == 0 ? 0 : error_context(err, "%s", m->title);
}

int cast_compose(struct cast *c, struct bench_error *err)
{
    const struct bench_workload *workload = c->point->workload;

    c->members[0].role.listen = address_of(c->ports[0]);
    c->members[c->client].role.connect =
        address_of(c->point->hops[c->arm] ? hop_ports(c, 1)[0] : c->ports[0]);
    for (size_t i = 0; i < c->count; i++)
        c->members[i].role.server_directory = c->members[0].directory;
    c->delivered =
        workload->delivered ? workload->delivered(c->point->workload_state) : BENCH_SERVER;
    for (size_t i = 0; i < c->count; i++)
        if (describe_member(c, i, err) < 0)
            return -1;
    return 0;
}

int cast_describe(struct cast *c, struct bench_error *err)
{
    if (cast_compose(c, err) < 0)
        return -1;
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = &c->members[i];

        if (process_resolve(&m->process, err) < 0 ||
            (member_has_reader(m) && process_resolve(&m->reader, err) < 0))
            return error_context(err, "%s", m->title);
    }
    return 0;
}

bool point_pausable(const struct point *point)
{
    const struct bench_workload *workload = point->workload;
    struct cast cast;
    bool result;

    /* A plugin that was built earlier is shorter. */
    if (workload->plugin.size <= offsetof(struct bench_workload, pausable) || !workload->pausable)
        return false;
    cast_init(&cast, point, 0, "/nonexistent", 0);
    result = workload->pausable(point->workload_state, &cast.members[cast.client].role);
    cast_release(&cast);
    return result;
}

int point_check_interleaving(const struct point *point, struct bench_error *err)
{
    if (point->scenario.interleave != INTERLEAVE_YES || point_pausable(point))
        return 0;
    error_set(err, BENCH_ERROR_USAGE,
              "interleave: workload '%s' cannot be paused as it is set up here",
              point->scenario.workload);
    error_hint(err,
               "'interleave: auto' interleaves only where that can be done; 'builtin' can, in a "
               "closed loop that is not paced");
    return -1;
}

size_t cast_start_order(const struct cast *c, size_t i)
{
    return i == 0 || i == c->client ? i : c->client - i;
}

void cast_release(struct cast *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct member *m = &c->members[i];

        free(m->title);
        free(m->directory);
        free(m->stdout_path);
        free(m->stderr_path);
        process_release(&m->process);
        process_release(&m->reader);
    }
    free(c->members);
    free(c->ports);
    *c = (struct cast){0};
}
