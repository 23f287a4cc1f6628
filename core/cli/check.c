/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench check: what this machine can do, what stands in the way of a scenario, and how to fix it.
 * What can be tried is tried: a limit is set, a network made, every process of every arm described.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/events.h"
#include "capture/perf_tool.h"
#include "capture/syscall_counts.h"
#include "cli/judge.h"
#include "cli/say.h"
#include "environment/facts.h"
#include "plan/plan.h"
#include "plugin/host.h"
#include "process/query.h"
#include "site/local.h"

#define DEFAULT_SCENARIO "none-vs-nginx"
#define ANSWER_NS (2 * NS_PER_S)

static int print_help(void)
{
    say_out(
        "usage: bench check [SCENARIO]\n\n"
        "Says what this machine can do for a scenario: what stands in its way, and what it costs.\n"
        "Without one, everything that bench may need, and " DEFAULT_SCENARIO ".\n"
        "OK: fine. WARN: it works, at the price that is named. MISSING: the scenario cannot "
        "run.\n\n"
        "example:\n  bench check " DEFAULT_SCENARIO "\n\n"
        "exit status: 0 the scenario can run; 2 usage or invalid scenario; 5 something is "
        "missing\n");
    return 0;
}

/* --- programs and arms ---------------------------------------------------------------------- */

/* What the program says to the question of its row; NULL when it says nothing. Caller frees. */
static char *ask_version(const char *path, const char *const *question,
                         const struct strings *environment)
{
    cleanup_text struct text answer = {0};

    if (!question || process_query(path, question, environment, ANSWER_NS, &answer, NULL) < 0)
        return NULL;
    return query_version_line(text_get(&answer));
}

static void report_program(const char *arm, const struct bench_process *p, struct findings *f)
{
    const struct bench_program *row = process_row(p);
    cleanup_free char *version =
        row ? ask_version(p->program, row->version, &p->environment) : NULL;

    finding_add(f, FINDING_OK, "scenario", NULL, "arm '%s': %s%s'%s'", arm, version ? version : "",
                version ? ", " : "", p->program);
}

/* Each program of the arm once: hops of one arm all run the same. */
static void report_chain(const char *arm, const struct role_chain *chain, struct findings *f)
{
    const char *last = NULL;

    for (size_t i = 0; i < chain->count; i++) {
        const struct chain_role *m = &chain->roles[i];

        if (!m->process.program || (last && strcmp(last, m->process.program) == 0))
            continue;
        last = m->process.program;
        report_program(arm, &m->process, f);
    }
    if (!last)
        finding_add(f, FINDING_OK, "scenario", NULL, "arm '%s': needs no program", arm);
}

/* Describes every process of the arm, as a run would: programs, modules and options are looked at.
 */
static void check_arm(const struct point *point, size_t arm, struct findings *f)
{
    const char *name = point->scenario.arms[arm].name;
    struct bench_error err = {0};
    struct role_chain chain;

    role_chain_init(&chain, point, arm, "/nonexistent", 0);
    for (size_t i = 0; i < chain.n_ports; i++)
        chain.ports[i] = (uint16_t)(i + 1); /* never opened */
    if (role_chain_describe(&chain, &err) == 0) {
        report_chain(name, &chain, f);
    } else {
        error_context(&err, "arm '%s'", name);
        finding_error(f, "scenario", &err);
    }
    role_chain_release(&chain);
}

/* Every point: a sweep may go over the pins. */
static void check_pins(const struct plan *plan, struct findings *f)
{
    for (size_t i = 0; i < plan->n_points; i++) {
        struct bench_error err = {0};

        if (local_pins(&plan->points[i].scenario, &err) == 0)
            continue;
        finding_error(f, "scenario", &err);
        return;
    }
}

static void check_captures(const struct scenario *s, struct findings *f)
{
    for (size_t i = 0; i < s->n_captures; i++) {
        struct bench_error err = {0};

        if (capture_possible(&s->captures[i], &err) < 0)
            finding_error(f, "scenario", &err);
    }
}

static bool in_use(const struct scenario *s, const struct bench_plugin *p)
{
    if (p->kind == BENCH_WORKLOAD)
        return strcmp(p->name, s->workload) == 0;
    for (size_t i = 0; p->kind == BENCH_RELAY && i < s->n_arms; i++)
        if (strcmp(p->name, s->arms[i].plugin) == 0)
            return true;
    return false;
}

