/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metrics.h"

#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenario/scenario.h"
#include "stats/summary.h"

/* --- the table ----------------------------------------------------------------------------- */

/* How often a row is computed. */
enum { LONGEST_CHAIN = SCENARIO_MAX_HOPS };

enum scope { RUN, ROLE, HOP, HOPS, EVENT, STATISTIC };

/* What the difference (or maximum) of the columns is divided by. */
enum per {
    TOTAL,
    MAXIMUM,   /* of a gauge, not a difference */
    VARIATION, /* coefficient of variation of the rate from sample to sample */
    SECOND,
    GIGABYTE,
    BYTE,
    OPERATION,
    COLUMNS, /* the sum of the columns in `divisor` */
    OTHERS, /* per second, less the column in `divisor` of each role and the bench; never below 0 */
    CYCLES, /* the role's event "cycles" */
    QUANTILE, /* of the latency distribution; the row's `scale` is the share of operations */
    MEAN,     /* of it */
    LARGEST,  /* of it */
};

struct row {
    struct bench_metric metric; /* "{role}", "{hop}", "{event}" are replaced in its texts */
    enum scope scope;
    enum per per;
    double scale;        /* from the columns' unit to the metric's */
    const char *columns; /* summed; separated by spaces; "{role}", "{delivered}" are replaced */
    const char *divisor; /* of QUANTILE: the share of the operations */
};

#define GIGA 1e9
#define NANO 1e-9
#define HIGHER BENCH_HIGHER_IS_BETTER
#define LOWER BENCH_LOWER_IS_BETTER
#define NEUTRAL BENCH_NEUTRAL
#define METRIC(n, u, t, d, f, r, m)                                                              \
    {                                                                                            \
        .name = n, .unit = u, .title = t, .direction = d, .format = BENCH_FORMAT_##f, .rank = r, \
        .meaning = m                                                                             \
    }
#define LATENCY(name, rank, per, q, text)                                                          \
    {                                                                                              \
        METRIC("latency_" name "_seconds", "s", "latency " name, LOWER, SECONDS, rank, text), RUN, \
            per, NANO, NULL, q                                                                     \
    }
#define ALL_STATES                                                                    \
    "system.user_ns system.nice_ns system.system_ns system.idle_ns system.iowait_ns " \
    "system.irq_ns system.softirq_ns system.steal_ns"
#define SYSTEM_SHARE(name, column, text)                                                     \
    {                                                                                        \
        METRIC("system_" name "_share", "1", "machine " name, NEUTRAL, SHARE, 2, text), RUN, \
            COLUMNS, 1, "system." column "_ns", ALL_STATES                                   \
    }
#define NET_COUNT(name, column, title, direction, text)                                         \
    {                                                                                           \
        METRIC(name, "1", title, direction, PLAIN, 2, text), RUN, TOTAL, 1, "net." column, NULL \
    }

