/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for core/process: a role is a pid and a list of pids, a control group and a network are
 * the values that they report. One definition per test program. */
#ifndef FAKE_PROCESS_H
#define FAKE_PROCESS_H

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "process/role.h"

struct cgroup {
    struct cgroup_usage usage;
    struct cgroup_hold hold;
};

struct network {
    struct network_counters counters;
    bool broken;
    const uint64_t *listeners; /* inodes */
    size_t n_listeners;
};

struct role {
    const char *name;
    pid_t pid, component;
    const pid_t *pids;
    size_t n_pids;
    struct cgroup *cgroup;
    struct bench_page *page;
    unsigned lists; /* how often role_pids() was asked */
};

void cgroup_hold(struct cgroup *g, struct cgroup_hold *ret)
{
    *ret = g ? g->hold : (struct cgroup_hold){0};
}

pid_t role_component_pid(const struct role *r)
{
    return r->component;
}

void cgroup_read(struct cgroup *g, struct cgroup_usage *ret)
{
    *ret = g->usage;
}

double cgroup_cpu_ns(const struct cgroup *g)
{
    return g->usage.cpu_ns.state == BENCH_OK ? g->usage.cpu_ns.value : NAN;
}

int network_read(struct network *n, struct network_counters *ret)
{
    if (n->broken)
        return -1;
    *ret = n->counters;
    return 0;
}

size_t network_listeners(struct network *n, uint64_t **ret)
{
    *ret = NULL;
    if (n->n_listeners) {
        *ret = xcalloc(n->n_listeners, sizeof(**ret));
        memcpy(*ret, n->listeners, n->n_listeners * sizeof(**ret));
    }
    return n->n_listeners;
}

const char *role_name(const struct role *r)
{
    return r->name;
}

pid_t role_pid(const struct role *r)
{
    return r->pid;
}

struct cgroup *role_cgroup(const struct role *r)
{
    return r->cgroup;
}

struct bench_page *role_page(const struct role *r)
{
    return r->page;
}

size_t role_pids(const struct role *r, pid_t **ret_pids)
{
    ((struct role *)r)->lists++;
    if (r->n_pids == 0)
        return 0;
    *ret_pids = xcalloc(r->n_pids, sizeof(**ret_pids));
    memcpy(*ret_pids, r->pids, r->n_pids * sizeof(**ret_pids));
    return r->n_pids;
}

#endif
