/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reporters against golden files (tests/golden/): BENCH_UPDATE_GOLDEN=1 tests/run reporters
 * writes them anew; look at the difference before committing it.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <bench/characters.h>

#include "base/file.h"
#include "plugin/host.h"
#include "report/document.h"

#include "../unit/report/example.h"
#include "openmetrics.h"

static const struct bench_reporter *reporter(const char *name)
{
    const char *build = getenv("BUILD");
    cleanup_free char *path =
        xasprintf("%s/plugins/reporters/%s.so", build ? build : "build", name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct bench_plugin *(*get)(const struct bench_host *);

    if (!handle)
        fail_msg("%s", dlerror());
    *(void **)&get = dlsym(handle, BENCH_PLUGIN_SYMBOL);
    assert_non_null(get);
    return (const struct bench_reporter *)get(host_get());
}

static char *written(const char *name, void (*fill)(struct stored_run *),
                     const struct bench_style *style)
{
    const struct bench_reporter *r = reporter(name);
    struct bench_output out = {0};
    struct stored_run run;
    struct document *d = NULL;

    fill(&run);
    assert_int_equal(document_new(&d, &run, NULL), 0);
    example_release(&run); /* the document stands alone */
    assert_int_equal(r->report(NULL, document_get(d), style, &out, NULL), 0);
    document_free(d);
    return text_take(&out.text);
}

static void compare(const char *golden, const char *text)
{
    cleanup_free char *path = xasprintf("tests/golden/%s", golden), *expected = NULL;
    struct bench_error err;

    if (getenv("BENCH_UPDATE_GOLDEN")) {
        assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), &err), 0);
        return;
    }
    if (file_read(AT_FDCWD, path, 1 << 20, &expected, &(size_t){0}, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(text, expected);
}

static void check(const char *golden, const char *name, void (*fill)(struct stored_run *),
                  const struct bench_style *style)
{
    cleanup_free char *text = written(name, fill, style);

    compare(golden, text);
}

#define STYLE(...) (&(struct bench_style){.size = sizeof(struct bench_style), __VA_ARGS__})

static void text_two_arms(void **state)
{
    (void)state;
    check("text-two-arms.txt", "text", example_two_arms, STYLE(.utf8 = true, .width = 110));
    check("text-two-arms-narrow.txt", "text", example_two_arms, STYLE(.utf8 = true, .width = 60));
    check("text-two-arms-ascii.txt", "text", example_two_arms, STYLE(.width = 0));
    check("text-two-arms-details.txt", "text", example_two_arms,
          STYLE(.utf8 = true, .width = 100, .details = true));
}

static void text_wraps_who_was_the_limit(void **state)
{
    cleanup_free char *text =
        written("text", example_two_arms, STYLE(.width = 60, .details = true));

    (void)state;
    assert_non_null(strstr(text, "\nnone: limited by nothing (every role waited: CPUs 80% idle;\n"
                                 "      most CPU used server: 0.4)\n"));
}

static void text_hostile(void **state)
{
    (void)state;
    check("text-hostile.txt", "text", example_hostile, STYLE(.utf8 = true, .width = 100));
    check("text-hostile-ascii.txt", "text", example_hostile, STYLE(.width = 72));
}

/* Four values of jobs; the third of nginx failed. */
static void sweep(struct stored_run *run)
{
    static const char *const points[] = {"jobs=1", "jobs=2", "jobs=10", "jobs=100"};
    json_t *relays = json_pack("[s, {s:s, s:s}]", "none", "name", "nginx", "plugin", "nginx");
    uint32_t n = 0;

    example_run_init(run, example_run_json("many connections", "complete", relays, json_array(), 8),
                     8);
    for (uint32_t i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++, n++) {
            struct repetition_record *r = &run->repetitions[n];

            if (k == 0)
                example_ok(r, n + 1, 1, "none", "none", points[i], 0, 5e9 / (i + 1), 0, 0.8);
            else if (i == 2)
                example_failed(r, n + 1, 1, "nginx", "nginx", points[i], 1, "relay_1: exited");
            else
                example_ok(r, n + 1, 1, "nginx", "nginx", points[i], 1, 1.2e9, 0.9, 0.5);
        }
}

static void text_sweep(void **state)
{
    (void)state;
    check("text-sweep.txt", "text", sweep, STYLE(.utf8 = true, .width = 100));
    check("text-sweep-ascii.txt", "text", sweep, STYLE(.width = 0));
}

/* What is no sweep over one key with three values or more has no plot, nor a narrow terminal. */
static void text_plots_only_what_it_can(void **state)
{
    cleanup_free char *shown = written("text", sweep, STYLE(.width = 60));
    cleanup_free char *narrow = written("text", sweep, STYLE(.width = 59));
    cleanup_free char *plain = written("text", example_two_arms, STYLE(.width = 0));
    cleanup_free char *two_points = written("text", example_hostile, STYLE(.width = 0));

    (void)state;
    assert_non_null(strstr(shown, "throughput by jobs\n"));
    assert_null(strstr(narrow, "throughput by "));
    assert_null(strstr(plain, "throughput by "));
    assert_null(strstr(two_points, "throughput by "));
}

/* Every control of Unicode, and what reorders text. */
static void controls(struct stored_run *run)
{
    static const char name[] = "a\xc2\x9b"
                               "2J\xc2\x85 \xd8\x9c\xe2\x81\xa6\xf3\xa0\x81\x81\x7f\r\n";

    example_run_init(run,
                     example_run_json(name, "complete", json_pack("[s]", "none"), json_array(), 3),
                     3);
    example_ok(&run->repetitions[0], 1, 1, "none", "none", "", 0, 5e9, 0, 0.8);
    example_ok(&run->repetitions[1], 2, 1, name, "nginx", "", 1, 1e9, 0.5, 0.7);
    example_failed(&run->repetitions[2], 3, 2, "none", "none", "", 1, "\x9b 2J");
    strings_add(&run->damaged, name);
}

static void no_control_leaves_a_reporter(void **state)
{
    static const char *const names[] = {"text", "json", "csv", "markdown", "openmetrics"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *out = written(names[i], controls, STYLE(.utf8 = true));
        uint32_t c = 0;

        assert_non_null(strstr(out, "2J"));
        for (const char *p = out; *p; p += bench_character_at(p, &c))
            if (bench_character_at(p, &c) == 0 ||
                (bench_character_is_unsafe(c) && !strchr("\r\n", (int)c)))
                fail_msg("%s: byte %02x in '%.20s'", names[i], (unsigned char)*p, p);
    }
}

#define PATH_TO_COPY \
    "'bench report \"bench-results/a run with blanks in its name, and long\" --details'"

static void with_a_command(struct stored_run *run)
{
    example_two_arms(run);
    strings_add(&run->damaged,
                "it's said that a run isn't whole: " PATH_TO_COPY " prints it, or 'x'");
}

/* What a reader copies is not broken, whatever the width. */
static void text_breaks_no_command(void **state)
{
    (void)state;
    for (int width = 40; width <= 140; width += 5) {
        cleanup_free char *out = written("text", with_a_command, STYLE(.width = width));

        assert_non_null(strstr(out, PATH_TO_COPY));
        assert_non_null(strstr(out, width < 100 ? "\n  " : "it's said"));
    }
}

static void requests(struct stored_run *run)
{
    example_two_arms(run);
    for (size_t i = 0; i < run->n_repetitions; i++) {
        struct repetition_record *r = &run->repetitions[i];
        double slow = r->hops ? 4 : 1;

        record_add_total(r, "operations", 3e5 / slow * (1 + 0.01 * r->block));
        record_add_total(r, "latency_p50_seconds", 49e-6 * slow);
        record_add_total(r, "latency_p99_seconds", 815e-6 * slow);
    }
}

/* The last block was for captures. */
static void captured(struct stored_run *run)
{
    example_two_arms(run);
    json_object_set_new(json_object_get(run->run, "scenario"), "capture",
                        json_pack("[{s:{}}, s]", "record", "c2c"));
    for (size_t i = run->n_repetitions - 2; i < run->n_repetitions; i++) {
        struct repetition_record *r = &run->repetitions[i];

        free(r->purpose);
        r->purpose = xstrdup("capture:record");
        json_object_set_new(json_array_get(json_object_get(run->run, "plan"), i), "purpose",
                            json_string(i % 2 ? "capture:c2c" : "capture:record"));
        r->captures =
            json_pack("[{ss,ss,s[sss],ss,ss,si,si,s[s]},{ss,ss,s[ss],ss}]", "capture", "record",
                      "role", "relay_1", "files", "record-relay_1.perf.data",
                      "record-relay_1.folded", "record-relay_1.svg", "event", "cpu-clock",
                      "instead", "this machine does not count cycles", "samples", 601, "lost", 2,
                      "notes", "its stacks end in nowhere", "capture", "c2c", "role", "server",
                      "files", "c2c-server.perf.data", "c2c-server.txt", "event", "PEBS");
    }
}

/* As many of each call of a role as its place in the list says, in thousands per second. */
static void add_calls(struct repetition_record *r, const char *role, const char *calls)
{
    cleanup_strings struct strings names = {0};
    int64_t values[EXAMPLE_ROWS];

    strings_split(&names, calls, " ");
    for (size_t i = 0; i < names.count; i++) {
        cleanup_free char *column = xasprintf("%s.event:%s", role, names.items[i]);

        for (int64_t row = 0; row < EXAMPLE_ROWS; row++)
            values[row] = row * 100 * (int64_t)(names.count - i);
        series_append_column(&r->series, column, SERIES_COUNTER, NULL, values);
    }
}

static void with_calls(struct stored_run *run)
{
    captured(run);
    for (size_t i = run->n_repetitions - 2; i < run->n_repetitions; i++) {
        struct repetition_record *r = &run->repetitions[i];

        free(r->purpose);
        r->purpose = xstrdup("capture:syscalls");
        add_calls(r, "client", "syscalls syscall:sendto");
        if (r->hops)
            add_calls(r, "relay_1",
                      "syscalls syscall:epoll_wait syscall:recvfrom syscall:writev syscall:close "
                      "syscall:accept4 syscall:connect syscall:socket syscall:bind syscall:listen "
                      "syscall:futex syscall:madvise syscall:brk syscall:fsync");
    }
}

static void text_syscalls(void **state)
{
    (void)state;
    check("text-syscalls.txt", "text", with_calls, STYLE(.utf8 = true, .width = 100));
}

static void text_captures(void **state)
{
    (void)state;
    check("text-captures.txt", "text", captured, STYLE(.utf8 = true, .width = 100));
    check("text-captures-details.txt", "text", captured, STYLE(.width = 100, .details = true));
}

static void text_requests(void **state)
{
    (void)state;
    check("text-requests.txt", "text", requests, STYLE(.utf8 = true, .width = 110));
}

static void nothing_valid(struct stored_run *run)
{
    example_two_arms(run);
    for (size_t i = 0; i < run->n_repetitions; i++) {
        run->repetitions[i].ok = false;
        error_set(&run->repetitions[i].error, BENCH_ERROR_RUN,
                  "server: start: exited with status 1");
    }
}

static void text_without_numbers(void **state)
{
    (void)state;
    check("text-nothing-valid.txt", "text", nothing_valid, STYLE(.utf8 = true, .width = 100));
}

/* One relay wakes too often, the other is throttled as well; at the first point of a sweep nothing.
 */
static void troubled(struct stored_run *run)
{
    json_t *relays = json_pack("[s, s]", "nginx", "other");

    example_run_init(run, example_run_json("troubled", "complete", relays, json_array(), 4), 4);
    for (uint32_t i = 0; i < 4; i++) {
        struct repetition_record *r = &run->repetitions[i];

        example_ok(r, i + 1, i / 2 + 1, i % 2 ? "other" : "nginx", i % 2 ? "other" : "nginx",
                   i < 2 ? "jobs=1" : "jobs=10", 1, i < 2 ? 5e9 : 2e7, i % 2 ? 0.98 : 0.97, 0.5);
        if (i == 3)
            record_add_total(r, "latency_p99_seconds", 0.049);
        if (i == 3)
            for (size_t row = 0; row < r->series.n_rows; row++)
                r->series.values[row * r->series.n_columns +
                                 (size_t)series_find(&r->series, "relay_1.throttled_periods")] =
                    98 * (int64_t)row;
    }
}

static const struct bench_style findings_style = {
    .size = sizeof(findings_style), .utf8 = true, .width = 100, .part = BENCH_PART_FINDINGS};

static void text_findings(void **state)
{
    cleanup_free char *few = written("text", troubled, STYLE(.utf8 = true, .width = 100));
    const char *from = strstr(few, "\nfindings\n");

    (void)state;
    assert_non_null(from);
    compare("text-findings-few.txt", from + 1);
    check("text-findings.txt", "text", troubled, &findings_style);
}

/* Where there is nothing to say nothing is said; the command says that it looked. */
static void text_without_findings(void **state)
{
    cleanup_free char *report = written("text", example_two_arms, STYLE(.utf8 = true));
    cleanup_free char *explained = written("text", example_two_arms, &findings_style);
    cleanup_free char *failed = written("text", nothing_valid, &findings_style);

    (void)state;
    assert_null(strstr(report, "findings"));
    assert_non_null(strstr(failed, "\n\nno repetition succeeded\n"));
    assert_non_null(strstr(explained, "\n\nnothing found\n\nnot looked at\n  with 'syscalls', "));
}

/* No line is wider than asked for, nothing but newlines controls the terminal, no trailing spaces.
 */
static void text_keeps_to_its_width(void **state)
{
    void (*const fills[])(struct stored_run *) = {example_two_arms, example_hostile, requests,
                                                  sweep, troubled};

    (void)state;
    for (size_t f = 0; f < ARRAY_SIZE(fills); f++)
        for (int width = 40; width <= 140; width += 10) {
            cleanup_free char *text = written("text", fills[f], STYLE(.width = width));
            char *save, *line = strtok_r(text, "\n", &save);

            for (; line; line = strtok_r(NULL, "\n", &save)) {
                size_t n = strlen(line);

                if (n > (size_t)width)
                    fail_msg("%zu columns, not %d: '%s'", n, width, line);
                assert_true(n > 0 && line[n - 1] != ' ');
                for (size_t i = 0; i < n; i++)
                    assert_true(isprint((unsigned char)line[i]));
            }
        }
}

static void user_space_only(struct stored_run *run)
{
    example_two_arms(run);
    for (size_t i = 0; i < run->n_repetitions; i++) {
        struct series *s = &run->repetitions[i].series;
        int column = series_find(s, "server.event:context-switches");

        assert_true(column >= 0);
        s->columns[column].reason = xstrdup("user only");
    }
}

static void text_marks_what_is_not_the_whole(void **state)
{
    cleanup_free char *marked = written("text", user_space_only, STYLE(.utf8 = true));
    cleanup_free char *plain = written("text", example_two_arms, STYLE(.utf8 = true));
    const char *row = strstr(marked, "context-switches");
    cleanup_free char *line = row ? xstrndup(row, strcspn(row, "\n")) : NULL;

    (void)state;
    assert_non_null(line);
    assert_non_null(strchr(line, '*'));
    assert_true(line[strlen(line) - 1] == '*'); /* per gigabyte as well */
    assert_non_null(strstr(marked, "\n* context-switches: user only\n"));
    assert_null(strchr(plain, '*'));
}

/* Two builds of one relay, whose names differ in the last letter, in chains of six. */
static void long_names(struct stored_run *run)
{
    json_t *relays = json_pack("[s, s]", "skrouterd-built-with-link-time-optimisation-2.7.1",
                               "skrouterd-built-with-link-time-optimisation-2.7.2");

    example_run_init(run, example_run_json("builds", "complete", relays, json_array(), 2), 2);
    for (uint32_t i = 0; i < 2; i++) {
        cleanup_free char *name =
            xasprintf("skrouterd-built-with-link-time-optimisation-2.7.%u", i + 1);

        example_ok(&run->repetitions[i], i + 1, 1, name, "skrouterd", "", 6, 1e9, 0.9, 0.3);
    }
}

static void text_keeps_names_apart(void **state)
{
    (void)state;
    for (int width = 60; width <= 100; width += 20) {
        cleanup_free char *text = written("text", long_names, STYLE(.utf8 = true, .width = width));
        const char *first = strstr(text, "\nskrouterd-"),
                   *second = strstr(first + 1, "\nskrouterd-");
        const char *end = strpbrk(first + 1, " "), *end2 = strpbrk(second + 1, " ");

        assert_true(end[-1] == '1' && end2[-1] == '2');
        first = strstr(strstr(text, "CPUs used"), "\nskrouterd-");
        assert_true(strchr(first + 1, ' ')[-1] == '1');
    }
}

/* A long name of the baseline does not push out who was the limit. */
static void text_heads_are_short(void **state)
{
    cleanup_free char *text = written("text", long_names, STYLE(.utf8 = true, .width = 100));

    (void)state;
    assert_non_null(strstr(text, "  vs baseline  "));
    assert_non_null(strstr(text, "  limited by\n"));
}

/* Two points of one relay: there is nothing to compare. */
static void one_arm(struct stored_run *run)
{
    json_t *relays = json_pack("[s]", "nginx");

    example_run_init(run, example_run_json("limits", "complete", relays, json_array(), 2), 2);
    example_ok(&run->repetitions[0], 1, 1, "nginx", "nginx", "cpu_limit=0.5", 1, 1e9, 0.4, 0.7);
    example_ok(&run->repetitions[1], 2, 1, "nginx", "nginx", "cpu_limit=1", 1, 2e9, 0.9, 0.5);
}

static void text_compares_only_arms(void **state)
{
    cleanup_free char *text = written("text", one_arm, STYLE(.utf8 = true));

    (void)state;
    assert_non_null(strstr(text, "cpu_limit=1\n"));
    assert_null(strstr(text, "vs nginx"));
    assert_null(strstr(text, "baseline"));
}

static void text_names_hops_left_out(void **state)
{
    cleanup_free char *six = written("text", long_names, STYLE(.utf8 = true));
    cleanup_free char *two = written("text", example_two_arms, STYLE(.utf8 = true));

    (void)state;
    assert_non_null(strstr(six, "  not shown: R5 to R6 ('--details' has them)\n"));
    assert_null(strstr(two, "not shown: R"));
}

static void text_colour(void **state)
{
    cleanup_free char *plain = written("text", example_two_arms, STYLE(.utf8 = true));
    cleanup_free char *color =
        written("text", example_two_arms, STYLE(.utf8 = true, .color = true));
    cleanup_text struct text stripped = {0};

    (void)state;
    assert_null(strchr(plain, '\033'));
    assert_non_null(strchr(color, '\033'));
    for (const char *p = color; *p; p++) {
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            text_add_bytes(&stripped, p, 1);
    }
    assert_string_equal(text_get(&stripped), plain);
}

static json_t *parsed(void (*fill)(struct stored_run *))
{
    cleanup_free char *text = written("json", fill, STYLE(.utf8 = true));
    json_error_t error;
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!j)
        fail_msg("line %d: %s", error.line, error.text);
    return j;
}

