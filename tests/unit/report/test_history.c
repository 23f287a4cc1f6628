/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "report/document.h"
#include "report/history.h"
#include "report/indexing.h"

#include "example.h"

/* A fresh working directory, removed by leave(). */
static int enter(void **state)
{
    char *path = xstrdup("/tmp/bench-test-history-XXXXXX");

    *state = mkdtemp(path);
    return chdir(path);
}

static int leave(void **state)
{
    int r = chdir("/") | directory_remove(AT_FDCWD, *state, NULL);

    free(*state);
    return r;
}

/* What is told of one planted run; what is zero is usual. */
struct told {
    const char *name, *cpu_model, *kernel;
    const char *binary, *code, *settings; /* of nginx */
    const char *part;                     /* of the event, that was counted */
    double level;                         /* of nginx against the baseline */
    double drift;                         /* of the machine */
};

/* The index wants no more of a run than its run.json. */
static void plant(int i, const struct told *t)
{
    const char *name = t->name ? t->name : "night";
    cleanup_free char *path = xasprintf("bench-results/%03d", i), *text = NULL;
    cleanup_free char *file = xasprintf("%s/run.json", path);
    cleanup_free char *started = xasprintf("2026-01-%02dT00:00:00Z", i);
    json_t *json =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:s, s:s, s:i, s:[], s:[], s:{s:s, "
                  "s:i, s:s}, s:{s:s, s:[s, s]}}",
                  "format", 1, "bench_version", "0.1.0", "id", path + strlen("bench-results/"),
                  "name", name, "started", started, "finished", started, "state", "complete",
                  "command", "cwd", "", "seed", "1", "blocks", 1, "points", "plan", "environment",
                  "kernel", t->kernel ? t->kernel : "6.18.0", "cpus_online", 2, "cpu_model",
                  t->cpu_model ? t->cpu_model : "Example 9000", "scenario", "workload", "builtin",
                  "relays", "none", "nginx");

    text = json_dumps(json, 0);
    assert_int_equal(directory_make(AT_FDCWD, path, NULL), 0);
    assert_int_equal(file_write(AT_FDCWD, file, text, strlen(text), NULL), 0);
    json_decref(json);
}

static const struct bench_metric metric = {.name = "bits_per_second",
                                           .unit = "bit/s",
                                           .title = "throughput",
                                           .direction = BENCH_HIGHER_IS_BETTER,
                                           .format = BENCH_FORMAT_SI};

static struct bench_estimate estimate(double value, double ratio)
{
    return (struct bench_estimate){.metric = &metric,
                                   .value = value,
                                   .has_interval = true,
                                   .low = value * 0.9,
                                   .high = value * 1.2,
                                   .n = 6,
                                   .ratio = ratio,
                                   .has_ratio_interval = !isnan(ratio),
                                   .ratio_low = ratio * 0.5,
                                   .ratio_high = ratio * 2};
}

enum { ARMS = 4 };

/* Arms a and b stand beside `first` and nginx; `baseline` is the number of one of them. */
static void put(struct run_index *x, int i, const struct told *t, size_t baseline,
                const char *first)
{
    const char *const names[ARMS] = {first, "nginx", "a", "b"};
    cleanup_free char *directory = xasprintf("%03d", i);
    const double levels[ARMS] = {1, t->level > 0 ? t->level : 0.2, 0.25, 0.5};
    struct bench_estimate estimates[ARMS];
    const struct bench_estimate *pointers[ARMS];
    struct bench_arm arms[ARMS];
    struct index_arm all[ARMS];

    for (size_t k = 0; k < ARMS; k++) {
        estimates[k] = estimate((t->drift > 0 ? t->drift : 1) * levels[k] * 1e9,
                                k == baseline ? NAN : levels[k] / levels[baseline]);
        pointers[k] = &estimates[k];
        arms[k] = (struct bench_arm){.name = names[k],
                                     .relay = k == 1 ? "nginx" : "none",
                                     .point = "",
                                     .limited_by = "nothing",
                                     .n_estimates = 1,
                                     .estimates = &pointers[k]};
        all[k] = (struct index_arm){.arm = &arms[k], .baseline = k == baseline, .parts = &t->part};
    }
    all[1].binary = t->binary;
    all[1].code = t->code;
    all[1].settings = t->settings;
    assert_int_equal(index_put_estimates(x, directory, true, all, ARMS, NULL), 0);
}

