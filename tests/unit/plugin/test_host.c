/* SPDX-License-Identifier: Apache-2.0 */
/* The services a plugin gets: process descriptions, program lookup, results, errors. */
#include "plugin/host.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

/* A directory tree with programs: one/tool, two/sbin/tool, two/plain (not executable). */
static char top[64];

static void make(const char *below, mode_t mode)
{
    cleanup_free char *path = xasprintf("%s/%s", top, below);
    cleanup_free char *folder = xstrdup(path);

    *strrchr(folder, '/') = '\0';
    assert_int_equal(directory_make(AT_FDCWD, folder, NULL), 0);
    assert_int_equal(file_write(AT_FDCWD, path, "#!/bin/sh\n", 10, NULL), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int group_set_up(void **state)
{
    (void)state;
    snprintf(top, sizeof(top), "/tmp/bench-test-host-XXXXXX");
    if (!mkdtemp(top))
        return -1;
    make("one/bench-tool", 0755);
    make("two/sbin/bench-tool", 0755);
    make("two/plain", 0644);
    return 0;
}

static int group_tear_down(void **state)
{
    (void)state;
    return directory_remove(AT_FDCWD, top, NULL);
}

static int answer(const struct bench_child *child)
{
    (void)child;
    return 0;
}

static void fills_a_description(void **state)
{
    const struct bench_host *host = host_get();
    struct bench_process p;

    (void)state;
    process_init(&p, NULL, NULL);
    assert_int_equal(p.stop_signal, SIGTERM);
    host->argument(&p, "%s", "bench-tool");
    host->argument(&p, "--port=%d", 80);
    host->environment(&p, "A", "%d", 1);
    host->environment(&p, "AB", "x");
    host->environment(&p, "A", "%d", 2);
    host->file(&p, "conf", "one %s\n", "line");
    host->file(&p, "other", "100%%");
    host->file(&p, "conf", "two\n");
    host->directory(&p, "temp");
    host->directory(&p, "temp");
    host->listens(&p, 80);
    host->listens(&p, 65535);
    host->stop_signal(&p, SIGQUIT);

    assert_int_equal(p.argv.count, 2);
    assert_string_equal(p.argv.items[1], "--port=80");
    assert_null(p.argv.items[2]);
    assert_int_equal(p.environment.count, 2);
    assert_string_equal(p.environment.items[0], "A=2");
    assert_string_equal(p.environment.items[1], "AB=x");
    assert_int_equal(p.n_files, 2);
    assert_string_equal(p.files[0].name, "conf");
    assert_string_equal(text_get(&p.files[0].content), "one line\ntwo\n");
    assert_string_equal(text_get(&p.files[1].content), "100%");
    assert_int_equal(p.directories.count, 1);
    assert_int_equal(p.n_ports, 2);
    assert_int_equal(p.ports[1], 65535);
    assert_int_equal(p.stop_signal, SIGQUIT);
    process_release(&p);
}

static void assert_lookup(const char *name, const char *search, const char *search_path,
                          const char *expected)
{
    cleanup_free char *found = program_find(name, search, search_path);
    cleanup_free char *full = expected ? xasprintf("%s/%s", top, expected) : NULL;

    if (full) {
        assert_non_null(found);
        assert_string_equal(found, full);
    } else {
        assert_null(found);
    }
}

static void finds_programs(void **state)
{
    cleanup_free char *one = xasprintf("%s/one", top);
    cleanup_free char *two = xasprintf("%s/two", top);
    cleanup_free char *file = xasprintf("%s/one/bench-tool", top);
    cleanup_free char *plain = xasprintf("%s/two/plain", top);
    cleanup_free char *path = xasprintf("/nonexistent::%s:%s/sbin", one, two);
    cleanup_free char *old = xstrdup(getenv("PATH"));

    (void)state;
    assert_lookup("bench-tool", one, NULL, "one/bench-tool");
    assert_lookup("bench-tool", two, NULL, "two/sbin/bench-tool");
    assert_lookup("bench-tool", file, NULL, "one/bench-tool");
    assert_lookup("another-name", file, NULL, "one/bench-tool");
    assert_lookup("bench-tool", NULL, path, "one/bench-tool");
    assert_lookup("bench-tool", two, one, "two/sbin/bench-tool");
    assert_lookup(file, two, NULL, "one/bench-tool");
    assert_lookup("bench-tool", NULL, NULL, NULL);
    assert_lookup("plain", two, NULL, NULL);
    assert_lookup(plain, NULL, NULL, NULL);
    assert_lookup("two", NULL, top, NULL);

    /* What the arm asks for is not found there: not taken from elsewhere. */
    assert_lookup("sh", one, NULL, NULL);

    setenv("PATH", path, 1);
    assert_lookup("bench-tool", NULL, NULL, "one/bench-tool");
    assert_lookup("bench-tool", NULL, "/nonexistent", "one/bench-tool");
    setenv("PATH", old, 1);
}

static void relative_paths_become_absolute(void **state)
{
    cleanup_free char *here = getcwd(NULL, 0);

    (void)state;
    assert_int_equal(chdir(top), 0);
    assert_lookup("bench-tool", "one", NULL, "one/bench-tool");
    assert_lookup("one/bench-tool", NULL, NULL, "one/bench-tool");
    assert_lookup("bench-tool", NULL, "two/sbin", "two/sbin/bench-tool");
    assert_int_equal(chdir(here), 0);
}

static void resolves(void **state)
{
    const struct bench_host *host = host_get();
    cleanup_free char *one = xasprintf("%s/one", top);
    cleanup_free char *expected = xasprintf("%s/bench-tool", one);
    struct bench_error err;
    struct bench_process p;

    (void)state;
    process_init(&p, one, NULL);
    host->argument(&p, "bench-tool");
    assert_int_equal(process_resolve(&p, &err), 0);
    assert_string_equal(p.program, expected);
    assert_string_equal(p.argv.items[0], "bench-tool");
    assert_string_equal(host->find_program(&p, "bench-tool", &err), expected);
    process_release(&p);

    process_init(&p, NULL, NULL);
    host->main(&p, answer);
    assert_int_equal(process_resolve(&p, &err), 0);
    assert_null(p.program);
    process_release(&p);
}

static void assert_unresolved(struct bench_process *p, enum bench_error_kind kind,
                              const char *message, const char *hint)
{
    struct bench_error err;

    assert_int_equal(process_resolve(p, &err), -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.kind, kind);
    process_release(p);
}

static void says_what_is_missing(void **state)
{
    static const struct bench_program programs[] = {
        {.name = "other", .apt = "no", .dnf = "no"},
        {.name = "bench-tool", .apt = "tool-light", .dnf = "tool"},
        {0},
    };
    const struct bench_host *host = host_get();
    struct bench_process p;
    struct bench_error err;
    cleanup_free char *at = xasprintf("program 'bench-other' not found in '%s'", top);

    (void)state;
    process_init(&p, NULL, NULL);
    host->argument(&p, "bench-tool");
    assert_null(host->find_program(&p, "bench-tool", &err));
    assert_string_equal(err.message, "program 'bench-tool' not found");
    assert_unresolved(&p, BENCH_ERROR_ENVIRONMENT, "program 'bench-tool' not found",
                      "install it, put it on PATH, or give the arm a 'path'");

    process_init(&p, NULL, NULL);
    p.programs = programs;
    host->argument(&p, "bench-tool");
    assert_unresolved(&p, BENCH_ERROR_ENVIRONMENT, "program 'bench-tool' not found",
                      "apt install tool-light, dnf install tool, or give the arm a 'path'");

    process_init(&p, top, NULL);
    host->argument(&p, "bench-other");
    assert_unresolved(&p, BENCH_ERROR_ENVIRONMENT, at,
                      "'path' of an arm is the program itself, or a directory that holds it or has "
                      "it in sbin or bin");

    process_init(&p, NULL, NULL);
    host->argument(&p, "/nonexistent/tool");
    assert_unresolved(&p, BENCH_ERROR_ENVIRONMENT,
                      "program '/nonexistent/tool' is not an executable file", "");
}

static void knows_the_row_of_a_program(void **state)
{
    static const struct bench_program programs[] = {
        {.name = "other"},
        {.name = "bench-tool"},
        {0},
    };
    cleanup_free char *one = xasprintf("%s/one", top);
    struct bench_error err;
    struct bench_process p;

    (void)state;
    process_init(&p, one, NULL);
    assert_null(process_row(&p));
    p.programs = programs;
    host_get()->argument(&p, "%s/bench-tool", one); /* a plugin may name it by its path */
    assert_int_equal(process_resolve(&p, &err), 0);
    assert_ptr_equal(process_row(&p), &programs[1]);
    process_release(&p);

    process_init(&p, "/bin/sh", NULL); /* a program under another name */
    p.programs = programs;
    host_get()->argument(&p, "other");
    assert_int_equal(process_resolve(&p, &err), 0);
    assert_ptr_equal(process_row(&p), &programs[0]);
    process_release(&p);
}

static void reports_misuse(void **state)
{
    const struct bench_host *host = host_get();
    struct bench_process p;

    (void)state;
    process_init(&p, NULL, NULL);
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: describes neither a program nor a main", "");

    process_init(&p, NULL, NULL);
    host->argument(&p, "sh");
    host->file(&p, "../escape", "x");
    host->listens(&p, 0);
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: describes a file called '../escape'", "");

    process_init(&p, NULL, NULL);
    host->file(&p, "stderr", "x");
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: describes a file called 'stderr'", "");

    process_init(&p, NULL, NULL);
    host->directory(&p, "..");
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: describes a directory called '..'", "");

    process_init(&p, NULL, NULL);
    host->listens(&p, 0);
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: listens on port 0, or on more than 1000 ports", "");

    process_init(&p, NULL, NULL);
    host->stop_signal(&p, 1000);
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: asks to be stopped by 1000, which is not a signal", "");

    process_init(&p, NULL, NULL);
    host->environment(&p, "A=B", "x");
    assert_unresolved(&p, BENCH_ERROR_RUN,
                      "mistake in the plugin: describes the environment variable 'A=B', which cannot "
                      "be set",
                      "");
}

#define S INT64_C(1000000000)

static void judged(struct bench_result *r, const char *message)
{
    struct bench_error err = {0};

    r->life_begin_ns = 1000 * S;
    r->life_end_ns = 1002 * S;
    if (message) {
        assert_int_equal(result_check_times(r, &err), -1);
        assert_string_equal(err.message, message);
        assert_true(err.hint[0]);
    } else {
        assert_int_equal(result_check_times(r, &err), 0);
    }
    result_release(r);
}

static void a_tool_whose_clock_is_not_ours(void **state)
{
    const struct bench_host *host = host_get();
    struct bench_result r = {0};

    (void)state;
    host->result_window(&r, 1000 * S, 1002 * S);
    judged(&r, NULL);
    host->result_window(&r, 1001 * S, 4602 * S);
    judged(&r, "the client's own window of 3601.000 s is not within its life: it reaches to "
               "3600.000 s after its end");
    host->result_window(&r, 998 * S, 1001 * S);
    judged(&r, "the client's own window of 3.000 s is not within its life: it reaches to "
               "2.000 s before its start");
    host->result_window(&r, INT64_MIN, INT64_MAX);
    judged(&r, "the client's own window of 9223372036.855 s is not within its life: it reaches to "
               "9223372036.855 s before its start");

    r = (struct bench_result){.begin_ns = 1000 * S,
                              .end_ns = 1002 * S,
                              .life_begin_ns = 1000 * S,
                              .life_end_ns = 1002 * S};
    host->result_request(&r, 1001 * S, 5, true);
    host->result_request(&r, 1001 * S + 3600 * S, 5, true);
    host->result_request(&r, 1001 * S - 3600 * S, 5, true);
    assert_int_equal(r.requests, 1);
    judged(&r, "2 requests are recorded outside of the client's life, the first 3599.000 s after "
               "its end");

    r = (struct bench_result){.clock_step_ns = 900000};
    host->result_total(&r, "bytes", 1);
    judged(&r, NULL);
    r = (struct bench_result){.clock_step_ns = -2 * S};
    host->result_total(&r, "bytes", 1);
    judged(&r, "the machine's clock was set by -2.000 s in the repetition: what a tool measured by "
               "it is wrong");
    r = (struct bench_result){.clock_step_ns = 2 * S}; /* nothing of a tool is in it */
    judged(&r, NULL);
}

static void collects_results(void **state)
{
    const struct bench_host *host = host_get();
    struct bench_result r = {0};

    (void)state;
    host->result_window(&r, 5, 9);
    host->result_total(&r, "operations", 1);
    host->result_total(&r, "errors", 2);
    host->result_total(&r, "operations", 3);
    host->result_warning(&r, "%d lines were left out", 2);
    assert_string_equal(r.warnings.items[0], "2 lines were left out");
    assert_true(r.has_window);
    assert_int_equal(r.begin_ns, 5);
    assert_int_equal(r.end_ns, 9);
    assert_int_equal(r.n_totals, 2);
    assert_string_equal(r.totals[0].metric, "operations");
    assert_true(r.totals[0].value == 3);
    assert_true(r.totals[1].value == 2);
    result_release(&r);
    assert_int_equal(r.n_totals, 0);
}

static void fails_and_emits(void **state)
{
    const struct bench_host *host = host_get();
    struct bench_output out = {0};
    struct bench_error err;

    (void)state;
    assert_int_equal((host->fail)(&err, BENCH_ERROR_RUN, "no '%s' in %d", "x", 7), -1);
    host->hint(&err, "look at %s", "y");
    assert_string_equal(err.message, "no 'x' in 7");
    assert_string_equal(err.hint, "look at y");
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    host->emit(&out, "%d,", 1);
    host->emit(&out, "%d", 2);
    assert_string_equal(text_get(&out.text), "1,2");
    text_release(&out.text);
    assert_int_equal(host->size, sizeof(*host));
    assert_int_equal(host->abi_major, BENCH_ABI_MAJOR);
    assert_string_equal(host->version, BENCH_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_a_description),
        cmocka_unit_test(finds_programs),
        cmocka_unit_test(relative_paths_become_absolute),
        cmocka_unit_test(resolves),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(knows_the_row_of_a_program),
        cmocka_unit_test(reports_misuse),
        cmocka_unit_test(collects_results),
        cmocka_unit_test(a_tool_whose_clock_is_not_ours),
        cmocka_unit_test(fails_and_emits),
    };

    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