static void json_golden(void **state)
{
    (void)state;
    check("json-hostile.json", "json", example_hostile, STYLE(.utf8 = true));
}

static void json_holds_the_document(void **state)
{
    json_t *j = parsed(example_two_arms), *arm, *metric;

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(j, "schema")), 1);
    assert_string_equal(json_string_value(json_object_get(j, "seed")), "8812");
    assert_true(json_is_object(json_object_get(j, "scenario")));
    assert_true(json_is_object(json_object_get(j, "environment")));
    assert_int_equal(json_array_size(json_object_get(j, "repetitions")), 12);
    arm = json_array_get(json_object_get(j, "arms"), 1);
    assert_string_equal(json_string_value(json_object_get(arm, "limited_by")), "relay_1");
    metric = json_object_get(json_object_get(arm, "metrics"), "bits_per_second");
    assert_string_equal(json_string_value(json_object_get(metric, "unit")), "bit/s");
    assert_string_equal(json_string_value(json_object_get(metric, "state")), "ok");
    assert_true(json_number_value(json_object_get(metric, "value")) > 8e9);
    assert_true(json_is_number(json_object_get(metric, "low")));
    metric = json_object_get(json_object_get(arm, "metrics"), "cycles_relay_1");
    assert_string_equal(json_string_value(json_object_get(metric, "state")), "not supported");
    assert_true(json_is_null(json_object_get(metric, "value")));
    assert_true(json_is_null(json_object_get(metric, "low")));
    assert_int_equal(json_integer_value(json_object_get(metric, "n")), 0);
    json_decref(j);
}

