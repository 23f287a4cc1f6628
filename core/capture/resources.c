/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture that is part of every repetition. Its columns, all cumulative unless said otherwise:
 *
 *   ROLE.cpu_ns, .user_ns, .system_ns               CPU time of the role's control group
 *   ROLE.throttled_ns, .periods, .throttled_periods of its CPU limit; 0 without one
 *   ROLE.rss_bytes                                  gauge: resident memory, see processes.h
 *   ROLE.runqueue_ns, .involuntary                  of its threads, see tasks.h
 *   ROLE.workers                                    gauge: threads that accept connections
 *   ROLE.workers_ns, .busiest_ns                    CPU time of these, and of the busiest
 *   ROLE.bytes_sent, .bytes_received, .operations, .connections, .errors, .due
 *                                                   roles with a shared page only: the workload's
 *   system.user_ns, .nice_ns, .system_ns, .idle_ns, .iowait_ns, .irq_ns, .softirq_ns, .steal_ns
 *                                                   all CPUs; the kernel counts in ticks (10 ms)
 *   system.cpu_ns                                   all processes of the machine, by the clock of
 *                                                   the groups: see process/machine_cpu.h
 *   net.segments_out, .segments_in, .retransmits, .active_opens, .passive_opens,
 *      .listen_overflows, .listen_drops, .resets_out
 *                                                   of the repetition's network
 *   bench.cpu_ns                                    the bench itself
 *
 * On every tick are read the CPU time of the roles and of the bench and the workload's counters.
 * The rest is for totals, see capture.h.
 *
 * ROLE.cpu_ns is what the scheduler charges, and the limit acts upon: it may be another's time, see
 * "Whose CPU time is it" in docs/measurement.md. The kernel's one other clock, perf's task-clock,
 * is right but costs about a microsecond per context switch, so it is for `stat` only.
 *
 * ROLE is "client", "server", "relay_1", … Without a control group, ROLE.cpu_ns is the sum of the
 * process clocks (its reason says so) and what only a group can tell is BENCH_NOT_SUPPORTED.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/processes.h"
#include "process/machine_cpu.h"
#include "capture/tasks.h"

/* Quantities that are fields of one struct. */
struct field {
    const char *name;
    size_t offset;
};

static const struct field usage_fields[] = {
    {"cpu_ns", offsetof(struct cgroup_usage, cpu_ns)},
    {"user_ns", offsetof(struct cgroup_usage, user_ns)},
    {"system_ns", offsetof(struct cgroup_usage, system_ns)},
    {"throttled_ns", offsetof(struct cgroup_usage, throttled_ns)},
    {"periods", offsetof(struct cgroup_usage, periods)},
    {"throttled_periods", offsetof(struct cgroup_usage, throttled_periods)},
};

static const struct field task_fields[] = {
    {"runqueue_ns", offsetof(struct tasks_sums, runqueue_ns)},
    {"involuntary", offsetof(struct tasks_sums, involuntary)},
};

static const struct field worker_fields[] = {
    {"workers", offsetof(struct workers, alive)},
    {"workers_ns", offsetof(struct workers, cpu_ns)},
    {"busiest_ns", offsetof(struct workers, busiest_ns)},
};

static const struct field page_fields[] = {
    {"bytes_sent", offsetof(struct bench_slot, bytes_sent)},
    {"bytes_received", offsetof(struct bench_slot, bytes_received)},
    {"operations", offsetof(struct bench_slot, operations)},
    {"connections", offsetof(struct bench_slot, connections)},
    {"errors", offsetof(struct bench_slot, errors)},
    {"due", offsetof(struct bench_slot, due)},
};

static const struct field network_fields[] = {
    {"segments_out", offsetof(struct network_counters, segments_out)},
    {"segments_in", offsetof(struct network_counters, segments_in)},
    {"retransmits", offsetof(struct network_counters, retransmits)},
    {"active_opens", offsetof(struct network_counters, active_opens)},
    {"passive_opens", offsetof(struct network_counters, passive_opens)},
    {"listen_overflows", offsetof(struct network_counters, listen_overflows)},
    {"listen_drops", offsetof(struct network_counters, listen_drops)},
    {"resets_out", offsetof(struct network_counters, resets_out)},
};

