/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules say of runs made by hand: nothing of a clean one, and each at its threshold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "report/document.h"
#include "report/rules.h"

#include "documented.h"
#include "example.h"

#define REQUESTS 10000.0 /* per second */
#define MIB (1024.0 * 1024)

/* --- a clean run --------------------------------------------------------------------------- */

static const char *const counted[] = {"syscall_recvfrom", "syscall_writev",  "syscall_accept4",
                                      "syscall_close",    "syscall_connect", "syscall_fsync",
                                      "syscalls"};

static void add_events(struct example *e, const char *role, double cpus)
{
    example_event(e, role, "task-clock", cpus * 1e9, 1);
    example_event(e, role, "context-switches", 2 * REQUESTS, 1);
    example_event(e, role, "cpu-migrations", 10, 1);
    example_event(e, role, "page-faults", 10, 1);
    example_event(e, role, "cycles", 3e9, 1);
    example_event(e, role, "instructions", 3e9, 1);
    example_event(e, role, "cache-misses", 1e6, 1);
}

static void add_syscalls(struct example *e, const char *role)
{
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
        example_event(e, role, counted[i], i < 2 ? 2 * REQUESTS : 0, 1);
    e->columns[e->n - 3].per_second = 6 * REQUESTS; /* syscalls, before its enabled and running */
}

static void add_role(struct example *e, const char *role, double cpus, double bytes)
{
    example_role(e, role, cpus, bytes);
    example_add(e, role, "runqueue_ns", 0.05e9);
    example_add(e, role, "involuntary", 100);
    example_add(e, role, "workers_ns", cpus * 1e9);
    example_add(e, role, "busiest_ns", cpus * 0.55e9);
    example_add(e, role, "workers", 2);
    e->columns[e->n - 1].gauge = true;
}

/* A counter rises by so much per second, a gauge stays there; memory rises from 32 MiB. */
static void set(struct repetition_record *r, const char *name, double value)
{
    struct series *s = &r->series;
    int column = series_find(s, name);

    if (column < 0)
        fail_msg("no column '%s'", name);
    for (size_t row = 0; row < s->n_rows; row++) {
        double at = strstr(name, ".rss_bytes")                ? 32 * MIB + value * (double)row / 10
                    : s->columns[column].kind == SERIES_GAUGE ? value
                                                              : value * (double)row / 10;

        s->values[row * s->n_columns + (size_t)column] = (int64_t)at;
    }
}

enum { STAT = 1, SYSCALLS = 2 };

/* One hop at its limit, client and server with time to spare: 1 GB/s, and a request per 100 kB. */
static void clean_repetition(struct repetition_record *r, uint32_t index, const char *point,
                             bool requests, int captures)
{
    static const struct {
        const char *name;
        double cpus;
    } roles[] = {{"server", 0.4}, {"client", 0.5}, {"relay_1", 0.97}};
    struct example e = {0};

    example_record(r, index, index, "nginx", "nginx", point, 1);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        const char *name = roles[i].name;

        example_add_role(r, name, i == 2 ? 1 : 0, NULL);
        add_role(&e, name, roles[i].cpus, 1e9);
        if (captures & STAT)
            add_events(&e, name, roles[i].cpus);
        if (captures & SYSCALLS)
            add_syscalls(&e, name);
        if (requests && i == 1)
            for (size_t k = 0; k < e.n; k++)
                if (strcmp(e.columns[k].name, "client.operations") == 0)
                    e.columns[k].per_second = REQUESTS;
    }
    example_machine(&e, 0.5);
    example_add(&e, "around", "periods", 1000);
    example_add(&e, "around", "throttled_periods", 0);
    example_series(&e, &r->series);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
        cleanup_free char *workers = xasprintf("%s.workers", roles[i].name);

        set(r, workers, 2);
    }
}

struct fixture {
    struct stored_run run;
    struct document *document;
    const struct bench_document *d;
};

static struct fixture stored(uint32_t n, bool requests, int captures)
{
    struct fixture f = {0};

    example_run_init(
        &f.run, example_run_json("clean", "complete", json_pack("[s]", "nginx"), json_array(), n),
        n);
    for (uint32_t i = 0; i < n; i++)
        clean_repetition(&f.run.repetitions[i], i + 1, "", requests, captures);
    return f;
}

