/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: their grammar, every condition with every outcome, and runs that are judged by them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "example.h"
#include "report/document.h"
#include "report/gates.h"

/* --- grammar ------------------------------------------------------------------------------- */

static void parses(void **state)
{
    static const struct {
        const char *text, *metric, *arm, *point;
        enum gate_kind kind;
        double value;
    } cases[] = {
        {"latency_p99 > 5ms", "latency_p99_seconds", NULL, NULL, GATE_ABOVE, 0.005},
        {"latency_p99_seconds>=5 ms", "latency_p99_seconds", NULL, NULL, GATE_AT_LEAST, 0.005},
        {"latency_p50 < 20us", "latency_p50_seconds", NULL, NULL, GATE_BELOW, 20e-6},
        {"bits_per_second <= 10Mbit/s", "bits_per_second", NULL, NULL, GATE_AT_MOST, 1e7},
        {"bits_per_second < 2.5G", "bits_per_second", NULL, NULL, GATE_BELOW, 2.5e9},
        {"operations < 10k/s", "operations_per_second", NULL, NULL, GATE_BELOW, 1e4},
        {"rss_bytes_relay_1 > 1GiB", "rss_bytes_relay_1", NULL, NULL, GATE_ABOVE, 1 << 30},
        {"throttled_share_relay_2 > 5%", "throttled_share_relay_2", NULL, NULL, GATE_ABOVE, 0.05},
        {"cpus_server > 0.9", "cpus_server", NULL, NULL, GATE_ABOVE, 0.9},
        {"cpus_relay > 2 CPUs", "cpus_relay", NULL, NULL, GATE_ABOVE, 2},
        {"cpu_seconds_per_gigabyte_relay > 3s/GB", "cpu_seconds_per_gigabyte_relay", NULL, NULL,
         GATE_ABOVE, 3},
        {"ipc_client < 1.5", "ipc_client", NULL, NULL, GATE_BELOW, 1.5},
        {"ipc_client < 1.1", "ipc_client", NULL, NULL, GATE_BELOW, 1.1},
        {"tcp_retransmits > 101", "tcp_retransmits", NULL, NULL, GATE_ABOVE, 101},
        {"involuntary_switches_client > 21", "involuntary_switches_client", NULL, NULL, GATE_ABOVE,
         21},
        {"operations < 501/s", "operations_per_second", NULL, NULL, GATE_BELOW, 501},
        {"operations < 501", "operations_per_second", NULL, NULL, GATE_BELOW, 501},
        {"throttled_share_relay_1 > 100%", "throttled_share_relay_1", NULL, NULL, GATE_ABOVE, 1},
        {"context_switches_client > 10k", "context_switches_client", NULL, NULL, GATE_ABOVE, 1e4},
        {"task_clock_server > 2s", "task_clock_server", NULL, NULL, GATE_ABOVE, 2},
        {"bits_per_second regresses 3%", "bits_per_second", NULL, NULL, GATE_REGRESSES, 0.03},
        {"latency_p99 of nginx improves 0.1", "latency_p99_seconds", "nginx", NULL, GATE_IMPROVES,
         0.1},
        {"offered changes 2%", "offered_per_second", NULL, NULL, GATE_CHANGES, 0.02},
        {"cpus_client at jobs=10 > 1", "cpus_client", NULL, "jobs=10", GATE_ABOVE, 1},
        {"cpus_client of my relay at jobs=10 hops=2 > 1", "cpus_client", "my relay",
         "jobs=10 hops=2", GATE_ABOVE, 1},
        {" bits_per_second   of  a>b regresses arm   changes  5 % ", "bits_per_second",
         "a>b regresses arm", NULL, GATE_CHANGES, 0.05},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bench_error err = {0};
        struct gate g;

        if (gate_parse(&g, cases[i].text, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_string_equal(g.metric, cases[i].metric);
        assert_string_equal(g.arm ? g.arm : "-", cases[i].arm ? cases[i].arm : "-");
        assert_string_equal(g.point ? g.point : "-", cases[i].point ? cases[i].point : "-");
        assert_int_equal(g.kind, cases[i].kind);
        assert_true(fabs(g.value - cases[i].value) <= 1e-12 * cases[i].value);
        gate_release(&g);
    }
}

/* As the tables of a run head it. */
static void a_title_is_a_name(void **state)
{
    static const struct {
        const char *text, *metric, *arm, *point;
    } cases[] = {
        {"throughput regresses 3%", "bits_per_second", NULL, NULL},
        {"Latency P99 of b c at jobs=1 > 5ms", "latency_p99_seconds", "b c", "jobs=1"},
        {"CPU relay_1 at jobs=1 > 1", "cpus_relay_1", NULL, "jobs=1"},
        {"cpu/op of x > 1", "cpu_seconds_per_operation_relay", "x", NULL},
        {"cycles relay_2 > 1", "cycles_relay_2", NULL, NULL},
        {"operations > 1", "operations_per_second", NULL, NULL},
    };
    struct bench_error err = {0};
    struct gate g;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (gate_parse(&g, cases[i].text, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_string_equal(g.metric, cases[i].metric);
        assert_true(!g.arm == !cases[i].arm && !g.point == !cases[i].point);
        if (g.arm)
            assert_string_equal(g.arm, cases[i].arm);
        if (g.point)
            assert_string_equal(g.point, cases[i].point);
        gate_release(&g);
    }
    assert_int_equal(gate_parse(&g, "throttled relay_1 > 3%", &err), -1);
    assert_string_equal(err.message, "gate 'throttled relay_1 > 3%': 'throttled relay_1' may be "
                                     "any of 2 metrics");
    assert_string_equal(err.hint, "say which: throttled_seconds_relay_1, throttled_share_relay_1");
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "gate '': there is no condition in it"},
        {"latency_p99 = 5ms", "gate 'latency_p99 = 5ms': there is no condition in it"},
        {"bits_per_second regresses3%",
         "gate 'bits_per_second regresses3%': there is no condition in it"},
        {"> 5ms", "gate '> 5ms': there is no metric"},
        {"latency_p99 >", "gate 'latency_p99 >': there is no value"},
        {"latency_p98 > 5ms", "gate 'latency_p98 > 5ms': there is no metric 'latency_p98'"},
        {"strange_ > 5", "gate 'strange_ > 5': there is no metric 'strange_'"},
        {"rss_bytes > 5M", "gate 'rss_bytes > 5M': 'rss_bytes' may be any of 18 metrics"},
        {"latency_p99 for nginx > 5ms",
         "gate 'latency_p99 for nginx > 5ms': only 'of ARM' and 'at POINT' can follow the metric"},
        {"latency_p99 of at jobs=1 > 5ms",
         "gate 'latency_p99 of at jobs=1 > 5ms': a name is missing"},
        {"latency_p99 > 5%", "gate 'latency_p99 > 5%': '5%' is not a duration: write a number with "
                             "ns, us, ms, s, m or h, like 500ms"},
        {"bits_per_second regresses 5ms", "gate 'bits_per_second regresses 5ms': '5ms' is not a "
                                          "share: write a percentage or a fraction, like 3% or "
                                          "0.03"},
        {"bits_per_second regresses 0%",
         "gate 'bits_per_second regresses 0%': '0%' is out of range, allowed is 0.01% to 1000%"},
        {"bits_per_second regresses 3", "gate 'bits_per_second regresses 3': '3' would be 300%"},
        {"throttled_share_relay_1 > 5", "gate 'throttled_share_relay_1 > 5': '5' would be 500%"},
        {"result improves 3%",
         "gate 'result improves 3%': 'result' is neither better higher nor lower"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bench_error err = {0};
        struct gate g = {.value = 1};

        assert_int_equal(gate_parse(&g, cases[i].text, &err), -1);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.kind, BENCH_ERROR_USAGE);
        assert_true(g.value == 1 && !g.metric);
    }
}

static void matches(void **state)
{
    struct gate all = {0}, arm = {.arm = (char *)"a"}, point = {.point = (char *)"hops=2,jobs=10"};

    (void)state;
    assert_true(gate_matches(&all, "a", "jobs=10"));
    assert_true(gate_matches(&arm, "a", ""));
    assert_false(gate_matches(&arm, "ab", ""));
    assert_true(gate_matches(&point, "b", "jobs=10 hops=2"));
    assert_false(gate_matches(&point, "b", "jobs=10"));
    assert_false(gate_matches(&point, "b", "jobs=100 hops=2"));
}

/* --- decisions ----------------------------------------------------------------------------- */

enum { PASS = GATE_PASSED, OPEN = GATE_INCONCLUSIVE, FAIL = GATE_FAILED };

static void decides_levels(void **state)
{
    static const struct {
        double low, high;
        int above, at_least, below, at_most; /* 5 */
    } cases[] = {
        {6, 7, FAIL, FAIL, PASS, PASS},        {5, 7, OPEN, FAIL, PASS, OPEN},
        {4, 6, OPEN, OPEN, OPEN, OPEN},        {3, 5, PASS, OPEN, OPEN, FAIL},
        {3, 4, PASS, PASS, FAIL, FAIL},        {5, 5, PASS, FAIL, PASS, FAIL},
        {6, INFINITY, FAIL, FAIL, PASS, PASS}, {4, INFINITY, OPEN, OPEN, OPEN, OPEN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (int kind = GATE_ABOVE; kind <= GATE_AT_MOST; kind++) {
            struct gate g = {.kind = (enum gate_kind)kind, .value = 5};
            const int expected[] = {[GATE_ABOVE] = cases[i].above,
                                    [GATE_AT_LEAST] = cases[i].at_least,
                                    [GATE_BELOW] = cases[i].below,
                                    [GATE_AT_MOST] = cases[i].at_most};

            /* Which side is better is of no concern to a level. */
            assert_int_equal(
                gate_decide(&g, BENCH_HIGHER_IS_BETTER, true, cases[i].low, cases[i].high),
                expected[kind]);
            assert_int_equal(
                gate_decide(&g, BENCH_LOWER_IS_BETTER, true, cases[i].low, cases[i].high),
                expected[kind]);
            assert_int_equal(gate_decide(&g, BENCH_NEUTRAL, false, NAN, NAN), OPEN);
            assert_int_equal(gate_decide(&g, BENCH_NEUTRAL, true, NAN, 1), OPEN);
        }
}

static void decides_changes(void **state)
{
    /* By 10%: from 1/1.1 = .909 to 1.1. */
    static const struct {
        double low, high;
        int rises, falls, changes;
    } cases[] = {
        {1.11, 1.2, FAIL, PASS, FAIL},   {1.05, 1.2, OPEN, PASS, OPEN},
        {0.95, 1.05, PASS, PASS, PASS},  {0.95, 1.2, OPEN, PASS, OPEN},
        {0.8, 0.95, PASS, OPEN, OPEN},   {0.7, 0.9, PASS, FAIL, FAIL},
        {0.8, 1.2, OPEN, OPEN, OPEN},    {0.905, 1, PASS, OPEN, OPEN},
        {0, 0.5, PASS, FAIL, FAIL},      {2, INFINITY, FAIL, PASS, FAIL},
        {0, INFINITY, OPEN, OPEN, OPEN}, {1.02, 1.03, PASS, PASS, PASS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gate worse = {.kind = GATE_REGRESSES, .value = 0.1};
        struct gate better = {.kind = GATE_IMPROVES, .value = 0.1};
        struct gate either = {.kind = GATE_CHANGES, .value = 0.1};
        double low = cases[i].low, high = cases[i].high;

        assert_int_equal(gate_decide(&worse, BENCH_LOWER_IS_BETTER, true, low, high),
                         cases[i].rises);
        assert_int_equal(gate_decide(&worse, BENCH_HIGHER_IS_BETTER, true, low, high),
                         cases[i].falls);
        assert_int_equal(gate_decide(&better, BENCH_HIGHER_IS_BETTER, true, low, high),
                         cases[i].rises);
        assert_int_equal(gate_decide(&better, BENCH_LOWER_IS_BETTER, true, low, high),
                         cases[i].falls);
        assert_int_equal(gate_decide(&either, BENCH_NEUTRAL, true, low, high), cases[i].changes);
        assert_int_equal(gate_decide(&worse, BENCH_LOWER_IS_BETTER, false, low, high), OPEN);
    }
}

/* --- runs ---------------------------------------------------------------------------------- */

/* "new" against "old" in `blocks` blocks: the ratio of throughput given, 1% of noise. The machine
 * has little else to do (others_cpus). */
static void two_builds(struct stored_run *run, uint32_t blocks, double ratio, bool compared)
{
    json_t *relays = json_pack("[{s:s,s:s},{s:s,s:s}]", "name", "old", "plugin", "nginx", "name",
                               "new", "plugin", "nginx");
    uint32_t n = 0;

    example_run_init(run, example_run_json("builds", "complete", relays, json_array(), 2 * blocks),
                     2 * blocks);
    json_object_set_new(json_object_get(run->run, "scenario"), "reject", json_string("nothing"));
    if (compared)
        json_object_set_new(run->run, "comparison",
                            json_pack("{s:[],s:f,s:f}", "metrics", "margin", 0.03, "alpha", 0.05));
    for (uint32_t block = 1; block <= blocks; block++)
        for (int k = 0; k < 2; k++, n++)
            example_ok(&run->repetitions[n], n + 1, block, k ? "new" : "old", "nginx", "", 1,
                       1e9 * (k ? ratio : 1) * (1 + 0.01 * (double)(block * (k ? 7 : 5) % 11) / 11),
                       0.5, 0.3);
}

/* What the gate comes to in the run, which is released; the last of the outcomes of its arms. */
static int judged(struct stored_run *run, const char *gate, char outcome[16], char evidence[200])
{
    cleanup_strings struct strings gates = {0};
    const struct bench_gate *last;
    struct document *d;
    int status;

    strings_add(&gates, gate);
    assert_int_equal(document_new_gated(&d, run, &gates, NULL), 0);
    assert_true(document_get(d)->n_gates > 0);
    last = document_get(d)->gates[document_get(d)->n_gates - 1];
    snprintf(outcome, 16, "%s", last->outcome);
    snprintf(evidence, 200, "%s", last->evidence);
    status = gates_status(document_get(d));
    document_free(d);
    example_release(run);
    return status;
}

static void judges_comparisons(void **state)
{
    static const struct {
        double ratio;
        const char *gate, *outcome;
        int status;
    } cases[] = {
        {0.9, "bits_per_second regresses 3%", "failed", 3},
        {0.97, "bits_per_second regresses 3%", "inconclusive", 4},
        {1, "bits_per_second regresses 3%", "passed", 0},
        {1.1, "bits_per_second regresses 3%", "passed", 0},
        {1.1, "bits_per_second improves 3%", "failed", 3},
        {1.1, "bits_per_second of new changes 3%", "failed", 3},
        {1.1, "cpus_client changes 3%", "passed", 0},
        {0.9, "cpu_seconds_per_gigabyte_relay regresses 3%", "failed", 3},
        {1.1, "cpu_seconds_per_gigabyte_relay regresses 3%", "passed", 0},
        {0.9, "bits_per_second of old regresses 3%", "nothing", 2}, /* the baseline */
        {0.9, "bits_per_second of new < 7.5Gbit/s", "failed", 3},
        {0.9, "bits_per_second of new < 7.15Gbit/s", "passed", 0},
        {0.9, "bits_per_second of new < 7.23Gbit/s", "inconclusive", 4},
        {0.9, "bits_per_second < 7.5Gbit/s", "failed", 3},
        {0.9, "bits_per_second of newer < 7.5Gbit/s", "nothing", 2},
        {0.9, "bits_per_second at jobs=9 < 7.5Gbit/s", "nothing", 2},
        {0.9, "operations < 1", "nothing", 2},
        {0.9, "cycles_relay_1 > 1", "nothing", 2}, /* not supported there */
        {0.9, "gibberish", "nothing", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct stored_run run;
        char outcome[16], evidence[200];
        int status;

        two_builds(&run, 12, cases[i].ratio, true);
        status = judged(&run, cases[i].gate, outcome, evidence);
        if (strcmp(outcome, cases[i].outcome) != 0 || status != cases[i].status)
            fail_msg("%g, %s: %s (%s), status %d", cases[i].ratio, cases[i].gate, outcome, evidence,
                     status);
    }
}

static void needs_a_comparison(void **state)
{
    struct stored_run run;
    char outcome[16], evidence[200];

    (void)state;
    two_builds(&run, 12, 0.9, false);
    assert_int_equal(judged(&run, "bits_per_second regresses 3%", outcome, evidence), 2);
    assert_string_equal(evidence, "this run compares nothing; 'bench compare' does");
    two_builds(&run, 12, 0.9, false);
    assert_int_equal(judged(&run, "bits_per_second of new < 7.5Gbit/s", outcome, evidence), 3);
}

/* All gates share the error: each has a part of it, and needs more repetitions for its interval. */
static void shares_the_error(void **state)
{
    cleanup_strings struct strings gates = {0};
    struct stored_run run;
    struct document *d;
    const struct bench_gate *g;
    char outcome[16], evidence[200];

    (void)state;
    two_builds(&run, 6, 0.5, true);
    assert_int_equal(judged(&run, "bits_per_second of old > 1k", outcome, evidence), 3);
    assert_non_null(strstr(evidence, ", 95% interval ["));
    two_builds(&run, 6, 0.5, true);
    assert_int_equal(judged(&run, "bits_per_second > 1k", outcome, evidence), 4);
    assert_non_null(strstr(evidence, ", 6 repetitions: an interval of 97.5% needs 7"));
    two_builds(&run, 12, 0.5, true);
    strings_add(&gates, "bits_per_second > 1k");
    strings_add(&gates, "bits_per_second regresses 3%");
    assert_int_equal(document_new_gated(&d, &run, &gates, NULL), 0);
    assert_int_equal(document_get(d)->n_gates, 3);
    g = document_get(d)->gates[2];
    assert_true(fabs(g->confidence - (1 - 0.05 / 3)) < 1e-9);
    assert_true(g->low < 0.5 && 0.5 < g->high && fabs(g->value - 0.5) < 0.01);
    assert_non_null(strstr(g->evidence, " against old, 98.3% interval ["));
    assert_non_null(strstr(g->evidence, "], 12 blocks"));
    document_free(d);
    example_release(&run);
}

static void fail_first(struct stored_run *run, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct repetition_record *r = &run->repetitions[2 * i + 1];

        r->ok = false;
        error_set(&r->error, BENCH_ERROR_RUN, "relay_1: exited");
    }
}

/* A failure is worse than any number; of many nothing is claimed. */
static void counts_failures(void **state)
{
    struct stored_run run;
    char outcome[16], evidence[200];

    (void)state;
    two_builds(&run, 12, 1, true);
    fail_first(&run, 1);
    assert_int_equal(judged(&run, "bits_per_second of new < 7.5Gbit/s", outcome, evidence), 0);
    two_builds(&run, 12, 1, true);
    fail_first(&run, 2);
    assert_int_equal(judged(&run, "bits_per_second of new < 7.5Gbit/s", outcome, evidence), 4);
    assert_string_equal(evidence, "2 of 12 repetitions failed: nothing is claimed");
    two_builds(&run, 12, 1, true);
    fail_first(&run, 2);
    assert_int_equal(judged(&run, "bits_per_second regresses 3%", outcome, evidence), 4);
    assert_string_equal(evidence, "2 of 12 blocks failed: nothing is claimed");
    two_builds(&run, 12, 1, true);
    fail_first(&run, 12);
    assert_int_equal(judged(&run, "bits_per_second of new regresses 3%", outcome, evidence), 4);
    assert_string_equal(evidence, "no repetition succeeded");
}

/* Blocks that were thrown away decide nothing, neither by their numbers nor by being many. */
static void heeds_rejected_blocks(void **state)
{
    struct stored_run run;
    char outcome[16], evidence[200];

    (void)state;
    two_builds(&run, 12, 1, true);
    json_object_del(json_object_get(run.run, "scenario"), "reject"); /* others are at work */
    assert_int_equal(judged(&run, "bits_per_second regresses 3%", outcome, evidence), 5);
    assert_string_equal(outcome, "unfit");
    assert_string_equal(evidence, "no number is left; 12 of 12 blocks were rejected");
    two_builds(&run, 12, 1, true);
    json_object_del(json_object_get(run.run, "scenario"), "reject");
    assert_int_equal(judged(&run, "bits_per_second of new > 1", outcome, evidence), 5);
    assert_string_equal(evidence, "no number is left; 12 of 12 blocks were rejected");
}

/* Of a run that ended before its plan did no gate is passed, and none failed. */
static void an_unfinished_run_decides_nothing(void **state)
{
    static const char *const gates[] = {"bits_per_second regresses 3%",
                                        "bits_per_second of new < 1", "bits_per_second of new > 1"};
    static const char *const ends[][2] = {
        {"interrupted", "; interrupted: nothing is decided"},
        {"failed", "; run failed: nothing is decided"},
        {"running", "; still running: nothing is decided"},
    };
    struct stored_run run;
    char outcome[16], evidence[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(gates); i++)
        for (size_t e = 0; e < ARRAY_SIZE(ends); e++) {
            two_builds(&run, 12, 0.5, true);
            json_object_set_new(run.run, "state", json_string(ends[e][0]));
            assert_int_equal(judged(&run, gates[i], outcome, evidence), 4);
            assert_string_equal(outcome, "inconclusive");
            assert_non_null(strstr(evidence, ends[e][1]));
        }
}

/* The gates of the scenario, unless others are asked for; the most severe decides. */
static void takes_those_of_the_scenario(void **state)
{
    struct stored_run run;
    struct document *d;

    (void)state;
    two_builds(&run, 12, 0.9, true);
    json_object_set_new(
        json_object_get(run.run, "scenario"), "fail_on",
        json_pack("[s, i, s]", "bits_per_second regresses 3%", 5, "bits_per_second of old < 1k"));
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_int_equal(document_get(d)->n_gates, 2);
    assert_string_equal(document_get(d)->gates[0]->arm, "new");
    assert_int_equal(gates_status(document_get(d)), 3);
    document_free(d);
    json_array_append_new(json_object_get(json_object_get(run.run, "scenario"), "fail_on"),
                          json_string("operations < 1"));
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_int_equal(gates_status(document_get(d)), 2);
    document_free(d);
    /* The same twice is once: it shares no error with itself, and samples of it are not double. */
    json_array_append_new(json_object_get(json_object_get(run.run, "scenario"), "fail_on"),
                          json_string("bits_per_second regresses 3%"));
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_int_equal(document_get(d)->n_gates, 3);
    assert_true(fabs(document_get(d)->gates[0]->confidence - (1 - 0.05 / 2)) < 1e-9);
    document_free(d);
    assert_int_equal(document_new_gated(&d, &run, &(struct strings){0}, NULL), 0);
    assert_int_equal(document_get(d)->n_gates, 0);
    assert_int_equal(gates_status(document_get(d)), 0);
    document_free(d);
    example_release(&run);
}

static void orders_by_severity(void **state)
{
    static const int statuses[] = {2, 5, 3, 4, 0};
    static const char *const names[] = {"nothing", "unfit", "failed", "inconclusive", "passed"};

    (void)state;
    for (size_t a = 0; a < ARRAY_SIZE(names); a++)
        for (size_t b = 0; b < ARRAY_SIZE(names); b++) {
            struct bench_gate one = {.outcome = names[a]}, other = {.outcome = names[b]};
            const struct bench_gate *both[] = {&one, &other};
            struct bench_document d = {.n_gates = 2, .gates = both};

            assert_int_equal(gates_status(&d), statuses[a < b ? a : b]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(refuses),
        cmocka_unit_test(a_title_is_a_name),
        cmocka_unit_test(matches),
        cmocka_unit_test(decides_levels),
        cmocka_unit_test(decides_changes),
        cmocka_unit_test(judges_comparisons),
        cmocka_unit_test(needs_a_comparison),
        cmocka_unit_test(shares_the_error),
        cmocka_unit_test(counts_failures),
        cmocka_unit_test(heeds_rejected_blocks),
        cmocka_unit_test(an_unfinished_run_decides_nothing),
        cmocka_unit_test(takes_those_of_the_scenario),
        cmocka_unit_test(orders_by_severity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