static void json_tells_what_was_captured(void **state)
{
    json_t *j = parsed(captured), *repetitions = json_object_get(j, "repetitions");
    size_t n = json_array_size(repetitions);
    json_t *first = json_object_get(json_array_get(repetitions, 0), "captures");
    json_t *last = json_object_get(json_array_get(repetitions, n - 1), "captures");

    (void)state;
    assert_true(json_is_array(first));
    assert_int_equal(json_array_size(first), 0);
    assert_int_equal(json_array_size(last), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(last, 0), "samples")), 601);
    json_decref(j);
}

static void json_findings(void **state)
{
    (void)state;
    check("json-findings.json", "json", troubled, &findings_style);
}

static void json_survives_anything(void **state)
{
    json_t *j = parsed(example_hostile);
    const char *name =
        json_string_value(json_object_get(json_array_get(json_object_get(j, "arms"), 1), "name"));

    (void)state;
    assert_non_null(name);
    assert_non_null(strstr(name, "\x1b[31m\"\\\x01\x7f\xef\xbf\xbd\xef\xbf\xbd("));
    json_decref(j);
}

/* --- histories ----------------------------------------------------------------------------- */

enum { HISTORY_RUNS = 30 };

/* nginx against none, a tenth slower from the 21st run on; and one run of another scenario whose
 * name is hostile, where nothing could be counted. */