static const struct row rows[] = {
    {METRIC("bits_per_second", "bit/s", "throughput", HIGHER, SI, 0,
            "Payload that reached its receiver, in bits per second."),
     RUN, SECOND, 8, "{delivered}.bytes_received", NULL},
    {METRIC("operations_per_second", "1/s", "operations", HIGHER, SI, 0,
            "Requests that the client completed, per second."),
     RUN, SECOND, 1, "client.operations", NULL},
    {METRIC("offered_per_second", "1/s", "offered", NEUTRAL, SI, 2,
            "Requests whose time came, per second: what an open loop asked for."),
     RUN, SECOND, 1, "client.due", NULL},
    {METRIC("result", "1", "result", NEUTRAL, PLAIN, 0,
            "What the workload `command` read from the output of its client, when no other metric "
            "was named."),
     RUN, TOTAL, 1, "result", NULL},
    {METRIC("connections_per_second", "1/s", "connections", HIGHER, SI, 2,
            "Connections that the client established, per second."),
     RUN, SECOND, 1, "client.connections", NULL},
    LATENCY("p50", 1, QUANTILE, "0.5", "Median time of an operation."),
    LATENCY("p90", 1, QUANTILE, "0.9", "Time within which 90% of the operations were done."),
    LATENCY("p99", 1, QUANTILE, "0.99", "Time within which 99% of the operations were done."),
    LATENCY("p999", 2, QUANTILE, "0.999", "Time within which 99.9% of the operations were done."),
    LATENCY("max", 2, LARGEST, NULL, "Time of the slowest operation."),
    LATENCY("mean", 2, MEAN, NULL, "Mean time of an operation."),
    {METRIC("cpus_{role}", "CPUs", "CPU {role}", LOWER, CPUS, 1,
            "CPU time of all processes of the role per second of the window, as the scheduler "
            "charges it."),
     ROLE, SECOND, NANO, "{role}.cpu_ns", NULL},
    {METRIC("idle_cpus", "CPUs", "idle CPU", LOWER, CPUS, 2,
            "CPUs that its processes used while other arms of the block were measured, in a window "
            "in slices."),
     RUN, TOTAL, 1, "idle_cpus", NULL},
    {METRIC("cpus_relay", "CPUs", "CPU relay", LOWER, CPUS, 2,
            "CPU time of all relay hops together per second of the window."),
     HOPS, SECOND, NANO, "{role}.cpu_ns", NULL},
    {METRIC(
         "cpus_cv_{role}", "1", "CPU CV {role}", NEUTRAL, SHARE, 2,
         "Coefficient of variation of cpus_{role} from one sample (`tick`) to the next within the "
         "window."),
     ROLE, VARIATION, 1, "{role}.cpu_ns", NULL},
    {METRIC("cpus_user_{role}", "CPUs", "user CPU {role}", NEUTRAL, CPUS, 2,
            "The part of cpus_{role} spent in user space."),
     ROLE, SECOND, NANO, "{role}.user_ns", NULL},
    {METRIC("cpus_system_{role}", "CPUs", "system CPU {role}", NEUTRAL, CPUS, 2,
            "The part of cpus_{role} spent in the kernel."),
     ROLE, SECOND, NANO, "{role}.system_ns", NULL},
    {METRIC("cpu_seconds_per_gigabyte_{role}", "s/GB", "CPU s/GB {role}", LOWER, PLAIN, 2,
            "CPU time of the role per 1e9 bytes of payload delivered."),
     ROLE, GIGABYTE, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpu_seconds_per_gigabyte_relay", "s/GB", "CPU s/GB", LOWER, PLAIN, 1,
            "CPU time of all relay hops per 1e9 bytes of payload delivered."),
     HOPS, GIGABYTE, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpu_seconds_per_operation_{role}", "s", "CPU/op {role}", LOWER, SECONDS, 2,
            "CPU time of the role per completed request."),
     ROLE, OPERATION, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpu_seconds_per_operation_relay", "s", "CPU/op", LOWER, SECONDS, 1,
            "CPU time of all relay hops per completed request."),
     HOPS, OPERATION, NANO, "{role}.cpu_ns", NULL},
    {METRIC("rss_bytes_{role}", "bytes", "RSS {role}", LOWER, BINARY, 1,
            "Largest resident memory of the role's processes together, of all samples."),
     ROLE, MAXIMUM, 1, "{role}.rss_bytes", NULL},
    {METRIC("rss_growth_bytes_{role}", "bytes", "RSS growth {role}", LOWER, BINARY, 2,
            "Resident memory of the role at the end of the window less that at its begin."),
     ROLE, TOTAL, 1, "{role}.rss_bytes", NULL},
    {METRIC("workers_{role}", "1", "workers {role}", NEUTRAL, PLAIN, 2,
            "The role's processes or threads that are alike, see \"Workers\"."),
     ROLE, MAXIMUM, 1, "{role}.workers", NULL},
    {METRIC("busiest_worker_share_{role}", "1", "busiest worker {role}", NEUTRAL, SHARE, 2,
            "The CPU time of the busiest of them, as a share of that of all of them."),
     ROLE, COLUMNS, 1, "{role}.busiest_ns", "{role}.workers_ns"},
    {METRIC(
         "runqueue_seconds_{role}", "s", "run queue {role}", LOWER, SECONDS, 2,
         "Time for which threads of the role were ready to run and waited for a CPU, summed over "
         "them."),
     ROLE, TOTAL, NANO, "{role}.runqueue_ns", NULL},
    {METRIC("involuntary_switches_{role}", "1", "preempted {role}", LOWER, SI, 2,
            "How often a thread of the role had to leave its CPU although it could have gone on."),
     ROLE, TOTAL, 1, "{role}.involuntary", NULL},
    {METRIC("throttled_seconds_{hop}", "s", "throttled {hop}", LOWER, SECONDS, 2,
            "Time for which the CPU limit kept the hop's threads from running, summed over CPUs."),
     HOP, TOTAL, NANO, "{role}.throttled_ns", NULL},
    {METRIC("throttled_share_{hop}", "1", "throttled {hop}", LOWER, SHARE, 1,
            "Share of the CPU limit's periods in which the hop used up its quota and had to wait."),
     HOP, COLUMNS, 1, "{role}.throttled_periods", "{role}.periods"},
    {METRIC("errors_{role}", "1", "errors {role}", LOWER, PLAIN, 2,
            "Operations or connections that failed, as the built-in role counts them."),
     ROLE, TOTAL, 1, "{role}.errors", NULL},
    SYSTEM_SHARE("user", "user", "Share of all CPU time of the machine spent in user space."),
    SYSTEM_SHARE("nice", "nice", "Share spent in user space at lowered priority."),
    SYSTEM_SHARE("kernel", "system", "Share spent in the kernel, without interrupts."),
    SYSTEM_SHARE("idle", "idle", "Share without work."),
    SYSTEM_SHARE("iowait", "iowait", "Share without work while a disk was waited for."),
    SYSTEM_SHARE("irq", "irq", "Share spent in hardware interrupts."),
    SYSTEM_SHARE("softirq", "softirq", "Share spent in software interrupts: most of the network."),
    SYSTEM_SHARE("steal", "steal", "Share that the hypervisor gave to others."),
    NET_COUNT("tcp_segments_sent", "segments_out", "segments sent", NEUTRAL,
              "TCP segments sent in the network of the repetition (with `network: host`, by "
              "everybody)."),
    NET_COUNT("tcp_segments_received", "segments_in", "segments received", NEUTRAL,
              "TCP segments received there."),
    NET_COUNT("tcp_retransmits", "retransmits", "retransmits", LOWER,
              "TCP segments sent again there."),
    NET_COUNT("tcp_resets", "resets_out", "resets", LOWER, "TCP connections reset there."),
    NET_COUNT("tcp_connections_opened", "active_opens", "connects", NEUTRAL,
              "TCP connections that were opened there."),
    NET_COUNT("tcp_connections_accepted", "passive_opens", "accepts", NEUTRAL,
              "TCP connections that were accepted there."),
    NET_COUNT("listen_overflows", "listen_overflows", "listen overflows", LOWER,
              "Connections that found the accept queue of a listener full."),
    NET_COUNT("listen_drops", "listen_drops", "listen drops", LOWER,
              "Connections that a listener dropped for any reason."),
    {METRIC("{event}_{role}", "1", "{event} {role}", NEUTRAL, SI, 2,
            "Count of the event in the role's processes; the clocks task-clock and cpu-clock, and "
            "the times offcpu-blocked and offcpu-preempted, are in seconds."),
     EVENT, TOTAL, 1, NULL, NULL},
    {METRIC("{event}_per_byte_{role}", "1/byte", "{event}/byte {role}", NEUTRAL, PLAIN, 2,
            "The same per byte of payload delivered."),
     EVENT, BYTE, 1, NULL, NULL},
    {METRIC("{event}_per_operation_{role}", "1", "{event}/op {role}", NEUTRAL, PLAIN, 2,
            "The same per completed request."),
     EVENT, OPERATION, 1, NULL, NULL},
    {METRIC("ipc_{role}", "1", "IPC {role}", HIGHER, PLAIN, 2,
            "Instructions per cycle, when both events were counted."),
     ROLE, CYCLES, 1, NULL, NULL},
    {METRIC("statistic_{event}_{role}", "1", "{event} {role}", NEUTRAL, PLAIN, 2,
            "What the relay itself counted, in its own terms."),
     STATISTIC, TOTAL, 1, NULL, NULL},
    {METRIC("bench_cpus", "CPUs", "CPU bench", LOWER, CPUS, 2,
            "CPU time of the bench itself per second of the window."),
     RUN, SECOND, NANO, "bench.cpu_ns", NULL},
    {METRIC(
         "others_cpus", "CPUs", "CPU others", LOWER, CPUS, 2,
         "CPU time of everybody else on the machine per second of the window: all of it less that "
         "of roles and bench. By the ticks of /proc/stat where no control group counts all "
         "processes."),
     RUN, OTHERS, NANO, "system.user_ns system.nice_ns system.system_ns", "cpu_ns"},
};

