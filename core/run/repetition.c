/* SPDX-License-Identifier: Apache-2.0 */
#include "run/repetition.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/capture.h"
#include "process/affinity.h"
#include "run/describe.h"

/* How often the kernel is asked whether a starting process listens: often while it is young,
 * because most are ready within milliseconds, then rarely. */
#define READY_POLL_MIN (500 * NS_PER_US)
#define READY_POLL_MAX (10 * NS_PER_MS)

struct repetition {
    struct session *session;
    const struct step *step;
    const struct scenario *scenario;
    const struct arm *arm;
    char *directory;
    struct network *network;
    struct cast cast;        /* who plays: descriptions, in chain order */
    struct cgroup **cgroups; /* per member */
    struct role **roles;     /* per member; NULL until spawned */
    struct capture **captures;
    size_t n_captures;
    struct histogram *latencies[BENCH_LATENCIES]; /* the client's at the window's begin, or NULL */
    bool capturing;                               /* between begin and end */
    bool interrupted;
    const struct member *ended; /* although nobody asked */
    bool client_done;           /* a wrapper's client ended by itself, as it should */
    int64_t started_ns;
    int64_t client_begin_ns, client_end_ns; /* released; seen to have ended, or stopped */
    struct repetition_record record;
};

struct repetition *repetition_new(struct session *session, const struct step *step,
                                  const char *directory)
{
    struct repetition *p = xcalloc(1, sizeof(*p));
    const struct point *point = step->point;
    struct repetition_record *record = &p->record;

    p->session = session;
    p->step = step;
    p->scenario = &point->scenario;
    p->arm = &p->scenario->arms[step->arm];
    p->directory = xstrdup(directory);
    p->started_ns = clock_now();
    record->index = step->index;
    record->block = step->block;
    record->arm = xstrdup(p->arm->name);
    record->relay = xstrdup(p->arm->plugin);
    record->point = xstrdup(point->label);
    record->hops = point->hops[step->arm];
    record->seed = step->seed;
    record->started_wall_ns = clock_wall();
    record->wall_minus_monotonic_ns = record->started_wall_ns - p->started_ns;
    return p;
}

struct repetition_record *repetition_record(struct repetition *p)
{
    return &p->record;
}

bool repetition_interrupted(const struct repetition *p)
{
    return p->interrupted;
}

/* --- waiting ------------------------------------------------------------------------------- */

/* A role ended although nobody asked. Fine only for the client of a wrapper that has succeeded. */
static int check_role(struct repetition *p, size_t i, struct bench_error *err)
{
    struct role *role = p->roles[i];

    if (role_update(role) != ROLE_EXITED)
        return 0;
    if (i == p->cast.client && p->step->point->workload->parse && role_status(role) == 0) {
        if (!p->client_done)
            p->client_end_ns = clock_now();
        p->client_done = true;
        return 0;
    }
    return role_error(role, err);
}

static int check_roles(struct repetition *p, struct bench_error *err)
{
    for (size_t i = 0; i < p->cast.count; i++)
        if (p->roles[i] && check_role(p, i, err) < 0) {
            p->ended = &p->cast.members[i];
            return -1;
        }
    return 0;
}

/* Says who it was: the member that ended, else the one (may be NULL) that was waited for. */
static int add_context(const struct repetition *p, const char *phase, const struct member *awaited,
                       struct bench_error *err)
{
    const struct member *m = p->ended ? p->ended : awaited;

    return m ? error_context(err, "%s: %s", m->title, phase) : error_context(err, "%s", phase);
}

/* Roles that live can bring news; one that has ended has said its last. */
static nfds_t poll_set(const struct repetition *p, struct pollfd fds[MAX_MEMBERS + 1])
{
    nfds_t n = 0;

    fds[n++] = (struct pollfd){.fd = p->session->interrupt_fd, .events = POLLIN};
    for (size_t i = 0; i < p->cast.count; i++)
        if (p->roles[i] && role_status(p->roles[i]) == -1)
            fds[n++] = (struct pollfd){.fd = role_fd(p->roles[i]), .events = POLLIN};
    return n;
}

/* Waits until `until_ns`, a role's unexpected end (-1), an interrupt (-1), or the planned end of a
 * wrapper's client. */
static int watch(struct repetition *p, int64_t until_ns, struct bench_error *err)
{
    struct pollfd fds[MAX_MEMBERS + 1];

    for (;;) {
        struct timespec left = clock_timespec(until_ns - clock_now());
        int ready;

        /* First, not only when poll says so: other calls may have read the news. */
        if (check_roles(p, err) < 0)
            return -1;
        if (p->client_done)
            return 0;
        ready = ppoll(fds, poll_set(p, fds), &left, NULL);
        if (ready < 0 && errno != EINTR)
            return error_errno(err, BENCH_ERROR_RUN, errno, "poll");
        if (ready > 0 && fds[0].revents) {
            p->interrupted = true;
            return error_set(err, BENCH_ERROR_RUN, "interrupted");
        }
        if (ready == 0 && clock_now() >= until_ns)
            return 0;
    }
}