static void explain(struct fixture *f)
{
    document_free(f->document);
    assert_int_equal(document_new(&f->document, &f->run, NULL), 0);
    f->d = document_get(f->document);
}

static void release(struct fixture *f)
{
    document_free(f->document);
    example_release(&f->run);
}
#define cleanup_fixture __attribute__((cleanup(release)))

static const struct bench_finding *find(const struct bench_document *d, const char *rule)
{
    for (uint32_t i = 0; i < d->n_findings; i++)
        if (strcmp(d->findings[i]->rule, rule) == 0)
            return d->findings[i];
    return NULL;
}

static void assert_nothing(const struct fixture *f)
{
    if (f->d->n_findings)
        fail_msg("%s: %s", f->d->findings[0]->rule, f->d->findings[0]->evidence);
}

static void nothing_on_a_clean_run(void **state)
{
    (void)state;
    for (int requests = 0; requests < 2; requests++)
        for (int captures = 0; captures <= (STAT | SYSCALLS); captures++) {
            cleanup_fixture struct fixture f = stored(6, requests, captures);

            explain(&f);
            assert_nothing(&f);
        }
}

/* --- thresholds ---------------------------------------------------------------------------- */

struct at_threshold {
    const char *rule, *role;
    bool requests;
    struct {
        const char *column;
        double fires, silent; /* per second; a column "p99" is that latency in seconds */
    } set[5];
};

/* 4.8% and 5.2%, beside 2 CPUs at work */
#define BUSY_MACHINE                    \
    {                                   \
        "system.idle_ns", 0.1e9, 0.11e9 \
    }
#define BOTH(column, value)  \
    {                        \
        column, value, value \
    }