const struct bench_metric *metric_table_row(size_t i)
{
    return i < ARRAY_SIZE(rows) ? &rows[i].metric : NULL;
}

/* --- pool ---------------------------------------------------------------------------------- */

static void metric_free(struct bench_metric *m)
{
    free((char *)m->name);
    free((char *)m->unit);
    free((char *)m->title);
    free((char *)m->meaning);
    free((char *)m->role);
    free((char *)m->event);
    free((char *)m->stem);
    free(m);
}

void metric_pool_release(struct metric_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        metric_free(pool->items[i]);
    free(pool->items);
    *pool = (struct metric_pool){0};
}

/* Where `name` is or belongs. */
static size_t pool_position(const struct metric_pool *pool, const char *name)
{
    size_t low = 0, high = pool->count;

    while (low < high) {
        size_t probe = (low + high) / 2;

        if (strcmp(pool->items[probe]->name, name) < 0)
            low = probe + 1;
        else
            high = probe;
    }
    return low;
}

/* --- names --------------------------------------------------------------------------------- */

/* "syscalls:sys_enter_write" → "syscalls_sys_enter_write", fit for a metric's name. */
static char *sanitised(const char *event)
{
    char *name = xstrdup(event), *to = name;

    for (const char *from = event; *from; from++) {
        if (isalnum((unsigned char)*from))
            *to++ = (char)tolower((unsigned char)*from);
        else if (to > name && to[-1] != '_')
            *to++ = '_';
    }
    while (to > name && to[-1] == '_')
        to--;
    *to = '\0';
    return name;
}

