/* SPDX-License-Identifier: Apache-2.0 */
#include "site/local_site.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "process/descriptors.h"
#include "process/listeners.h"

int local_prepare(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;

    if (local_network(&l->network, l->scenario, l->host->containment->network_namespaces, err) < 0)
        return -1;
    l->record->network = xstrdup(network_isolated(l->network) ? "isolated" : "host");
    l->record->congestion = xstrdup(network_congestion(l->network));
    for (size_t i = 0; i < l->chain->n_ports; i++)
        if (network_reserve(l->network, &l->chain->ports[i], err) < 0)
            return -1;
    return 0;
}

/* The affinity mask of a role: its own pin, or that of all relays. NULL: inherited. */
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

static int spawn(struct local_site *l, size_t i, struct bench_error *err)
{
    struct chain_role *r = &l->chain->roles[i];
    struct local_role *own = &l->roles[i];
    struct containment *c = l->host->containment;
    const struct scenario *s = l->scenario;
    double limit = r->hop ? scenario_cpu_limit(s, l->arm) : 0;
    cleanup_free char *group = xasprintf("r%u-%s", c->next_group, r->name);
    struct record_role *record = record_add_role(l->record, r->name);
    uint64_t mask[UNITS_CPU_WORDS] = {0};
    const char *cpus;
    struct role_spec spec = {
        .name = r->name,
        .process = &r->process,
        .directory = r->directory,
        .network = l->network,
        .cpus = pin_of(s, r->name, mask, &cpus),
        .role = r->hop ? NULL : &r->role,
        .state = l->step->point->workload_state,
        .whole_stdout = !r->hop && l->step->point->workload->parse,
    };

    for (size_t a = 0; a < r->process.argv.count; a++)
        strings_add(&record->argv, r->process.argv.items[a]);
    for (size_t e = 0; e < r->process.environment.count; e++)
        strings_add(&record->environment, r->process.environment.items[e]);
    record->version = xstrdup(versions_get(&l->host->versions, r));
    record->cpu_limit = limit;
    record->cpu_period_ns = limit > 0 ? s->cpu_period_ns : 0;
    record->cpus = xstrdup(cpus);
    record->status = -1;
    if (directory_make(AT_FDCWD, r->directory, err) < 0 ||
        cgroup_new(&own->cgroup, &c->host, c->id, group, limit, s->cpu_period_ns, err) < 0)
        return -1;
    spec.cgroup = own->cgroup;
    if (role_spawn(&own->role, c, &spec, err) < 0)
        return -1;
    l->handles[i] = own->role;
    return 0;
}

int local_hold(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;

    if (role_chain_resolve(l->chain, err) < 0)
        return -1;
    l->host->containment->next_group++;
    for (size_t i = 0; i < l->chain->count; i++)
        if (spawn(l, i, err) < 0)
            return error_context(err, "%s: start", l->chain->roles[i].title);
    return 0;
}

int local_release(struct site *s, size_t role, struct bench_error *err)
{
    struct local_role *own = &((struct local_site *)s)->roles[role];

    own->released = true;
    return role_let_go(own->role, err);
}

/* Before anything is measured: hashing a program for the first time takes a moment. */
void local_identify(struct site *s, size_t role)
{
    struct local_site *l = (struct local_site *)s;
    const struct bench_process *process = &l->chain->roles[role].process;
    struct identity_cache *known = l->host->identities;
    json_t *binaries = identity_process(known, role_component_pid(l->roles[role].role));

    /* The program that a main starts again and again may not be running now. */
    if (process->main && process->program)
        json_array_insert_new(binaries, 0, identity_file(known, process->program));
    l->record->roles[role].binaries = binaries;
}

static bool is_listening(const struct local_site *l, const struct bench_process *process)
{
    for (size_t i = 0; i < process->n_ports; i++)
        if (!network_listening(l->network, process->ports[i]))
            return false;
    return true;
}