static const struct at_threshold cases[] = {
    {"limited by the client",
     NULL,
     true,
     {{"client.cpu_ns", 1.91e9, 1.89e9},
      {"client.event:task-clock", 1.91e9, 1.89e9},
      BOTH("relay_1.cpu_ns", 0.5e9)}},
    {"limited by the server",
     NULL,
     true,
     {{"server.cpu_ns", 1.91e9, 1.89e9},
      {"server.event:task-clock", 1.91e9, 1.89e9},
      BOTH("relay_1.cpu_ns", 0.5e9)}},
    {"limited by the machine", NULL, true, {BUSY_MACHINE, BOTH("relay_1.cpu_ns", 0.5e9)}},
    {"limited by the quota around bench", NULL, true, {{"around.throttled_periods", 110, 90}}},
    {"no bottleneck found", NULL, true, {{"relay_1.cpu_ns", 0.94e9, 0.96e9}}},
    {"others at work", NULL, true, {{"system.user_ns", 0.88e9, 0.86e9}}},
    {"steal", NULL, true, {{"system.steal_ns", 4.1e6, 3.9e6}}},
    {"tail of throttling",
     "relay_1",
     true,
     {{"p99", 0.0253, 0.0247}, BOTH("relay_1.throttled_periods", 500)}},
    {"tail of throttling",
     "relay_1",
     true,
     {{"p99", 0.109, 0.111}, BOTH("relay_1.throttled_periods", 500)}},
    {"tail of throttling",
     "relay_1",
     true,
     {BOTH("p99", 0.1), {"relay_1.throttled_periods", 101, 99}}},
    {"throttled", "relay_1", true, {{"relay_1.throttled_periods", 101, 99}}},
    {"listen overflows", NULL, true, {{"net.listen_overflows", 1, 0}}},
    {"one busy worker", "relay_1", true, {{"relay_1.busiest_ns", 0.88e9, 0.87e9}}},
    {"one busy worker",
     "server",
     true,
     {BOTH("server.busiest_ns", 0.39e9),
      {"server.cpu_ns", 0.11e9, 0.09e9},
      {"server.event:task-clock", 0.11e9, 0.09e9}}},
    {"short connections",
     "relay_1",
     true,
     {{"relay_1.event:syscall_accept4", 5050, 4950}, BOTH("relay_1.event:syscall_close", 9000)}},
    {"short connections",
     "server",
     true,
     {{"server.event:syscall_close", 5050, 4950}, BOTH("server.event:syscall_accept4", 9000)}},
    {"connects", "relay_1", true, {{"relay_1.event:syscall_connect", 5050, 4950}}},
    {"connection per request", NULL, true, {{"net.active_opens", 5050, 4950}}},
    {"flushes", "server", true, {{"server.event:syscall_fsync", 11, 9}}},
    {"small reads", "relay_1", false, {{"relay_1.event:syscall_recvfrom", 245000, 243000}}},
    {"small reads",
     "relay_1",
     true,
     {BOTH("server.bytes_received", 1e8), {"relay_1.event:syscall_recvfrom", 40400, 39600}}},
    {"small writes", "client", false, {{"client.event:syscall_writev", 245000, 243000}}},
    {"small writes",
     "client",
     true,
     {BOTH("server.bytes_received", 1e8), {"client.event:syscall_writev", 40400, 39600}}},
    {"many calls per request", "relay_1", true, {{"relay_1.event:syscalls", 202000, 198000}}},
    {"many calls per byte", "relay_1", false, {{"relay_1.event:syscalls", 980000, 970000}}},
    {"reads, few writes", "relay_1", true, {{"relay_1.event:syscall_recvfrom", 80800, 79200}}},
    {"reads, few writes", "server", true, {{"server.event:syscall_recvfrom", 80800, 79200}}},
    {"writes, few reads", "relay_1", false, {{"relay_1.event:syscall_writev", 80800, 79200}}},
    {"switches per request", "relay_1", true, {{"relay_1.event:context-switches", 40400, 39600}}},
    {"switches per byte", "server", false, {{"server.event:context-switches", 101000, 99000}}},
    {"waiting for a CPU", "relay_1", true, {{"relay_1.runqueue_ns", 0.49e9, 0.48e9}}},
    {"waiting for a CPU",
     "relay_1",
     true,
     {BOTH("relay_1.runqueue_ns", 1e9), {"relay_1.throttled_periods", 99, 101}}},
    {"involuntary switches", "relay_1", true, {{"relay_1.involuntary", 490, 480}}},
    {"migrations", "relay_1", true, {{"relay_1.event:cpu-migrations", 980, 960}}},
    {"retransmits", NULL, true, {{"net.retransmits", 21, 19}}},
    {"software interrupts", NULL, true, {{"system.softirq_ns", 1.64e9, 1.6e9}}},
    {"page faults", "server", true, {{"server.event:page-faults", 4040, 3960}}},
    {"memory growth", "relay_1", true, {{"relay_1.rss_bytes", 16.2 * MIB / 3, 15.8 * MIB / 3}}},
    {"low IPC", "relay_1", true, {{"relay_1.event:instructions", 1.49e9, 1.51e9}}},
    {"cache misses", "relay_1", true, {{"relay_1.event:cache-misses", 3.03e7, 2.97e7}}},
    {"few calls",
     "relay_1",
     true,
     {{"relay_1.event:syscalls", 990, 1010},
      BOTH("relay_1.cpu_ns", 0.04e9),
      BOTH("relay_1.event:task-clock", 0.04e9)}},
    {"few calls",
     "relay_1",
     true,
     {BOTH("relay_1.event:syscalls", 900),
      {"relay_1.cpu_ns", 0.049e9, 0.051e9},
      {"relay_1.event:task-clock", 0.049e9, 0.051e9}}},
};

static void apply(struct fixture *f, const struct at_threshold *c, bool fires)
{
    struct repetition_record *r = &f->run.repetitions[0];

    for (size_t i = 0; i < ARRAY_SIZE(c->set) && c->set[i].column; i++) {
        double value = fires ? c->set[i].fires : c->set[i].silent;

        if (strcmp(c->set[i].column, "p99") == 0)
            record_add_total(r, "latency_p99_seconds", value);
        else
            set(r, c->set[i].column, value);
    }
    explain(f);
}

