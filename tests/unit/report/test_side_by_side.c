/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "report/document.h"
#include "report/side_by_side.h"

#include "example.h"

/* A run of the arms "none" and "nginx", six blocks; nginx at `factor` of the usual throughput. */
static void example_side(struct stored_run *run, const char *id, double factor)
{
    example_two_arms(run);
    free(run->id);
    run->id = xstrdup(id);
    for (size_t i = 0; i < run->n_repetitions; i++) {
        struct series *s = &run->repetitions[i].series;
        int column = series_find(s, "server.bytes_received");

        if (strcmp(run->repetitions[i].arm, "nginx") == 0)
            for (size_t row = 0; row < s->n_rows; row++)
                s->values[row * s->n_columns + (size_t)column] =
                    (int64_t)((double)s->values[row * s->n_columns + (size_t)column] * factor);
    }
}

static json_t *rule(void)
{
    return json_pack("{s:[],s:f,s:f}", "metrics", "margin", 0.03, "alpha", 0.05);
}

static bool warned(const struct bench_document *d, const char *part)
{
    for (uint32_t i = 0; i < d->n_warnings; i++)
        if (strstr(d->warnings[i], part))
            return true;
    return false;
}

static void each_relay_against_itself(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    const struct bench_document *d;
    struct document *document;

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 0.8);
    json_object_set_new(json_object_get(b.run, "environment"), "kernel", json_string("6.19.0"));
    assert_int_equal(side_by_side(&joined, sides, rule(), NULL), 0);
    assert_int_equal(document_new(&document, &joined, NULL), 0);
    d = document_get(document);
    assert_int_equal(d->n_arms, 4);
    assert_string_equal(d->arms[0]->name, "none old");
    assert_int_equal(d->arms[0]->valid, 6);
    assert_int_equal(d->n_comparisons, 2);
    assert_string_equal(d->comparisons[0]->arm, "none new");
    assert_string_equal(d->comparisons[0]->base, "none old");
    assert_true(fabs(d->comparisons[0]->ratio - 1) < 1e-9);
    assert_true(d->comparisons[0]->low < 1 && d->comparisons[0]->high > 1);
    assert_string_equal(d->comparisons[1]->arm, "nginx new");
    assert_string_equal(d->comparisons[1]->base, "nginx old");
    assert_true(fabs(d->comparisons[1]->ratio - 0.8) < 0.001);
    assert_string_equal(d->comparisons[1]->verdict, "SLOWER (by at least 3%)");
    assert_int_equal(d->comparisons[1]->blocks, 6);
    assert_true(warned(d, "two saved runs, not interleaved"));
    assert_true(warned(d, "the runs differ in kernel: \"6.18.0\", \"6.19.0\""));
    assert_string_equal(d->design[0], "old: run run-a of 2026-11-20T06:49:44Z");
    document_free(document);
    stored_run_release(&joined);
    example_release(&a);
    example_release(&b);
}

static void refused(const char *key, json_t *value, const char *message)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    struct bench_error err = {0};

    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    json_object_set_new(json_object_get(b.run, "scenario"), key, value);
    assert_int_equal(side_by_side(&joined, sides, rule(), &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    example_release(&a);
    example_release(&b);
}

static void other_work_is_refused(void **state)
{
    (void)state;
    refused("workload", json_string("iperf3"),
            "'old' and 'new' differ in workload: \"builtin\" and \"iperf3\"");
    refused("protocol", json_string("http1"),
            "'old' and 'new' differ in protocol: \"tcp\" and \"http1\"");
}

/* As of an ordinary user, whose counters leave out the kernel. */
static void leave_out_the_kernel(struct stored_run *run)
{
    for (size_t i = 0; i < run->n_repetitions; i++) {
        struct series *s = &run->repetitions[i].series;
        int column = series_find(s, "relay_1.event:context-switches");

        if (column >= 0)
            s->columns[column].reason = xstrdup("user only");
    }
}

/* Both runs are released. */
static void expect_gate(struct stored_run *a, struct stored_run *b, const char *gate,
                        const char *arm, const char *outcome, const char *evidence)
{
    const struct side sides[2] = {{"old", a}, {"new", b}};
    cleanup_strings struct strings gates = {0};
    struct stored_run joined;
    struct document *d;
    const struct bench_gate *g;

    strings_add(&gates, gate);
    assert_int_equal(side_by_side(&joined, sides, rule(), NULL), 0);
    assert_int_equal(document_new_gated(&d, &joined, &gates, NULL), 0);
    assert_int_equal(document_get(d)->n_gates, 1);
    g = document_get(d)->gates[0];
    assert_string_equal(g->arm, arm);
    assert_string_equal(g->outcome, outcome);
    if (!strstr(g->evidence, evidence))
        fail_msg("%s", g->evidence);
    document_free(d);
    stored_run_release(&joined);
    example_release(a);
    example_release(b);
}

/* The gates of a scenario name its relays; of a saved run and a new one they mean the new one's. */
static void gates_know_the_names_of_the_scenario(void **state)
{
    struct stored_run a, b;

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 0.8);
    expect_gate(&a, &b, "bits_per_second of nginx > 1k", "nginx new", "failed", " repetitions");
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 0.8);
    expect_gate(&a, &b, "bits_per_second of nginx regresses 3%", "nginx new", "failed",
                " against nginx old, ");
}