/* In the order of /proc/stat's "cpu" line. */
static const char *const system_fields[] = {"user_ns",   "nice_ns", "system_ns",  "idle_ns",
                                            "iowait_ns", "irq_ns",  "softirq_ns", "steal_ns"};

struct watched_role {
    struct role *role;
    struct processes processes;
    struct tasks tasks;
    bool process_clocks;                           /* no group counts CPU time */
    size_t usage, rss, tasks_at, workers_at, page; /* first column of each */
    size_t *looks;                                 /* the row of each look at the tasks */
    size_t n_looks, looks_capacity;
};

struct resources {
    bool opened;
    struct watched_role *roles;
    size_t n_roles;
    struct series *series; /* not owned */
    struct network *network;
    int stat; /* /proc/stat */
    struct machine_cpu machine;
    size_t system, machine_at, net, bench;
};

static size_t add(struct series *s, const char *subject, const char *quantity,
                  enum series_kind kind, enum bench_state state, const char *reason)
{
    cleanup_free char *name = xasprintf("%s.%s", subject, quantity);

    return series_add_column(s, name, kind, state, reason);
}

static const struct bench_value *usage_value(const struct cgroup_usage *usage, size_t field)
{
    return (const void *)((const char *)usage + usage_fields[field].offset);
}

static size_t add_usage(struct watched_role *w, struct series *s)
{
    size_t first = s->n_columns;
    struct cgroup_usage usage;

    cgroup_read(role_cgroup(w->role), &usage);
    w->process_clocks = usage.cpu_ns.state != BENCH_OK;
    for (size_t i = 0; i < ARRAY_SIZE(usage_fields); i++) {
        enum bench_state state = usage_value(&usage, i)->state;
        const char *reason = "no control group counts it here; 'bench check' says why";

        if (state == BENCH_OK) {
            reason = NULL;
        } else if (i == 0) {
            state = BENCH_OK;
            reason = "no control group: the sum of the process clocks, looked up once per second, "
                     "so processes that live shorter may be missing";
        }
        add(s, role_name(w->role), usage_fields[i].name, SERIES_COUNTER, state, reason);
    }
    return first;
}

static size_t add_tasks(const char *role, struct series *s)
{
    size_t first = s->n_columns;
    bool supported = tasks_supported();

    for (size_t i = 0; i < ARRAY_SIZE(task_fields); i++)
        add(s, role, task_fields[i].name, SERIES_COUNTER,
            supported ? BENCH_OK : BENCH_NOT_SUPPORTED,
            supported ? NULL : "this kernel has no '/proc/PID/schedstat'");
    return first;
}

static size_t add_workers(const char *role, struct series *s)
{
    size_t first = s->n_columns;
    bool supported = tasks_supported() && loops_supported();

    for (size_t i = 0; i < ARRAY_SIZE(worker_fields); i++)
        add(s, role, worker_fields[i].name, i == 0 ? SERIES_GAUGE : SERIES_COUNTER,
            supported ? BENCH_OK : BENCH_NOT_SUPPORTED,
            supported ? NULL : "this kernel does not show for what threads wait");
    return first;
}

static void open_role(struct watched_role *w, struct role *role, struct series *s)
{
    const char *name = role_name(role);

    w->role = role;
    processes_init(&w->processes, role);
    w->usage = add_usage(w, s);
    w->rss = add(s, name, "rss_bytes", SERIES_GAUGE, BENCH_OK, NULL);
    w->tasks_at = add_tasks(name, s);
    w->workers_at = add_workers(name, s);
    w->page = s->n_columns;
    for (size_t i = 0; role_page(role) && i < ARRAY_SIZE(page_fields); i++)
        add(s, name, page_fields[i].name, SERIES_COUNTER, BENCH_OK, NULL);
}