static char *history_written(const char *name, const struct bench_style *style)
{
    static const struct bench_metric metric = {.name = "bits_per_second",
                                               .unit = "bit/s",
                                               .title = "throughput",
                                               .format = BENCH_FORMAT_SI};
    const struct bench_reporter *r = reporter(name);
    struct bench_history_run runs[HISTORY_RUNS + 1] = {0};
    const struct bench_history_run *pointers[HISTORY_RUNS + 1];
    char texts[HISTORY_RUNS + 1][2][32];
    struct bench_output out = {0};

    for (int i = 0; i <= HISTORY_RUNS; i++) {
        double ratio = (i < 20 ? 0.2 : 0.18) + 0.001 * (i * 7 % 5);

        snprintf(texts[i][0], sizeof(texts[i][0]), "2026%02d-night-%04x", i + 1, i);
        snprintf(texts[i][1], sizeof(texts[i][1]), "2026-01-%02dT00:00:00Z", i + 1);
        runs[i] = (struct bench_history_run){.run = texts[i][0],
                                             .started = texts[i][1],
                                             .value = ratio * 4e10,
                                             .has_interval = i != 4,
                                             .low = ratio * 3.9e10,
                                             .high = ratio * 4.2e10,
                                             .n = 6,
                                             .ratio = ratio,
                                             .has_ratio_interval = i != 5,
                                             .ratio_low = ratio * 0.98,
                                             .ratio_high = ratio * 1.02};
        pointers[i] = &runs[i];
    }
    runs[20].new_level = true;
    runs[20].before = 0.202;
    runs[20].after = 0.182;
    runs[20].changed = "binary, kernel";
    runs[7].state = BENCH_FAILED;
    runs[7].value = runs[7].ratio = NAN;
    runs[HISTORY_RUNS].state = BENCH_NOT_SUPPORTED;
    runs[HISTORY_RUNS].value = runs[HISTORY_RUNS].ratio = NAN;
    assert_int_equal(
        r->history(
            NULL,
            &(struct bench_history){
                .size = sizeof(struct bench_history),
                .schema = 1,
                .metric = &metric,
                .n_series = 2,
                .series =
                    (const struct bench_history_series *[]){
                        &(struct bench_history_series){.name = "night",
                                                       .arm = "nginx",
                                                       .point = "jobs=10",
                                                       .machine = "Example 9000, 2 CPUs",
                                                       .anchor = "none",
                                                       .n_runs = HISTORY_RUNS,
                                                       .runs = pointers},
                        &(struct bench_history_series){.name = EXAMPLE_HOSTILE,
                                                       .arm = "none",
                                                       .point = "",
                                                       .machine = "Other 1, 1 CPU",
                                                       .part = "user space only",
                                                       .n_runs = 1,
                                                       .runs = pointers + HISTORY_RUNS}},
                .n_warnings = 1,
                .warnings =
                    (const char *[]){"runs of 2 kinds of machines: each is a history of its own"}},
            style, &out, NULL),
        0);
    return text_take(&out.text);
}