/* --- starting ------------------------------------------------------------------------------ */

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
    double limit = m->hop ? s->cpu_limit : 0;
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

static int open_captures(struct repetition *p, struct bench_error *err)
{
    const struct scenario *s = p->scenario;
    struct capture_target target = {
        .roles = p->roles,
        .n_roles = p->cast.count,
        .network = p->network,
        .series = &p->record.series,
        .directory = p->directory,
    };
    size_t most = s->n_captures;

    for (size_t i = 0; captures[i]; i++)
        most++;
    p->captures = xcalloc(most, sizeof(*p->captures));
    for (size_t i = 0; captures[i]; i++)
        if (captures[i]->always &&
            capture_new(&p->captures[p->n_captures++], captures[i], NULL, err) < 0)
            return -1;
    for (size_t i = 0; i < s->n_captures; i++)
        if (capture_new(&p->captures[p->n_captures++], capture_find(s->captures[i].name),
                        &s->captures[i].options, err) < 0)
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
        if (watch(p, clock_now() + pause, err) < 0)
            return add_context(p, "start", m, err);
        if (pause < READY_POLL_MAX)
            pause += pause / 4;
    }
    return 0;
}

/* Before anything is measured: hashing a program for the first time takes a moment. */
static void identify(struct repetition *p, size_t i)
{
    p->record.roles[i].binaries =
        identity_process(p->session->identities, role_component_pid(p->roles[i]));
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

/* --- phases -------------------------------------------------------------------------------- */

/* Tells every built-in role. */
static void set_phase(struct repetition *p, enum bench_phase phase)
{
    for (size_t i = 0; i < p->cast.count; i++) {
        struct bench_page *page = p->roles[i] ? role_page(p->roles[i]) : NULL;

        if (page)
            atomic_store(&page->phase, phase);
    }
}

/* --- measuring ----------------------------------------------------------------------------- */

static int64_t sample(struct repetition *p)
{
    int64_t now = clock_now();
    int64_t *row = series_add_row(&p->record.series, now);

    for (size_t i = 0; i < p->n_captures; i++)
        capture_sample(p->captures[i], row);
    return now;
}

static void report_progress(struct repetition *p, enum progress_phase phase)
{
    const struct session *session = p->session;
    struct progress progress = {.phase = phase, .step = p->step, .bits_per_second = NAN};
    const struct series *s = &p->record.series;
    cleanup_free char *column = NULL;
    size_t first;

    if (!session->progress)
        return;
    column = xasprintf("%s.bytes_received", p->record.delivered);
    first = s->n_rows > 5 ? s->n_rows - 6 : 0;
    if (s->n_rows > first + 1) {
        struct bench_value v = series_delta(s, column, first, s->n_rows - 1);

        if (v.state == BENCH_OK)
            progress.bits_per_second =
                v.value * 8e9 / (double)(s->times[s->n_rows - 1] - s->times[first]);
    }
    session->progress(session->progress_context, &progress);
}

/* Samples on every tick until `end_ns`; the tick that would fall on the end is left to the caller.
 */
static int tick_until(struct repetition *p, int64_t begin_ns, int64_t end_ns,
                      enum progress_phase phase, struct bench_error *err)
{
    int64_t tick = p->scenario->tick_ns, next = begin_ns + tick;

    while (next < end_ns && !p->client_done) {
        if (watch(p, next, err) < 0)
            return -1;
        /* Ticks that were slept through are gone: made up for, they would all show one moment. */
        next += ((sample(p) - next) / tick + 1) * tick;
        report_progress(p, phase);
    }
    return p->client_done ? 0 : watch(p, end_ns, err);
}

int repetition_warm_up(struct repetition *p, struct bench_error *err)
{
    int64_t begin = clock_now();

    report_progress(p, PROGRESS_WARMUP);
    if (p->scenario->warmup_ns > 0) {
        set_phase(p, BENCH_PHASE_WARMUP);
        sample(p);
        if (tick_until(p, begin, begin + p->scenario->warmup_ns, PROGRESS_WARMUP, err) < 0)
            return add_context(p, "warm-up", NULL, err);
    }
    p->record.warmup_ns = clock_now() - begin;
    return 0;
}

static int end_captures(struct repetition *p, struct bench_error *err)
{
    int result = 0;

    p->capturing = false;
    for (size_t i = 0; i < p->n_captures; i++)
        if (capture_end(p->captures[i], result ? NULL : err) < 0)
            result = -1;
    return result;
}

/* A window in which nothing moved has measured nothing, however healthy everybody looked. */
static int check_moved(const struct repetition *p, struct bench_error *err)
{
    static const char *const quantities[] = {"bytes_received", "operations"};
    const struct series *s = &p->record.series;
    size_t first = 0;

    while (first < s->n_rows && s->times[first] < p->record.window_begin_ns)
        first++;
    for (size_t i = 0; i < ARRAY_SIZE(quantities); i++) {
        cleanup_free char *name = xasprintf("%s.%s", p->record.delivered, quantities[i]);
        struct bench_value v = series_delta(s, name, first, s->n_rows - 1);

        /* Without a count a wrapper's parser has the word. */
        if (v.state != BENCH_OK || v.value > 0)
            return 0;
    }
    error_set(err, BENCH_ERROR_RUN, "%s: moved no data in the window",
              p->cast.members[p->cast.client].title);
    error_hint(err, "is the relay connected to anything? its output is in '%s'", p->directory);
    return -1;
}

/* The client's distribution of one kind up to now; NULL when it keeps none. Caller frees. */
static struct histogram *read_latency(const struct repetition *p, enum bench_latency kind)
{
    const struct bench_page *page = role_page(p->roles[p->cast.client]);
    struct histogram *h;
    uint32_t used;

    if (!page || !(atomic_load(&page->latencies) & 1u << kind))
        return NULL;
    h = histogram_new();
    used = atomic_load(&page->slots);
    for (uint32_t i = 0; i < used && i < BENCH_HISTOGRAMS; i++)
        histogram_add_shared(h, &page->histogram[kind][i]);
    return h;
}

static void begin_latencies(struct repetition *p)
{
    for (int kind = 0; kind < BENCH_LATENCIES; kind++)
        p->latencies[kind] = read_latency(p, kind);
}

static void end_latencies(struct repetition *p)
{
    static const char *const names[BENCH_LATENCIES] = {"service", "response", "lag"};

    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        struct histogram *h = read_latency(p, kind);

        if (h && p->latencies[kind])
            histogram_subtract(h, p->latencies[kind]);
        if (h)
            record_add_latency(&p->record, names[kind], h);
    }
}

