/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture `stat`: performance counters per role, of all its processes and threads. Columns, for
 * each role and each event NAME as the user wrote it:
 *
 *   ROLE.event:NAME             cumulative count, raw; clocks (task-clock) in ns
 *   ROLE.event:NAME.enabled_ns  time for which it was asked to count, summed over threads
 *   ROLE.event:NAME.running_ns  time for which it really counted
 *
 * Only the first exists when the event could not be opened; its state and reason say why. A reason
 * on a column that is OK is a note ("user only: …"). Whoever reads them scales: deltas of a window
 * with running < enabled are value × enabled / running and BENCH_SCALED (the PMU had fewer
 * counters than events and took turns); running 0 with enabled above 0 is BENCH_NOT_COUNTED; both 0
 * means that the role did not run at all, so 0 is its true count.
 *
 * Every event is opened on its own, not in groups: a group that does not fit the PMU counts
 * nothing at all, and its members cannot be inherited and read together. The price is that events
 * which took turns (cycles, instructions) may have counted different moments.
 *
 * Opened on the role's init while it stands at the gate, inherited by all that it starts; enabled
 * from the window's begin to its end. The init itself sleeps and adds nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/events.h"
#include "capture/roles.h"

struct counter {
    int fd;
    size_t column; /* value, then enabled_ns and running_ns */
};

struct stat_state {
    char *events, *roles; /* options */
    struct counter *counters;
    size_t n_counters, capacity;
};

/* Those that the machine lacks stay empty columns with the reason. */
#define DEFAULT_EVENTS                                                                     \
    "task-clock,context-switches,cpu-migrations,page-faults,cycles,instructions,branches," \
    "branch-misses,cache-references,cache-misses"

static const struct bench_option options[] = {
    {
        .name = "events",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct stat_state, events),
        .fallback = DEFAULT_EVENTS,
        .help = "events to count, separated by commas: perf's names, rNNNN, SYSTEM:TRACEPOINT, "
                "PMU::EVENT; modifiers as in cycles:u",
    },
    {
        .name = "roles",
        .type = BENCH_OPTION_STRING,
        .offset = BENCH_OFFSET(struct stat_state, roles),
        .fallback = "all",
        .help = "whose events: " ROLES_HELP,
    },
    {0},
};

/* An event that cannot be looked up here may still be right: it becomes a column that says so. */
static int check_event(const char *name, struct bench_error *err)
{
    struct perf_event_attr attr;
    struct bench_error found = {0};

    if (event_encode(name, &attr, &found) == 0 || found.kind == BENCH_ERROR_ENVIRONMENT)
        return 0;
    *err = found;
    return -1;
}

static int check_stat(void *state, struct bench_error *err)
{
    struct stat_state *s = state;
    cleanup_strings struct strings events = {0}, seen = {0};

    strings_split(&events, s->events, ", ");
    if (events.count == 0) {
        error_set(err, BENCH_ERROR_USAGE, "option 'events' is empty");
        error_hint(err, "leave it out for the default");
        return -1;
    }
    if (roles_check(s->roles, err) < 0)
        return -1;
    for (size_t i = 0; i < events.count; i++) {
        if (strings_has(&seen, events.items[i]))
            return error_set(err, BENCH_ERROR_USAGE, "event '%s' is named twice", events.items[i]);
        if (check_event(events.items[i], err) < 0)
            return -1;
        strings_add(&seen, events.items[i]);
    }
    return 0;
}

