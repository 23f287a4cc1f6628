/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored run in which one number is another: every number of its files is tried with every one
 * that a careless reader trips over. The run is either refused with a reason, or its document has
 * finite numbers only; neither takes long. Undefined behaviour is found by the sanitizers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "report/document.h"
#include "store/record_json.h"
#include "store/slices.h"

#include "example.h"

static const char *const extremes[] = {"-1",
                                       "0",
                                       "2147483648",
                                       "4294967295",
                                       "9007199254740993",
                                       "9223372036854775807",
                                       "-9223372036854775807",
                                       "1e308"};

static int enter(void **state)
{
    char *path = xstrdup("/tmp/bench-test-extremes-XXXXXX");

    *state = mkdtemp(path);
    return chdir(path);
}

static int leave(void **state)
{
    int r = chdir("/") | directory_remove(AT_FDCWD, *state, NULL);

    free(*state);
    return r;
}

/* --- the run ------------------------------------------------------------------------------- */

static void put(const char *path, const char *text)
{
    assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), NULL), 0);
}

static void put_json(const char *path, const json_t *json)
{
    cleanup_free char *text = json_dumps(json, JSON_INDENT(1));

    put(path, text);
}

/* Two slices of one second, with another arm's between them. */
static void slice(struct repetition_record *r)
{
    const int64_t begin = r->window_begin_ns;

    record_add_slice(r, begin, begin + 10 * EXAMPLE_TICK);
    record_add_slice(r, begin + 20 * EXAMPLE_TICK, begin + 30 * EXAMPLE_TICK);
}

static void store(struct repetition_record *r, struct store_writer *w, const char *arm)
{
    cleanup_free char *directory = xasprintf("run/repetitions/%04u-%s", r->index, arm);

    assert_int_equal(directory_make(AT_FDCWD, directory, NULL), 0);
    assert_int_equal(store_add(w, r, NULL), 0);
}

/* With all that a report reads: a comparison of arms that took turns, requests at a rate, gates,
 * captures, events, what a search and a pilot found. */
static void store_run(void)
{
    struct store_writer w = {.path = xstrdup("run"), .dirfd = -1};
    struct stored_run run;
    struct repetition_record *r;

    example_two_arms(&run);
    for (size_t i = 0; i < 4; i++) {
        r = &run.repetitions[i];
        slice(r);
        disturbances_add(&r->disturbances, "server", DISTURBANCE_STOPPED, xstrdup("was stopped"),
                         r->window_begin_ns + 5, r->window_begin_ns + 500);
        record_add_total(r, "operations", 12345);
        record_add_total(r, "statistic_accepts_server", 7);
        record_add_latency(r, "response", histogram_new());
        histogram_record(r->latencies[0].histogram, 48700, 50000);
        r->captures =
            json_pack("[{s:s, s:s, s:[s], s:i, s:i, s:i}]", "capture", "record", "role", "server",
                      "files", "record-server.folded", "samples", 400, "lost", 1, "frequency", 199);
        store(r, &w, r->arm);
    }
    json_object_update_new(
        run.run,
        json_pack("{s:s, s:[], s:s, s:s, s:s, s:i, s:[{s:s, s:{s:i}, s:{s:i, s:i}}],"
                  " s:[{s:i, s:i, s:i, s:s}], s:{s:[s], s:f, s:f, s:b}, s:{s:f, s:f, s:s, s:i},"
                  " s:{s:f, s:f, s:s, s:i, s:f}}",
                  "bench_version", "0.1.0", "command", "cwd", "/", "seed", "8812", "finished",
                  "2026-11-20T06:50:44Z", "blocks", 2, "points", "label", "", "settings", "jobs", 2,
                  "hops", "none", 0, "nginx", 2, "plan", "index", 1, "block", 1, "point", 0, "arm",
                  "none", "comparison", "metrics", "bits_per_second", "margin", 0.03, "alpha", 0.05,
                  "looks", 0, "warmup", "seconds", 1.0, "needs", 0.5, "arm", "nginx", "pilots", 3,
                  "saturation", "capacity", 1000.0, "rate", 700.0, "arm", "nginx", "steps", 7,
                  "gave_way", 900.0));
    json_object_update_new(json_object_get(run.run, "scenario"),
                           json_pack("{s:f, s:f, s:i, s:i, s:[s]}", "margin", 0.03, "precision",
                                     0.05, "hops", 2, "rate", 700, "fail_on",
                                     "bits_per_second < 1G"));
    put_json("run/run.json", run.run);
    example_release(&run);
    store_writer_release(&w);
}