int repetition_window(struct repetition *p, struct bench_error *err)
{
    struct timespec before, after;
    int64_t begin;

    p->capturing = true;
    for (size_t i = 0; i < p->n_captures; i++)
        if (capture_begin(p->captures[i], err) < 0)
            return -1;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    begin = sample(p);
    begin_latencies(p);
    set_phase(p, BENCH_PHASE_WINDOW);
    if (tick_until(p, begin, begin + p->scenario->duration_ns, PROGRESS_WINDOW, err) < 0)
        return add_context(p, "window", NULL, err);
    p->record.window_begin_ns = begin;
    p->record.window_end_ns = sample(p);
    end_latencies(p);
    set_phase(p, BENCH_PHASE_END);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    p->record.bench_cpu_ns =
        (after.tv_sec - before.tv_sec) * NS_PER_S + after.tv_nsec - before.tv_nsec;
    return end_captures(p, err) < 0 || check_moved(p, err) < 0 ? -1 : 0;
}

/* --- stopping ------------------------------------------------------------------------------ */

/* What the shared pages hold after the last thread has counted: cross-checked against the kernel.
 */
static void add_totals(struct repetition *p, size_t i)
{
    const struct bench_page *page = role_page(p->roles[i]);
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
        cleanup_free char *name = xasprintf("%s.%s", p->cast.members[i].name, names[k]);

        record_add_total(&p->record, name, (double)sums[k]);
    }
}

/* Of several failures the first is told: `*result` and `err` keep it. */
static void stop_member(struct repetition *p, size_t i, int *result, struct bench_error *err)
{
    struct record_role *record = i < p->record.n_roles ? &p->record.roles[i] : NULL;

    if (!p->roles || !p->roles[i])
        return;
    if (role_stop(p->roles[i], p->scenario->stop_timeout_ns, &record->forced,
                  *result < 0 ? NULL : err) < 0)
        *result = -1;
    record->status = role_status(p->roles[i]);
    add_totals(p, i);
}

