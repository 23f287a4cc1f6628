/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "report/document.h"
#include "report/side_by_side.h"

#include "example.h"

/* Two arms of nginx, six blocks; `hash` of program and library of the second. */
static void example_pair(struct stored_run *run, const char *program, const char *library,
                         const char *workers, double factor)
{
    json_t *relays = json_pack("[{s:s,s:s,s:{s:s}},{s:s,s:s,s:{s:s}}]", "name", "old", "plugin",
                               "nginx", "options", "workers", "1", "name", "new", "plugin", "nginx",
                               "options", "workers", workers);

    example_run_init(run, example_run_json("pair", "complete", relays, json_array(), 12), 12);
    for (uint32_t i = 0; i < 12; i++) {
        struct repetition_record *r = &run->repetitions[i];
        bool second = i % 2;

        example_ok(r, i + 1, i / 2 + 1, second ? "new" : "old", "nginx", "", 1,
                   5e9 * (second ? factor : 1) * (1 + 0.0001 * (i / 2)), 0.9, 0.2);
        for (size_t k = 0; k < r->n_roles; k++) {
            if (strcmp(r->roles[k].name, "relay_1") != 0)
                continue;
            json_decref(r->roles[k].binaries);
            r->roles[k].binaries = json_pack(
                "[{s:s,s:s,s:s},{s:s,s:s},{s:s,s:s}]", "path", "/usr/sbin/nginx", "sha256",
                second ? program : "11", "build_id", second ? "c3d4e5f6a7" : "a1b2c3d4e5", "path",
                second ? "/opt/lib/libqpid-proton.so.11.3" : "/usr/lib/libqpid-proton.so.11.2",
                "sha256", second ? library : "22", "path", "/lib/libc.so.6", "sha256", "33");
        }
    }
    json_object_set_new(json_object_get(run->run, "scenario"), "reject", json_string("nothing"));
    json_object_set_new(run->run, "comparison",
                        json_pack("{s:[],s:f,s:f}", "metrics", "margin", 0.03, "alpha", 0.05));
}

static void expect_design(const struct bench_document *d, const char *expected)
{
    bool found = false;

    for (uint32_t i = 0; i < d->n_design; i++)
        found |= strcmp(d->design[i], expected) == 0;
    for (uint32_t i = 0; !found && i < d->n_design; i++)
        print_message("# %s\n", d->design[i]);
    assert_true(found);
}

static void says(const char *program, const char *library, const char *workers,
                 const char *expected)
{
    struct stored_run run;
    struct document *d;

    example_pair(&run, program, library, workers, 1);
    assert_int_equal(document_new(&d, &run, NULL), 0);
    expect_design(document_get(d), expected);
    document_free(d);
    example_release(&run);
}

static void in_what_arms_differ(void **state)
{
    (void)state;
    says("11", "22", "1", "old and new: the same program, libraries and options under both names");
    says("11", "44", "1", "old and new: the same program; they differ in libqpid-proton.so");
    says("11", "22", "2", "old and new: the same program; set differently: workers '1' and '2'");
    says("99", "22", "1", "old and new: different programs (build-id a1b2c3d4 and c3d4e5f6)");
    says("99", "44", "2",
         "old and new: different programs (build-id a1b2c3d4 and c3d4e5f6); they differ in "
         "libqpid-proton.so; set differently: workers '1' and '2'");
}