/* --- what comes of it ---------------------------------------------------------------------- */

static void expect_finite(struct bench_value v, const char *name, const char *what)
{
    if (bench_is_number(v.state) && !isfinite(v.value))
        fail_msg("%s: '%s' is %g", what, name, v.value);
}

static void check_document(const struct bench_document *d, const char *what)
{
    for (uint32_t i = 0; i < d->n_repetitions; i++)
        for (uint32_t k = 0; k < d->repetitions[i]->n_values; k++)
            expect_finite(d->repetitions[i]->values[k], d->repetitions[i]->metrics[k]->name, what);
    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_estimate *e = d->arms[i]->estimates[k];

            expect_finite((struct bench_value){e->value, e->state}, e->metric->name, what);
        }
}

/* Whether it was read, as a whole or without the repetition that was changed. */
static bool reads(const char *what)
{
    struct stored_run run = {0};
    struct document *document = NULL;
    struct bench_error err = {0};
    bool read = store_read(&run, "run", &err) == 0;

    if (!read) {
        assert_true(err.message[0]);
        return false;
    }
    assert_int_equal(run.n_repetitions + run.damaged.count, 4);
    assert_true(run.damaged.count <= 1);
    assert_int_equal(document_new(&document, &run, NULL), 0);
    check_document(document_get(document), what);
    document_free(document);
    stored_run_release(&run);
    return true;
}

struct tally {
    int tried, read;
};

static void try(struct tally *t, const char *what)
{
    t->tried++;
    t->read += reads(what);
}

/* --- numbers in JSON ----------------------------------------------------------------------- */