static void rules_hold_from_their_thresholds_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct at_threshold *c = &cases[i];
        cleanup_fixture struct fixture above = stored(1, c->requests, STAT | SYSCALLS);
        cleanup_fixture struct fixture below = stored(1, c->requests, STAT | SYSCALLS);
        const struct bench_finding *found;

        apply(&above, c, true);
        apply(&below, c, false);
        found = find(above.d, c->rule);
        if (!found)
            fail_msg("case %zu: '%s' is silent", i, c->rule);
        if (c->role)
            assert_string_equal(found->role, c->role);
        else
            assert_null(found->role);
        found = find(below.d, c->rule);
        if (found)
            fail_msg("case %zu: '%s' below its threshold: %s", i, c->rule, found->evidence);
    }
}

static void every_rule_is_tried(void **state)
{
    (void)state;
    for (size_t i = 0; rule_row(i); i++) {
        size_t k = 0;

        while (k < ARRAY_SIZE(cases) && strcmp(cases[k].rule, rule_row(i)->name) != 0)
            k++;
        if (k == ARRAY_SIZE(cases))
            fail_msg("'%s' is not tried", rule_row(i)->name);
    }
}

/* --- what rules leave out ------------------------------------------------------------------ */

/* A one-way stream only writes at one end and only reads at the other. */
static void the_ends_of_a_stream(void **state)
{
    cleanup_fixture struct fixture f = stored(1, false, SYSCALLS);

    (void)state;
    set(&f.run.repetitions[0], "server.event:syscall_writev", 10);
    set(&f.run.repetitions[0], "client.event:syscall_recvfrom", 10);
    explain(&f);
    assert_nothing(&f);
}

/* A hop reads what the client sent and what it got, the server only the former. */
static void both_directions_pass_a_relay(void **state)
{
    cleanup_fixture struct fixture f = stored(1, false, SYSCALLS);
    struct repetition_record *r = &f.run.repetitions[0];
    const struct bench_finding *found;

    (void)state;
    set(r, "client.bytes_received", 1e9);
    set(r, "relay_1.event:syscall_recvfrom", 300000);
    set(r, "server.event:syscall_recvfrom", 300000);
    explain(&f);
    found = find(f.d, "small reads");
    assert_non_null(found);
    assert_string_equal(found->role, "server");
    assert_string_equal(found->evidence,
                        "3.26 KiB for each call that reads (sent_bits_per_second 8.00 Gbit/s, "
                        "syscall_recvfrom_server 900 k; from 'syscalls')");
    set(r, "relay_1.event:syscall_recvfrom", 600000);
    set(r, "server.event:syscall_recvfrom", 100000);
    explain(&f);
    found = find(f.d, "small reads");
    assert_non_null(found);
    assert_string_equal(found->role, "relay_1");
    assert_non_null(strstr(found->evidence,
                           "3.26 KiB for each call that reads (sent_bits_per_second "
                           "8.00 Gbit/s, received_bits_per_second 8.00 Gbit/s"));
}

/* Large calls of a client that waits for the relay, as it should. */
static void an_end_with_few_calls(void **state)
{
    cleanup_fixture struct fixture f = stored(1, false, SYSCALLS);
    struct repetition_record *r = &f.run.repetitions[0];

    (void)state;
    set(r, "client.event:syscalls", 200);
    set(r, "client.cpu_ns", 0.04e9);
    explain(&f);
    assert_null(find(f.d, "few calls"));
}

/* Its small buffers are why it reads more often than it writes: said once. */
static void small_reads_are_many_reads(void **state)
{
    cleanup_fixture struct fixture f = stored(1, false, SYSCALLS);
    struct repetition_record *r = &f.run.repetitions[0];

    (void)state;
    set(r, "relay_1.event:syscall_recvfrom", 300000);
    explain(&f);
    assert_non_null(find(f.d, "small reads"));
    assert_null(find(f.d, "reads, few writes"));
}

/* A relay of connections opens one where its client does. */
static void a_connection_that_the_client_asks_for(void **state)
{
    cleanup_fixture struct fixture f = stored(1, true, SYSCALLS);
    struct repetition_record *r = &f.run.repetitions[0];

    (void)state;
    set(r, "relay_1.event:syscall_connect", REQUESTS);
    explain(&f);
    assert_non_null(find(f.d, "connects"));
    set(r, "client.connections", REQUESTS);
    explain(&f);
    assert_null(find(f.d, "connects"));
}