static enum site_state held_state(const struct local_role *own)
{
    int held = role_held(own->role, NULL);

    if (held < 0)
        return SITE_EXITED;
    return held ? SITE_HELD : SITE_STARTING;
}

enum site_state local_state(struct site *s, size_t role)
{
    struct local_site *l = (struct local_site *)s;
    struct local_role *own = &l->roles[role];

    if (!own->role)
        return SITE_STARTING;
    if (!own->released)
        return held_state(own);
    if (!own->executing) {
        int started = role_started(own->role, NULL);

        if (started <= 0)
            return started < 0 ? SITE_EXITED : SITE_STARTING;
        own->executing = true;
    }
    if (role_update(own->role) == ROLE_EXITED)
        return SITE_EXITED;
    if (!own->ready) /* asked only until then: the kernel's answer costs */
        own->ready = is_listening(l, &l->chain->roles[role].process);
    return own->ready ? SITE_READY : SITE_RUNNING;
}

int local_status(const struct site *s, size_t role)
{
    const struct local_role *own = &((const struct local_site *)s)->roles[role];

    return own->role ? role_status(own->role) : -1;
}

/* The first that it does not listen on. */
static uint16_t missing_port(const struct local_site *l, const struct chain_role *r)
{
    for (size_t i = 0; i < r->process.n_ports; i++)
        if (!network_listening(l->network, r->process.ports[i]))
            return r->process.ports[i];
    return r->process.ports[0];
}

char *local_last_lines(struct site *s, size_t role, size_t limit)
{
    struct role *r = ((struct local_site *)s)->roles[role].role;

    return r ? role_last_lines(r, limit) : NULL;
}

static int not_listening(struct local_site *l, size_t role, struct bench_error *err)
{
    const struct chain_role *r = &l->chain->roles[role];
    cleanup_free char *tail = role_last_lines(l->roles[role].role, 2000);
    cleanup_strings struct strings elsewhere = {0};
    cleanup_text struct text where = {0};
    cleanup_free pid_t *pids = NULL;
    size_t n = role_pids(l->roles[role].role, &pids);
    char limit[32];

    listeners_find(pids, n, &elsewhere);
    for (size_t i = 0; i < elsewhere.count; i++)
        text_add(&where, "%s%s", i ? ", " : ", but on ", elsewhere.items[i]);
    error_set(err, BENCH_ERROR_RUN, "not listening on port %u after %s%s", missing_port(l, r),
              format_duration(l->scenario->start_timeout_ns, limit, sizeof(limit)),
              text_get(&where));
    error_detail(err, tail);
    if (elsewhere.count)
        error_hint(err, "its command line or configuration has to take the port that it is given");
    else
        error_hint(err, "'start_timeout' gives it more time");
    return -1;
}

/* A client whose connection was closed has failed for want of descriptors elsewhere. */
static void hint_at_descriptors(struct local_site *l, struct bench_error *err)
{
    for (size_t i = 0; i < l->chain->count; i++) {
        cleanup_free pid_t *pids = NULL;
        size_t n = l->roles[i].role ? role_pids(l->roles[i].role, &pids) : 0;
        struct descriptors d;

        for (size_t k = 0; k < n; k++) {
            if (!descriptors_read(pids[k], &d) || !descriptors_exhausted(&d))
                continue;
            error_hint(err,
                       "%s has %" PRIu64 " of the %" PRIu64 " descriptors open that it may have, "
                       "and a relay needs two for each connection: raise 'ulimit -n', or lower "
                       "'jobs'",
                       l->chain->roles[i].title, d.open, d.limit);
            return;
        }
    }
}

