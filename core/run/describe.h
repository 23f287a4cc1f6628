/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who plays in a repetition, and as which process: the server, the hops of the chain and the
 * client, each described by its plugin. Pure description: nothing is started here, so the runner
 * can ask for every arm's cast beforehand and find a missing program before the first second is
 * measured.
 */
#ifndef RUN_DESCRIBE_H
#define RUN_DESCRIBE_H

#include "plan/plan.h"
#include "plugin/host.h"

struct member {
    char name[16]; /* "server", "relay_1", "client": the role's name everywhere */
    char *title;   /* for messages: "relay 'nginx' (hop 1)", "server of 'builtin'" */
    uint32_t hop;  /* 1 … n, 0 for server and client */
    char *directory, *stdout_path, *stderr_path;
    struct bench_process process;
    struct bench_process reader; /* of a hop's own statistics; without arguments or main: none */
    struct bench_role role;      /* server and client */
};

/* Longest chain: scenario_check() refuses more hops. */
#define MAX_MEMBERS (SCENARIO_MAX_HOPS + 2)

/* Members in the order server, relay_1 … relay_n, client. */
struct cast {
    const struct point *point;
    size_t arm;
    struct member *members;
    size_t count, client; /* index of the client */
    uint16_t
        *ports; /* to be filled before cast_describe(): server, then each hop's own and extra */
    size_t n_ports;
    enum bench_side delivered;
};

/* Whether the clients of this point may be stopped and continued between slices of the window. */
bool point_pausable(const struct point *point);
/* -1 (USAGE) when they may not, and `interleave: yes` asks for it. */
int point_check_interleaving(const struct point *point, struct bench_error *err);

/* `directory` is the repetition's. */
void cast_init(struct cast *c, const struct point *point, size_t arm, const char *directory,
               uint64_t seed);
/* Calls the plugins' description hooks: what they refuse needs no machine to be wrong. */
int cast_compose(struct cast *c, struct bench_error *err);
/* The same, and finds the programs. */
int cast_describe(struct cast *c, struct bench_error *err);
/* Whether it is a hop of a relay that tells what it counts itself. */
bool member_has_reader(const struct member *m);
/* The i-th member to start: server, last hop … first hop, client. */
size_t cast_start_order(const struct cast *c, size_t i);
void cast_release(struct cast *c);

#endif