static void what_is_covered_is_said_once(void **state)
{
    cleanup_fixture struct fixture f = stored(1, true, SYSCALLS);
    struct repetition_record *r = &f.run.repetitions[0];

    (void)state;
    set(r, "net.active_opens", 20000);
    set(r, "server.event:syscall_accept4", 9000);
    set(r, "server.event:syscall_close", 9000);
    set(r, "relay_1.throttled_periods", 900);
    record_add_total(r, "latency_p99_seconds", 0.06);
    explain(&f);
    assert_int_equal(f.d->n_findings, 2);
    assert_string_equal(f.d->findings[0]->rule, "tail of throttling");
    assert_string_equal(f.d->findings[1]->rule, "short connections");
}

/* A wait for a CPU that everybody wants says nothing of the relay. */
static void a_crowded_machine(void **state)
{
    cleanup_fixture struct fixture f = stored(1, true, STAT);
    struct repetition_record *r = &f.run.repetitions[0];

    (void)state;
    set(r, "system.idle_ns", 0);
    set(r, "relay_1.cpu_ns", 0.5e9);
    set(r, "server.cpu_ns", 0.8e9);
    set(r, "relay_1.runqueue_ns", 2e9);
    set(r, "relay_1.involuntary", 50000);
    explain(&f);
    assert_int_equal(f.d->n_findings, 1);
    assert_string_equal(f.d->findings[0]->rule, "limited by the machine");
}

/* With a rate nobody is meant to be at the end. */
static void a_given_rate(void **state)
{
    cleanup_fixture struct fixture f = stored(1, true, SYSCALLS);

    (void)state;
    json_object_set_new(json_object_get(f.run.run, "scenario"), "rate", json_integer(10000));
    set(&f.run.repetitions[0], "relay_1.cpu_ns", 0.3e9);
    set(&f.run.repetitions[0], "system.user_ns", 0);
    explain(&f);
    assert_string_equal(f.d->arms[0]->limited_by, "nothing");
    assert_nothing(&f);
}

static void without_a_relay(void **state)
{
    struct stored_run run;
    struct document *d;

    (void)state;
    example_run_init(
        &run, example_run_json("none", "complete", json_pack("[s]", "none"), json_array(), 1), 1);
    example_ok(&run.repetitions[0], 1, 1, "none", "none", "", 0, 5e9, 0, 0.01);
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_string_equal(document_get(d)->arms[0]->limited_by, "cpu");
    assert_int_equal(document_get(d)->n_findings, 1);
    assert_string_equal(document_get(d)->findings[0]->rule, "others at work");
    document_free(d);
    example_release(&run);
}

/* --- estimates ----------------------------------------------------------------------------- */

/* By the estimate over repetitions; but what ought not to happen at all, by any. */
static void over_repetitions(void **state)
{
    cleanup_fixture struct fixture f = stored(6, true, STAT);
    const struct bench_finding *found;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        set(&f.run.repetitions[i], "relay_1.event:context-switches", 60000);
    set(&f.run.repetitions[0], "relay_1.involuntary", 50000);
    set(&f.run.repetitions[3], "net.listen_overflows", 10);
    explain(&f);
    assert_int_equal(f.d->n_findings, 2);
    found = find(f.d, "switches per request");
    assert_int_equal(found->holds, 5);
    assert_int_equal(found->of, 6);
    assert_float_equal(found->value, 6, 1e-9);
    found = find(f.d, "listen overflows");
    assert_int_equal(found->holds, 1);
    assert_float_equal(found->value, 30, 1e-9);
}

/* Of several points the one where it is strongest. */
static void at_several_points(void **state)
{
    static const char *const points[] = {"jobs=1", "jobs=10", "jobs=100"};
    struct fixture f = {0};
    const struct bench_finding *found;

    (void)state;
    example_run_init(
        &f.run, example_run_json("sweep", "complete", json_pack("[s]", "nginx"), json_array(), 3),
        3);
    for (uint32_t i = 0; i < 3; i++) {
        clean_repetition(&f.run.repetitions[i], i + 1, points[i], true, STAT);
        set(&f.run.repetitions[i], "relay_1.event:context-switches",
            i == 0   ? 20000
            : i == 1 ? 70000
                     : 60000);
    }
    explain(&f);
    assert_int_equal(f.d->n_findings, 1);
    found = f.d->findings[0];
    assert_int_equal(found->n_points, 2);
    assert_string_equal(found->points[0], "jobs=10");
    assert_string_equal(found->points[1], "jobs=100");
    assert_float_equal(found->value, 7, 1e-9);
    release(&f);
}

