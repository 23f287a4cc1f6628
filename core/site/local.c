/* SPDX-License-Identifier: Apache-2.0 */
#include "site/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/affinity.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "environment/facts.h"
#include "site/local_site.h"

int local_network(struct network **ret, const struct scenario *s, bool can_isolate,
                  struct bench_error *err)
{
    bool isolated = s->network == NETWORK_ISOLATED || (s->network == NETWORK_AUTO && can_isolate);
    const char *congestion = s->congestion;

    if (isolated && !congestion)
        congestion = "reno";
    if (!isolated && congestion) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "congestion '%s' needs a network of its own, and there is none", congestion);
        error_hint(
            err, "use 'network: isolated' as root or in a user namespace ('unshare -Ur bench …'), "
                 "or leave 'congestion' out");
        return -1;
    }
    if (network_new(ret, isolated, congestion, err) < 0)
        return error_context(err, "network");
    return 0;
}

int local_pins(const struct scenario *s, struct bench_error *err)
{
    for (size_t i = 0; i < s->n_pins; i++) {
        uint64_t mask[UNITS_CPU_WORDS] = {0};

        if (parse_cpus(s->pins[i].cpus, mask, err) < 0 || affinity_try(mask, err) < 0)
            return error_context(err, "cpus: %s: '%s'", s->pins[i].role, s->pins[i].cpus);
    }
    return 0;
}

/* ---- what stands in the way of a plan ---- */

static void add_obstacle(struct obstacles *o, const struct bench_error *err)
{
    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->items[i].message, err->message) == 0)
            return; /* at every point of a sweep */
    o->items = grow(o->items, &o->capacity, o->count + 1, sizeof(*o->items));
    o->items[o->count++] = *err;
}

void obstacles_release(struct obstacles *o)
{
    free(o->items);
    *o = (struct obstacles){0};
}

/* `versions`: asks for them too, which starts the programs; or NULL. */
static int check_arm(struct versions *versions, const struct point *point, size_t arm,
                     struct bench_error *err)
{
    struct role_chain chain;
    int result;

    role_chain_init(&chain, point, arm, "/nonexistent", 0);
    for (size_t i = 0; i < chain.n_ports; i++)
        chain.ports[i] = (uint16_t)(1024 + i); /* never opened */
    result = role_chain_describe(&chain, err);
    for (size_t i = 0; result == 0 && versions && i < chain.count; i++)
        versions_ask(versions, &chain.roles[i]);
    role_chain_release(&chain);
    return result;
}

/* A relay holds two descriptors for a connection, and every program some of its own. */
enum { OWN_DESCRIPTORS = 16 };

static int check_descriptors(const struct point *point, struct bench_error *err)
{
    long long jobs = point->scenario.jobs, need = OWN_DESCRIPTORS + jobs;
    struct rlimit limit;

    for (size_t arm = 0; arm < point->scenario.n_arms; arm++)
        if (point->hops[arm])
            need = OWN_DESCRIPTORS + 2 * jobs;
    /* The soft limit of a role is raised (process/init.c). */
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max >= (rlim_t)need)
        return 0;
    error_set(err, BENCH_ERROR_ENVIRONMENT,
              "jobs: %lld connections need %lld open files in one process: the limit is %llu", jobs,
              need, (unsigned long long)limit.rlim_max);
    error_hint(err,
               "raise it ('ulimit -n %lld' as root, LimitNOFILE= of a service, nofile in "
               "'/etc/security/limits.conf'), or ask for fewer 'jobs'",
               need);
    return -1;
}

/* What this process holds, measured: 17 for each role that is alive, and one for each of its
 * events. */
enum { DESCRIPTORS_OF_A_ROLE = 20, DEFAULT_EVENTS = 10 };

static size_t count_events(const struct scenario *s)
{
    size_t events = 0;

    for (size_t i = 0; i < s->n_captures; i++) {
        const char *named = settings_get(&s->captures[i].options, "events");
        cleanup_strings struct strings names = {0};

        strings_split(&names, named ? named : "", ", ");
        events += named ? names.count : DEFAULT_EVENTS;
    }
    return events;
}