static void gates_compare_no_different_events(void **state)
{
    struct stored_run a, b;

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    leave_out_the_kernel(&b);
    expect_gate(&a, &b, "context_switches_per_byte_relay_1 changes 50%", "nginx new", "nothing",
                "different events: user only, and all of it of 'nginx old'");
}

/* One of them by an ordinary user. */
static void another_event_of_the_name_is_refused(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    struct bench_error err = {0};
    json_t *metric = json_pack("{s:[s],s:f,s:f}", "metrics", "context_switches_per_byte_relay_1",
                               "margin", 0.03, "alpha", 0.05);

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    leave_out_the_kernel(&b);
    assert_int_equal(side_by_side(&joined, sides, metric, &err), -1);
    assert_string_equal(err.message, "'context_switches_per_byte_relay_1' of 'old' and 'new' are "
                                     "different events: all of it, user only");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    /* It does not stand in the way of what it does not decide. */
    assert_int_equal(side_by_side(&joined, sides, rule(), &err), 0);
    stored_run_release(&joined);
    example_release(&a);
    example_release(&b);
}

static void no_relay_in_common(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    struct bench_error err = {0};

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    for (size_t i = 0; i < b.n_repetitions; i++) {
        free(b.repetitions[i].arm);
        b.repetitions[i].arm = xstrdup("other");
    }
    json_object_set_new(json_object_get(b.run, "scenario"), "relays", json_pack("[s]", "other"));
    json_object_del(json_object_get(b.run, "scenario"), "baseline");
    assert_int_equal(side_by_side(&joined, sides, rule(), &err), -1);
    assert_string_equal(err.message, "'old' and 'new' have no relay in common");
    assert_string_equal(err.hint, "relays of one name are compared, or the only ones of two runs");
    example_release(&a);
    example_release(&b);
}

/* Leaves the repetitions of nginx, under another name. */
static void only_nginx(struct stored_run *run, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < run->n_repetitions; i++) {
        struct repetition_record *r = &run->repetitions[i];

        if (strcmp(r->arm, "nginx") != 0) {
            record_release(r);
            continue;
        }
        free(r->arm);
        r->arm = xstrdup(name);
        run->repetitions[kept++] = *r;
    }
    run->n_repetitions = kept;
    json_object_set_new(json_object_get(run->run, "scenario"), "relays",
                        json_pack("[{s:s, s:s}]", "name", name, "plugin", "nginx"));
}

static void the_only_relays_need_no_common_name(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    const struct bench_document *d;
    struct document *document;

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 0.8);
    only_nginx(&a, "nginx-1.24");
    only_nginx(&b, "nginx-1.26");
    assert_int_equal(side_by_side(&joined, sides, rule(), NULL), 0);
    assert_int_equal(document_new(&document, &joined, NULL), 0);
    d = document_get(document);
    assert_int_equal(d->n_arms, 2);
    assert_string_equal(d->comparisons[0]->arm, "new");
    assert_string_equal(d->comparisons[0]->base, "old");
    assert_true(fabs(d->comparisons[0]->ratio - 0.8) < 0.001);
    assert_true(warned(d, "the runs differ in relay: nginx-1.24, nginx-1.26"));
    document_free(document);
    stored_run_release(&joined);
    example_release(&a);
    example_release(&b);
}

static void what_happened_to_each_is_told(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    const struct bench_document *d;
    struct document *document;

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    json_object_set_new(a.run, "state", json_string("interrupted"));
    json_object_set_new(json_object_get(a.run, "scenario"), "reject", json_string("lab"));
    strings_add(&b.damaged, "repetitions/0003: cut short");
    json_object_set_new(json_object_get(a.run, "environment"), "clocksource", json_string("tsc"));
    json_object_set_new(json_object_get(b.run, "environment"), "clocksource", json_string("hpet"));
    for (size_t i = 0; i < a.n_repetitions; i++) {
        a.repetitions[i].clocksource = xstrdup("tsc");
        b.repetitions[i].clocksource = xstrdup("hpet");
    }
    assert_int_equal(side_by_side(&joined, sides, rule(), NULL), 0);
    assert_int_equal(document_new(&document, &joined, NULL), 0);
    d = document_get(document);
    assert_true(warned(d, "the run old is incomplete: it is interrupted"));
    assert_true(warned(d, "a stored repetition was skipped: new: repetitions/0003: cut short"));
    assert_true(warned(d, "the runs differ in clocksource: \"tsc\", \"hpet\""));
    assert_true(warned(d, "the runs differ in reject: \"lab\", unknown"));
    assert_string_equal(d->comparisons[0]->verdict, "incomplete run: no verdict");
    assert_int_equal(d->n_rejected, 0); /* each had one clock all the time */
    assert_false(warned(d, "met it alike"));
    document_free(document);
    stored_run_release(&joined);
    example_release(&a);
    example_release(&b);
}