/* Replaces "{role}" and "{hop}" by `role`, "{event}" by `event`, "{delivered}" by `delivered`. */
static char *expand(const char *pattern, const char *role, const char *event, const char *delivered)
{
    const struct {
        const char *mark, *value;
    } marks[] = {{"{role}", role}, {"{hop}", role}, {"{event}", event}, {"{delivered}", delivered}};
    struct text out = {0};

    while (*pattern) {
        size_t i = 0;

        while (i < ARRAY_SIZE(marks) && strncmp(pattern, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < ARRAY_SIZE(marks)) {
            text_add(&out, "%s", marks[i].value ? marks[i].value : "");
            pattern += strlen(marks[i].mark);
        } else {
            text_add_bytes(&out, pattern++, 1);
        }
    }
    return text_take(&out);
}

/* The role of number i that metrics can have; NULL behind the last. Caller frees. */
static char *role_name(int i)
{
    return i == 0                  ? xstrdup("client")
           : i == 1                ? xstrdup("server")
           : i < 2 + LONGEST_CHAIN ? xasprintf("relay_%d", i - 1)
                                   : NULL;
}

static bool is_of_role(const struct row *row, const char *role)
{
    return row->scope != HOP || strncmp(role, "relay_", 6) == 0;
}

/* All names that a row stands for. */
static void row_names(const struct row *row, struct strings *ret)
{
    bool several = strchr(row->metric.name, '{') != NULL;
    char *role;

    for (int i = 0; (several || i == 0) && (role = role_name(i)); i++) {
        char *name = expand(row->metric.name, role, NULL, NULL);

        if (is_of_role(row, role))
            strings_add(ret, name);
        free(name);
        free(role);
    }
}

/* The role at the end of a metric's name, or NULL. Caller frees. */
static char *role_of(const char *name)
{
    size_t length = strlen(name);
    char *role;

    for (int i = 0; (role = role_name(i)); i++) {
        size_t n = strlen(role);

        if (length > n && name[length - n - 1] == '_' && strcmp(name + length - n, role) == 0)
            return role;
        free(role);
    }
    return NULL;
}

/* The row that a metric of this name comes from. An event may be called like anything. */
static const struct row *row_of(const char *name)
{
    cleanup_free char *role = role_of(name);

    for (int events = 0; events < 2; events++)
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            cleanup_free char *pattern = expand(rows[i].metric.name, role, "*", NULL);

            if (!role && strchr(rows[i].metric.name, '{'))
                continue;
            if ((rows[i].scope == EVENT) == events && is_of_role(&rows[i], role ? role : "") &&
                fnmatch(pattern, name, 0) == 0)
                return &rows[i];
        }
    return NULL;
}

/* Those of them that go on behind `name`, and all of them. */
static void find_longer(const char *name, struct strings *ret, struct strings *ret_all)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].scope != EVENT)
            row_names(&rows[i], ret_all);
    for (size_t i = 0; i < ret_all->count; i++)
        if (strncmp(ret_all->items[i], name, n) == 0 && ret_all->items[i][n] == '_')
            strings_add(ret, ret_all->items[i]);
}

char *metric_resolve(const char *name, const struct bench_metric **ret_row, struct bench_error *err)
{
    cleanup_strings struct strings longer = {0}, all = {0};
    const struct row *row = row_of(name);

    if (!row || row->scope == EVENT)
        find_longer(name, &longer, &all);
    if (longer.count == 1) {
        name = longer.items[0];
        row = row_of(name);
    } else if (!row && longer.count) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' may be any of %zu metrics", name, longer.count);
        error_hint(err, "say which: %s, %s, …", longer.items[0], longer.items[1]);
        return NULL;
    }
    if (!row) {
        const char *close = nearest(name, (const char *const *)all.items);

        error_set(err, BENCH_ERROR_USAGE, "there is no metric '%s'", name);
        if (close)
            error_hint(err, "did you mean '%s'?", close);
        else
            error_hint(err, "docs/measurement.md lists them; 'bench report --format json' shows "
                            "those of a run");
        return NULL;
    }
    *ret_row = &row->metric;
    return xstrdup(name);
}

/* "bits_per_second", or "cpus" of "cpus_{role}" and of "cpus_relay". */
static char *stem_of(const struct row *row, const char *event)
{
    size_t n = strlen(row->metric.name), tail = 0;
    cleanup_free char *head = NULL;

    if (row->scope == HOPS)
        tail = strlen("_relay");
    else if (row->scope != RUN)
        tail = n - (size_t)(strrchr(row->metric.name, '{') - row->metric.name) + 1;
    head = xstrndup(row->metric.name, n - tail);
    return expand(head, NULL, event, NULL);
}