static void text_history(void **state)
{
    cleanup_free char *wide = history_written("text", STYLE(.utf8 = true, .width = 180));
    cleanup_free char *narrow = history_written("text", STYLE(.utf8 = false, .width = 72));

    (void)state;
    compare("text-history.txt", wide);
    compare("text-history-narrow.txt", narrow);
}

static void json_history(void **state)
{
    cleanup_free char *text = history_written("json", STYLE(.utf8 = true));
    json_t *j = json_loads(text, 0, NULL), *series, *runs;

    (void)state;
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "metric")), "bits_per_second");
    series = json_array_get(json_object_get(j, "series"), 0);
    assert_string_equal(json_string_value(json_object_get(series, "anchor")), "none");
    runs = json_object_get(series, "runs");
    assert_int_equal(json_array_size(runs), HISTORY_RUNS);
    assert_true(json_is_true(json_object_get(json_array_get(runs, 20), "new_level")));
    assert_true(json_real_value(json_object_get(json_array_get(runs, 20), "after")) == 0.182);
    assert_string_equal(json_string_value(json_object_get(json_array_get(runs, 20), "differs")),
                        "binary, kernel");
    assert_true(json_is_null(json_object_get(json_array_get(runs, 4), "low")));
    assert_true(json_is_null(json_object_get(json_array_get(runs, 7), "value")));
    assert_true(json_is_null(json_object_get(json_array_get(runs, 5), "ratio_low")));
    assert_true(json_is_null(json_object_get(json_array_get(runs, 0), "before")));
    assert_int_equal(json_array_size(json_object_get(j, "warnings")), 1);
    json_decref(j);
}