struct asked {
    const struct told *told;
    size_t n, baseline;
    const char *first; /* name of the first arm; NULL: none */
    struct history_question question;
    struct history *history;
    struct bench_error err;
};

static int ask(struct run_index *x, void *context, struct bench_error *err)
{
    struct asked *a = context;

    for (size_t i = 0; i < a->n; i++)
        put(x, (int)i + 1, &a->told[i], a->baseline, a->first ? a->first : "none");
    return history_new(&a->history, x, &a->question, err);
}

static int asked(struct asked *a)
{
    cleanup_strings struct strings notes = {0};

    for (size_t i = 0; i < a->n; i++)
        plant((int)i + 1, &a->told[i]);
    a->question.metric = "bits_per_second";
    return index_with(NULL, false, ask, a, NULL, &notes, &a->err);
}

static void asked_release(struct asked *a)
{
    history_free(a->history);
}
#define cleanup_asked __attribute__((cleanup(asked_release)))

static const struct bench_history *must(struct asked *a)
{
    if (asked(a) < 0)
        fail_msg("%s", a->err.message);
    return history_get(a->history);
}

static const struct bench_history_series *series_of(const struct bench_history *h, const char *arm)
{
    for (uint32_t i = 0; i < h->n_series; i++)
        if (strcmp(h->series[i]->arm, arm) == 0)
            return h->series[i];
    fail_msg("no series '%s'", arm);
    return NULL;
}

static bool near(double got, double expected)
{
    return fabs(got - expected) <= 1e-9 * fabs(expected);
}

static void ratios_refer_to_an_anchor_of_the_same_run(void **state)
{
    static const struct told told[] = {{.drift = 1}, {.drift = 2}};
    cleanup_asked struct asked none = {.told = told, .n = 2}, named = none,
                               other = {.told = told, .n = 2, .baseline = 2};
    const struct bench_history_series *s;

    (void)state;
    s = series_of(must(&none), "nginx");
    assert_int_equal(none.history ? history_get(none.history)->n_series : 0, ARMS);
    assert_string_equal(s->anchor, "none");
    assert_string_equal(s->name, "night");
    assert_string_equal(s->machine, "Example 9000, 2 CPUs");
    assert_int_equal(s->n_runs, 2);
    assert_string_equal(s->runs[1]->run, "002");
    assert_string_equal(s->runs[1]->started, "2026-01-02T00:00:00Z");
    assert_true(near(s->runs[1]->value, 0.4e9) && s->runs[1]->n == 6);
    assert_true(s->runs[1]->has_interval && near(s->runs[1]->low, 0.36e9) &&
                near(s->runs[1]->high, 0.48e9));
    assert_true(near(s->runs[1]->ratio, 0.2) && s->runs[1]->has_ratio_interval);
    assert_true(near(s->runs[1]->ratio_low, 0.1) && near(s->runs[1]->ratio_high, 0.4));
    s = series_of(history_get(none.history), "none");
    assert_null(s->anchor);
    assert_true(isnan(s->runs[0]->ratio) && near(s->runs[1]->value, 2e9));

    /* The baseline is 'a', the anchor still none; two ratios to 'a' have no common interval. */
    s = series_of(must(&other), "a");
    assert_string_equal(s->anchor, "none");
    assert_true(near(s->runs[0]->ratio, 0.25) && s->runs[0]->has_ratio_interval);
    assert_true(near(s->runs[0]->ratio_low, 0.125) && near(s->runs[0]->ratio_high, 0.5));
    s = series_of(history_get(other.history), "nginx");
    assert_true(near(s->runs[0]->ratio, 0.2) && !s->runs[0]->has_ratio_interval);

    named.question.anchor = "b";
    named.question.filter.relay = "nginx";
    s = series_of(must(&named), "nginx");
    assert_int_equal(history_get(named.history)->n_series, 1);
    assert_string_equal(s->anchor, "b");
    assert_true(near(s->runs[0]->ratio, 0.4));
}