/* Clocks count nanoseconds; all other events count themselves. */
static bool is_clock(const char *event)
{
    return strncmp(event, "task-clock", 10) == 0 || strncmp(event, "cpu-clock", 9) == 0 ||
           strncmp(event, "offcpu-", 7) == 0;
}

static void as_seconds(struct bench_metric *m, enum per per)
{
    free((char *)m->unit);
    m->unit = xstrdup(per == BYTE ? "s/byte" : "s");
    m->format = BENCH_FORMAT_SECONDS;
}

static const struct bench_metric *pool_get(struct metric_pool *pool, const struct row *row,
                                           const char *role, const char *event)
{
    cleanup_free char *safe = event ? sanitised(event) : NULL;
    cleanup_free char *name = expand(row->metric.name, role, safe, NULL);
    size_t at = pool_position(pool, name);
    struct bench_metric *m;

    if (at < pool->count && strcmp(pool->items[at]->name, name) == 0)
        return pool->items[at];
    m = xcalloc(1, sizeof(*m));
    *m = row->metric;
    m->name = xstrdup(name);
    m->unit = xstrdup(row->metric.unit);
    m->title = expand(row->metric.title, role, event, NULL);
    m->meaning = expand(row->metric.meaning, role, event, NULL);
    m->role = xstrdup(row->scope == HOPS ? "relay" : role);
    m->event = xstrdup(row->scope == EVENT ? event : NULL);
    m->stem = stem_of(row, safe);
    if (event && is_clock(event))
        as_seconds(m, row->per);
    pool->items =
        grow(pool->items, &pool->capacity, pool->count + 1, sizeof(struct bench_metric *));
    memmove(pool->items + at + 1, pool->items + at,
            (pool->count - at) * sizeof(struct bench_metric *));
    pool->items[at] = m;
    pool->count++;
    return m;
}

/* --- amounts ------------------------------------------------------------------------------- */

/* Something counted, and the seconds it was counted in: a wrapped tool's totals speak of its whole
 * window, the series of the time between two samples within it. */
struct amount {
    struct bench_value v;
    const char *reason;
    double seconds;
    const char *part; /* as struct metric_value has it */
    double missed;    /* likewise */
};

struct source {
    const struct repetition_record *record;
    struct metric_window window;
    struct strings roles;              /* client, relay_1 …, server */
    struct amount payload, operations; /* bytes delivered, requests completed */
};

static bool is_number(struct bench_value v)
{
    return v.state == BENCH_OK || v.state == BENCH_SCALED;
}

static struct amount nothing(enum bench_state state, const char *reason)
{
    return (struct amount){.v = {NAN, state}, .reason = reason};
}

struct metric_window metric_window(const struct repetition_record *r)
{
    const struct series *s = &r->series;
    struct metric_window w = {0};

    if (r->window_end_ns <= r->window_begin_ns)
        return w;
    while (w.first < s->n_rows && s->times[w.first] < r->window_begin_ns)
        w.first++;
    w.last = w.first;
    while (w.last + 1 < s->n_rows && s->times[w.last + 1] <= r->window_end_ns)
        w.last++;
    if (w.last > w.first && s->times[w.last] <= r->window_end_ns)
        w.seconds = (double)(s->times[w.last] - s->times[w.first]) * NANO;
    return w;
}

static const char *column_reason(const struct series *s, const char *name, enum bench_state state)
{
    int column = series_find(s, name);

    if (column >= 0 && s->columns[column].state != BENCH_OK)
        return s->columns[column].reason;
    return state == BENCH_FAILED ? "a sample at the window's edge is missing" : NULL;
}

/* The columns of `pattern` summed over the window (or the largest value of the one). */
static struct amount columns_of(const struct source *src, const char *pattern, const char *role,
                                bool maximum)
{
    const struct repetition_record *r = src->record;
    const struct metric_window *w = &src->window;
    cleanup_free char *list = expand(pattern, role, NULL, r->delivered);
    cleanup_strings struct strings names = {0};
    struct amount sum = {.seconds = w->seconds};

    strings_split(&names, list, " ");
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        struct bench_value v;

        if (series_find(&r->series, name) < 0)
            return nothing(BENCH_ABSENT, NULL);
        if (w->seconds <= 0)
            return nothing(BENCH_FAILED, "fewer than two samples in the window");
        v = maximum ? series_maximum(&r->series, name, w->first, w->last)
                    : series_delta(&r->series, name, w->first, w->last);
        if (!is_number(v))
            return nothing(v.state, column_reason(&r->series, name, v.state));
        sum.v.value += v.value;
        if (v.state > sum.v.state)
            sum.v.state = v.state;
    }
    return sum;
}

