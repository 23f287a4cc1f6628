/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "environment/facts.h"

void finding_add(struct findings *f, enum finding_level level, const char *subject,
                 const char *mend, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    f->items = grow(f->items, &f->capacity, f->count + 1, sizeof(*f->items));
    f->items[f->count++] = (struct finding){
        .level = level,
        .subject = subject,
        .text = text_take(&t),
        .mend = mend && mend[0] ? xstrdup(mend) : NULL,
    };
}

void finding_error(struct findings *f, const char *subject, const struct bench_error *err)
{
    finding_add(f, FINDING_MISSING, subject, err->hint, "%s", err->message);
}

size_t findings_count(const struct findings *f, enum finding_level level)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        n += f->items[i].level == level;
    return n;
}

void findings_release(struct findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].text);
        free(f->items[i].mend);
    }
    free(f->items);
    *f = (struct findings){0};
}

/* Plugins and programs. */

static void list_plugins(const struct registry *r, enum bench_plugin_kind kind, struct findings *f)
{
    cleanup_text struct text names = {0};

    for (size_t i = 0; i < r->count; i++)
        if (!r->plugins[i].reason && r->plugins[i].info->kind == kind)
            text_add(&names, "%s%s", names.length ? ", " : "", r->plugins[i].info->name);
    if (names.length)
        finding_add(f, FINDING_OK, "plugins", NULL, "%ss: %s", plugin_kind_name(kind),
                    text_get(&names));
    else
        finding_add(f, FINDING_MISSING, "plugins",
                    "'make' builds them beside the program; BENCH_PLUGIN_PATH names other places",
                    "no %s was found", plugin_kind_name(kind));
}

static bool is_shadowed(const struct plugin *p)
{
    return p->info && p->reason && !p->same;
}

/* In one line: an installed bench has them all twice. */
static void judge_shadowed(const struct registry *r, struct findings *f)
{
    const struct plugin *first = NULL;
    size_t n = 0;

    for (size_t i = r->count; i-- > 0;)
        if (is_shadowed(&r->plugins[i])) {
            first = &r->plugins[i];
            n++;
        }
    if (n == 1)
        finding_add(f, FINDING_WARN, "plugins", "remove one of the two", "'%s' is not used: %s",
                    first->path, first->reason);
    else if (n)
        finding_add(f, FINDING_WARN, "plugins", "remove one of each two",
                    "%zu plugins are not used, because others of their names were found first: "
                    "'%s' is %s, and so on",
                    n, first->path, first->reason);
}

void judge_plugins(const struct registry *r, bool all, struct findings *f)
{
    for (int kind = BENCH_WORKLOAD; all && kind <= BENCH_REPORTER; kind++)
        list_plugins(r, (enum bench_plugin_kind)kind, f);
    for (size_t i = 0; i < r->count; i++) {
        const struct plugin *p = &r->plugins[i];

        if (!p->info)
            finding_add(f, FINDING_WARN, "plugins",
                        "compile it against this bench's headers, or remove the file",
                        "'%s' is refused: %s", p->path, p->reason);
    }
    judge_shadowed(r, f);
    for (size_t i = 0; i < r->unreadable.count; i++)
        finding_add(f, FINDING_WARN, "plugins", "correct BENCH_PLUGIN_PATH, or its permissions",
                    "not searched: %s", r->unreadable.items[i]);
}

void judge_program(const struct bench_program *program, const struct bench_plugin *plugin,
                   const char *path, const char *version, struct findings *f)
{
    cleanup_free char *packages = NULL;

    if (path) {
        finding_add(f, FINDING_OK, "programs", NULL, "%s: %s%s'%s'", program->name,
                    version ? version : "", version ? ", " : "", path);
        return;
    }
    if (program->apt && program->dnf)
        packages = xasprintf("apt install %s, or dnf install %s", program->apt, program->dnf);
    finding_add(f, FINDING_WARN, "programs",
                packages ? packages : "not packaged: build it, and put it on PATH",
                "'%s' not found: the %s '%s' cannot be used", program->name,
                plugin_kind_name(plugin->kind), plugin->name);
}

/* Containment and groups. */

void judge_containment(const struct machine *m, struct findings *f)
{
    if (m->containment_error.kind != BENCH_ERROR_NONE)
        finding_error(f, "containment", &m->containment_error);
    else if (m->pid_namespaces)
        finding_add(f, FINDING_OK, "containment", NULL,
                    "PID namespaces: no process outlives the bench, however it ends");
    else
        finding_add(f, FINDING_WARN, "containment",
                    "run as root, or in a user namespace: unshare -Ur bench …",
                    "no PID namespaces: what the bench leaves when it is killed is ended a moment "
                    "later, by its guardian");
}