static void without_none_the_baseline_is_the_anchor(void **state)
{
    static const struct told told[] = {{.level = 0.2}};
    cleanup_asked struct asked a = {.told = told, .n = 1, .baseline = 1, .first = "old"};

    (void)state;
    assert_string_equal(series_of(must(&a), "old")->anchor, "nginx");
    assert_true(near(series_of(history_get(a.history), "old")->runs[0]->ratio, 5));
    assert_null(series_of(history_get(a.history), "nginx")->anchor);
}

static void what_differs_is_named(void **state)
{
    static const struct told told[] = {
        {.binary = "aa", .code = "1", .settings = "s"},
        {.binary = "aa", .code = "1", .settings = "s"},
        {.binary = "bb", .code = "2", .settings = "s"},
        {.binary = "bb", .code = "3", .settings = "s", .kernel = "6.19.0"},
        {.binary = "bb", .code = "3", .settings = "t", .kernel = "6.19.0"},
        {.kernel = "6.19.0"}, /* what is unknown is no difference */
    };
    static const char *const expected[] = {NULL,       NULL, "binary", "libraries, kernel",
                                           "scenario", NULL};
    cleanup_asked struct asked a = {.told = told, .n = ARRAY_SIZE(told)};
    const struct bench_history_series *s;

    (void)state;
    s = series_of(must(&a), "nginx");
    for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
        if (expected[i])
            assert_string_equal(s->runs[i]->changed, expected[i]);
        else
            assert_null(s->runs[i]->changed);
    }
    assert_int_equal(history_get(a.history)->n_warnings, 1);
    assert_string_equal(history_get(a.history)->warnings[0],
                        "the scenario changed from run to run, see 'differs': another level may be "
                        "its doing");
}

static void machines_are_not_mixed(void **state)
{
    static const struct told told[] = {{.drift = 1}, {.cpu_model = "Other 1"}, {.drift = 3}};
    cleanup_asked struct asked a = {.told = told, .n = ARRAY_SIZE(told)};
    const struct bench_history *h;

    (void)state;
    a.question.filter.relay = "nginx";
    h = must(&a);
    assert_int_equal(h->n_series, 2);
    assert_int_equal(h->series[0]->n_runs, 2);
    assert_string_equal(h->series[0]->runs[1]->run, "003");
    assert_string_equal(h->series[1]->machine, "Other 1, 2 CPUs");
    assert_int_equal(h->n_warnings, 1);
    assert_string_equal(h->warnings[0],
                        "runs of 2 kinds of machines: each is a history of its own");
}

/* An ordinary user's count has no kernel in it. */
static void what_was_counted_is_not_mixed(void **state)
{
    static const struct told told[] = {{.drift = 1}, {.part = "user space only"}, {.drift = 3}};
    cleanup_asked struct asked a = {.told = told, .n = ARRAY_SIZE(told)};
    const struct bench_history *h;

    (void)state;
    a.question.filter.relay = "nginx";
    h = must(&a);
    assert_int_equal(h->n_series, 2);
    assert_int_equal(h->series[0]->n_runs, 2);
    assert_null(h->series[0]->part);
    assert_string_equal(h->series[0]->runs[1]->run, "003");
    assert_string_equal(h->series[1]->part, "user space only");
    assert_true(near(h->series[1]->runs[0]->ratio, 0.2)); /* its anchor counted the same */
    assert_int_equal(h->n_warnings, 1);
    assert_string_equal(h->warnings[0],
                        "some runs counted a part of the event only: what was counted with another "
                        "privilege is a history of its own");
}