/* The tool's own word on what it did, in its own window. */
static int parse_leftovers(struct repetition *p, struct bench_error *err)
{
    const struct bench_workload *workload = p->step->point->workload;
    const struct member *client = &p->cast.members[p->cast.client];
    const struct member *server = &p->cast.members[0];
    struct repetition_record *record = &p->record;
    struct bench_result result = {0};
    struct bench_leftovers left = {
        .size = sizeof(left),
        .client_stdout = client->stdout_path,
        .client_stderr = client->stderr_path,
        .client_directory = client->directory,
        .server_stdout = server->stdout_path,
        .server_stderr = server->stderr_path,
        .server_directory = server->directory,
        .client_status = record->roles[p->cast.client].status,
        .window_begin_ns = record->window_begin_ns + record->wall_minus_monotonic_ns,
        .window_end_ns = record->window_end_ns + record->wall_minus_monotonic_ns,
        .client_begin_ns = p->client_begin_ns + record->wall_minus_monotonic_ns,
        .client_end_ns = p->client_end_ns + record->wall_minus_monotonic_ns,
    };
    int status;

    if (!workload->parse)
        return 0;
    result.begin_ns = left.window_begin_ns;
    result.end_ns = left.window_end_ns;
    status = workload->parse(p->step->point->workload_state, &left, &result, err);
    if (status < 0)
        error_context(err, "workload '%s'", workload->plugin.name);
    for (size_t i = 0; status == 0 && i < result.n_totals; i++)
        record_add_total(record, result.totals[i].metric, result.totals[i].value);
    if (status == 0 && result.requests > 0) {
        record_add_total(record, "operations", (double)(result.requests - result.failed_requests));
        record_add_total(record, "errors_client", (double)result.failed_requests);
    }
    if (status == 0 && result.latencies) {
        record_add_latency(record, "service", result.latencies);
        result.latencies = NULL;
    }
    if (status == 0 && result.has_window) {
        record->window_begin_ns = result.begin_ns - record->wall_minus_monotonic_ns;
        record->window_end_ns = result.end_ns - record->wall_minus_monotonic_ns;
    }
    result_release(&result);
    return status;
}

/* The client's own word that its numbers must not be used. */
static int check_valid(const struct repetition *p, struct bench_error *err)
{
    const struct bench_page *page = role_page(p->roles[p->cast.client]);

    if (!page || !page->invalid[0])
        return 0;
    return error_set(err, BENCH_ERROR_RUN, "%s: INVALID: %.*s",
                     p->cast.members[p->cast.client].title, (int)sizeof(page->invalid),
                     page->invalid);
}

/* A wrapper's client is given the time to finish and write its results. */
static void await_client(struct repetition *p)
{
    if (p->step->point->workload->parse && p->roles[p->cast.client] && !p->client_done)
        watch(p, clock_now() + p->scenario->stop_timeout_ns, NULL);
}

int repetition_stop(struct repetition *p, const struct bench_error *failure,
                    struct bench_error *err)
{
    struct repetition_record *record = &p->record;
    struct bench_error first = failure ? *failure : (struct bench_error){0};
    bool failed = failure != NULL;
    int result = 0;

    if (p->capturing)
        end_captures(p, NULL);
    if (p->roles) {
        if (!failed)
            await_client(p);
        /* The client first and alone: its connections are then intact when it counts its bytes. */
        stop_member(p, p->cast.client, &result, err);
        if (!p->client_done)
            p->client_end_ns = clock_now();
        for (size_t i = 0; i < p->cast.count; i++)
            if (p->roles[i])
                role_ask_to_stop(p->roles[i]);
        for (size_t i = 0; i < p->cast.count; i++)
            if (i != p->cast.client)
                stop_member(p, i, &result, err);
    }
    if (!failed && (check_valid(p, &first) < 0 || parse_leftovers(p, &first) < 0))
        failed = true;
    for (size_t i = 0; i < p->n_captures; i++)
        capture_free(p->captures[i]);
    p->n_captures = 0;
    for (size_t i = 0; p->cgroups && i < p->cast.count; i++) {
        if (p->cgroups[i] && cgroup_remove(p->cgroups[i], result < 0 ? NULL : err) < 0)
            result = -1;
    }
    record->ok = !failed;
    record->error = first;
    record->total_ns = clock_now() - p->started_ns;
    return result;
}

void repetition_free(struct repetition *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_captures; i++)
        capture_free(p->captures[i]);
    free(p->captures);
    for (int kind = 0; kind < BENCH_LATENCIES; kind++)
        free(p->latencies[kind]);
    for (size_t i = 0; i < p->cast.count; i++) {
        if (p->roles)
            role_free(p->roles[i]);
        if (p->cgroups)
            cgroup_close(p->cgroups[i]);
    }
    free(p->roles);
    free(p->cgroups);
    network_free(p->network);
    cast_release(&p->cast);
    free(p->directory);
    record_release(&p->record);
    free(p);
}