static json_t *number(const char *text)
{
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void vary(struct tally *t, const char *path, json_t *whole, json_t *in);

static void vary_one(struct tally *t, const char *path, json_t *whole, json_t *in, const char *key,
                     size_t index)
{
    json_t *old = json_incref(key ? json_object_get(in, key) : json_array_get(in, index));

    for (size_t i = 0; json_is_number(old) && i < ARRAY_SIZE(extremes); i++) {
        cleanup_free char *what =
            xasprintf("%s: '%s' %zu = %s", path, key ? key : "", index, extremes[i]);

        if (key)
            json_object_set_new(in, key, number(extremes[i]));
        else
            json_array_set_new(in, index, number(extremes[i]));
        put_json(path, whole);
        try(t, what);
    }
    if (key)
        json_object_set(in, key, old);
    else
        json_array_set(in, index, old);
    vary(t, path, whole, old);
    json_decref(old);
}

/* Every number at any depth, one after the other. */
static void vary(struct tally *t, const char *path, json_t *whole, json_t *in)
{
    json_t *value;
    const char *key;
    void *next;
    size_t i;

    json_object_foreach_safe(in, next, key, value) vary_one(t, path, whole, in, key, 0);
    json_array_foreach(in, i, value) vary_one(t, path, whole, in, NULL, i);
}

static void vary_file(const char *path, struct tally *t)
{
    json_t *json = json_load_file(path, 0, NULL);

    assert_non_null(json);
    vary(t, path, json, json);
    put_json(path, json);
    json_decref(json);
}

static void numbers_of_the_run(void **state)
{
    struct tally t = {0};

    (void)state;
    store_run();
    vary_file("run/run.json", &t);
    assert_true(t.tried > 150);
    assert_true(t.read > 20 && t.read < t.tried - 50);
    assert_true(reads("as it was"));
}

static void numbers_of_a_repetition(void **state)
{
    struct tally t = {0};

    (void)state;
    store_run();
    vary_file("run/repetitions/0002-nginx/repetition.json", &t);
    assert_true(t.tried > 150);
    assert_int_equal(t.read, t.tried); /* the others are read */
}

/* What a chain of four billion relays was: a loop without an end. */
static void hops_have_the_bound_of_the_scenario(void **state)
{
    const char *path = "run/repetitions/0002-nginx/repetition.json";
    struct stored_run run;
    json_t *json;

    (void)state;
    store_run();
    json = json_load_file(path, 0, NULL);
    json_object_set_new(json, "hops", json_integer(4294967295));
    put_json(path, json);
    json_decref(json);
    assert_int_equal(store_read(&run, "run", NULL), 0);
    assert_int_equal(run.damaged.count, 1);
    assert_string_equal(run.damaged.items[0],
                        "repetitions/0002-nginx/repetition.json: field 'hops': expected an integer "
                        "from 0 to 16");
    stored_run_release(&run);
}

static void settings_have_the_bounds_of_the_scenario(void **state)
{
    struct bench_error err = {0};
    struct stored_run run;
    json_t *json;

    (void)state;
    store_run();
    json = json_load_file("run/run.json", 0, NULL);
    json_object_set_new(json_object_get(json, "scenario"), "duration", json_string("100000h"));
    put_json("run/run.json", json);
    json_decref(json);
    assert_int_equal(store_read(&run, "run", &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    assert_non_null(strstr(err.message, "run.json: field 'scenario': field 'duration': "));
}

/* --- the series ---------------------------------------------------------------------------- */

enum { HEADER = 4, MOST_COLUMNS = 200 };

/* The text with column `column` replaced in the rows: by the extremes in turn, or by one of them.
 */
static void put_column(const char *path, const char *text, size_t column, int value)
{
    cleanup_free char *copy = xstrdup(text);
    cleanup_text struct text out = {0};
    char *rest = copy, *line;

    for (int row = 0; (line = strsep(&rest, "\n")) && *line; row++) {
        size_t at = 0;

        for (char *field; (field = strsep(&line, "\t")); at++) {
            const char *mine = at != column || row < HEADER ? field
                               : value >= 0                 ? extremes[value]
                               : row % 2                    ? "9223372036854775807"
                                                            : "-9223372036854775807";

            text_add(&out, "%s%s", at ? "\t" : "", mine);
        }
        text_add(&out, "\n");
    }
    put(path, text_get(&out));
}

static void values_of_the_series(void **state)
{
    const char *path = "run/repetitions/0002-nginx/series.tsv";
    cleanup_free char *text = NULL;
    struct tally t = {0};
    size_t columns = 1;

    (void)state;
    store_run();
    assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, NULL, NULL), 0);
    for (const char *p = text; *p != '\n'; p++)
        columns += *p == '\t';
    assert_true(columns > 30 && columns < MOST_COLUMNS);
    for (size_t c = 0; c < columns; c++) {
        cleanup_free char *what = xasprintf("column %zu", c);

        put_column(path, text, c, -1);
        try(&t, what);
    }
    for (int i = 0; i < (int)ARRAY_SIZE(extremes); i++) { /* times, and the first of a counter */
        put_column(path, text, 0, i);
        try(&t, "times");
        put_column(path, text, 1, i);
        try(&t, "column 1");
    }
    assert_int_equal(t.read, t.tried);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_of_the_run),
        TEST(numbers_of_a_repetition),
        TEST(hops_have_the_bound_of_the_scenario),
        TEST(settings_have_the_bounds_of_the_scenario),
        TEST(values_of_the_series),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