/* A wrapped tool's word, for its own window. */
static bool total_of(const struct repetition_record *r, const char *metric, struct amount *ret)
{
    for (size_t i = 0; i < r->n_totals; i++) {
        if (strcmp(r->totals[i].metric, metric) != 0)
            continue;
        *ret = (struct amount){.v.value = r->totals[i].value,
                               .seconds = (double)(r->window_end_ns - r->window_begin_ns) * NANO};
        if (!isfinite(ret->v.value))
            *ret = nothing(BENCH_FAILED, "the tool's own figure is not a number");
        return true;
    }
    return false;
}

static struct amount payload_of(const struct source *src)
{
    struct amount a;

    if (total_of(src->record, "bytes", &a))
        return a;
    if (total_of(src->record, "bits_per_second", &a)) {
        a.v.value *= a.seconds / 8;
        return a;
    }
    return columns_of(src, "{delivered}.bytes_received", NULL, false);
}

/* Whether a counter stood at 0 to the window's end. What a workload does not do (requests in a
 * one-way stream) is absent; that is not a rate of 0. */
static bool never_counted(const struct source *src, const char *name)
{
    const struct series *s = &src->record->series;
    int column = series_find(s, name);

    return column >= 0 && src->window.seconds > 0 &&
           series_at(s, src->window.last, (size_t)column) == 0;
}

static struct amount operations_of(const struct source *src)
{
    struct amount a;

    if (total_of(src->record, "operations", &a))
        return a;
    if (total_of(src->record, "operations_per_second", &a)) {
        a.v.value *= a.seconds;
        return a;
    }
    if (never_counted(src, "client.operations"))
        return nothing(BENCH_ABSENT, NULL);
    return columns_of(src, "client.operations", NULL, false);
}

/* How a column that is ok was obtained, where that has to be said: an event of user space only. */
static const char *note_of(const struct series *s, const char *name)
{
    int column = series_find(s, name);
    const char *note = column >= 0 ? s->columns[column].reason : NULL;

    return note && *note ? note : NULL;
}

/* An event of a role; multiplexed ones are scaled by the time for which they were counted. */
static struct amount event_of(const struct source *src, const char *column)
{
    cleanup_free char *enabled_name = xasprintf("%s.enabled_ns", column);
    cleanup_free char *running_name = xasprintf("%s.running_ns", column);
    struct amount count = columns_of(src, column, NULL, false), enabled, running;

    if (!is_number(count.v))
        return count;
    count.reason = count.part = note_of(&src->record->series, column);
    enabled = columns_of(src, enabled_name, NULL, false);
    running = columns_of(src, running_name, NULL, false);
    if (!is_number(enabled.v) || !is_number(running.v))
        return count;
    if (running.v.value <= 0) {
        count = nothing(BENCH_NOT_COUNTED, "the counter never ran in the window");
        count.missed = 1;
    } else if (running.v.value < enabled.v.value) {
        count.missed = 1 - running.v.value / enabled.v.value;
        count.v.value *= enabled.v.value / running.v.value;
        count.v.state = BENCH_SCALED;
        if (!count.reason)
            count.reason = "multiplexed, estimated from the share of time it was counted";
    }
    return count;
}

/* --- computing ----------------------------------------------------------------------------- */

/* a / b; without a base there is no such metric. */
static struct amount ratio(struct amount a, struct amount b)
{
    if (b.v.state == BENCH_ABSENT)
        return b;
    if (!is_number(a.v))
        return a;
    if (!is_number(b.v))
        return b;
    if (b.v.value <= 0)
        return nothing(BENCH_ABSENT, NULL);
    a.v.value /= b.v.value;
    if (b.v.state > a.v.state)
        a.v.state = b.v.state;
    if (!a.reason)
        a.reason = b.reason;
    a.missed = fmax(a.missed, b.missed);
    return a;
}

static struct amount rate(struct amount a)
{
    if (is_number(a.v) && a.seconds <= 0)
        return nothing(BENCH_FAILED, "the window has no length");
    return ratio(a, (struct amount){.v.value = a.seconds});
}

static struct amount divided(const struct source *src, const struct row *row, const char *role,
                             struct amount a)
{
    switch (row->per) {
    case SECOND:
    case OTHERS:
        return rate(a);
    case BYTE:
        return ratio(rate(a), rate(src->payload));
    case GIGABYTE:
        a = ratio(rate(a), rate(src->payload));
        a.v.value *= GIGA;
        return a;
    case OPERATION:
        return ratio(rate(a), rate(src->operations));
    case COLUMNS:
        return ratio(a, columns_of(src, row->divisor, role, false));
    default:
        return a;
    }
}