static void a_search_finds_other_rates(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    struct bench_error err = {0};

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    for (size_t i = 0; i < b.n_repetitions; i++) {
        free(b.repetitions[i].point);
        b.repetitions[i].point = xstrdup("rate=7k");
    }
    json_object_set_new(b.run, "points", json_pack("[{s:s,s:{}}]", "label", "rate=7k", "settings"));
    assert_int_equal(side_by_side(&joined, sides, rule(), &err), -1);
    assert_non_null(strstr(err.message, "have no point of their sweeps in common"));
    stored_run_release(&a);
    stored_run_release(&b);
}

static void set_points(struct stored_run *run, const char *label, json_t *settings)
{
    for (size_t i = 0; i < run->n_repetitions; i++)
        xreplace(&run->repetitions[i].point, label);
    json_object_set_new(run->run, "points",
                        json_pack("[{s:s,s:o}]", "label", label, "settings", settings));
}

/* A key that one run swept and the other set: at the same value it is the same point. */
static void swept_or_set_is_the_same(void **state)
{
    static const char *const labels[][2] = {
        {"jobs=10", ""}, {"", "jobs=10"}, {"jobs=10", "jobs=10"}, {"jobs=10 hops=2", "jobs=10"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        struct stored_run runs[2], joined;
        const struct side sides[2] = {{"old", &runs[0]}, {"new", &runs[1]}};
        struct document *document;
        const struct bench_document *d;

        for (size_t k = 0; k < 2; k++) {
            bool swept = *labels[i][k];
            json_t *scenario;

            example_side(&runs[k], k ? "run-b" : "run-a", k ? 0.8 : 1);
            scenario = json_object_get(runs[k].run, "scenario");
            json_object_set_new(scenario, "jobs", json_integer(swept ? 2 : 10));
            json_object_set_new(scenario, "hops", json_integer(2));
            set_points(&runs[k], labels[i][k],
                       swept ? json_pack("{s:i}", "jobs", 10) : json_object());
        }
        assert_int_equal(side_by_side(&joined, sides, rule(), NULL), 0);
        assert_int_equal(document_new(&document, &joined, NULL), 0);
        d = document_get(document);
        assert_int_equal(d->n_arms, 4);
        assert_int_equal(d->n_comparisons, 2);
        for (uint32_t a = 0; a < d->n_arms; a++)
            assert_string_equal(d->arms[a]->point, *labels[i][0] ? labels[i][0] : labels[i][1]);
        assert_false(warned(d, "jobs"));
        assert_string_equal(d->comparisons[1]->finding, "beyond");
        document_free(document);
        example_release(&joined);
        example_release(&runs[0]);
        example_release(&runs[1]);
    }
}

static void another_value_is_another_point(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"old", &a}, {"new", &b}};
    struct bench_error err = {0};

    (void)state;
    example_side(&a, "run-a", 1);
    example_side(&b, "run-b", 1);
    set_points(&a, "jobs=10", json_pack("{s:i}", "jobs", 10));
    assert_int_equal(side_by_side(&joined, sides, rule(), &err), -1);
    assert_non_null(strstr(err.message, "have no point of their sweeps in common: 'jobs=10' "));
    /* What a label sweeps counts, also where the value is that of the scenario. */
    set_points(&a, "jobs=2", json_object());
    json_object_set_new(json_object_get(b.run, "scenario"), "jobs", json_integer(10));
    assert_int_equal(side_by_side(&joined, sides, rule(), &err), -1);
    example_release(&a);
    example_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_relay_against_itself),
        cmocka_unit_test(a_search_finds_other_rates),
        cmocka_unit_test(other_work_is_refused),
        cmocka_unit_test(another_event_of_the_name_is_refused),
        cmocka_unit_test(gates_know_the_names_of_the_scenario),
        cmocka_unit_test(gates_compare_no_different_events),
        cmocka_unit_test(no_relay_in_common),
        cmocka_unit_test(the_only_relays_need_no_common_name),
        cmocka_unit_test(what_happened_to_each_is_told),
        cmocka_unit_test(swept_or_set_is_the_same),
        cmocka_unit_test(another_value_is_another_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