void judge_cgroups(const struct machine *m, const struct needs *n, struct findings *f)
{
    char host[64];

    if (m->containment_error.kind != BENCH_ERROR_NONE)
        return; /* nothing was tried */
    cgroup_host_describe(m->cgroups, host, sizeof(host));
    if (n->cpu_limit > 0 && m->limit_error.kind != BENCH_ERROR_NONE)
        finding_error(f, "cgroups", &m->limit_error);
    else if (n->cpu_limit > 0)
        finding_add(f, FINDING_OK, "cgroups", NULL, "%s: a limit of %g CPUs was set and read back",
                    host, n->cpu_limit);
    else if (m->cgroups->can_limit)
        finding_add(f, FINDING_OK, "cgroups", NULL, "%s: CPU limits can be set", host);
    else
        finding_add(f, FINDING_WARN, "cgroups", m->cgroups->remedy,
                    "%s: no CPU limits (this scenario asks for none): %s", host,
                    m->cgroups->why_not);
}

/* The network. */

void judge_network(const struct machine *m, struct findings *f)
{
    const char *mend = m->root ? "'network: isolated' in the scenario"
                               : "run as root, or in a user namespace: unshare -Ur bench …";

    if (m->containment_error.kind != BENCH_ERROR_NONE)
        return; /* nothing was tried */
    if (m->network_error.kind != BENCH_ERROR_NONE) {
        finding_error(f, "network", &m->network_error);
        return;
    }
    if (m->isolated) {
        finding_add(f, FINDING_OK, "network", NULL,
                    "a network of its own for each repetition, congestion control '%s'",
                    m->congestion);
        return;
    }
    finding_add(f, FINDING_WARN, "network", mend,
                "the host's network is used: its settings and its other traffic are part of every "
                "result");
    if (strcmp(m->congestion, "bbr") == 0)
        finding_add(f, FINDING_WARN, "network", "sysctl net.ipv4.tcp_congestion_control=cubic",
                    "congestion control 'bbr' makes loopback 2 to 3 times slower");
}

/* Counters. */

void judge_counters(const struct machine *m, struct findings *f)
{
    if (m->pmu)
        finding_add(f, FINDING_OK, "counters", NULL, "this machine counts in hardware");
    else
        finding_add(f, FINDING_WARN, "counters",
                    "use a machine, or a kind of virtual machine, that has a PMU",
                    "no hardware counters: cycles, instructions and cache events are 'not "
                    "supported'");
    if (m->paranoid == -2)
        finding_add(f, FINDING_WARN, "counters", "use a kernel with CONFIG_PERF_EVENTS",
                    "this kernel has no performance events: the capture 'stat' counts nothing");
    else if (m->root || m->paranoid < 2)
        finding_add(f, FINDING_OK, "counters", NULL, "perf_event_paranoid is %d%s", m->paranoid,
                    m->root ? ", which does not bind root" : "");
    else
        finding_add(f, FINDING_WARN, "counters",
                    "run as root, or let every user: sysctl kernel.perf_event_paranoid=1",
                    m->paranoid == 2
                        ? "perf_event_paranoid is %d: counts leave out the kernel, where a relay "
                          "spends most of its time"
                        : "perf_event_paranoid is %d: ordinary users count nothing",
                    m->paranoid);
    if (m->tracefs == TRACEFS_READABLE)
        finding_add(f, FINDING_OK, "counters", NULL, "tracepoints can be counted");
    else
        finding_add(f, FINDING_WARN, "counters",
                    m->tracefs == TRACEFS_DENIED ? "run as root"
                                                 : "mount -t tracefs tracefs /sys/kernel/tracing",
                    "tracefs %s: events such as 'syscalls:sys_enter_write' are 'not supported'",
                    m->tracefs == TRACEFS_DENIED ? "is not for this user" : "is not there");
}

/* Sampling. */

static void judge_memory(const struct machine *m, struct findings *f)
{
    if (m->memory_error.kind == BENCH_ERROR_NONE)
        finding_add(f, FINDING_OK, "sampling", NULL, "'c2c' and 'mem' sample memory accesses by %s",
                    m->memory.kind);
    else
        finding_add(f, FINDING_WARN, "sampling", m->memory_error.hint, "'c2c' and 'mem': %s",
                    m->memory_error.message);
}

static bool asked(const struct strings *captures, const char *name)
{
    return !captures || strings_has(captures, name);
}

