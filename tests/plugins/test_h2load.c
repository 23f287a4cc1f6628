/* SPDX-License-Identifier: Apache-2.0 */
/* h2load: what is asked of it, and what is believed of what it leaves behind. */
#include "parsing.h"

#include <sys/stat.h>

static struct parsing p;

static int set_up(void **state)
{
    (void)state;
    parsing_open(&p, "h2load");
    return 0;
}

static int set_up_h1(void **state)
{
    (void)state;
    parsing_open(&p, "h2load-h1");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    parsing_close(&p);
    return 0;
}

static void set(const char *option, const char *value)
{
    assert_int_equal(
        option_set(option_find(p.workload->plugin.options, option), p.state, value, NULL), 0);
}

/* A recorded run, and a window that begins and ends so many µs after its first stamp. */
static void recorded(const char *name, int64_t begin_us, int64_t end_us)
{
    cleanup_free char *out = xasprintf("h2load/%s.out", name);
    cleanup_free char *log = xasprintf("h2load/%s.tsv", name);
    cleanup_free char *path = xasprintf("%s/requests.tsv", p.directory), *text = NULL;
    int64_t first;

    parsing_put_file(&p, "stdout", out);
    parsing_put_file(&p, "requests.tsv", log);
    assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, NULL, NULL), 0);
    first = strtoll(text, NULL, 10);
    p.left.window_begin_ns = (first + begin_us) * NS_PER_US;
    p.left.window_end_ns = (first + end_us) * NS_PER_US;
}

static bool log_exists(void)
{
    cleanup_free char *path = xasprintf("%s/requests.tsv", p.directory);
    struct stat st;

    return stat(path, &st) == 0;
}

static void requests_of_the_window_count(void **state)
{
    (void)state;
    recorded("paced", 400000, 1200000);
    parsing_accepts(&p);
    assert_int_equal(p.result.requests, 160);
    assert_int_equal(p.result.failed_requests, 0);
    assert_int_equal(parsing_total(&p, "bytes"), 160 * 1024);
    assert_int_equal(p.result.latencies->total, 160);
    assert_false(p.result.has_window); /* it stays the core's */
}

static void the_record_is_removed_unless_it_is_wanted(void **state)
{
    (void)state;
    recorded("paced", 400000, 1200000);
    set("keep_log", "true");
    parsing_accepts(&p);
    assert_true(log_exists());
    set("keep_log", "false");
    parsing_accepts(&p);
    assert_false(log_exists());
    recorded("missing", 400000, 1200000);
    assert_int_equal(parsing_run(&p), -1);
    assert_true(log_exists());
}

static void an_absent_server_is_found(void **state)
{
    (void)state;
    parsing_put_file(&p, "stdout", "h2load/absent.out");
    parsing_put(&p, "requests.tsv", "", 0);
    p.left.window_end_ns = NS_PER_S;
    parsing_refuses(&p, "h2load started no request: it reached no server, and exits with 0");
}

static void a_server_that_died_is_found(void **state)
{
    (void)state;
    recorded("server-killed", 400000, 1200000);
    assert_int_equal(parsing_run(&p), -1);
    assert_non_null(strstr(p.err.message, "no response came in the last 0."));
    assert_non_null(strstr(p.err.message, " s of the window, and h2load says nothing"));
    /* It lived until the end of this window. */
    recorded("server-killed", 200000, 700000);
    parsing_accepts(&p);
    /* And was dead all the time. */
    recorded("server-killed", 1000000, 1400000);
    parsing_refuses(&p, "no request ended in the window");
}

static void a_client_that_was_stopped_is_found(void **state)
{
    (void)state;
    recorded("terminated", 200000, 700000);
    parsing_refuses(&p, "h2load printed no summary");
    p.left.client_status = -1;
    parsing_refuses(&p, "h2load did not end by itself");
    p.left.client_status = 15;
    parsing_refuses(&p, "h2load did not end by itself");
    p.left.client_status = 1 << 8;
    parsing_refuses(&p, "h2load ended with status 1");
}

static void failed_requests_fail_the_repetition(void **state)
{
    (void)state;
    recorded("missing", 400000, 1200000);
    assert_int_equal(parsing_run(&p), -1);
    assert_non_null(strstr(p.err.message, " requests failed, the last with status 404"));
}