static int open_resources(void *state, const struct capture_target *t, struct bench_error *err)
{
    struct resources *r = state;
    struct network_counters counters;
    bool network, counted;

    r->stat = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    if (r->stat < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot open '/proc/stat'");
    r->opened = true;
    r->series = t->series;
    r->roles = xcalloc(t->n_roles, sizeof(*r->roles));
    r->n_roles = t->n_roles;
    for (size_t i = 0; i < t->n_roles; i++)
        open_role(&r->roles[i], t->roles[i], t->series);

    r->system = t->series->n_columns;
    for (size_t i = 0; i < ARRAY_SIZE(system_fields); i++)
        add(t->series, "system", system_fields[i], SERIES_COUNTER, BENCH_OK, NULL);

    machine_cpu_open(&r->machine);
    counted = machine_cpu_read(&r->machine) >= 0;
    r->machine_at =
        add(t->series, "system", "cpu_ns", SERIES_COUNTER, counted ? BENCH_OK : BENCH_NOT_SUPPORTED,
            counted ? NULL : "no control group counts the CPU time of all processes");

    r->network = t->network;
    r->net = t->series->n_columns;
    network = network_read(t->network, &counters) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(network_fields); i++)
        add(t->series, "net", network_fields[i].name, SERIES_COUNTER,
            network ? BENCH_OK : BENCH_FAILED,
            network ? NULL : "cannot read the TCP statistics of '/proc/net'");

    r->bench = add(t->series, "bench", "cpu_ns", SERIES_COUNTER, BENCH_OK, NULL);
    return 0;
}

static void sample_cpu(struct watched_role *w, int64_t *row)
{
    double ns = cgroup_cpu_ns(role_cgroup(w->role));

    if (!isnan(ns))
        row[w->usage] = (int64_t)ns;
}

static void sample_usage(struct watched_role *w, int64_t *row)
{
    struct cgroup_usage usage;

    cgroup_read(role_cgroup(w->role), &usage);
    for (size_t i = 0; i < ARRAY_SIZE(usage_fields); i++) {
        const struct bench_value *value = usage_value(&usage, i);

        if (value->state == BENCH_OK)
            row[w->usage + i] = (int64_t)value->value;
    }
}

static void give_up(struct series *s, size_t first, size_t n, const char *reason)
{
    for (size_t i = 0; i < n; i++)
        if (s->columns[first + i].state == BENCH_OK)
            series_give_up(s, first + i, BENCH_NOT_COUNTED, reason);
}

/* Said once; from then on nothing is known. */
static void give_tasks_up(struct watched_role *w, struct series *s)
{
    cleanup_free char *reason =
        xasprintf("the role has more than %d threads, too many to look at each with every sample",
                  TASKS_MOST);

    give_up(s, w->tasks_at, ARRAY_SIZE(task_fields), reason);
    give_up(s, w->workers_at, ARRAY_SIZE(worker_fields), reason);
}

static void sample_tasks(struct watched_role *w, struct resources *r, int64_t *row)
{
    bool known = !w->tasks.too_many;
    struct tasks_sums sums;

    if (!tasks_look(&w->tasks, &w->processes, r->network, &sums)) {
        if (known && w->tasks.too_many)
            give_tasks_up(w, r->series);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(task_fields); i++)
        memcpy(&row[w->tasks_at + i], (const char *)&sums + task_fields[i].offset, sizeof(*row));
    w->looks = grow(w->looks, &w->looks_capacity, w->n_looks + 1, sizeof(*w->looks));
    w->looks[w->n_looks++] = r->series->n_rows - 1;
}

/* Which threads are workers is known at the end only. */
static void fill_workers(struct watched_role *w, struct resources *r)
{
    if (w->tasks.too_many || w->n_looks == 0)
        return;
    if (tasks_choose_workers(&w->tasks, r->network) == 0) {
        give_up(r->series, w->workers_at, ARRAY_SIZE(worker_fields),
                "none of its threads accepts connections in a loop of its own: they share one, or "
                "wait in a way that the kernel does not show");
        return;
    }
    for (size_t look = 0; look < w->n_looks; look++) {
        int64_t *row = &r->series->values[w->looks[look] * r->series->n_columns];
        struct workers sums;

        tasks_workers(&w->tasks, look, &sums);
        for (size_t i = 0; i < ARRAY_SIZE(worker_fields); i++)
            memcpy(&row[w->workers_at + i], (const char *)&sums + worker_fields[i].offset,
                   sizeof(*row));
    }
}

