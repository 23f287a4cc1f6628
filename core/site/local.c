/* SPDX-License-Identifier: Apache-2.0 */
#include "site/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/affinity.h"
#include "base/error.h"
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
        error_hint(err, "use 'network: isolated' as root, or leave 'congestion' out");
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

static int check_arm(struct local_host *h, const struct point *point, size_t arm,
                     struct bench_error *err)
{
    struct role_chain chain;
    int result;

    role_chain_init(&chain, point, arm, "/nonexistent", 0);
    for (size_t i = 0; i < chain.n_ports; i++)
        chain.ports[i] = (uint16_t)(1024 + i); /* never opened */
    result = role_chain_describe(&chain, err);
    for (size_t i = 0; result == 0 && i < chain.count; i++)
        versions_ask(&h->versions, &chain.roles[i]);
    role_chain_release(&chain);
    return result;
}

static int check(struct host *host, const struct plan *plan, struct bench_error *err)
{
    struct local_host *h = (struct local_host *)host;
    const struct scenario *s = &plan->scenario;

    for (size_t i = 0; i < s->n_captures; i++)
        if (capture_possible(&s->captures[i], err) < 0)
            return -1;
    for (size_t i = 0; i < plan->n_points; i++) {
        const struct point *point = &plan->points[i];

        if (local_pins(&point->scenario, err) < 0)
            return -1;
        for (size_t arm = 0; arm < point->scenario.n_arms; arm++)
            if (check_arm(h, point, arm, err) < 0)
                return -1;
    }
    return 0;
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