static void judge_record(const struct machine *m, struct findings *f)
{
    if (m->sampling_error.kind != BENCH_ERROR_NONE)
        finding_add(f, FINDING_WARN, "sampling", m->sampling_error.hint, "'record': %s",
                    m->sampling_error.message);
    else if (m->sampling.instead)
        finding_add(f, FINDING_WARN, "sampling", m->sampling.mend, "'record' samples by '%s': %s",
                    m->sampling.event, m->sampling.instead);
    else
        finding_add(f, FINDING_OK, "sampling", NULL, "'record' samples by '%s'", m->sampling.event);
}

static void judge_calls(const struct machine *m, struct findings *f)
{
    if (m->calls_error.kind != BENCH_ERROR_NONE)
        finding_add(f, FINDING_WARN, "sampling", m->calls_error.hint, "'syscalls': %s",
                    m->calls_error.message);
    else
        finding_add(f, FINDING_OK, "sampling", NULL, "'syscalls' counts system calls by BPF");
}

void judge_sampling(const struct machine *m, const struct strings *captures, struct findings *f)
{
    const bool memory = asked(captures, "c2c") || asked(captures, "mem");
    const bool perf = memory || asked(captures, "record") || asked(captures, "offcpu");

    if (perf && m->perf_error.kind != BENCH_ERROR_NONE)
        finding_add(f, FINDING_WARN, "sampling", m->perf_error.hint,
                    "'record', 'c2c', 'mem', 'offcpu': %s", m->perf_error.message);
    if (asked(captures, "record"))
        judge_record(m, f);
    if (memory)
        judge_memory(m, f);
    if (asked(captures, "offcpu") && m->switches_error.kind != BENCH_ERROR_NONE)
        finding_add(f, FINDING_WARN, "sampling", m->switches_error.hint, "'offcpu': %s",
                    m->switches_error.message);
    if (asked(captures, "syscalls"))
        judge_calls(m, f);
}

/* Limits. */

void judge_limits(const struct machine *m, const struct needs *n, struct findings *f)
{
    /* A relay holds two descriptors per connection, and a few dozen of its own. */
    const int64_t files = 2 * n->jobs + 64;
    size_t before = f->count;

    if (m->open_files >= 0 && m->open_files < files)
        finding_add(
            f, FINDING_WARN, "limits", "ulimit -n, or LimitNOFILE= of the service",
            "%lld open files, a relay of %lld connections needs %lld: connections will fail",
            (long long)m->open_files, (long long)n->jobs, (long long)files);
    if (m->backlog >= 0 && m->backlog < n->jobs)
        finding_add(f, FINDING_WARN, "limits", "sysctl net.core.somaxconn=4096",
                    "somaxconn is %lld, %lld connections come at once: those that find the queue "
                    "full wait for a second",
                    (long long)m->backlog, (long long)n->jobs);
    if (m->ports >= 0 && m->ports < n->jobs)
        finding_add(f, FINDING_WARN, "limits", "sysctl net.ipv4.ip_local_port_range='1024 65535'",
                    "%lld local ports for %lld connections: the rest will fail",
                    (long long)m->ports, (long long)n->jobs);
    if (f->count == before)
        finding_add(f, FINDING_OK, "limits", NULL,
                    "open files, listen queue and local ports suffice for %lld connections",
                    (long long)n->jobs);
}

/* Noise. */

static void judge_unknown(const json_t *facts, struct findings *f)
{
    static const char *const names[] = {"governor", "turbo", "steal", "load"};
    cleanup_text struct text unknown = {0};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (json_is_null(json_object_get(facts, names[i])))
            text_add(&unknown, "%s%s", unknown.length ? ", " : "", names[i]);
    if (unknown.length)
        finding_add(f, FINDING_WARN, "noise", NULL, "cannot be seen here, and may disturb: %s",
                    text_get(&unknown));
}

void judge_noise(const json_t *facts, struct findings *f)
{
    /* Judged with what they cost where they belong, or true of every run. */
    static const char *const elsewhere[] = {"pmu", "congestion", "loopback"};
    cleanup_strings struct strings warnings = {0};
    json_t *rest = json_copy((json_t *)facts);

    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
        json_object_del(rest, elsewhere[i]);
    facts_warnings(rest, &warnings);
    json_decref(rest);
    for (size_t i = 0; i < warnings.count; i++)
        finding_add(f, FINDING_WARN, "noise", NULL, "%s", warnings.items[i]);
    if (warnings.count == 0)
        finding_add(f, FINDING_OK, "noise", NULL, "nothing was found that disturbs measurements");
    judge_unknown(facts, f);
}