/* On this process, which the kernel treats as it will treat the roles. */
static int try_event(const char *name, struct bench_error *err)
{
    struct perf_event_attr attr;
    enum bench_state state;
    bool user_only;
    int fd;

    if (event_encode(name, &attr, err) < 0)
        return -1;
    attr.inherit = 1;
    attr.disabled = 1;
    fd = event_open(name, &attr, 0, &user_only, &state, err);
    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

/* Events that were named are wanted; of the default ones, those that the machine has. */
static int probe_stat(void *state, struct bench_error *err)
{
    struct stat_state *s = state;
    cleanup_strings struct strings events = {0};

    if (strcmp(s->events, DEFAULT_EVENTS) == 0)
        return 0;
    strings_split(&events, s->events, ", ");
    for (size_t i = 0; i < events.count; i++)
        if (try_event(events.items[i], err) < 0)
            return -1;
    return 0;
}

static size_t add(struct series *s, const char *role, const char *event, const char *suffix,
                  enum bench_state state, const char *reason)
{
    cleanup_free char *name = xasprintf("%s.event:%s%s", role, event, suffix);

    return series_add_column(s, name, SERIES_COUNTER, state, reason);
}

static void add_refused(struct series *s, const char *role, const char *event,
                        enum bench_state state, const struct bench_error *why)
{
    cleanup_free char *reason =
        *why->hint ? xasprintf("%s; hint: %s", why->message, why->hint) : xstrdup(why->message);

    add(s, role, event, "", state, reason);
}

static void open_counter(struct stat_state *s, struct series *series, const struct role *role,
                         const char *event)
{
    const char *name = role_name(role);
    enum bench_state state = BENCH_NOT_SUPPORTED;
    struct bench_error why = {0};
    struct perf_event_attr attr;
    struct counter counter = {.fd = -1};
    bool user_only = false;

    if (event_encode(event, &attr, &why) == 0) {
        attr.inherit = 1;
        attr.disabled = 1;
        attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
        counter.fd = event_open(event, &attr, role_pid(role), &user_only, &state, &why);
    }
    if (counter.fd < 0) {
        add_refused(series, name, event, state, &why);
        return;
    }
    counter.column = add(series, name, event, "", BENCH_OK,
                         user_only ? "user only: kernel mode is not counted, because "
                                     "'/proc/sys/kernel/perf_event_paranoid' forbids it"
                                   : NULL);
    add(series, name, event, ".enabled_ns", BENCH_OK, NULL);
    add(series, name, event, ".running_ns", BENCH_OK, NULL);
    s->counters = grow(s->counters, &s->capacity, s->n_counters + 1, sizeof(*s->counters));
    s->counters[s->n_counters++] = counter;
}

static int open_stat(void *state, const struct capture_target *t, struct bench_error *err)
{
    struct stat_state *s = state;
    cleanup_strings struct strings events = {0};

    (void)err;
    strings_split(&events, s->events, ", ");
    for (size_t r = 0; r < t->n_roles; r++) {
        if (!roles_name(s->roles, role_name(t->roles[r])))
            continue;
        for (size_t e = 0; e < events.count; e++)
            open_counter(s, t->series, t->roles[r], events.items[e]);
    }
    return 0;
}

static int control(const struct stat_state *s, unsigned long request, const char *verb,
                   struct bench_error *err)
{
    for (size_t i = 0; i < s->n_counters; i++)
        if (ioctl(s->counters[i].fd, request, 0) < 0)
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot %s a counter", verb);
    return 0;
}

static int begin_stat(void *state, struct bench_error *err)
{
    return control(state, PERF_EVENT_IOC_ENABLE, "start", err);
}

static int end_stat(void *state, struct bench_error *err)
{
    return control(state, PERF_EVENT_IOC_DISABLE, "stop", err);
}

static void sample_stat(void *state, int64_t *row)
{
    const struct stat_state *s = state;

    for (size_t i = 0; i < s->n_counters; i++) {
        uint64_t values[3]; /* count, enabled, running: the order of read_format */

        if (read(s->counters[i].fd, values, sizeof(values)) != sizeof(values))
            continue;
        for (size_t v = 0; v < 3; v++)
            row[s->counters[i].column + v] = (int64_t)values[v];
    }
}

/* Syscall tracepoints slow every system call of the machine while they are merely open. */
static const char *stat_perturbs(const void *state)
{
    const struct stat_state *s = state;
    cleanup_strings struct strings events = {0};

    strings_split(&events, s->events, ", ");
    for (size_t i = 0; i < events.count; i++)
        if (strncmp(events.items[i], "syscalls:", 9) == 0 ||
            strncmp(events.items[i], "raw_syscalls:", 13) == 0)
            return "syscall tracepoints cost 3 to 12 % of the CPU time per operation";
    return NULL;
}

static void close_stat(void *state)
{
    struct stat_state *s = state;

    for (size_t i = 0; i < s->n_counters; i++)
        close(s->counters[i].fd);
    free(s->counters);
}

const struct capture_ops capture_stat = {
    .name = "stat",
    .help = "performance counters per role: hardware, software and tracepoint events",
    .options = options,
    .state_size = sizeof(struct stat_state),
    .check = check_stat,
    .probe = probe_stat,
    .open = open_stat,
    .begin = begin_stat,
    .sample = sample_stat,
    .end = end_stat,
    .perturbs = stat_perturbs,
    .close = close_stat,
};