static int end_resources(void *state, struct bench_error *err)
{
    struct resources *r = state;

    (void)err;
    for (size_t i = 0; i < r->n_roles; i++)
        fill_workers(&r->roles[i], r);
    return 0;
}

static void sample_page(const struct watched_role *w, int64_t *row)
{
    const struct bench_page *page = role_page(w->role);
    uint64_t sums[ARRAY_SIZE(page_fields)] = {0};
    uint32_t slots;

    if (!page)
        return;
    slots = atomic_load_explicit(&page->slots, memory_order_relaxed);
    if (slots > BENCH_SLOTS)
        slots = BENCH_SLOTS;
    for (uint32_t i = 0; i < slots; i++)
        for (size_t f = 0; f < ARRAY_SIZE(page_fields); f++) {
            const char *slot = (const char *)&page->slot[i];
            const _Atomic uint64_t *counter = (const void *)(slot + page_fields[f].offset);

            sums[f] += atomic_load_explicit(counter, memory_order_relaxed);
        }
    for (size_t f = 0; f < ARRAY_SIZE(page_fields); f++)
        row[w->page + f] = (int64_t)sums[f];
}

static void sample_system(const struct resources *r, int64_t *row)
{
    int64_t tick = NS_PER_S / sysconf(_SC_CLK_TCK);
    char buffer[256], *p = buffer;

    /* The first line sums all CPUs; the rest of the file is not needed. */
    if (file_again(r->stat, buffer, sizeof(buffer)) <= 0 || strncmp(p, "cpu ", 4) != 0)
        return;
    p += 4;
    for (size_t i = 0; i < ARRAY_SIZE(system_fields); i++) {
        char *end;
        unsigned long long ticks = strtoull(p, &end, 10);

        if (end == p)
            return;
        row[r->system + i] = (int64_t)ticks * tick;
        p = end;
    }
}

static void sample_machine(const struct resources *r, int64_t *row)
{
    int64_t ns = machine_cpu_read(&r->machine);

    if (ns >= 0)
        row[r->machine_at] = ns;
}

static void sample_network(const struct resources *r, int64_t *row)
{
    struct network_counters counters;

    if (network_read(r->network, &counters) < 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(network_fields); i++)
        memcpy(&row[r->net + i], (const char *)&counters + network_fields[i].offset, sizeof(*row));
}

/* What rates from tick to tick are made of. */
static void sample_resources(void *state, int64_t *row)
{
    struct resources *r = state;
    struct timespec own;

    for (size_t i = 0; i < r->n_roles; i++) {
        struct watched_role *w = &r->roles[i];

        sample_page(w, row);
        if (w->process_clocks)
            processes_sample(&w->processes, &row[w->rss], &row[w->usage]);
        else
            sample_cpu(w, row);
    }
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) == 0)
        row[r->bench] = own.tv_sec * NS_PER_S + own.tv_nsec;
}

static void sample_resource_totals(void *state, int64_t *row)
{
    struct resources *r = state;

    for (size_t i = 0; i < r->n_roles; i++) {
        struct watched_role *w = &r->roles[i];

        sample_usage(w, row);
        if (!w->process_clocks)
            processes_sample(&w->processes, &row[w->rss], NULL);
        sample_tasks(w, r, row);
    }
    sample_system(r, row);
    sample_machine(r, row);
    sample_network(r, row);
}

static void close_resources(void *state)
{
    struct resources *r = state;

    for (size_t i = 0; i < r->n_roles; i++) {
        processes_release(&r->roles[i].processes);
        tasks_release(&r->roles[i].tasks);
        free(r->roles[i].looks);
    }
    if (r->opened)
        close(r->stat);
    machine_cpu_close(&r->machine);
    free(r->roles);
}

const struct capture_ops capture_resources = {
    .name = "resources",
    .help = "CPU, throttling and memory per role, workload counters, system CPU, TCP statistics",
    .state_size = sizeof(struct resources),
    .always = true,
    .open = open_resources,
    .sample = sample_resources,
    .sample_totals = sample_resource_totals,
    .end = end_resources,
    .close = close_resources,
};