/* System calls are counted in repetitions of their own, which enter nothing else. */
static void in_repetitions_of_their_own(void **state)
{
    cleanup_fixture struct fixture f = stored(2, true, 0);
    const struct bench_finding *found;

    (void)state;
    record_release(&f.run.repetitions[1]);
    clean_repetition(&f.run.repetitions[1], 2, "", true, STAT | SYSCALLS);
    f.run.repetitions[1].purpose = xstrdup("capture:syscalls");
    set(&f.run.repetitions[1], "server.event:syscall_fsync", 100);
    set(&f.run.repetitions[1], "net.listen_overflows", 10);
    set(&f.run.repetitions[1], "relay_1.event:context-switches", 1e6);
    explain(&f);
    assert_int_equal(f.d->arms[0]->valid, 1);
    assert_int_equal(f.d->n_findings, 1);
    found = find(f.d, "flushes");
    assert_non_null(found);
    assert_string_equal(found->evidence, "100 flushes to the disk per second (syscall_fsync_server "
                                         "300; from 'syscalls') in a repetition made for it");
}

/* --- words --------------------------------------------------------------------------------- */

static void assert_evidence(const struct fixture *f, const char *rule, const char *evidence)
{
    const struct bench_finding *found = find(f->d, rule);

    if (!found)
        fail_msg("'%s' is silent", rule);
    assert_string_equal(found->evidence, evidence);
}

static void evidence_cites_its_numbers(void **state)
{
    cleanup_fixture struct fixture f = stored(6, true, STAT | SYSCALLS);
    const struct bench_finding *found;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct repetition_record *r = &f.run.repetitions[i];

        set(r, "relay_1.throttled_periods", 960);
        set(r, "relay_1.event:syscalls", 500000);
        set(r, "server.event:page-faults", i < 5 ? 40000 : 0);
        set(r, "net.retransmits", 40);
        record_add_total(r, "latency_p99_seconds", 0.05);
    }
    explain(&f);
    assert_evidence(&f, "tail of throttling",
                    "p99 is 50% of the period of its CPU limit, throttled in 96% of the periods of "
                    "its CPU limit (latency_p99_seconds 50.0 ms, throttled_share_relay_1 96%; from "
                    "'resources'), in 6 of 6 repetitions");
    assert_evidence(&f, "many calls per request",
                    "50 system calls for each request (syscalls_relay_1 1.50 M, "
                    "operations_per_second 10.0 k; from 'syscalls'), in 6 of 6 repetitions");
    assert_evidence(&f, "page faults",
                    "100 k page faults for each second that it ran (page_faults_server 120 k, "
                    "task_clock_server 1.20 s; from 'stat'), in 5 of 6 repetitions");
    assert_evidence(&f, "retransmits",
                    "0.2% of the segments were sent again (tcp_retransmits 120, tcp_segments_sent "
                    "60.0 k; from 'resources'), in 6 of 6 repetitions");
    found = find(f.d, "page faults");
    assert_int_equal(found->n_cited, 2);
    assert_string_equal(found->cited[1], "task_clock_server");
    assert_float_equal(found->cited_values[1], 1.2, 1e-9);
    assert_float_equal(found->threshold, 10000, 0);
}