/* instructions / cycles of a role; both may carry the same modifier ("cycles:u"). */
static struct amount ipc_of(const struct source *src, const char *role)
{
    static const char *const cycles_names[] = {"cycles", "cpu-cycles"};
    const struct series *s = &src->record->series;
    cleanup_free char *head = xasprintf("%s.event:instructions", role);

    for (size_t i = 0; i < s->n_columns; i++) {
        const char *name = s->columns[i].name, *modifier = name + strlen(head);

        if (strncmp(name, head, strlen(head)) != 0 || strchr(modifier, '.') ||
            (*modifier && *modifier != ':'))
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(cycles_names); k++) {
            cleanup_free char *cycles = xasprintf("%s.event:%s%s", role, cycles_names[k], modifier);

            if (series_find(s, cycles) >= 0)
                return ratio(event_of(src, name), event_of(src, cycles));
        }
    }
    return nothing(BENCH_ABSENT, NULL);
}

static struct amount hops_of(const struct source *src, const struct row *row)
{
    struct amount sum = {.seconds = src->window.seconds};

    if (src->record->hops == 0)
        return nothing(BENCH_ABSENT, NULL);
    for (uint32_t i = 1; i <= src->record->hops; i++) {
        cleanup_free char *role = xasprintf("relay_%u", i);
        struct amount a = columns_of(src, row->columns, role, false);

        if (!is_number(a.v))
            return a;
        sum.v.value += a.v.value;
        if (a.v.state > sum.v.state)
            sum.v.state = a.v.state;
    }
    return sum;
}

/* What a user waits where the load has a schedule, else what the requests took. */
static const struct histogram *latencies_of(const struct repetition_record *r)
{
    static const char *const names[] = {"response", "service"};

    for (size_t n = 0; n < ARRAY_SIZE(names); n++)
        for (size_t i = 0; i < r->n_latencies; i++)
            if (strcmp(r->latencies[i].name, names[n]) == 0)
                return r->latencies[i].histogram;
    return NULL;
}

static struct amount latency_of(const struct source *src, const struct row *row)
{
    const struct histogram *h = latencies_of(src->record);
    double ns, q = row->divisor ? strtod(row->divisor, NULL) : 0;

    if (!h)
        return nothing(BENCH_ABSENT, NULL);
    if (row->per == QUANTILE && !histogram_supports(h, q))
        return nothing(BENCH_NOT_COUNTED, "too few operations for this percentile");
    ns = row->per == QUANTILE ? histogram_percentile(h, q)
         : row->per == MEAN   ? histogram_mean(h)
                              : histogram_maximum(h);
    if (isnan(ns))
        return nothing(BENCH_NOT_COUNTED, "no operation was completed in the window");
    return (struct amount){.v.value = ns, .seconds = src->window.seconds};
}

/* How much the rate of a column varies between the samples of the window. */
static struct amount variation_of(const struct source *src, const char *pattern, const char *role)
{
    const struct series *s = &src->record->series;
    const struct metric_window *w = &src->window;
    cleanup_free char *name = expand(pattern, role, NULL, NULL);
    cleanup_free double *rates = xcalloc(w->last - w->first + 1, sizeof(*rates));
    enum bench_state state;
    double cv;

    if (series_find(s, name) < 0)
        return nothing(BENCH_ABSENT, NULL);
    state = series_rates(s, name, w->first, w->last, rates);
    if (state != BENCH_OK && state != BENCH_SCALED)
        return nothing(state, state == BENCH_FAILED ? "a sample in the window is missing"
                                                    : column_reason(s, name, state));
    cv = stats_cv(rates, w->last - w->first);
    if (!isfinite(cv))
        return nothing(BENCH_ABSENT, NULL);
    /* Less than the samples can resolve is rounding of the sums. */
    return (struct amount){.v.value = cv < 1e-12 ? 0 : cv, .seconds = w->seconds};
}

/* Clocks are read one after the other, so the rest can come out below 0. */
static struct amount others_of(const struct source *src, const struct row *row)
{
    struct amount a = columns_of(src, "system.cpu_ns", NULL, false), part;

    if (!is_number(a.v))
        a = columns_of(src, row->columns, NULL, false);
    for (size_t i = 0; i <= src->roles.count && is_number(a.v); i++) {
        const char *subject = i < src->roles.count ? src->roles.items[i] : "bench";
        cleanup_free char *column = xasprintf("%s.%s", subject, row->divisor);

        part = columns_of(src, column, NULL, false);
        if (part.v.state == BENCH_ABSENT)
            continue;
        if (!is_number(part.v))
            return part;
        a.v.value -= part.v.value;
    }
    a.v.value = fmax(a.v.value, 0);
    return a;
}