/* --- for pull requests, spreadsheets and Prometheus ---------------------------------------- */

static void add_rule(struct stored_run *run)
{
    json_object_set_new(run->run, "comparison",
                        json_pack("{s:[s,s],s:f,s:f}", "metrics", "bits_per_second", "cpus_client",
                                  "margin", 0.03, "alpha", 0.05));
}

static void compared(struct stored_run *run)
{
    example_two_arms(run);
    add_rule(run);
}

static void compared_hostile(struct stored_run *run)
{
    example_hostile(run);
    add_rule(run);
}

static void gated(struct stored_run *run)
{
    compared(run);
    json_object_set_new(json_object_get(run->run, "scenario"), "reject", json_string("nothing"));
    json_object_set_new(json_object_get(run->run, "scenario"), "fail_on",
                        json_pack("[s,s,s,s]", "bits_per_second of none < 1Mbit/s",
                                  "cpus_server > 0.1", "bits_per_second regresses 3%",
                                  "operations | \x1b[2J < 1"));
}

/* Names that are markup to somebody. */
static void marked_up(struct stored_run *run)
{
    static const char *const names[] = {"1. a|b `c` *d* _e_ <img src=x> [f](http://g) ~~h~~",
                                        "# @user fixes #1, see www.example.org :boom: $x$ &lt;\\"};
    json_t *relays = json_pack("[s, s]", names[0], names[1]);

    example_run_init(run, example_run_json(names[1], "complete", relays, json_array(), 2), 2);
    for (uint32_t i = 0; i < 2; i++)
        example_ok(&run->repetitions[i], i + 1, 1, names[i], "none", names[1 - i], 1, 1e9, 0.9,
                   0.3);
}

