/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of a repetition: its roles (server, the hops, client), each as the process that its
 * plugin describes. Pure description: nothing is started here, so that every arm can be described
 * beforehand and a missing program is found before the first second is measured.
 *
 * Life: role_chain_init → fill `ports` → role_chain_compose or role_chain_describe →
 * role_chain_release.
 */
#ifndef SITE_ROLE_CHAIN_H
#define SITE_ROLE_CHAIN_H

#include "plan/plan.h"
#include "plugin/host.h"

struct chain_role {
    char name[16]; /* "server", "relay_1", "client": the role's name everywhere */
    char *title;   /* for messages: "relay 'nginx' (hop 1)", "server of 'builtin'" */
    uint32_t hop;  /* 1 … n, 0 for server and client */
    char *directory, *stdout_path, *stderr_path;
    struct bench_process process;
    struct bench_process reader; /* of a hop's own statistics; without arguments or main: none */
    struct bench_role role;      /* server and client */
};

/* Longest chain: scenario_check() refuses more hops. */
#define CHAIN_MAX_ROLES (SCENARIO_MAX_HOPS + 2)

/* Roles in the order server, relay_1 … relay_n, client. */
struct role_chain {
    const struct point *point;
    size_t arm;
    struct chain_role *roles;
    size_t count, client; /* index of the client */
    uint16_t
        *ports; /* to be filled before role_chain_compose(): server, each hop's own and extra */
    size_t n_ports;
    enum bench_side delivered;
};

/* Whether the clients of this point may be stopped and continued between slices of the window. */
bool point_pausable(const struct point *point);
/* -1 (USAGE) when they may not, and `interleave: yes` asks for it. */
int point_check_interleaving(const struct point *point, struct bench_error *err);

/* `directory` is the repetition's. */
void role_chain_init(struct role_chain *c, const struct point *point, size_t arm,
                     const char *directory, uint64_t seed);
/* Calls the plugins' description hooks: what they refuse needs no machine to be wrong. */
int role_chain_compose(struct role_chain *c, struct bench_error *err);
/* Finds the programs of what was composed, on this machine. */
int role_chain_resolve(struct role_chain *c, struct bench_error *err);
/* Both. */
int role_chain_describe(struct role_chain *c, struct bench_error *err);
/* Whether it is a hop of a relay that tells what it counts itself. */
bool chain_role_has_reader(const struct chain_role *r);
/* The i-th role to start: server, last hop … first hop, client. */
size_t role_chain_start_order(const struct role_chain *c, size_t i);
void role_chain_release(struct role_chain *c);

#endif
