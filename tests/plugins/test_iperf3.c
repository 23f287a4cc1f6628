/* SPDX-License-Identifier: Apache-2.0 */
/* iperf3: what is asked of it, and what is believed of its answers. */
#include "parsing.h"

#include <math.h>

static struct parsing p;

/* A client that ran for as long as its intervals and 10 ms more, and a window within. */
static void window(double begin, double end, double lasted)
{
    p.left.client_status = 0;
    p.left.client_begin_ns = 1000 * NS_PER_S;
    p.left.client_end_ns = p.left.client_begin_ns + llround((lasted + 0.010) * NS_PER_S);
    p.left.window_begin_ns = p.left.client_begin_ns + llround(begin * NS_PER_S);
    p.left.window_end_ns = p.left.client_begin_ns + llround(end * NS_PER_S);
}

static int set_up(void **state)
{
    (void)state;
    parsing_open(&p, "iperf3");
    window(0.3, 0.9, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    parsing_close(&p);
    return 0;
}

static void refuses_file(const char *name, const char *message)
{
    cleanup_free char *path = xasprintf("iperf3/%s", name);

    parsing_put_file(&p, "stdout", path);
    parsing_refuses(&p, message);
}

static void refuses(const char *json, const char *message)
{
    parsing_put(&p, "stdout", json, strlen(json));
    parsing_refuses(&p, message);
}

static void takes_whole_intervals_of_the_window(void **state)
{
    (void)state;
    parsing_put_file(&p, "stdout", "iperf3/parallel.json");
    parsing_accepts(&p);
    /* jq '[.intervals[3:8][].sum.bytes] | add' tests/data/iperf3/parallel.json */
    assert_int_equal(parsing_total(&p, "bytes"), 823132160);
    assert_true(p.result.has_window);
    assert_in_range(p.result.begin_ns, p.left.window_begin_ns,
                    p.left.window_begin_ns + NS_PER_S / 10);
    assert_in_range(p.result.end_ns, p.left.window_end_ns - NS_PER_S / 10, p.left.window_end_ns);
}

static void takes_all_of_a_long_window(void **state)
{
    (void)state;
    parsing_put_file(&p, "stdout", "iperf3/reverse.json");
    window(0, 2, 1.0014);
    parsing_accepts(&p);
    /* .end.sum_received.bytes */
    assert_int_equal(parsing_total(&p, "bytes"), 1269825536);
}

static void omitted_intervals_count_as_time_only(void **state)
{
    (void)state;
    parsing_put_file(&p, "stdout", "iperf3/omitted.json");
    window(0, 3, 2.0);
    parsing_accepts(&p);
    /* .end.sum_sent.bytes */
    assert_int_equal(parsing_total(&p, "bytes"), 2025062400);
    assert_true(p.result.begin_ns > p.left.client_begin_ns + NS_PER_S * 8 / 10);
}

static void failures_are_told(void **state)
{
    (void)state;
    refuses_file("absent.json", "iperf3: unable to connect to server: Connection refused");
    refuses_file("server-killed.json", "iperf3: control socket has closed unexpectedly");
    p.left.client_status = 1 << 8;
    refuses_file("terminated.json", "iperf3: interrupt - the client has terminated");
    refuses_file("parallel.json", "iperf3 ended with status 1");
    p.left.client_status = -1;
    refuses_file("parallel.json", "iperf3 did not end by itself");
    refuses("", "iperf3 did not end by itself");
    p.left.client_status = 9;
    refuses_file("truncated.json", "iperf3 did not end by itself");
}

static void nonsense_is_refused(void **state)
{
    (void)state;
#define SUM(text) "{\"intervals\":[{\"sum\":{" text "}}],\"end\":{\"sum_received\":{\"bytes\":1}}}"
    refuses_file("truncated.json",
                 "iperf3's JSON, line 267: string or '}' expected near end of file");
    refuses("", "iperf3's JSON, line 1: '[' or '{' expected near end of file");
    refuses("[]", "iperf3 has no intervals");
    refuses("{}", "iperf3 has no intervals");
    refuses("{\"intervals\":[1]}", "interval 1 has no seconds and bytes");
    refuses(SUM("\"seconds\":1"), "interval 1 has no seconds and bytes");
    refuses(SUM("\"seconds\":-1,\"bytes\":1"), "interval 1 has no seconds and bytes");
    refuses(SUM("\"seconds\":\"1\",\"bytes\":1"), "interval 1 has no seconds and bytes");
    refuses(SUM("\"seconds\":1,\"bytes\":1e300"), "interval 1 has no seconds and bytes");
    refuses(SUM("\"seconds\":0,\"bytes\":1"), "iperf3 has no intervals");
    window(0, 0.2, 0.1);
    refuses(SUM("\"seconds\":0.1,\"bytes\":0"), "iperf3 moved no data in the window");
    window(0.3, 0.9, 1);
    refuses(SUM("\"seconds\":9,\"bytes\":1"),
            "iperf3 says that it measured for 9.000 s, but its process lived for 1.010 s");
    refuses("iperf3: warning: something\nelse",
            "iperf3's JSON is none: 'iperf3: warning: something'");
    window(1.5, 1.6, 1);
    refuses_file("parallel.json",
                 "none of iperf3's intervals, which lasted 1.000 s, lies in the window");
    refuses("{\"intervals\":[{\"sum\":{\"seconds\":0.1,\"bytes\":1}}]}",
            "iperf3's receiver has reported nothing");
    refuses("{\"intervals\":[{\"sum\":{\"seconds\":0.1,\"bytes\":1}}],"
            "\"end\":{\"sum_received\":{\"bytes\":0}}}",
            "iperf3's receiver has received nothing");
#undef SUM
}

/* Text that stands behind, or a byte order mark before it. */
static void what_stands_around_the_json(void **state)
{
    cleanup_free char *text = NULL, *more = NULL, *marked = NULL;

    (void)state;
    assert_int_equal(
        file_read(AT_FDCWD, "tests/data/iperf3/parallel.json", 1 << 20, &text, NULL, NULL), 0);
    marked = xasprintf("\xEF\xBB\xBF%s\n \n", text);
    parsing_put(&p, "stdout", marked, strlen(marked));
    parsing_accepts(&p);
    more = xasprintf("%s\niperf3: interrupt - the client has lost 3 packets\nbye\n", text);
    refuses(more, "iperf3 printed more than its JSON: 'iperf3: interrupt - the client has lost 3 "
                  "packets'");
}

/* Its clock ran on while the process was there for a shorter or a longer time. */
static void a_duration_that_differs_from_the_clients_life(void **state)
{
    (void)state;
    window(0.1, 0.3, 0.4);
    refuses_file("parallel.json",
                 "iperf3 says that it measured for 1.000 s, but its process lived for 0.410 s");
    assert_true(p.err.hint[0]);
    window(0.1, 0.9, 3);
    refuses_file("parallel.json",
                 "iperf3 says that it measured for 1.000 s, but its process lived for 3.010 s");
}

static void a_bit_rate_of_a_few_blocks_is_refused(void **state)
{
    struct bench_role role = {.size = sizeof(role),
                              .connect = {"127.0.0.1", 4711},
                              .protocol = "tcp",
                              .jobs = 3,
                              .duration_ns = 2 * NS_PER_S};
    const struct bench_option *rate = option_find(p.workload->plugin.options, "bit_rate");
    struct bench_process process;

    (void)state;
    process_init(&process, NULL, NULL);
    assert_true(p.workload->asked_bits(p.state, &role) == 0);
    option_set(rate, p.state, "1M", NULL);
    assert_true(p.workload->asked_bits(p.state, &role) == 3e6);
    assert_int_equal(p.workload->client(p.state, &role, &process, &p.err), -1);
    assert_string_equal(p.err.message, "bit_rate: 1000000 bit/s are 1.91 blocks of 131072 bytes in "
                                       "a window of 2 s, too few to be a rate");
    assert_string_equal(p.err.hint, "50 are needed: set 'length' to 5000 or less, or raise "
                                    "'bit_rate' or 'duration'");
    option_set(option_find(p.workload->plugin.options, "length"), p.state, "5000", NULL);
    assert_int_equal(p.workload->client(p.state, &role, &process, &p.err), 0);
    process_release(&process);
}

static void describes_the_client(void **state)
{
    struct bench_role role = {.size = sizeof(role),
                              .connect = {"127.0.0.1", 4711},
                              .protocol = "tcp",
                              .jobs = 3,
                              .warmup_ns = NS_PER_S / 2,
                              .duration_ns = 2 * NS_PER_S};
    struct bench_process process;
    cleanup_free char *line = NULL;

    (void)state;
    process_init(&process, NULL, NULL);
    option_set(option_find(p.workload->plugin.options, "reverse"), p.state, "true", NULL);
    assert_int_equal(p.workload->client(p.state, &role, &process, NULL), 0);
    line = parsing_command(&process);
    assert_string_equal(line, "iperf3 --client 127.0.0.1 --port 4711 --parallel 3 --time 3 "
                              "--interval 0.1 --length 131072 --reverse --json");
    role.jobs = 129;
    assert_int_equal(p.workload->client(p.state, &role, &process, &p.err), -1);
    assert_string_equal(p.err.message, "jobs: iperf3 has at most 128 streams, not 129");
    assert_int_equal(p.err.kind, BENCH_ERROR_USAGE);
    role.jobs = 1;
    role.rate = 10;
    assert_int_equal(p.workload->client(p.state, &role, &process, &p.err), -1);
    assert_string_equal(p.err.message, "rate: iperf3 has no operations to send at a rate");
    process_release(&process);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_whole_intervals_of_the_window),
        TEST(takes_all_of_a_long_window),
        TEST(omitted_intervals_count_as_time_only),
        TEST(failures_are_told),
        TEST(nonsense_is_refused),
        TEST(what_stands_around_the_json),
        TEST(a_duration_that_differs_from_the_clients_life),
        TEST(a_bit_rate_of_a_few_blocks_is_refused),
        TEST(describes_the_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