static void markdown_golden(void **state)
{
    (void)state;
    check("markdown-compared.md", "markdown", compared, STYLE(.utf8 = true));
    check("markdown-hostile.md", "markdown", compared_hostile, STYLE(.utf8 = true));
    check("markdown-gates.md", "markdown", gated, STYLE(.utf8 = true));
    check("markdown-run.md", "markdown", example_two_arms, STYLE(.utf8 = true));
    check("markdown-marked-up.md", "markdown", marked_up, STYLE(.utf8 = true));
    check("markdown-findings.md", "markdown", troubled, &findings_style);
}

/* Every row of a table has as many cells as its head: no name can add one. */
static void markdown_keeps_its_tables(void **state)
{
    void (*const fills[])(struct stored_run *) = {compared, compared_hostile, sweep,
                                                  captured, marked_up,        gated};

    (void)state;
    for (size_t f = 0; f < ARRAY_SIZE(fills); f++) {
        cleanup_free char *text = written("markdown", fills[f], STYLE(.details = true));
        size_t expected = 0;
        char *rest = text, *line;

        while ((line = strsep(&rest, "\n"))) {
            size_t pipes = 0;

            for (const char *p = line; *p; p++)
                pipes += *p == '|' && (p == line || p[-1] != '\\');
            if (line[0] != '|')
                expected = 0;
            else if (expected && pipes != expected)
                fail_msg("%zu cells, not %zu: %s", pipes - 1, expected - 1, line);
            else
                expected = pipes;
            assert_null(strstr(line, "</script>"));
        }
    }
}

static void text_gates(void **state)
{
    cleanup_free char *text = written("text", gated, STYLE(.utf8 = true, .width = 100));
    cleanup_free char *without = written("text", compared, STYLE(.utf8 = true));
    const char *from = strstr(text, "\ngates\n");

    (void)state;
    assert_non_null(from);
    compare("text-gates.txt", from + 1);
    assert_null(strstr(without, "\ngates\n"));
}

static void json_gates(void **state)
{
    json_t *j = parsed(gated), *gates = json_object_get(j, "gates"), *gate;

    (void)state;
    assert_int_equal(json_array_size(gates), 5);
    gate = json_array_get(gates, 0);
    assert_string_equal(json_string_value(json_object_get(gate, "arm")), "none");
    assert_string_equal(json_string_value(json_object_get(gate, "metric")), "bits_per_second");
    assert_string_equal(json_string_value(json_object_get(gate, "gate")),
                        "bits_per_second of none < 1Mbit/s");
    assert_true(json_number_value(json_object_get(gate, "value")) > 1e9);
    gate = json_array_get(gates, 4);
    assert_string_equal(json_string_value(json_object_get(gate, "outcome")), "nothing");
    assert_true(json_is_null(json_object_get(gate, "metric")));
    assert_true(json_is_null(json_object_get(gate, "value")));
    json_decref(j);
}

static void csv_golden(void **state)
{
    (void)state;
    check("csv-hostile-relay_1.csv", "csv", example_hostile, STYLE(.role = "relay_1"));
}

/* The field at *p, as RFC 4180 has it, and what ended it: ',' or '\r'. */
static char *csv_field(const char **p, char *ret_end)
{
    struct text t = {0};

    if (**p == '"') {
        for ((*p)++; **p != '"' || (*p)[1] == '"'; (*p)++) {
            assert_true(**p);
            *p += **p == '"';
            text_add_bytes(&t, *p, 1);
        }
        (*p)++;
    } else {
        size_t n = strcspn(*p, ",\"\r\n");

        text_add_bytes(&t, *p, n);
        *p += n;
    }
    *ret_end = *(*p)++;
    if (*ret_end == '\r')
        assert_int_equal(*(*p)++, '\n');
    else
        assert_int_equal(*ret_end, ',');
    return text_take(&t);
}

/* Rows of equal length, each a repetition and a metric; returns how many there are. */
static size_t csv_rows(const char *text, const char *metric, double *ret_sum)
{
    size_t rows = 0;

    for (*ret_sum = 0; *text; rows++) {
        bool wanted = false;
        char end = 0;

        for (int i = 0; i < 12; i++) {
            cleanup_free char *field = csv_field(&text, &end);

            assert_int_equal(end, i == 11 ? '\r' : ',');
            wanted |= i == 7 && strcmp(field, metric) == 0;
            if (wanted && i == 9)
                *ret_sum += strtod(field, NULL);
        }
    }
    return rows;
}