static struct amount measured(const struct source *src, const struct row *row, const char *role,
                              const char *column)
{
    if (row->per == QUANTILE || row->per == MEAN || row->per == LARGEST)
        return latency_of(src, row);
    if (row->per == CYCLES)
        return ipc_of(src, role);
    if (row->per == OTHERS)
        return others_of(src, row);
    if (row->per == VARIATION)
        return variation_of(src, row->columns, role);
    if (column)
        return event_of(src, column);
    if (row->scope == HOPS)
        return hops_of(src, row);
    if (strcmp(row->metric.name, "bits_per_second") == 0)
        return src->payload;
    if (strcmp(row->metric.name, "operations_per_second") == 0)
        return src->operations;
    if (strcmp(row->metric.name, "offered_per_second") == 0 && never_counted(src, row->columns))
        return nothing(BENCH_ABSENT, NULL);
    return columns_of(src, row->columns, role, row->per == MAXIMUM);
}

/* Computes one metric; a total of its very name takes its place. `column` is that of an event. */
static void add(const struct source *src, const struct row *row, const char *role,
                const char *event, const char *column, struct metric_pool *pool,
                struct metric_set *ret)
{
    cleanup_free char *safe = event ? sanitised(event) : NULL;
    cleanup_free char *name = expand(row->metric.name, role, safe, NULL);
    struct amount a;

    if (!total_of(src->record, name, &a)) {
        a = divided(src, row, role, measured(src, row, role, column));
        a.v.value *= event && is_clock(event) ? NANO : row->scale;
    }
    if (a.v.state == BENCH_ABSENT)
        return;
    ret->items = grow(ret->items, &ret->capacity, ret->count + 1, sizeof(*ret->items));
    ret->items[ret->count++] = (struct metric_value){.metric = pool_get(pool, row, role, event),
                                                     .value = a.v,
                                                     .reason = a.reason,
                                                     .part = a.part,
                                                     .missed = a.missed};
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);

    return n >= m && strcmp(s + n - m, tail) == 0;
}

static void add_events(const struct source *src, const struct row *row, const char *role,
                       struct metric_pool *pool, struct metric_set *ret)
{
    const struct series *s = &src->record->series;
    cleanup_free char *head = xasprintf("%s.event:", role);

    for (size_t i = 0; i < s->n_columns; i++) {
        const char *name = s->columns[i].name;

        if (strncmp(name, head, strlen(head)) == 0 && !ends_with(name, ".enabled_ns") &&
            !ends_with(name, ".running_ns"))
            add(src, row, role, name + strlen(head), name, pool, ret);
    }
}

/* Their names are the relay's: "statistic_NAME_ROLE" are totals of the record. */
static void add_statistics(const struct source *src, const struct row *row, const char *role,
                           struct metric_pool *pool, struct metric_set *ret)
{
    static const char head[] = "statistic_";
    const struct repetition_record *r = src->record;
    cleanup_free char *tail = xasprintf("_%s", role);

    for (size_t i = 0; i < r->n_totals; i++) {
        const char *name = r->totals[i].metric;
        cleanup_free char *middle = NULL;

        if (strncmp(name, head, strlen(head)) != 0 || !ends_with(name + strlen(head), tail))
            continue;
        middle = xstrndup(name + strlen(head), strlen(name) - strlen(head) - strlen(tail));
        add(src, row, role, middle, NULL, pool, ret);
    }
}

static void add_row(const struct source *src, const struct row *row, struct metric_pool *pool,
                    struct metric_set *ret)
{
    if (row->scope == RUN || row->scope == HOPS) {
        add(src, row, NULL, NULL, NULL, pool, ret);
        return;
    }
    for (size_t i = 0; i < src->roles.count; i++) {
        const char *role = src->roles.items[i];

        if (row->scope == EVENT)
            add_events(src, row, role, pool, ret);
        else if (row->scope == STATISTIC)
            add_statistics(src, row, role, pool, ret);
        else if (row->scope == ROLE || strncmp(role, "relay_", 6) == 0)
            add(src, row, role, NULL, NULL, pool, ret);
    }
}

void metrics_compute(const struct repetition_record *r, struct metric_pool *pool,
                     struct metric_set *ret)
{
    struct source src = {.record = r};

    *ret = (struct metric_set){0};
    if (!r->ok)
        return;
    src.window = metric_window(r);
    strings_add(&src.roles, "client");
    for (uint32_t i = 1; i <= r->hops; i++)
        strings_addf(&src.roles, "relay_%u", i);
    strings_add(&src.roles, "server");
    src.payload = payload_of(&src);
    src.operations = operations_of(&src);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        add_row(&src, &rows[i], pool, ret);
    strings_release(&src.roles);
}

const struct metric_value *metric_set_find(const struct metric_set *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].metric->name, name) == 0)
            return &s->items[i];
    return NULL;
}

void metric_set_release(struct metric_set *s)
{
    free(s->items);
    *s = (struct metric_set){0};
}