static void shorter_responses_are_found(void **state)
{
    (void)state;
    recorded("paced", 400000, 1200000);
    set("requests_size", "1025");
    parsing_refuses(&p, "300 responses of 1025 bytes were expected, but only 307200 bytes came in "
                        "all");
}

#define SUMMARY(requests, data)                                                           \
    "requests: " requests " total, " requests " started, " requests " done, " requests    \
    " succeeded, 0 failed, 0 errored, 0 timeout\ntraffic: 1B (1) total, 1B (1) headers (" \
    "space savings 1.00%), 1B (" data ") data\n"

static void refuses(const char *out, const char *log, const char *message)
{
    parsing_put(&p, "stdout", out, strlen(out));
    parsing_put(&p, "requests.tsv", log, strlen(log));
    p.left.window_begin_ns = 0;
    p.left.window_end_ns = NS_PER_S;
    parsing_refuses(&p, message);
}

static void nonsense_is_refused(void **state)
{
    static const char *const lines[] = {
        "999900\t200\n",
        "x\t200\t10\n",
        "999900\t\t10\n",
        "999900\t1000\t1\n",
        "-1\t200\t10\n",
        "999900\t200\t-10\n",
        "\n",
        "999900 200 10\n",
        "1e3\t200\t10\n",
        "99999999999999999999\t200\t1\n",
    };

    (void)state;
    refuses("", "", "h2load printed no summary");
    refuses("requests: 5 total, x started\n", "", "h2load printed no summary");
    refuses("requests: 0 total, 3 started, 0 done, 0 succeeded, 0 failed, 0 errored\n"
            "traffic: 0B (0) total, 0B (0) headers (space savings 0.00%), 0B (0) data\n",
            "", "h2load started 3 requests and completed none");
    refuses(SUMMARY("2", "9999"), "",
            "h2load has recorded 0 requests, but says that it completed 2");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        refuses(SUMMARY("1", "9999"), lines[i], "h2load's record of requests: line 1 is not one");
    refuses(SUMMARY("1", "9999"), "999900\t-1\t10\n", "1 of 1 requests failed");
    refuses(SUMMARY("1", "9999"), "1999900\t200\t10\n", "no request ended in the window");
}

/* A full disk cuts it, and a number that was cut is another number. */
static void a_record_that_ends_within_a_line(void **state)
{
    (void)state;
    parsing_put(&p, "stdout", SUMMARY("1", "9999"), strlen(SUMMARY("1", "9999")));
    parsing_put(&p, "requests.tsv", "999900\t200\t10\n999910\t200\t1", 27);
    p.left.window_end_ns = NS_PER_S;
    parsing_accepts(&p);
    assert_int_equal(p.result.requests, 1);
    assert_int_equal(p.result.warnings.count, 1);
    assert_string_equal(p.result.warnings.items[0],
                        "h2load's record of requests ends within a line, which is left out: is the "
                        "disk full?");
}

static void a_later_h2load_may_add_columns(void **state)
{
    (void)state;
    parsing_put(&p, "stdout", SUMMARY("1", "9999"), strlen(SUMMARY("1", "9999")));
    parsing_put(&p, "requests.tsv", "999900\t200\t10\tmore\n", 19);
    p.left.window_end_ns = NS_PER_S;
    parsing_accepts(&p);
    assert_int_equal(p.result.requests, 1);
}

static struct bench_role role = {.size = sizeof(role),
                                 .listen = {"127.0.0.1", 4712},
                                 .connect = {"127.0.0.1", 4711},
                                 .protocol = "tcp",
                                 .directory = "/nowhere",
                                 .jobs = 3,
                                 .warmup_ns = NS_PER_S / 2,
                                 .duration_ns = 2 * NS_PER_S};