static size_t count_roles(const struct point *point)
{
    bool together = point->scenario.interleave != INTERLEAVE_NO && point_pausable(point);
    size_t roles = 0;

    for (size_t arm = 0; arm < point->scenario.n_arms; arm++) {
        size_t own = point->hops[arm] + 2;

        roles = together ? roles + own : own > roles ? own : roles;
    }
    return roles;
}

static int check_own_descriptors(const struct point *point, struct bench_error *err)
{
    size_t roles = count_roles(point);
    rlim_t need =
        OWN_DESCRIPTORS + roles * (DESCRIPTORS_OF_A_ROLE + count_events(&point->scenario));
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
        return 0;
    limit.rlim_cur = need;
    if (need <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return 0;
    error_set(err, BENCH_ERROR_ENVIRONMENT,
              "bench needs %llu open files to start %zu roles and count their events: the limit is "
              "%llu",
              (unsigned long long)need, roles, (unsigned long long)limit.rlim_max);
    error_hint(err, "raise it ('ulimit -n %llu' as root, nofile in '/etc/security/limits.conf')",
               (unsigned long long)need);
    return -1;
}

/* Every connection of a hop takes one of the ports that the kernel chooses from; a network of its
 * own has the host's range. */
static int check_ports(const struct point *point, struct bench_error *err)
{
    cleanup_free char *range = file_peek("/proc/sys/net/ipv4/ip_local_port_range");
    long long low, high, jobs = point->scenario.jobs;

    if (!range || sscanf(range, "%lld %lld", &low, &high) != 2 || jobs <= high - low + 1)
        return 0;
    error_set(err, BENCH_ERROR_ENVIRONMENT,
              "jobs: %lld connections need as many local ports: there are %lld", jobs,
              high - low + 1);
    error_hint(err, "sysctl net.ipv4.ip_local_port_range='1024 65535', or ask for fewer 'jobs'");
    return -1;
}

/* Set and taken back. */
static int try_limit(const struct containment *c, double limit, int64_t period_ns,
                     struct bench_error *err)
{
    struct cgroup *group;
    int result;

    if (limit <= 0)
        return 0;
    if (cgroup_new(&group, &c->host, c->id, "try", limit, period_ns, err) < 0)
        return error_context(err, "cpu_limit");
    result = cgroup_remove(group, err);
    cgroup_close(group);
    return result;
}

static int try_network(const struct containment *c, const struct scenario *s,
                       struct bench_error *err)
{
    struct network *network;

    if (local_network(&network, s, c->network_namespaces, err) < 0)
        return -1;
    network_free(network);
    return 0;
}

/* Once for each kind of limit and network in the sweep. */
static void try_point(const struct containment *c, const struct point *point, struct strings *tried,
                      struct obstacles *ret)
{
    const struct scenario *s = &point->scenario;
    cleanup_free char *network =
        xasprintf("network %d %s", (int)s->network, s->congestion ? s->congestion : "");
    struct bench_error err = {0};

    if (!strings_has(tried, network)) {
        strings_add(tried, network);
        if (try_network(c, s, &err) < 0)
            add_obstacle(ret, &err);
    }
    for (size_t arm = 0; arm < s->n_arms; arm++) {
        double limit = point->hops[arm] ? scenario_cpu_limit(s, &s->arms[arm]) : 0;
        cleanup_free char *key = xasprintf("limit %g %lld", limit, (long long)s->cpu_period_ns);

        if (strings_has(tried, key))
            continue;
        strings_add(tried, key);
        if (try_limit(c, limit, s->cpu_period_ns, &err) < 0)
            add_obstacle(ret, &err);
    }
}

typedef int (*point_fn)(const struct point *point, struct bench_error *err);

static int check_pins(const struct point *point, struct bench_error *err)
{
    return local_pins(&point->scenario, err);
}

static void find_obstacles(const struct containment *c, struct versions *versions,
                           const struct plan *plan, struct obstacles *ret)
{
    static const point_fn checks[] = {check_pins, check_descriptors, check_own_descriptors,
                                      check_ports};
    const struct scenario *s = &plan->scenario;
    cleanup_strings struct strings tried = {0};
    struct bench_error err = {0};

    for (size_t i = 0; i < s->n_captures; i++)
        if (capture_possible(&s->captures[i], &err) < 0)
            add_obstacle(ret, &err);
    for (size_t i = 0; i < plan->n_points; i++) {
        const struct point *point = &plan->points[i];

        for (size_t k = 0; k < ARRAY_SIZE(checks); k++)
            if (checks[k](point, &err) < 0)
                add_obstacle(ret, &err);
        for (size_t arm = 0; arm < point->scenario.n_arms; arm++)
            if (check_arm(versions, point, arm, &err) < 0)
                add_obstacle(ret, &err);
        try_point(c, point, &tried, ret);
    }
}

void local_obstacles(const struct containment *c, const struct plan *plan, struct obstacles *ret)
{
    find_obstacles(c, NULL, plan, ret);
}

static int check(struct host *host, const struct plan *plan, struct bench_error *err)
{
    struct local_host *h = (struct local_host *)host;
    struct obstacles obstacles = {0};
    int result = 0;

    find_obstacles(h->containment, &h->versions, plan, &obstacles);
    if (obstacles.count) {
        *err = obstacles.items[0];
        result = -1;
    }
    obstacles_release(&obstacles);
    return result;
}

static json_t *facts(struct host *host)
{
    return facts_collect(&((struct local_host *)host)->containment->host);
}

static int remove_site(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;

    local_free_captures(l);
    statistics_free(l->statistics);
    l->statistics = NULL;
    return local_remove_groups(l, err);
}

static void free_site(struct site *s)
{
    struct local_site *l = (struct local_site *)s;

    local_free_captures(l);
    statistics_free(l->statistics);
    local_free_roles(l);
    network_free(l->network);
    free(l->directory);
    free(l->title);
    free(l);
}

static const struct site_ops site_ops = {
    .prepare = local_prepare,
    .hold = local_hold,
    .open_captures = local_open_captures,
    .release = local_release,
    .identify = local_identify,
    .state = local_state,
    .status = local_status,
    .error = local_error,
    .last_lines = local_last_lines,
    .descriptors = local_descriptors,
    .set_phase = local_set_phase,
    .sample = local_sample,
    .read_statistics = local_read_statistics,
    .statistics_ready = local_statistics_ready,
    .begin = local_begin,
    .begin_slice = local_begin_slice,
    .end_slice = local_end_slice,
    .end = local_end,
    .pause = local_pause,
    .resume = local_resume,
    .ask_to_stop = local_ask_to_stop,
    .stop = local_stop,
    .valid = local_valid,
    .finish = local_finish,
    .remove = remove_site,
    .free = free_site,
};

static struct site *open_site(struct host *host, const struct site_spec *spec)
{
    struct local_site *l = xcalloc(1, sizeof(*l));

    l->site.ops = &site_ops;
    l->host = (struct local_host *)host;
    l->step = spec->step;
    l->scenario = &spec->step->point->scenario;
    l->arm = &l->scenario->arms[spec->step->arm];
    l->chain = spec->chain;
    l->record = spec->record;
    l->directory = xstrdup(spec->directory);
    l->title = xstrdup(spec->title);
    l->roles = xcalloc(l->chain->count, sizeof(*l->roles));
    l->handles = xcalloc(l->chain->count, sizeof(*l->handles));
    return &l->site;
}

static const struct host_ops host_ops = {.check = check, .facts = facts, .open = open_site};

void local_host_init(struct local_host *h, struct containment *containment)
{
    *h = (struct local_host){.host.ops = &host_ops, .containment = containment};
    h->identities = identity_cache_new();
}

void local_host_release(struct local_host *h)
{
    versions_release(&h->versions);
    identity_cache_free(h->identities);
}
