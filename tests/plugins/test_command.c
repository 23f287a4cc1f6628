/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins `command`: what they make of command lines, configurations and options, and what the
 * workload reads from a client's output.
 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "plugin/host.h"
#include "plugin/registry.h"

static struct registry registry;
static char top[64];

static int group_set_up(void **state)
{
    const char *build = getenv("BUILD");
    cleanup_free char *program = xasprintf("%s/bench", build ? build : "build");

    (void)state;
    unsetenv("BENCH_PLUGIN_PATH");
    registry_load(&registry, program);
    snprintf(top, sizeof(top), "/tmp/bench-test-command-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int group_tear_down(void **state)
{
    (void)state;
    registry_release(&registry);
    return directory_remove(AT_FDCWD, top, NULL);
}

static const struct bench_plugin *plugin(enum bench_plugin_kind kind)
{
    struct bench_error err = {0};
    const struct bench_plugin *p = registry_find(&registry, kind, "command", &err);

    if (!p)
        fail_msg("%s", err.message);
    return p;
}

/* Options as "name=value", ended by NULL. */
static void *options(const struct bench_plugin *p, const char *const *settings)
{
    void *state = xcalloc(1, p->state_size);
    struct bench_error err = {0};

    option_defaults(p->options, state);
    for (; *settings; settings++) {
        cleanup_free char *name = xstrdup(*settings);
        char *value = strchr(name, '=');

        *value++ = '\0';
        if (option_set(option_find(p->options, name), state, value, &err) < 0)
            fail_msg("%s", err.message);
    }
    return state;
}

static void release(const struct bench_plugin *p, void *state)
{
    option_release(p->options, state);
    free(state);
}
#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* --- relay --------------------------------------------------------------------------------- */

static int describe_relay(const char *const *settings, struct bench_process *p,
                          struct bench_error *err)
{
    const struct bench_plugin *info = plugin(BENCH_RELAY);
    const struct bench_relay *r = (const struct bench_relay *)info;
    void *state = options(info, settings);
    struct bench_hop hop = {
        .size = sizeof(hop),
        .index = 1,
        .count = 2,
        .listen = {.host = "127.0.0.1", .port = 1001},
        .upstream = {.host = "127.0.0.1", .port = 2001},
        .protocol = "tcp",
        .directory = "/run/my hop",
        .connections = 10,
    };
    int result;

    process_init(p, NULL, NULL);
    result = r->describe(state, &hop, p, err);
    release(info, state);
    return result;
}

static void assert_arguments(const char *command, const char *const *expected)
{
    cleanup_free char *setting = xasprintf("command=%s", command);
    struct bench_error err = {0};
    struct bench_process p;
    size_t n = 0;

    if (describe_relay(SETTINGS(setting), &p, &err) < 0)
        fail_msg("%s", err.message);
    for (; expected[n]; n++) {
        assert_true(n < p.argv.count);
        assert_string_equal(p.argv.items[n], expected[n]);
    }
    assert_int_equal(p.argv.count, n);
    process_release(&p);
}

static void words_are_separated_as_by_a_shell(void **state)
{
    (void)state;
    assert_arguments(" a  b\tc\nd ", SETTINGS("a", "b", "c", "d"));
    assert_arguments("a 'b c' \"d e\"f g\\ h", SETTINGS("a", "b c", "d ef", "g h"));
    assert_arguments("a '' \"\" 'x'\\''y'", SETTINGS("a", "", "", "x'y"));
    assert_arguments("a 'b\\n' \"c\\\"d\\\\e\\n\"", SETTINGS("a", "b\\n", "c\"d\\e\\n"));
    assert_arguments("a $HOME `b` *; # c", SETTINGS("a", "$HOME", "`b`", "*;", "#", "c"));
    assert_arguments("a \\", SETTINGS("a", "\\"));
}

static void placeholders_become_values(void **state)
{
    (void)state;
    assert_arguments("r {listen_host}:{listen_port} '{connect_host}' \"{connect_port}\"",
                     SETTINGS("r", "127.0.0.1:1001", "127.0.0.1", "2001"));
    assert_arguments("r {hop}/{hops} -j{jobs} {protocol} {config}",
                     SETTINGS("r", "1/2", "-j10", "tcp", "/run/my hop/relay.conf"));
    assert_arguments("r {{hop}} {} { } {HOP} {1} {{ }} {hop",
                     SETTINGS("r", "{hop}", "{}", "{", "}", "{HOP}", "{1}", "{{", "}}", "{hop"));
}

static void a_configuration_is_written(void **state)
{
    struct bench_error err = {0};
    struct bench_process p;

    (void)state;
    if (describe_relay(SETTINGS("command=r {config}", "config_name=r.cfg",
                                "config=http { listen {listen_port}; {{x}} \"100%\" }\n",
                                "stop_signal=QUIT"),
                       &p, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(p.n_files, 1);
    assert_string_equal(p.files[0].name, "r.cfg");
    assert_string_equal(text_get(&p.files[0].content), "http { listen 1001; {x} \"100%\" }\n");
    assert_string_equal(p.argv.items[1], "/run/my hop/r.cfg");
    assert_int_equal(p.stop_signal, SIGQUIT);
    assert_int_equal(p.n_ports, 1);
    assert_int_equal(p.ports[0], 1001);
    process_release(&p);

    assert_int_equal(describe_relay(SETTINGS("command=r", "ready=started"), &p, &err), 0);
    assert_int_equal(p.n_ports, 0);
    assert_int_equal(p.stop_signal, SIGTERM);
    process_release(&p);
}

static void assert_refused(const char *const *settings, const char *message, const char *hint)
{
    struct bench_error err = {0};
    struct bench_process p;

    assert_int_equal(describe_relay(settings, &p, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    process_release(&p);
}

static void a_relay_that_makes_no_sense_is_refused(void **state)
{
    static const char known[] =
        "known here: {listen_host}, {listen_port}, {connect_host}, {connect_port}, {hop}, {hops}, "
        "{jobs}, {protocol}, {directory}, {config}; the text itself is written '{{port}}'";

    (void)state;
    assert_refused(SETTINGS("stop_signal=INT"), "option 'command' is missing",
                   "such as options: {command: \"socat TCP-LISTEN:{listen_port},fork "
                   "TCP:{connect_host}:{connect_port}\"}");
    assert_refused(SETTINGS("command= \n"), "option 'command' names no command", "");
    assert_refused(SETTINGS("command=r 'x"), "option 'command': a quote (') is not closed", "");
    assert_refused(SETTINGS("command=r {port}"), "option 'command': unknown placeholder '{port}'",
                   known);
    assert_refused(SETTINGS("command=r", "config=listen {port}"),
                   "option 'config': unknown placeholder '{port}'", known);
}

/* --- workload ------------------------------------------------------------------------------ */

static const struct bench_workload *workload(void)
{
    return (const struct bench_workload *)plugin(BENCH_WORKLOAD);
}

static const struct bench_role example_role = {
    .size = sizeof(example_role),
    .listen = {.host = "127.0.0.1", .port = 1001},
    .connect = {.host = "127.0.0.1", .port = 2001},
    .protocol = "http1",
    .jobs = 3,
    .warmup_ns = 500000000,
    .duration_ns = 5000000000,
    .directory = "/run/it",
    .seed = 7,
    .server_directory = "/run/server",
};

static void both_ends_are_described(void **state)
{
    const struct bench_workload *w = workload();
    void *self = options(&w->plugin, SETTINGS("server=s -p {listen_port} {config}",
                                              "server_config={directory}", "server_stop_signal=INT",
                                              "client=c {connect_port} {warmup} {duration} {jobs} "
                                              "{seed} {protocol} {server_directory}"));
    struct bench_error err = {0};
    struct bench_process p;

    (void)state;
    process_init(&p, NULL, NULL);
    assert_int_equal(w->server(self, &example_role, &p, &err), 0);
    assert_int_equal(p.argv.count, 4);
    assert_string_equal(p.argv.items[2], "1001");
    assert_string_equal(p.argv.items[3], "/run/it/server.conf");
    assert_string_equal(text_get(&p.files[0].content), "/run/it");
    assert_int_equal(p.stop_signal, SIGINT);
    assert_int_equal(p.ports[0], 1001);
    assert_null(p.main);
    process_release(&p);

    process_init(&p, NULL, NULL);
    assert_int_equal(w->client(self, &example_role, &p, &err), 0);
    assert_int_equal(p.argv.count, 8);
    assert_string_equal(p.argv.items[1], "2001");
    assert_string_equal(p.argv.items[2], "0.5");
    assert_string_equal(p.argv.items[3], "5");
    assert_string_equal(p.argv.items[4], "3");
    assert_string_equal(p.argv.items[5], "7");
    assert_string_equal(p.argv.items[6], "http1");
    assert_string_equal(p.argv.items[7], "/run/server");
    assert_non_null(p.main);
    process_release(&p);
    release(&w->plugin, self);
}

static void assert_client(const char *const *settings, int64_t jobs, const char *message)
{
    const struct bench_workload *w = workload();
    void *self = options(&w->plugin, settings);
    struct bench_role role = example_role;
    struct bench_error err = {0};
    struct bench_process p;

    role.jobs = jobs;
    process_init(&p, NULL, NULL);
    assert_int_equal(w->client(self, &role, &p, &err), *message ? -1 : 0);
    assert_string_equal(err.message, message);
    process_release(&p);
    release(&w->plugin, self);
}

static void options_on_results_go_together(void **state)
{
    (void)state;
    assert_client(SETTINGS("server=s"), 1, "option 'client' is missing");
    assert_client(SETTINGS("client=c {listen_port}"), 1,
                  "option 'client': unknown placeholder '{listen_port}'");
    assert_client(SETTINGS("client=c", "result=json"), 1,
                  "'result: json' needs the option 'result_path'");
    assert_client(SETTINGS("client=c", "result=json", "result_path=a"), 1, "");
    assert_client(SETTINGS("client=c", "result_path=a"), 1,
                  "option 'result_path' needs 'result: json'");
    assert_client(SETTINGS("client=c", "result=regex"), 1,
                  "'result: regex' needs the option 'result_pattern'");
    assert_client(SETTINGS("client=c", "result=lines", "result_pattern=a"), 1,
                  "option 'result_pattern' needs 'result: regex'");
    assert_client(SETTINGS("client=c", "result=regex", "result_pattern=("), 1,
                  "option 'result_pattern': '(': Unmatched ( or \\(");
    assert_client(SETTINGS("client=c", "result_scale=2"), 1,
                  "options 'result_metric' and 'result_scale' need a 'result'");
    assert_client(SETTINGS("client=c", "result=lines"), 2,
                  "a result is read from one run at a time, and jobs is 2");
    assert_client(SETTINGS("client=c {jobs}", "result=lines"), 2, "");
    assert_client(SETTINGS("client=c {{jobs}}", "result=lines"), 2,
                  "a result is read from one run at a time, and jobs is 2");
}

/* What parse() makes of the client's output. */
static int read_output(const char *output, const char *const *settings, struct bench_result *ret,
                       struct bench_error *err)
{
    const struct bench_workload *w = workload();
    void *self = options(&w->plugin, settings);
    cleanup_free char *path = xasprintf("%s/stdout", top);
    struct bench_leftovers left = {
        .size = sizeof(left), .client_stdout = path, .client_stderr = "stderr"};
    int result;

    *ret = (struct bench_result){0};
    assert_int_equal(file_write(AT_FDCWD, path, output, strlen(output), NULL), 0);
    result = w->parse(self, &left, ret, err);
    release(&w->plugin, self);
    return result;
}

/* A client may leave anything in the place of its output. */
static void what_is_no_file_is_not_waited_for(void **state)
{
    cleanup_free char *path = xasprintf("%s/pipe", top);
    const struct bench_workload *w = workload();
    void *self = options(&w->plugin, SETTINGS("client=c", "result=lines"));
    struct bench_leftovers left = {
        .size = sizeof(left), .client_stdout = path, .client_stderr = "stderr"};
    struct bench_result result = {0};
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(20);
    assert_int_equal(w->parse(self, &left, &result, &err), -1);
    alarm(0);
    assert_non_null(strstr(err.message, "Invalid argument"));
    assert_int_equal(unlink(path), 0);
    result_release(&result);
    release(&w->plugin, self);
}

static void assert_reads(const char *output, const char *const *settings, const char *metric,
                         double expected)
{
    struct bench_error err = {0};
    struct bench_result result;

    if (read_output(output, settings, &result, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(result.n_totals, 1);
    assert_string_equal(result.totals[0].metric, metric);
    assert_true(fabs(result.totals[0].value - expected) <= fabs(expected) * 1e-12);
    result_release(&result);
}

static void assert_unreadable(const char *output, const char *const *settings, const char *message)
{
    struct bench_error err = {0};
    struct bench_result result;

    assert_int_equal(read_output(output, settings, &result, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    assert_string_equal(err.message, message);
    result_release(&result);
}

static void reads_json(void **state)
{
    const char *const *plain = SETTINGS("result=json", "result_path=end.runs.1.rate");

    (void)state;
    assert_reads("{\"end\": {\"runs\": [{}, {\"rate\": 12.5}]}}", plain, "result", 12.5);
    assert_reads(
        "{\"end\":{\"runs\":[{},{\"rate\":\"1\"}]}}\n{\"end\":{\"runs\":[0,{\"rate\":2}]}}", plain,
        "result", 1.5);
    assert_reads("{\"ms\": 20}",
                 SETTINGS("result=json", "result_path=ms", "result_scale=0.001",
                          "result_metric=latency_p50_seconds"),
                 "latency_p50_seconds", 0.02);
    assert_unreadable("{\"end\": {\"runs\": []}}", plain, "the client's JSON has no 'end.runs.1'");
    assert_unreadable("{\"end\": {\"runs\": [1, {\"rate\": null}]}}", plain,
                      "'end.runs.1.rate' of the client's JSON is not a number");
    assert_unreadable("{\"end\": {\"runs\": [1, {\"ra", plain,
                      "the client's output is not JSON: line 1: premature end of input near "
                      "'\"ra'");
    assert_unreadable("", plain, "the client printed no number to read");
}

static void reads_by_expression(void **state)
{
    const char *const *plain = SETTINGS("result=regex", "result_pattern=^rate: ([^ ]*)",
                                        "result_metric=operations_per_second");

    (void)state;
    assert_reads("rate: 10 /s\nthe rate: 1 /s\nrate: 20 /s\n", plain, "operations_per_second", 15);
    assert_reads("a1b2\n", SETTINGS("result=regex", "result_pattern=[0-9]"), "result", 1.5);
    assert_reads("-5\n", SETTINGS("result=regex", "result_pattern=-?[0-9]"), "result", -5);
    assert_unreadable("rate: fast\n", plain, "'fast' is not a number: what 'result_pattern' found");
    assert_unreadable("rate: 0\n", plain, "the client printed 0 for 'operations_per_second'");
    assert_unreadable("rate: nan\n", plain, "'nan' is not a number: what 'result_pattern' found");
    assert_unreadable("speed: 1\n", plain, "the client printed no number to read");
    assert_unreadable("abc\n", SETTINGS("result=regex", "result_pattern=x*"),
                      "'' is not a number: what 'result_pattern' found");
}

static void reads_lines(void **state)
{
    static const char *const wrong[] = {"-", ".",  "-.",  "1.2.3", "1 2",
                                        " ", "1-", "--1", "1e",    "5,0"};
    const char *const *plain = SETTINGS("result=lines");

    (void)state;
    assert_reads("1\n2\r\n\n 3 \n", plain, "result", 2);
    assert_reads("1e3\n", plain, "result", 1000);
    assert_unreadable("1\n2 seconds\n", plain, "the client's line '2 seconds' is not a number");
    assert_reads("-1.5\n\t.5 \r\n+3.\n123456789012345678\n0.1234567890123456789\n", plain, "result",
                 (-1.5 + 0.5 + 3 + 123456789012345678.0 + 0.1234567890123456789) / 5);
    assert_unreadable("inf\n", plain, "the client's line 'inf' is not a number");
    assert_unreadable("1\n1e999\n", plain,
                      "the client's line '1e999' is out of the range of numbers, 1e-308 to 1e308");
    assert_unreadable(
        "1\n-1e-999\n", plain,
        "the client's line '-1e-999' is out of the range of numbers, 1e-308 to 1e308");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        cleanup_free char *output = xasprintf("1\n%s\n2\n", wrong[i]);
        cleanup_free char *message = xasprintf("the client's line '%s' is not a number", wrong[i]);

        assert_unreadable(output, plain, message);
    }
    assert_unreadable("\n", plain, "the client printed no number to read");
}

static void warned(const char *output, const char *const *settings, double expected,
                   const char *warning)
{
    struct bench_error err = {0};
    struct bench_result result;

    if (read_output(output, settings, &result, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(result.totals[0].value == expected);
    assert_int_equal(result.warnings.count, warning ? 1 : 0);
    if (warning)
        assert_string_equal(result.warnings.items[0], warning);
    result_release(&result);
}

/* Half a number is another number. */
static void output_that_was_cut_is_left_out(void **state)
{
    (void)state;
    warned("1000\n1000\n12", SETTINGS("result=lines"), 1000,
           "the client was stopped within its last line, which is left out: '12'");
    warned("1000\n", SETTINGS("result=lines"), 1000, NULL);
    warned("a=5\na=1", SETTINGS("result=regex", "result_pattern=a=(.*)"), 5,
           "the client was stopped within its last line, which is left out: 'a=1'");
    warned("{\"a\":5}\n{\"a\":1", SETTINGS("result=json", "result_path=a"), 5,
           "the client was stopped within its last JSON document, which is left out");
    warned("{\"a\":5}", SETTINGS("result=json", "result_path=a"), 5, NULL);
    assert_unreadable("12", SETTINGS("result=lines"),
                      "the client was stopped within its only line, '12'");
}

static void a_byte_order_mark_is_no_text(void **state)
{
    (void)state;
    warned("\xEF\xBB\xBF{\"a\":5}\n", SETTINGS("result=json", "result_path=a"), 5, NULL);
    warned("\xEF\xBB\xBF"
           "7\n",
           SETTINGS("result=lines"), 7, NULL);
    warned("\xEF\xBB\xBF"
           "a=7\n",
           SETTINGS("result=regex", "result_pattern=^a=(.)"), 7, NULL);
}

static void a_client_that_failed_has_no_result(void **state)
{
    const struct bench_workload *w = workload();
    void *self = options(&w->plugin, SETTINGS("client=c"));
    struct bench_leftovers left = {
        .size = sizeof(left), .client_stderr = "x/stderr", .client_status = 256};
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(w->parse(self, &left, NULL, &err), -1);
    assert_string_equal(err.message, "the client ended badly (wait status 256)");
    assert_string_equal(err.hint, "see 'x/stderr'");
    release(&w->plugin, self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_separated_as_by_a_shell),
        cmocka_unit_test(placeholders_become_values),
        cmocka_unit_test(a_configuration_is_written),
        cmocka_unit_test(a_relay_that_makes_no_sense_is_refused),
        cmocka_unit_test(both_ends_are_described),
        cmocka_unit_test(options_on_results_go_together),
        cmocka_unit_test(reads_json),
        cmocka_unit_test(output_that_was_cut_is_left_out),
        cmocka_unit_test(a_byte_order_mark_is_no_text),
        cmocka_unit_test(reads_by_expression),
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(what_is_no_file_is_not_waited_for),
        cmocka_unit_test(a_client_that_failed_has_no_result),
    };

    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
