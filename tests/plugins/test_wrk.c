/* SPDX-License-Identifier: Apache-2.0 */
/* wrk: what is asked of it, and what is believed of its totals. */
#include "parsing.h"

static struct parsing p;

static int set_up(void **state)
{
    (void)state;
    parsing_open(&p, "wrk");
    p.left.client_begin_ns = (1795164393913532 - 1020872 - 5000) * NS_PER_US;
    p.left.client_end_ns = (1795164393913532 + 5000) * NS_PER_US;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    parsing_close(&p);
    return 0;
}

static void refuses(const char *json, const char *message)
{
    parsing_put(&p, "result.json", json, strlen(json));
    parsing_refuses(&p, message);
}

static void refuses_file(const char *name, const char *message)
{
    cleanup_free char *path = xasprintf("wrk/%s", name);

    parsing_put_file(&p, "result.json", path);
    parsing_refuses(&p, message);
}

static void its_own_time_is_the_window(void **state)
{
    (void)state;
    parsing_put_file(&p, "result.json", "wrk/good.json");
    parsing_accepts(&p);
    assert_true(p.result.has_window);
    assert_int_equal(p.result.end_ns, 1795164393913532 * NS_PER_US);
    assert_int_equal(p.result.end_ns - p.result.begin_ns, 1020872 * NS_PER_US);
    assert_int_equal(parsing_total(&p, "operations"), 18660);
    assert_int_equal(parsing_total(&p, "bytes"), 18660 * 1024);
    assert_int_equal(parsing_total(&p, "errors_client"), 0);
    assert_null(p.result.latencies); /* they would be wrk's inventions */
}

static void failures_are_told(void **state)
{
    (void)state;
    refuses_file("no-http1.json", "wrk completed no request");
    refuses_file(
        "missing.json",
        "of 28068 requests too many failed: connect 0, read 0, write 0, status 28068, timeout 0");
    refuses_file(
        "server-killed.json",
        "of 6798 requests too many failed: connect 0, read 8, write 19582, status 0, timeout 0");
    p.left.client_status = 1 << 8;
    refuses_file("good.json", "wrk ended with status 1");
    p.left.client_status = 9;
    refuses_file("good.json", "wrk did not end by itself");
    p.left.client_status = -1;
    refuses_file("good.json", "wrk did not end by itself");
}

#define RESULT(end, duration, requests)                                            \
    "{\"end_us\": " end ", \"duration_us\": " duration ", \"requests\": " requests \
    ", \"connect\": 0, \"read\": 0, \"write\": 0, \"status\": 0, \"timeout\": 0}"

static void nonsense_is_refused(void **state)
{
    (void)state;
    parsing_refuses(&p, "wrk left no result");
    refuses_file("truncated.json", "wrk's result, line 1: premature end of input near '\"reques'");
    refuses("{}", "wrk's result lacks a count");
    refuses("[1]", "wrk's result lacks a count");
    refuses(RESULT("1000000", "1000", "1.5"), "wrk's result lacks a count");
    refuses(RESULT("1000000", "1000", "-1"), "wrk's result lacks a count");
    refuses(RESULT("9223372036854775807", "1000", "1"), "wrk's result lacks a count");
    refuses(RESULT("1000000", "0", "1"), "wrk's duration of 0 µs makes no sense");
    refuses(RESULT("1000000", "1000001", "1"), "wrk's duration of 1000001 µs makes no sense");
    refuses(RESULT("1000000", "1000", "0"), "wrk completed no request");
}

/* Its clock is the wall clock, which was set while it ran. */
static void a_duration_that_differs_from_the_clients_life(void **state)
{
    (void)state;
    refuses(RESULT("1795164393913532", "3600000000", "18660"),
            "wrk says that it measured for 3600.000 s, but its process lived for 1.031 s");
    assert_true(p.err.hint[0]);
    refuses(RESULT("1795164393913532", "21872", "18660"),
            "wrk says that it measured for 0.022 s, but its process lived for 1.031 s");
}

static struct bench_role role = {.size = sizeof(role),
                                 .listen = {"127.0.0.1", 4712},
                                 .connect = {"127.0.0.1", 4711},
                                 .protocol = "tcp",
                                 .directory = "/nowhere",
                                 .jobs = 3,
                                 .duration_ns = 2 * NS_PER_S};

static void describes_the_client(void **state)
{
    struct bench_process process;
    cleanup_free char *line = NULL;

    (void)state;
    process_init(&process, NULL, NULL);
    assert_int_equal(p.workload->client(p.state, &role, &process, NULL), 0);
    line = parsing_command(&process);
    assert_string_equal(line, "wrk --threads 1 --connections 3 --duration 2s --script report.lua "
                              "http://127.0.0.1:4711/payload");
    assert_non_null(strstr(text_get(&process.files[0].content), "io.open('result.json', 'w')"));
    process_release(&process);
}

static void cannot(const struct bench_role *asked, const char *message)
{
    struct bench_process process;

    process_init(&process, NULL, NULL);
    p.err = (struct bench_error){0};
    assert_int_equal(p.workload->client(p.state, asked, &process, &p.err), -1);
    assert_string_equal(p.err.message, message);
    assert_int_equal(p.err.kind, BENCH_ERROR_USAGE);
    process_release(&process);
}

static void refuses_what_it_cannot_do(void **state)
{
    struct bench_role other = role;

    (void)state;
    other.warmup_ns = 1;
    cannot(&other, "warmup: wrk counts from its start and has none");
    other = role;
    other.duration_ns += NS_PER_S / 2;
    cannot(&other, "duration: wrk takes whole seconds only");
    other = role;
    other.rate = 1;
    cannot(&other, "rate: wrk only sends as fast as it can");
    option_set(option_find(p.workload->plugin.options, "threads"), p.state, "4", NULL);
    cannot(&role, "threads: 4 threads cannot share 3 connections");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(its_own_time_is_the_window), TEST(failures_are_told),
        TEST(nonsense_is_refused),        TEST(a_duration_that_differs_from_the_clients_life),
        TEST(describes_the_client),       TEST(refuses_what_it_cannot_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