/* Programs of the plugins that the scenario leaves aside. */
static void check_programs(const struct registry *r, const struct scenario *s, struct findings *f)
{
    cleanup_strings struct strings found = {0};
    const struct strings nothing = {0};

    for (size_t i = 0; i < r->count; i++) {
        const struct plugin *p = &r->plugins[i];

        if (p->reason || in_use(s, p->info))
            continue;
        for (const struct bench_program *row = p->info->programs; row && row->name; row++) {
            cleanup_free char *path = program_find(row->name, NULL, NULL);
            cleanup_free char *version = NULL;

            if (path && strings_has(&found, path))
                continue; /* of another plugin as well */
            if (path) {
                strings_add(&found, path);
                version = ask_version(path, row->version, &nothing);
            }
            judge_program(row, p->info, path, version, f);
        }
    }
}

/* Tools that no plugin starts. */
static void check_tools(struct findings *f)
{
    static const char *const version[] = {"--version", NULL};
    static const struct {
        const char *name, *mend, *cost;
    } tools[] = {
        {"perf", "apt install linux-perf, or dnf install perf",
         "the captures 'record', 'c2c', 'mem' and 'offcpu' need it; measuring does not"},
        {"git", "apt install git, or dnf install git",
         "'bench bisect' needs it; measuring does not"},
        {"iperf3", "apt install iperf3, or dnf install iperf3",
         "'make perf' has nothing to compare with; measuring does not need it"},
    };
    const struct strings nothing = {0};

    for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
        cleanup_free char *path = program_find(tools[i].name, NULL, NULL);
        cleanup_free char *said = path ? ask_version(path, version, &nothing) : NULL;

        if (path)
            finding_add(f, FINDING_OK, "tools", NULL, "%s: %s%s'%s'", tools[i].name,
                        said ? said : "", said ? ", " : "", path);
        else
            finding_add(f, FINDING_WARN, "tools", tools[i].mend, "'%s' not found: %s",
                        tools[i].name, tools[i].cost);
    }
}

/* --- the machine ---------------------------------------------------------------------------- */

static struct needs needs_of(const struct plan *plan)
{
    struct needs n = {0};

    for (size_t i = 0; i < plan->n_points; i++) {
        const struct scenario *s = &plan->points[i].scenario;

        if (s->jobs > n.jobs)
            n.jobs = s->jobs;
        n.cpu_limit = fmax(n.cpu_limit, scenario_largest_cpu_limit(s));
    }
    return n;
}

static void try_limit(const struct containment *c, const struct scenario *s, double limit,
                      struct bench_error *ret)
{
    struct cgroup *group;

    if (limit <= 0 ||
        cgroup_new(&group, &c->host, c->id, "check", limit, s->cpu_period_ns, ret) < 0)
        return;
    cgroup_remove(group, ret);
    cgroup_close(group);
}

static int64_t integer_fact(const json_t *facts, const char *name, const char *member)
{
    const json_t *fact = json_object_get(facts, name);

    if (member)
        fact = json_object_get(fact, member);
    return json_is_integer(fact) ? json_integer_value(fact) : -1;
}

static int64_t local_ports(const json_t *facts)
{
    const json_t *range = json_object_get(facts, "port_range");
    const json_t *low = json_array_get(range, 0), *high = json_array_get(range, 1);

    return low && high ? json_integer_value(high) - json_integer_value(low) + 1 : -1;
}

/* What a new network namespace starts with, whatever the host has. */
enum { FRESH_BACKLOG = 4096, FRESH_PORTS = 60999 - 32768 + 1 };

static void probe_sampling(struct machine *m)
{
    struct sampling switches = {0};
    struct perf_program perf;

    if (perf_find(&perf, &m->perf_error) == 0)
        perf_program_release(&perf);
    sampling_choose(&m->sampling, &m->sampling_error);
    if (memory_events_find(&m->memory, EVENT_DEVICES, 0, &m->memory_error) == 0)
        memory_events_try(&m->memory, EVENT_DEVICES, &m->memory_error);
    if (sampling_take(&switches, "context-switches", &m->switches_error) == 0)
        sampling_release(&switches);
    syscall_counts_possible(&m->calls_error);
}