static void csv_has_every_number(void **state)
{
    cleanup_free char *all = written("csv", example_two_arms, STYLE(.utf8 = true));
    cleanup_free char *client = written("csv", example_two_arms, STYLE(.role = "client"));
    cleanup_free char *hostile = written("csv", example_hostile, STYLE(.utf8 = true));
    size_t n = 0;
    double sum;

    (void)state;
    n = csv_rows(all, "cpus_client", &sum);
    assert_true(sum > 12 * 0.29 && sum < 12 * 0.31);
    assert_true(csv_rows(client, "cpus_client", &sum) < n / 2);
    assert_true(sum > 12 * 0.29 && sum < 12 * 0.31);
    csv_rows(client, "cpus_server", &sum);
    assert_true(sum == 0);
    csv_rows(hostile, "", &sum);
    assert_non_null(strstr(hostile, ",failed,,,,,relay (hop 1): exited with status 1"));
}

static void openmetrics_golden(void **state)
{
    (void)state;
    check("openmetrics-hostile.prom", "openmetrics", compared_hostile, STYLE(.utf8 = true));
}

static void openmetrics_is_what_the_format_allows(void **state)
{
    void (*const fills[])(struct stored_run *) = {
        compared, compared_hostile, sweep, captured, nothing_valid, with_calls, requests};

    (void)state;
    for (size_t f = 0; f < ARRAY_SIZE(fills); f++) {
        cleanup_free char *text = written("openmetrics", fills[f], STYLE(.utf8 = true));

        assert_true(openmetrics_check(text) > 0);
    }
}

/* The parser refuses what the format forbids, or the test above could not fail. */
static void openmetrics_parser_is_strict(void **state)
{
    static const char *const wrong[] = {
        "# TYPE a gauge\na 1\n",                          /* no end */
        "# TYPE a gauge\na 1\n# EOF",                     /* no newline */
        "# TYPE a gauge\na 1\n# EOF\nmore\n",             /* not the end */
        "a 1\n# EOF\n",                                   /* no type */
        "# TYPE a gauge\na  1\n# EOF\n",                  /* two blanks */
        "# TYPE a gauge\na one\n# EOF\n",                 /* no number */
        "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n", /* not its unit */
        "# TYPE a gauge\na{b=\"x\"y\"} 1\n# EOF\n",       /* quote in a label */
        "# TYPE a gauge\na{b=\"\\x\"} 1\n# EOF\n",        /* no such escape */
        "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n# EOF\n",  /* one name twice */
        "# TYPE a gauge\na 1\na 2\n# EOF\n",              /* a sample twice */
        "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n# EOF\n",
        "# TYPE a gauge\na 1\n# TYPE b gauge\na{c=\"d\"} 1\n# EOF\n", /* out of its family */
        "# TYPE a-b gauge\na-b 1\n# EOF\n",
        "# TYPE a gauge\n\na 1\n# EOF\n",
    };

    (void)state;
    assert_int_equal(openmetrics_parse("# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n"
                                       "# HELP a_seconds \\\"x\\\"\n"
                                       "a_seconds{b=\"\\\\\"} +Inf\n# EOF\n",
                                       &(struct text){0}),
                     1);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        cleanup_text struct text why = {0};

        if (openmetrics_parse(wrong[i], &why) >= 0)
            fail_msg("accepted: %s", wrong[i]);
        assert_true(why.length > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_two_arms),
        cmocka_unit_test(text_wraps_who_was_the_limit),
        cmocka_unit_test(text_hostile),
        cmocka_unit_test(no_control_leaves_a_reporter),
        cmocka_unit_test(text_breaks_no_command),
        cmocka_unit_test(text_requests),
        cmocka_unit_test(text_captures),
        cmocka_unit_test(text_syscalls),
        cmocka_unit_test(text_sweep),
        cmocka_unit_test(text_plots_only_what_it_can),
        cmocka_unit_test(text_without_numbers),
        cmocka_unit_test(text_keeps_to_its_width),
        cmocka_unit_test(text_marks_what_is_not_the_whole),
        cmocka_unit_test(text_findings),
        cmocka_unit_test(text_without_findings),
        cmocka_unit_test(text_keeps_names_apart),
        cmocka_unit_test(text_heads_are_short),
        cmocka_unit_test(text_compares_only_arms),
        cmocka_unit_test(text_names_hops_left_out),
        cmocka_unit_test(text_colour),
        cmocka_unit_test(json_golden),
        cmocka_unit_test(json_holds_the_document),
        cmocka_unit_test(json_tells_what_was_captured),
        cmocka_unit_test(json_findings),
        cmocka_unit_test(json_survives_anything),
        cmocka_unit_test(text_history),
        cmocka_unit_test(json_history),
        cmocka_unit_test(markdown_golden),
        cmocka_unit_test(markdown_keeps_its_tables),
        cmocka_unit_test(text_gates),
        cmocka_unit_test(json_gates),
        cmocka_unit_test(csv_golden),
        cmocka_unit_test(csv_has_every_number),
        cmocka_unit_test(openmetrics_golden),
        cmocka_unit_test(openmetrics_is_what_the_format_allows),
        cmocka_unit_test(openmetrics_parser_is_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
