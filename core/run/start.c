/* SPDX-License-Identifier: Apache-2.0 */
#include "run/parts.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/affinity.h"

/* How often the kernel is asked whether a starting process listens: often while it is young,
 * because most are ready within milliseconds, then rarely. */
#define READY_POLL_MIN (500 * NS_PER_US)
#define READY_POLL_MAX (10 * NS_PER_MS)

int repetition_network(struct network **ret, const struct scenario *s, bool can_isolate,
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

static int make_network(struct repetition *p, struct bench_error *err)
{
    if (repetition_network(&p->network, p->scenario, p->session->containment->network_namespaces,
                           err) < 0)
        return -1;
    p->record.network = xstrdup(network_isolated(p->network) ? "isolated" : "host");
    p->record.congestion = xstrdup(network_congestion(p->network));
    return 0;
}

static int make_ports(struct repetition *p, struct bench_error *err)
{
    for (size_t i = 0; i < p->cast.n_ports; i++)
        if (network_reserve(p->network, &p->cast.ports[i], err) < 0)
            return -1;
    return 0;
}

/* The affinity mask of a member: its own pin, or that of all relays. NULL: inherited. */
static const uint64_t *pin_of(const struct scenario *s, const char *name,
                              uint64_t mask[UNITS_CPU_WORDS], const char **ret_text)
{
    const struct pin *found = NULL;

    for (size_t i = 0; i < s->n_pins; i++) {
        const struct pin *pin = &s->pins[i];

        if (strcmp(pin->role, name) == 0) {
            found = pin;
            break;
        }
        if (strcmp(pin->role, "relay") == 0 && strncmp(name, "relay_", 6) == 0)
            found = pin;
    }
    *ret_text = found ? found->cpus : NULL;
    return found && parse_cpus(found->cpus, mask, NULL) == 0 ? mask : NULL;
}

int repetition_pins(const struct scenario *s, struct bench_error *err)
{
    for (size_t i = 0; i < s->n_pins; i++) {
        uint64_t mask[UNITS_CPU_WORDS] = {0};

        if (parse_cpus(s->pins[i].cpus, mask, err) < 0 || affinity_try(mask, err) < 0)
            return error_context(err, "cpus: %s: '%s'", s->pins[i].role, s->pins[i].cpus);
    }
    return 0;
}

static int spawn_member(struct repetition *p, size_t i, struct bench_error *err)
{
    struct member *m = &p->cast.members[i];
    struct containment *c = p->session->containment;
    const struct scenario *s = p->scenario;
    double limit = m->hop ? scenario_cpu_limit(s, p->arm) : 0;
    cleanup_free char *group = xasprintf("r%u-%s", c->next_group, m->name);
    struct record_role *record = record_add_role(&p->record, m->name);
    uint64_t mask[UNITS_CPU_WORDS] = {0};
    const char *cpus;
    struct role_spec spec = {
        .name = m->name,
        .process = &m->process,
        .directory = m->directory,
        .network = p->network,
        .cpus = pin_of(s, m->name, mask, &cpus),
        .role = m->hop ? NULL : &m->role,
        .state = p->step->point->workload_state,
    };

    for (size_t a = 0; a < m->process.argv.count; a++)
        strings_add(&record->argv, m->process.argv.items[a]);
    for (size_t e = 0; e < m->process.environment.count; e++)
        strings_add(&record->environment, m->process.environment.items[e]);
    record->version = xstrdup(versions_get(&p->session->versions, m));
    record->cpu_limit = limit;
    record->cpu_period_ns = limit > 0 ? s->cpu_period_ns : 0;
    record->cpus = xstrdup(cpus);
    record->status = -1;
    if (directory_make(AT_FDCWD, m->directory, err) < 0)
        return -1;
    if (cgroup_new(&p->cgroups[i], &c->host, c->id, group, limit, s->cpu_period_ns, err) < 0)
        return -1;
    spec.cgroup = p->cgroups[i];
    return role_spawn(&p->roles[i], c, &spec, err);
}

static int spawn_all(struct repetition *p, int64_t deadline, struct bench_error *err)
{
    p->session->containment->next_group++;
    for (size_t i = 0; i < p->cast.count; i++)
        if (spawn_member(p, i, err) < 0)
            return error_context(err, "%s: start", p->cast.members[i].title);
    for (size_t i = 0; i < p->cast.count; i++)
        if (role_wait_held(p->roles[i], deadline, err) < 0)
            return error_context(err, "%s: start", p->cast.members[i].title);
    return 0;
}

static int add_capture(struct repetition *p, const struct capture_ops *ops,
                       const struct settings *options, struct bench_error *err)
{
    if (capture_new(&p->captures[p->n_captures], ops, options, err) < 0)
        return -1;
    p->n_captures++;
    return 0;
}

/* An ordinary repetition has every capture that does without one of its own, unless the arm
 * chooses. */
static bool is_wanted(const struct repetition *p, const struct capture_request *c)
{
    if (p->step->capture)
        return p->step->capture == c;
    if (p->arm->chooses_captures)
        return strings_has(&p->arm->captures, c->name);
    return c->repetitions == 0;
}

static int add_captures(struct repetition *p, struct bench_error *err)
{
    const struct scenario *s = p->scenario;
    size_t most = s->n_captures;

    for (size_t i = 0; captures[i]; i++)
        most++;
    p->captures = xcalloc(most, sizeof(*p->captures));
    for (size_t i = 0; captures[i]; i++)
        if (captures[i]->always && add_capture(p, captures[i], NULL, err) < 0)
            return -1;
    for (size_t i = 0; i < s->n_captures; i++) {
        const struct capture_request *c = &s->captures[i];

        if (is_wanted(p, c) && add_capture(p, capture_find(c->name), &c->options, err) < 0)
            return -1;
    }
    return 0;
}

static int open_captures(struct repetition *p, struct bench_error *err)
{
    struct capture_target target = {
        .facts = p->record.captures,
        .containment = p->session->containment,
        .roles = p->roles,
        .n_roles = p->cast.count,
        .network = p->network,
        .series = &p->record.series,
        .directory = p->directory,
        .title = p->title,
    };

    if (add_captures(p, err) < 0)
        return -1;
    for (size_t i = 0; i < p->n_captures; i++)
        if (capture_open(p->captures[i], &target, err) < 0)
            return -1;
    return 0;
}

static bool is_listening(struct repetition *p, const struct member *m)
{
    for (size_t i = 0; i < m->process.n_ports; i++)
        if (!network_listening(p->network, m->process.ports[i]))
            return false;
    return true;
}

static int release_member(struct repetition *p, size_t i, int64_t deadline, struct bench_error *err)
{
    struct member *m = &p->cast.members[i];
    int64_t pause = READY_POLL_MIN;

    if (role_release(p->roles[i], err) < 0)
        return error_context(err, "%s: start", m->title);
    while (!is_listening(p, m)) {
        if (clock_now() >= deadline) {
            cleanup_free char *tail = file_tail(AT_FDCWD, m->stderr_path, 2000);
            char limit[32];

            error_set(err, BENCH_ERROR_RUN, "%s: start: not listening on port %u after %s",
                      m->title, m->process.ports[0],
                      format_duration(p->scenario->start_timeout_ns, limit, sizeof(limit)));
            error_detail(err, tail);
            error_hint(err, "'start_timeout' gives it more time");
            return -1;
        }
        if (repetition_watch(p, clock_now() + pause, err) < 0)
            return repetition_context(p, "start", m, err);
        if (pause < READY_POLL_MAX)
            pause += pause / 4;
    }
    return 0;
}

/* Before anything is measured: hashing a program for the first time takes a moment. */
static void identify(struct repetition *p, size_t i)
{
    const struct bench_process *process = &p->cast.members[i].process;
    struct identity_cache *known = p->session->identities;
    json_t *binaries = identity_process(known, role_component_pid(p->roles[i]));

    /* The program that a main starts again and again may not be running now. */
    if (process->main && process->program)
        json_array_insert_new(binaries, 0, identity_file(known, process->program));
    p->record.roles[i].binaries = binaries;
}

static int release_all(struct repetition *p, struct bench_error *err)
{
    /* Server first, then the chain from its far end, so that nobody meets a closed port. */
    for (size_t i = 0; i < p->cast.count; i++) {
        size_t m = cast_start_order(&p->cast, i);

        if (m == p->cast.client)
            p->client_begin_ns = clock_now();
        if (release_member(p, m, clock_now() + p->scenario->start_timeout_ns, err) < 0)
            return -1;
        /* A wrapped client's clock runs from its start, so nobody else may delay the warm-up. */
        identify(p, m);
    }
    return 0;
}

int repetition_start(struct repetition *p, struct bench_error *err)
{
    const struct point *point = p->step->point;

    if (make_network(p, err) < 0)
        return -1;
    cast_init(&p->cast, point, p->step->arm, p->directory, p->step->seed);
    p->cgroups = xcalloc(p->cast.count, sizeof(struct cgroup *));
    p->roles = xcalloc(p->cast.count, sizeof(struct role *));
    if (make_ports(p, err) < 0 || cast_describe(&p->cast, err) < 0)
        return -1;
    p->record.delivered = xstrdup(p->cast.delivered == BENCH_CLIENT ? "client" : "server");
    return spawn_all(p, clock_now() + p->scenario->start_timeout_ns, err) < 0 ||
                   open_captures(p, err) < 0 || release_all(p, err) < 0
               ? -1
               : 0;
}