/* `all`: also what the scenario has no use for. */
static void judge_machine(const struct plan *plan, bool all, struct findings *f)
{
    cleanup_strings struct strings wanted = {0};
    const struct scenario *s = &plan->points[0].scenario;
    const struct needs needs = needs_of(plan);
    struct containment c = {.guardian_pipe = -1};
    struct network *network = NULL;
    struct machine m = {
        .root = geteuid() == 0,
        .pmu = event_have_pmu(),
        .paranoid = event_paranoid(),
        .tracefs = tracefs_access(),
    };
    struct bench_error late = {0};
    bool started = containment_start(&c, &m.containment_error) == 0;
    json_t *facts = facts_collect(started ? &c.host : NULL);

    if (started) {
        m.pid_namespaces = c.pid_namespaces;
        m.cgroups = &c.host;
        try_limit(&c, s, needs.cpu_limit, &m.limit_error);
        if (local_network(&network, s, c.network_namespaces, &m.network_error) == 0) {
            m.isolated = network_isolated(network);
            m.congestion = network_congestion(network);
        }
    }
    m.open_files = integer_fact(facts, "open_files", "soft");
    m.backlog = m.isolated ? FRESH_BACKLOG : integer_fact(facts, "somaxconn", NULL);
    m.ports = m.isolated ? FRESH_PORTS : local_ports(facts);
    judge_containment(&m, f);
    judge_cgroups(&m, &needs, f);
    judge_network(&m, f);
    for (size_t i = 0; i < s->n_captures; i++)
        strings_add(&wanted, s->captures[i].name);
    if (all || strings_has(&wanted, "stat"))
        judge_counters(&m, f);
    probe_sampling(&m);
    judge_sampling(&m, all ? NULL : &wanted, f);
    sampling_release(&m.sampling);
    memory_events_release(&m.memory);
    judge_limits(&m, &needs, f);
    judge_noise(facts, f);
    network_free(network);
    if (started && containment_stop(&c, &late) < 0)
        finding_error(f, "containment", &late);
    json_decref(facts);
}

/* --- the command ---------------------------------------------------------------------------- */

static void print_findings(const struct findings *f)
{
    static const char *const names[] = {"OK", "WARN", "MISSING"};

    for (size_t i = 0; i < f->count; i++) {
        const struct finding *one = &f->items[i];

        say_line(stdout, "%-8s %-12s %s", names[one->level], one->subject, one->text);
        if (one->mend)
            say_line(stdout, "%-21s fix:  %s", "", one->mend);
    }
}

static int print_verdict(const struct scenario *s, const struct findings *f)
{
    size_t missing = findings_count(f, FINDING_MISSING), warnings = findings_count(f, FINDING_WARN);

    if (missing)
        say_out("\n'%s' cannot run here: %zu missing\n", s->name, missing);
    else
        say_out("\n'%s' can run here, %zu warning%s\n", s->name, warnings,
                warnings == 1 ? "" : "s");
    return missing ? BENCH_ERROR_ENVIRONMENT : 0;
}

/* Everything that does not depend on whether the plugins could be resolved. */
static int check(struct cli *cli, struct scenario *s, bool all)
{
    const struct registry *r = cli_registry(cli);
    struct findings f = {0};
    struct bench_error err = {0};
    struct plan plan = {0};
    int code;

    if (scenario_check(s, r, capture_known, &err) < 0 || plan_make(&plan, s, r, &err) < 0) {
        if (err.kind != BENCH_ERROR_ENVIRONMENT)
            return cli_error(&err);
        finding_error(&f, "scenario", &err);
    }
    for (size_t arm = 0; plan.n_points && arm < s->n_arms; arm++)
        check_arm(&plan.points[0], arm, &f);
    check_pins(&plan, &f);
    for (size_t i = 0; i < s->left_out.count; i++)
        finding_add(&f, FINDING_WARN, "scenario", NULL,
                    "left out, this machine lacks these CPUs: %s", s->left_out.items[i]);
    if (plan.n_points)
        check_captures(s, &f);
    judge_plugins(r, all, &f);
    if (all) {
        check_programs(r, s, &f);
        check_tools(&f);
    }
    if (plan.n_points)
        judge_machine(&plan, all, &f);
    print_findings(&f);
    code = print_verdict(s, &f);
    plan_release(&plan);
    findings_release(&f);
    return code;
}

int cli_check(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {{"help", 0, NULL, 'h'}, {0}};
    const char *name;
    struct bench_error err = {0};
    struct scenario s;
    int c, code;

    optind = 0;
    opterr = 0;
    if ((c = cli_option("check", argc, argv, ":h", options)) != -1)
        return c == 'h' ? print_help() : BENCH_ERROR_USAGE;
    if (argc - optind > 1)
        return cli_usage("check", "one scenario at a time, not '%s' and '%s'", argv[optind],
                         argv[optind + 1]);
    name = optind < argc ? argv[optind] : DEFAULT_SCENARIO;
    scenario_init(&s);
    code = cli_read_scenario(cli, name, &s, &err) < 0 ? cli_error(&err)
                                                      : check(cli, &s, optind == argc);
    scenario_release(&s);
    return code;
}