int local_error(struct site *s, size_t role, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;
    struct local_role *own = &l->roles[role];
    char limit[32];

    switch (local_state(s, role)) {
    case SITE_EXITED:
        if (own->executing) {
            role_error(own->role, err);
            hint_at_descriptors(l, err);
            return -1;
        }
        return own->released ? role_started(own->role, err) : role_held(own->role, err);
    case SITE_RUNNING:
    case SITE_READY:
        return not_listening(l, role, err);
    default:
        format_duration(l->scenario->start_timeout_ns, limit, sizeof(limit));
        return error_set(err, BENCH_ERROR_RUN, "it did not %s within %s",
                         own->released ? "start" : "reach the gate", limit);
    }
}

nfds_t local_descriptors(struct site *s, struct pollfd *fds)
{
    struct local_site *l = (struct local_site *)s;
    nfds_t n = statistics_descriptors(l->statistics, fds);

    /* Roles that live can bring news; one that has ended has said its last. */
    for (size_t i = 0; i < l->chain->count; i++) {
        struct role *r = l->roles[i].role;

        if (r && role_state(r) != ROLE_EXITED)
            fds[n++] = (struct pollfd){.fd = role_fd(r), .events = POLLIN};
    }
    return n;
}

static struct role *client_of(const struct local_site *l)
{
    return l->roles[l->chain->client].role;
}

void local_pause(struct site *s)
{
    struct role *client = client_of((struct local_site *)s);

    if (client)
        role_pause(client);
}

void local_resume(struct site *s)
{
    struct role *client = client_of((struct local_site *)s);

    if (client)
        role_resume(client);
}

void local_ask_to_stop(struct site *s, size_t role)
{
    struct local_role *own = &((struct local_site *)s)->roles[role];

    if (own->role)
        role_ask_to_stop(own->role);
}

/* What the shared page holds after the last thread has counted: cross-checked against the kernel.
 */
static void add_totals(struct local_site *l, size_t i)
{
    const struct bench_page *page = role_page(l->roles[i].role);
    uint64_t sums[4] = {0};
    static const char *const names[4] = {"bytes_sent", "bytes_received", "kernel_bytes_sent",
                                         "kernel_bytes_received"};

    if (!page)
        return;
    for (size_t s = 0; s < BENCH_SLOTS; s++) {
        const struct bench_slot *slot = &page->slot[s];

        sums[0] += atomic_load(&slot->bytes_sent);
        sums[1] += atomic_load(&slot->bytes_received);
        sums[2] += atomic_load(&slot->kernel_bytes_sent);
        sums[3] += atomic_load(&slot->kernel_bytes_received);
    }
    for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
        cleanup_free char *name = xasprintf("%s.%s", l->chain->roles[i].name, names[k]);

        record_add_total(l->record, name, (double)sums[k]);
    }
}

static void describe_output(struct local_site *l, size_t role)
{
    cleanup_strings struct strings said = {0};

    role_describe_output(l->roles[role].role, &said);
    for (size_t i = 0; i < said.count; i++)
        record_warn(l->record, "%s: %s", l->chain->roles[role].title, said.items[i]);
}

int local_stop(struct site *s, size_t role, bool *ret_forced, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;
    struct local_role *own = &l->roles[role];
    int result;

    *ret_forced = false;
    if (!own->role)
        return 0;
    result = role_stop(own->role, 0, ret_forced, err);
    l->record->roles[role].status = role_status(own->role);
    add_totals(l, role);
    describe_output(l, role);
    return result;
}

int local_remove_groups(struct local_site *l, struct bench_error *err)
{
    int result = 0;

    for (size_t i = 0; i < l->chain->count; i++) {
        struct cgroup *cgroup = l->roles[i].cgroup;

        if (cgroup && cgroup_remove(cgroup, result < 0 ? NULL : err) < 0)
            result = -1;
    }
    return result;
}

void local_free_roles(struct local_site *l)
{
    for (size_t i = 0; i < l->chain->count; i++) {
        role_free(l->roles[i].role);
        cgroup_close(l->roles[i].cgroup);
    }
    free(l->roles);
    free(l->handles);
}

const struct bench_page *local_client_page(const struct local_site *l)
{
    return client_of(l) ? role_page(client_of(l)) : NULL;
}