/* A count of `stat` at the tracepoint serves as well, and is called what it is. */
static void tracepoints_of_stat(void **state)
{
    cleanup_fixture struct fixture f = {0};
    struct example e = {0};
    struct repetition_record *r;

    (void)state;
    f = stored(1, false, 0);
    r = &f.run.repetitions[0];
    record_release(r);
    example_record(r, 1, 1, "nginx", "nginx", "", 1);
    example_add_role(r, "relay_1", 1, NULL);
    add_role(&e, "relay_1", 0.97, 1e9);
    add_role(&e, "server", 0.4, 1e9);
    example_event(&e, "relay_1", "syscalls:sys_enter_read", 1e6, 1);
    example_event(&e, "relay_1", "raw_syscalls:sys_enter", 1e6, 1);
    example_machine(&e, 0.5);
    example_series(&e, &r->series);
    explain(&f);
    assert_evidence(&f, "small reads",
                    "1000 B for each call that reads (bits_per_second 8.00 Gbit/s, "
                    "syscalls_sys_enter_read_relay_1 3.00 M; from 'stat')");
    assert_evidence(&f, "many calls per byte",
                    "1000 B for each system call (bits_per_second 8.00 Gbit/s, "
                    "raw_syscalls_sys_enter_relay_1 3.00 M; from 'stat')");
}

static bool has_line(const char *const *lines, uint32_t n, const char *line)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(lines[i], line) == 0)
            return true;
    return false;
}

static void what_was_not_looked_at(void **state)
{
    cleanup_fixture struct fixture all = stored(1, true, STAT | SYSCALLS);
    cleanup_fixture struct fixture requests = stored(1, true, SYSCALLS);
    cleanup_fixture struct fixture stream = stored(1, false, SYSCALLS);
    cleanup_fixture struct fixture no_pmu = stored(1, false, STAT | SYSCALLS);
    struct series *s = &no_pmu.run.repetitions[0].series;

    (void)state;
    for (size_t i = 0; i < s->n_columns; i++)
        if (strstr(s->columns[i].name, "event:cycles") ||
            strstr(s->columns[i].name, "event:instructions") ||
            strstr(s->columns[i].name, "event:cache-misses")) {
            s->columns[i].state = BENCH_NOT_SUPPORTED;
            s->columns[i].reason = xstrdup("event 'x': no PMU; hint: buy one");
        }
    explain(&all);
    explain(&requests);
    explain(&stream);
    explain(&no_pmu);
    assert_int_equal(all.d->n_unseen, 0);
    assert_true(has_line(
        requests.d->unseen, requests.d->n_unseen,
        "with 'stat', default options: switches per request, switches per byte, migrations, page "
        "faults, low IPC, cache misses"));
    assert_true(has_line(
        stream.d->unseen, stream.d->n_unseen,
        "with 'stat', default options: switches per byte, migrations, page faults, low IPC, cache "
        "misses"));
    assert_true(
        has_line(no_pmu.d->unseen, no_pmu.d->n_unseen, "not here: low IPC, cache misses: no PMU"));
}

static void rename_column(struct series *s, const char *name, const char *to)
{
    int column = series_find(s, name);

    assert_true(column >= 0);
    free(s->columns[column].name);
    s->columns[column].name = xstrdup(to);
}

/* Where all calls were counted, those without a column did not happen: nothing is missing. */
static void calls_that_nobody_made(void **state)
{
    cleanup_fixture struct fixture f = stored(1, true, STAT | SYSCALLS);
    static const char *const roles[] = {"client", "server", "relay_1"};
    struct repetition_record *r = &f.run.repetitions[0];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        for (size_t k = 2; k < ARRAY_SIZE(counted) - 1; k++) {
            cleanup_free char *name = xasprintf("%s.event:%s", roles[i], counted[k]);

            rename_column(&r->series, name, "nobody.at_all");
        }
    explain(&f);
    assert_nothing(&f);
    assert_int_equal(f.d->n_unseen, 0);
    /* One of a pair alone is no pair. */
    rename_column(&r->series, "nobody.at_all", "relay_1.event:syscall_accept4");
    set(r, "relay_1.event:syscall_accept4", 9000);
    explain(&f);
    assert_nothing(&f);
}