static void the_newest_scenario_unless_one_is_named(void **state)
{
    static const struct told told[] = {{.name = "a*b"}, {.name = "axb"}, {.name = "a*b"}};
    cleanup_asked struct asked newest = {.told = told, .n = ARRAY_SIZE(told)}, named = newest,
                               nothing = newest;
    const struct bench_history *h;

    (void)state;
    newest.question.filter.relay = "nginx";
    h = must(&newest);
    assert_int_equal(h->n_series, 1);
    assert_int_equal(h->series[0]->n_runs, 2); /* its name is no glob */
    named.question.filter = (struct index_filter){.relay = "nginx", .name = "a*b"};
    h = must(&named);
    assert_int_equal(h->n_series, 2); /* two scenarios are two histories */
    nothing.question.filter.name = "nothing";
    assert_int_equal(asked(&nothing), -1);
    assert_int_equal(nothing.err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(nothing.err.message,
                        "no run that was chosen has a metric 'bits_per_second'");
}

/* The machine drifts by a third; nginx, by a tenth, from the 13th run on. */
static void a_level_is_found_where_the_machine_drifts(void **state)
{
    enum { RUNS = 24, AT = 12 };
    struct told told[RUNS];
    cleanup_asked struct asked a = {.told = told, .n = RUNS};
    const struct bench_history_series *s;

    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        told[i] = (struct told){.drift = 1 + 0.3 * (double)(i * 7 % RUNS) / RUNS,
                                .level = (i < AT ? 0.2 : 0.18) * (1 + 0.002 * (double)(i * 5 % 7))};
    s = series_of(must(&a), "nginx");
    for (size_t i = 0; i < RUNS; i++)
        assert_int_equal(s->runs[i]->new_level, i == AT);
    assert_true(fabs(s->runs[AT]->after / s->runs[AT]->before - 0.9) < 0.005);
    s = series_of(history_get(a.history), "a"); /* always the same against none */
    for (size_t i = 0; i < RUNS; i++)
        assert_false(s->runs[i]->new_level);
}

static void errors_say_what_there_is(void **state)
{
    static const struct told told[] = {{.drift = 1}};
    cleanup_asked struct asked a = {.told = told, .n = 1};

    (void)state;
    a.question.anchor = "nix";
    assert_int_equal(asked(&a), -1);
    assert_string_equal(a.err.message, "--anchor: unknown arm 'nix'");
    a.question.anchor = NULL;
    a.question.point = "jobs=3";
    assert_int_equal(asked(&a), -1);
    assert_string_equal(a.err.message,
                        "no run that was chosen has a metric 'bits_per_second' at 'jobs=3'");
}

/* --- estimates ----------------------------------------------------------------------------- */

struct compared {
    const struct bench_document *d;
    size_t n;
};

static void compare(void *context, const struct index_sample *s)
{
    struct compared *c = context;
    const struct bench_arm *a = c->d->arms[c->n++];
    const struct bench_estimate *e = NULL;

    for (uint32_t i = 0; i < a->n_estimates; i++)
        if (strcmp(a->estimates[i]->metric->name, "bits_per_second") == 0)
            e = a->estimates[i];
    assert_non_null(e);
    assert_string_equal(s->arm, a->name);
    assert_true(s->value == e->value && s->low == e->low && s->high == e->high && s->n == e->n);
    assert_int_equal(s->state, e->state);
    assert_true(isnan(e->ratio) ? s->baseline && isnan(s->ratio) : s->ratio == e->ratio);
    if (strcmp(s->arm, "nginx") == 0)
        assert_string_equal(s->binary, "aa");
    else
        assert_null(s->binary);
    assert_int_equal(s->code ? strlen(s->code) : 0, s->binary ? 64 : 0);
    assert_int_equal(strlen(s->settings), 64);
}

static int fill_and_compare(struct run_index *x, void *context, struct bench_error *err)
{
    cleanup_strings struct strings missing = {0}, left = {0};
    const struct index_filter all = {0};
    struct compared *c = context;
    struct stored_run run;
    struct document *document;
    int result;

    assert_int_equal(index_unestimated(x, &all, &missing, err), 0);
    assert_int_equal(missing.count, 1);
    example_two_arms(&run);
    assert_int_equal(document_new(&document, &run, NULL), 0);
    c->d = document_get(document);
    /* It was read while it ran, and has ended by now: not the whole. */
    assert_int_equal(indexing_add(x, missing.items[0], &run, document, err), 0);
    assert_int_equal(index_unestimated(x, &all, &left, err), 0);
    assert_int_equal(left.count, 1);
    strings_release(&left);
    json_object_set_new(run.run, "finished", json_string("2026-11-20T06:50:44Z"));
    /* Twice: it replaces. */
    result = indexing_add(x, missing.items[0], &run, document, err) |
             indexing_add(x, missing.items[0], &run, document, err) |
             index_samples(x, &all, "bits_per_second", NULL, compare, c, err) |
             index_unestimated(x, &all, &left, err);
    assert_int_equal(left.count, 0);
    /* A run that has gone meanwhile. */
    assert_int_equal(indexing_add(x, "gone", &run, document, err), 0);
    document_free(document);
    example_release(&run);
    return result;
}

static void the_index_holds_the_estimates_of_the_report(void **state)
{
    cleanup_strings struct strings notes = {0};
    struct compared c = {0};
    struct bench_error err = {0};

    (void)state;
    plant(1, &(struct told){.drift = 1});
    if (index_with(NULL, false, fill_and_compare, &c, NULL, &notes, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(c.n, 2);
}

/* ok exactly when there is a value, whoever writes. */
static int put_infinite(struct run_index *x, void *context, struct bench_error *err)
{
    struct bench_estimate e = estimate(INFINITY, NAN);
    const struct bench_estimate *pointer = &e;
    const struct bench_arm arm = {.name = "none",
                                  .relay = "none",
                                  .point = "",
                                  .limited_by = "",
                                  .n_estimates = 1,
                                  .estimates = &pointer};

    (void)context;
    return index_put_estimates(x, "001", true, &(struct index_arm){.arm = &arm}, 1, err);
}

static void expect_failed(void *context, const struct index_sample *s)
{
    ++*(int *)context;
    assert_int_equal(s->state, BENCH_FAILED);
    assert_true(isnan(s->value) && isnan(s->low));
}

static int count_failed(struct run_index *x, void *context, struct bench_error *err)
{
    return index_samples(x, &(struct index_filter){0}, "bits_per_second", NULL, expect_failed,
                         context, err);
}

static void what_is_no_number_is_not_ok(void **state)
{
    cleanup_strings struct strings notes = {0};
    int n = 0;

    (void)state;
    plant(1, &(struct told){.drift = 1});
    assert_int_equal(index_with(NULL, false, put_infinite, NULL, NULL, &notes, NULL), 0);
    assert_int_equal(index_with(NULL, false, count_failed, &n, NULL, &notes, NULL), 0);
    assert_int_equal(n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ratios_refer_to_an_anchor_of_the_same_run),
        TEST(without_none_the_baseline_is_the_anchor),
        TEST(what_differs_is_named),
        TEST(machines_are_not_mixed),
        TEST(what_was_counted_is_not_mixed),
        TEST(the_newest_scenario_unless_one_is_named),
        TEST(a_level_is_found_where_the_machine_drifts),
        TEST(errors_say_what_there_is),
        TEST(the_index_holds_the_estimates_of_the_report),
        TEST(what_is_no_number_is_not_ok),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