static bool designed(const struct bench_document *d, const char *beginning)
{
    for (uint32_t i = 0; i < d->n_design; i++)
        if (strncmp(d->design[i], beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

/* Of two saved runs each arm with itself, and not with what nobody compares it with. */
static void in_what_saved_runs_differ(void **state)
{
    struct stored_run a, b, joined;
    const struct side sides[2] = {{"before", &a}, {"now", &b}};
    const struct bench_document *d;
    struct document *document;

    (void)state;
    example_pair(&a, "11", "22", "2", 1);
    example_pair(&b, "11", "22", "3", 1);
    assert_int_equal(
        side_by_side(&joined, sides,
                     json_pack("{s:[],s:f,s:f}", "metrics", "margin", 0.03, "alpha", 0.05), NULL),
        0);
    assert_int_equal(document_new(&document, &joined, NULL), 0);
    d = document_get(document);
    expect_design(d, "old before and old now: the same program, libraries and options under both "
                     "names");
    expect_design(d, "new before and new now: the same program; set differently: workers '2' and "
                     "'3'");
    assert_false(designed(d, "old before and new"));
    document_free(document);
    stored_run_release(&joined);
    example_release(&a);
    example_release(&b);
}

static void limits_of_arms(void **state)
{
    struct stored_run run;
    struct document *d;

    (void)state;
    example_pair(&run, "11", "22", "1", 0.95);
    for (size_t i = 0; i < run.n_repetitions; i++)
        for (size_t k = 0; k < run.repetitions[i].n_roles; k++)
            if (strcmp(run.repetitions[i].roles[k].name, "relay_1") == 0)
                run.repetitions[i].roles[k].cpu_limit = i % 2 ? 0.285 : 0.3;
    assert_int_equal(document_new(&d, &run, NULL), 0);
    expect_design(document_get(d),
                  "old and new: the same program, libraries and options under both names; CPU "
                  "limits 0.3 and 0.285");
    expect_design(document_get(d),
                  "relay limit 0.285 to 0.3 CPU per process (used 0.900 to 0.900), period 100 ms");
    document_free(d);
    example_release(&run);
}

/* No repetition has got so far as to set it. */
static void limits_that_were_asked_for(void **state)
{
    struct stored_run run;
    struct document *d;
    json_t *relays;

    (void)state;
    example_pair(&run, "11", "22", "1", 1);
    for (size_t i = 0; i < run.n_repetitions; i++)
        for (size_t k = 0; k < run.repetitions[i].n_roles; k++)
            run.repetitions[i].roles[k].name[0] = 'x';
    relays = json_object_get(json_object_get(run.run, "scenario"), "relays");
    json_object_set_new(json_array_get(relays, 1), "cpu_limit", json_real(0.285));
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_true(document_get(d)->arms[0]->cpu_limit == 1);
    assert_true(document_get(d)->arms[1]->cpu_limit == 0.285);
    document_free(d);
    example_release(&run);
}

static bool warns_of_layout(const char *program, double factor)
{
    struct stored_run run;
    struct document *d;
    bool found = false;

    example_pair(&run, program, "22", "1", factor);
    assert_int_equal(document_new(&d, &run, NULL), 0);
    for (uint32_t i = 0; i < document_get(d)->n_warnings; i++)
        found |= strstr(document_get(d)->warnings[i], "layout in memory") != NULL;
    document_free(d);
    example_release(&run);
    return found;
}

static void a_small_difference_between_builds(void **state)
{
    (void)state;
    assert_true(warns_of_layout("99", 0.96));
    assert_false(warns_of_layout("11", 0.96)); /* one binary has one layout */
    assert_false(warns_of_layout("99", 0.80)); /* too large for that */
    assert_false(warns_of_layout("99", 1));    /* no difference was claimed */
}

static void what_a_hop_costs(void **state)
{
    struct stored_run run;
    struct document *d;
    const struct bench_arm *nginx;

    (void)state;
    example_two_arms(&run);
    for (size_t i = 0; i < run.n_repetitions; i++) {
        struct repetition_record *r = &run.repetitions[i];
        struct histogram *h = histogram_new();

        histogram_record(h, strcmp(r->arm, "none") == 0 ? 1000000 : 5000000, 1000);
        record_add_latency(r, "service", h);
    }
    assert_int_equal(document_new(&d, &run, NULL), 0);
    assert_int_equal(document_get(d)->arms[0]->n_hop_costs, 0);
    nginx = document_get(d)->arms[1];
    assert_int_equal(nginx->hops, 2);
    assert_string_equal(nginx->hop_costs[0].metric->name, "latency_p50_seconds");
    assert_true(fabs(nginx->hop_costs[0].value - 0.002) < 1e-5); /* 4 ms over two hops */
    assert_true(nginx->hop_costs[0].has_interval && nginx->hop_costs[0].blocks == 6);
    for (uint32_t i = 0; i < nginx->n_hop_costs; i++) {
        const struct bench_hop_cost *c = &nginx->hop_costs[i];
        double whole = NAN;

        for (uint32_t k = 0; k < nginx->n_estimates; k++)
            if (nginx->estimates[k]->metric == c->metric)
                whole = nginx->estimates[k]->value;
        if (strncmp(c->metric->name, "cpu_", 4) == 0)
            assert_true(fabs(c->value / (whole / 2) - 1) < 1e-9);
    }
    document_free(d);
    example_release(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_what_arms_differ),
        cmocka_unit_test(in_what_saved_runs_differ),
        cmocka_unit_test(limits_of_arms),
        cmocka_unit_test(limits_that_were_asked_for),
        cmocka_unit_test(a_small_difference_between_builds),
        cmocka_unit_test(what_a_hop_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