static void describes_both_ends(void **state)
{
    struct bench_process process;
    cleanup_free char *client = NULL, *server = NULL, *paced = NULL;
    struct bench_role at_rate = role;

    (void)state;
    set("streams", "10");
    set("requests_size", "5");
    process_init(&process, NULL, NULL);
    assert_int_equal(p.workload->client(p.state, &role, &process, NULL), 0);
    client = parsing_command(&process);
    assert_string_equal(client, "h2load --clients=3 --threads=1 --max-concurrent-streams=10 "
                                "--duration=3000ms --warm-up-time=0 --log-file=requests.tsv "
                                "http://127.0.0.1:4711/payload");
    process_release(&process);
    process_init(&process, NULL, NULL);
    at_rate.rate = 1000;
    assert_int_equal(p.workload->client(p.state, &at_rate, &process, NULL), 0);
    paced = parsing_command(&process);
    assert_non_null(strstr(paced, " --rps=333.3333333 "));
    process_release(&process);
    process_init(&process, NULL, NULL);
    assert_int_equal(p.workload->server(p.state, &role, &process, NULL), 0);
    server = parsing_command(&process);
    assert_string_equal(server, "nghttpd --no-tls --htdocs=. --workers=1 "
                                "--max-concurrent-streams=10 --address=127.0.0.1 4712");
    assert_int_equal(process.ports[0], 4712);
    assert_string_equal(process.files[0].name, "payload");
    assert_string_equal(text_get(&process.files[0].content), "     ");
    process_release(&process);
}

static void refuses_what_it_cannot_do(void **state)
{
    struct bench_process process;
    struct bench_role poisson = role;

    (void)state;
    process_init(&process, NULL, NULL);
    set("threads", "4");
    assert_int_equal(p.workload->client(p.state, &role, &process, &p.err), -1);
    assert_string_equal(p.err.message, "threads: 4 threads cannot share 3 clients");
    assert_int_equal(p.err.kind, BENCH_ERROR_USAGE);
    set("threads", "3");
    poisson.rate = 10;
    poisson.poisson = true;
    assert_int_equal(p.workload->client(p.state, &poisson, &process, &p.err), -1);
    assert_string_equal(p.err.message, "rate: h2load sends at constant intervals only");
    poisson.poisson = false;
    assert_int_equal(p.workload->client(p.state, &poisson, &process, &p.err), -1);
    assert_string_equal(p.err.message, "rate: 10 requests/s are 6.67 of each of h2load's 3 clients "
                                       "('jobs') in a window of 2 s, too few to be a rate");
    assert_string_equal(p.err.hint, "50 are needed: a 'rate' of 75, fewer 'jobs', a longer "
                                    "'duration', or workload 'builtin'");
    assert_int_equal(p.err.kind, BENCH_ERROR_USAGE);
    poisson.rate = 75;
    assert_int_equal(p.workload->client(p.state, &poisson, &process, &p.err), 0);
    /* The rate that is named is written in full, and large enough. */
    poisson.duration_ns = 70000000;
    assert_int_equal(p.workload->client(p.state, &poisson, &process, &p.err), -1);
    assert_string_equal(p.err.hint, "50 are needed: a 'rate' of 2143, fewer 'jobs', a longer "
                                    "'duration', or workload 'builtin'");
    process_release(&process);
}

static void http1_has_nginx_as_its_server(void **state)
{
    struct bench_process process;
    cleanup_free char *client = NULL, *server = NULL;

    (void)state;
    process_init(&process, NULL, NULL);
    assert_int_equal(p.workload->client(p.state, &role, &process, NULL), 0);
    client = parsing_command(&process);
    assert_string_equal(client, "h2load --h1 --clients=3 --threads=1 --max-concurrent-streams=1 "
                                "--duration=3000ms --warm-up-time=0 --log-file=requests.tsv "
                                "http://127.0.0.1:4711/payload");
    process_release(&process);
    process_init(&process, NULL, NULL);
    assert_int_equal(p.workload->server(p.state, &role, &process, NULL), 0);
    server = parsing_command(&process);
    assert_string_equal(server, "nginx -p ./ -c nginx.conf");
    assert_non_null(strstr(text_get(&process.files[0].content), "listen 127.0.0.1:4712 "));
    assert_string_equal(process.files[1].name, "payload");
    assert_int_equal(process.files[1].content.length, 1024);
    assert_string_equal(p.workload->protocols[1], "http1");
    process_release(&process);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(requests_of_the_window_count),
        TEST(the_record_is_removed_unless_it_is_wanted),
        TEST(an_absent_server_is_found),
        TEST(a_server_that_died_is_found),
        TEST(a_client_that_was_stopped_is_found),
        TEST(failed_requests_fail_the_repetition),
        TEST(shorter_responses_are_found),
        TEST(nonsense_is_refused),
        TEST(a_record_that_ends_within_a_line),
        TEST(a_later_h2load_may_add_columns),
        TEST(describes_both_ends),
        TEST(refuses_what_it_cannot_do),
        cmocka_unit_test_setup_teardown(http1_has_nginx_as_its_server, set_up_h1, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
