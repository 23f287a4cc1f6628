/* SPDX-License-Identifier: Apache-2.0 */
#include "site/role_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "plugin/hooks.h"

static const struct arm *arm_of(const struct role_chain *c)
{
    return &c->point->scenario.arms[c->arm];
}

/* Ports of a hop: its own, then the extra ones. */
static uint16_t *hop_ports(const struct role_chain *c, uint32_t hop)
{
    return c->ports + 1 + (size_t)(hop - 1) * (1 + c->point->relays[c->arm]->extra_ports);
}

static void init_role(struct chain_role *r, const char *directory, char *title)
{
    r->title = title;
    r->directory = xasprintf("%s/%s", directory, r->name);
    r->stdout_path = xasprintf("%s/stdout", r->directory);
    r->stderr_path = xasprintf("%s/stderr", r->directory);
}

/* A process of an arm: found where the arm's programs are, with the arm's environment. */
static void init_process(struct bench_process *p, const struct role_chain *c)
{
    const struct arm *arm = arm_of(c);

    process_init(p, arm->path, settings_get(&arm->env, "PATH"));
    p->programs = c->point->relays[c->arm]->plugin.programs;
    for (size_t i = 0; i < arm->env.count; i++)
        host_get()->environment(p, arm->env.items[i].key, "%s", arm->env.items[i].text);
}

static void init_hop(struct role_chain *c, uint32_t hop, const char *directory)
{
    const struct arm *arm = arm_of(c);
    struct chain_role *r = &c->roles[hop];

    r->hop = hop;
    snprintf(r->name, sizeof(r->name), "relay_%u", hop);
    init_role(r, directory, xasprintf("relay '%s' (hop %u)", arm->name, hop));
    init_process(&r->process, c);
    init_process(&r->reader, c);
}

static void init_end(struct role_chain *c, size_t index, const char *name, const char *directory,
                     uint64_t seed)
{
    const struct scenario *s = &c->point->scenario;
    struct chain_role *r = &c->roles[index];

    snprintf(r->name, sizeof(r->name), "%s", name);
    init_role(r, directory, xasprintf("%s of '%s'", name, s->workload));
    process_init(&r->process, NULL, NULL);
    r->process.programs = c->point->workload->plugin.programs;
    r->role = (struct bench_role){
        .size = sizeof(r->role),
        .protocol = s->protocol,
        .jobs = s->jobs,
        .warmup_ns = s->warmup_ns,
        .duration_ns = s->duration_ns,
        .directory = r->directory,
        .seed = seed,
        .rate = s->rate > 0 ? s->rate : 0, /* what is searched for starts with a closed loop */
        .poisson = s->arrivals == ARRIVALS_POISSON,
    };
}

void role_chain_init(struct role_chain *c, const struct point *point, size_t arm,
                     const char *directory, uint64_t seed)
{
    uint32_t hops = point->hops[arm];

    *c = (struct role_chain){.point = point, .arm = arm};
    c->count = hops + 2;
    c->client = hops + 1;
    c->roles = xcalloc(c->count, sizeof(*c->roles));
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

static int describe_hop(struct role_chain *c, uint32_t hop, struct bench_error *err)
{
    const struct scenario *s = &c->point->scenario;
    const struct bench_relay *relay = c->point->relays[c->arm];
    struct chain_role *r = &c->roles[hop];
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
        .cpu_limit = scenario_cpu_limit(s, arm_of(c)),
        .directory = r->directory,
        .connections = s->jobs,
    };

    if (hook_describe(relay, c->point->relay_states[c->arm], &description, &r->process, err) < 0)
        return -1;
    return hook_statistics(relay, c->point->relay_states[c->arm], &description, &r->reader, err);
}

bool chain_role_has_reader(const struct chain_role *r)
{
    return r->reader.argv.count || r->reader.main;
}

/* With the place of the option or key that the plugin names, where the scenario has it. */
static int refused(const struct role_chain *c, const struct chain_role *r, struct bench_error *err)
{
    const struct scenario *s = &c->point->scenario;
    const struct arm *arm = &s->arms[c->arm];
    const char *where = NULL;

    if (err && err->kind == BENCH_ERROR_USAGE)
        where = r->hop ? scenario_blamed(s, &arm->options, arm->where, err->message)
                       : scenario_blamed(s, &s->workload_options, scenario_where(s, "workload"),
                                         err->message);
    error_context(err, "%s", r->title);
    return error_at(err, where);
}

static int describe_role(struct role_chain *c, size_t i, struct bench_error *err)
{
    const struct bench_workload *workload = c->point->workload;
    struct chain_role *r = &c->roles[i];
    int result;

    if (r->hop)
        result = describe_hop(c, r->hop, err);
    else if (i == c->client)
        result = hook_client(workload, c->point->workload_state, &r->role, &r->process, err);
    else
        result = hook_server(workload, c->point->workload_state, &r->role, &r->process, err);
    return result == 0 ? 0 : refused(c, r, err);
}

int role_chain_compose(struct role_chain *c, struct bench_error *err)
{
    c->roles[0].role.listen = address_of(c->ports[0]);
    c->roles[c->client].role.connect =
        address_of(c->point->hops[c->arm] ? hop_ports(c, 1)[0] : c->ports[0]);
    for (size_t i = 0; i < c->count; i++)
        c->roles[i].role.server_directory = c->roles[0].directory;
    if (hook_delivered(c->point->workload, c->point->workload_state, &c->delivered, err) < 0)
        return -1;
    for (size_t i = 0; i < c->count; i++)
        if (describe_role(c, i, err) < 0)
            return -1;
    return 0;
}

int role_chain_resolve(struct role_chain *c, struct bench_error *err)
{
    for (size_t i = 0; i < c->count; i++) {
        struct chain_role *r = &c->roles[i];

        if (process_resolve(&r->process, err) < 0 ||
            (chain_role_has_reader(r) && process_resolve(&r->reader, err) < 0))
            return error_context(err, "%s", r->title);
    }
    return 0;
}

int role_chain_describe(struct role_chain *c, struct bench_error *err)
{
    return role_chain_compose(c, err) < 0 ? -1 : role_chain_resolve(c, err);
}

bool point_pausable(const struct point *point)
{
    struct role_chain chain;
    bool result;

    role_chain_init(&chain, point, 0, "/nonexistent", 0);
    result = hook_pausable(point->workload, point->workload_state, &chain.roles[chain.client].role);
    role_chain_release(&chain);
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

size_t role_chain_start_order(const struct role_chain *c, size_t i)
{
    return i == 0 || i == c->client ? i : c->client - i;
}

void role_chain_release(struct role_chain *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct chain_role *r = &c->roles[i];

        free(r->title);
        free(r->directory);
        free(r->stdout_path);
        free(r->stderr_path);
        process_release(&r->process);
        process_release(&r->reader);
    }
    free(c->roles);
    free(c->ports);
    *c = (struct role_chain){0};
}