/* Short, and lower case as notes are; a mark for the number. */
static void wording(void **state)
{
    (void)state;
    for (size_t i = 0; rule_row(i); i++) {
        const struct rule *rule = rule_row(i);
        const char *const texts[] = {rule->meaning, rule->remedy};

        for (size_t k = 0; k < ARRAY_SIZE(texts); k++) {
            size_t n = strlen(texts[k]);

            if (n < 20 || n > 110 || texts[k][n - 1] == '.' ||
                strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", texts[k][0]))
                if (strncmp(texts[k], "CPU", 3) != 0 && strncmp(texts[k], "SO_", 3) != 0)
                    fail_msg("'%s': \"%s\" (%zu)", rule->name, texts[k], n);
        }
        for (size_t c = 0; c < ARRAY_SIZE(rule->conditions) && rule->conditions[c].quantity; c++)
            assert_non_null(strstr(rule->conditions[c].quantity->phrase, "%s"));
    }
}

/* --- documentation ------------------------------------------------------------------------- */

static void add_condition(struct text *t, const struct condition *c)
{
    const char *phrase = c->quantity->phrase, *mark = strstr(phrase, "%s");
    size_t row = (size_t)c->threshold - 1;

    if (c->threshold == NO_THRESHOLD)
        return;
    text_add(t, "%s%.*s*n*%s, *n* %s %s", t->length ? "; " : "", (int)(mark - phrase), phrase,
             mark + 2, c->below ? "<" : ">", threshold_row(row)->name);
    if (c->if_known)
        text_add(t, " (where it is known)");
}

static char *documented_rules(void)
{
    static const char *const about[] = {[ABOUT_ROLE] = "role",
                                        [ABOUT_HOP] = "hop",
                                        [ABOUT_PEER] = "hop; ends of requests",
                                        [ABOUT_RUN] = "arm"};
    struct text t = {0};

    text_add(&t, "| rule | of each | from | when | meaning | try |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; rule_row(i); i++) {
        const struct rule *r = rule_row(i);
        cleanup_text struct text when = {0};

        if (r->limited_by)
            text_add(&when, "a relay runs, and 'limited by' is `%s`%s", r->limited_by,
                     r->unpaced ? ", without `rate`" : "");
        for (size_t c = 0; c < ARRAY_SIZE(r->conditions) && r->conditions[c].quantity; c++)
            add_condition(&when, &r->conditions[c]);
        if (!r->limited_by && r->unpaced)
            text_add(&when, "; without `rate`");
        if (r->once)
            text_add(&when, "; in any repetition");
        if (r->covered_by)
            text_add(&when, "; not beside *%s*", r->covered_by);
        text_add(&t, "| %s | %s | `%s` | %s | %s | %s |\n", r->name, about[r->about], r->capture,
                 text_get(&when), r->meaning, r->remedy);
    }
    return text_take(&t);
}

static void rules_are_documented(void **state)
{
    cleanup_free char *expected = documented_rules();

    (void)state;
    check_documented("rules", expected);
}

static void thresholds_are_documented(void **state)
{
    cleanup_text struct text t = {0};
    const struct threshold_row *row;

    (void)state;
    text_add(&t, "| threshold | value | what | why this value |\n|---|---|---|---|\n");
    for (size_t i = 0; (row = threshold_row(i)); i++)
        text_add(&t, "| %s | %.9g%s%s | %s | %s |\n", row->name, row->value, *row->unit ? " " : "",
                 row->unit, row->meaning, row->source);
    check_documented("thresholds", text_get(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_on_a_clean_run),
        cmocka_unit_test(rules_hold_from_their_thresholds_on),
        cmocka_unit_test(every_rule_is_tried),
        cmocka_unit_test(the_ends_of_a_stream),
        cmocka_unit_test(both_directions_pass_a_relay),
        cmocka_unit_test(an_end_with_few_calls),
        cmocka_unit_test(small_reads_are_many_reads),
        cmocka_unit_test(a_connection_that_the_client_asks_for),
        cmocka_unit_test(what_is_covered_is_said_once),
        cmocka_unit_test(a_crowded_machine),
        cmocka_unit_test(a_given_rate),
        cmocka_unit_test(without_a_relay),
        cmocka_unit_test(over_repetitions),
        cmocka_unit_test(at_several_points),
        cmocka_unit_test(in_repetitions_of_their_own),
        cmocka_unit_test(evidence_cites_its_numbers),
        cmocka_unit_test(tracepoints_of_stat),
        cmocka_unit_test(what_was_not_looked_at),
        cmocka_unit_test(calls_that_nobody_made),
        cmocka_unit_test(wording),
        cmocka_unit_test(rules_are_documented),
        cmocka_unit_test(thresholds_are_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
