/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses of the built-in workload: both ends in children, without the runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "builtin.h"

static uint64_t recorded(const struct end *client, enum bench_latency kind)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < BENCH_HISTOGRAMS; i++)
        for (size_t k = 0; k < BENCH_HISTOGRAM_COUNTS; k++)
            sum += client->page->histogram[kind][i].counts[k];
    return sum;
}

/* Both ends until `requests` were answered; what is true of every exchange is asserted. */
static void exchange(struct workload *w, uint64_t requests, struct end *server, struct end *client)
{
    end_start(server, w, BENCH_SERVER);
    end_start(client, w, BENCH_CLIENT);
    wait_until(client->page->message[0] || server->page->message[0] ||
               end_sum(client, operations) >= requests);
    end_stop(client);
    end_stop(server);
    assert_ended(client, 0, "");
    assert_ended(server, 0, "");
    assert_counts_are_the_kernels(client);
    assert_counts_are_the_kernels(server);
    assert_int_equal(end_sum(client, errors) + end_sum(server, errors), 0);
    assert_int_equal(recorded(client, BENCH_LATENCY_SERVICE), end_sum(client, operations));
}

static void closed_loop(const char *const *options, int64_t jobs, uint64_t requests,
                        uint64_t request, uint64_t response, uint64_t depth)
{
    struct workload w;
    struct end server, client;
    uint64_t done;

    open_with(&w, options);
    w.role.jobs = jobs;
    exchange(&w, requests, &server, &client);
    done = end_sum(&client, operations);
    assert_int_equal(client.page->latencies, 1 << BENCH_LATENCY_SERVICE);
    assert_string_equal(client.page->invalid, "");
    assert_int_equal(end_sum(&client, connections), jobs);
    assert_true(end_sum(&client, bytes_received) >= done * response);
    assert_true(end_sum(&client, bytes_received) < (done + (uint64_t)jobs) * response);
    assert_true(end_sum(&client, bytes_sent) >= done * request);
    assert_true(end_sum(&client, bytes_sent) <= (done + (uint64_t)jobs * depth) * request);
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

static void test_closed_loop(void **state)
{
    (void)state;
    /* One connection per thread, more connections than CPUs. */
    closed_loop((const char *const[]){"mode", "rr", NULL}, 1, 200, 100, 100, 1);
    closed_loop((const char *const[]){"mode", "rr", "request_size", "1", "response_size", "3000",
                                      "pin", "flow", NULL},
                100, 1000, 1, 3000, 1);
}

static void test_pipelining(void **state)
{
    (void)state;
    closed_loop((const char *const[]){"mode", "rr", "depth", "40", "request_size", "7",
                                      "response_size", "11", NULL},
                1, 2000, 7, 11, 40);
    closed_loop((const char *const[]){"mode", "rr", "depth", "3", "receive", "copy", NULL}, 70,
                2000, 100, 100, 3);
}

/* Requests that fill every buffer while earlier responses come back: nobody may wait for ever. */
static void test_huge_messages(void **state)
{
    const char *const options[] = {"mode",          "rr",  "depth", "2", "request_size", "20M",
                                   "response_size", "20M", NULL};

    (void)state;
    closed_loop(options, 1, 4, 20 << 20, 20 << 20, 2);
    closed_loop(options, 10, 10, 20 << 20, 20 << 20, 2);
}

static void test_open_loop(void **state)
{
    struct workload w;
    struct end server, client;
    uint64_t done;

    (void)state;
    for (int poisson = 0; poisson < 2; poisson++) {
        open_with(&w, (const char *const[]){"mode", "rr", NULL});
        w.role.jobs = 5;
        w.role.rate = 2000;
        w.role.poisson = poisson;
        w.role.seed = 7;
        exchange(&w, 500, &server, &client);
        done = end_sum(&client, operations);
        assert_int_equal(client.page->latencies, (1 << BENCH_LATENCIES) - 1);
        assert_int_equal(recorded(&client, BENCH_LATENCY_RESPONSE), done);
        assert_true(recorded(&client, BENCH_LATENCY_LAG) >= done);
        end_release(&client);
        end_release(&server);
        workload_close(&w);
    }
}

/* A client that does not run for a while is late: its numbers are not used. */
static void test_generator_that_was_late(void **state)
{
    struct workload w;
    struct end server, client;

    (void)state;
    open_with(&w, (const char *const[]){"mode", "rr", NULL});
    w.role.rate = 1000;
    end_start(&server, &w, BENCH_SERVER);
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&client, operations) > 10);
    kill(client.pid, SIGSTOP);
    pause_ms(200);
    kill(client.pid, SIGCONT);
    wait_until(end_sum(&client, operations) > 200);
    end_stop(&client);
    end_stop(&server);
    assert_ended(&client, 0, "");
    assert_non_null(strstr(client.page->invalid, " planned requests were sent ("));
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

static void test_modes_without_requests_refuse_a_rate(void **state)
{
    struct bench_process process;
    struct bench_error err = {0};
    struct workload w;

    (void)state;
    process_init(&process, NULL, NULL);
    open_with(&w, NULL);
    w.role.rate = 1;
    assert_int_equal(w.plugin->client(w.state, &w.role, &process, &err), -1);
    assert_string_equal(err.message, "mode 'stream' has no requests that 'rate' could pace");
    assert_string_equal(err.hint, "leave out 'rate' or choose mode 'rr' or 'crr'");
    process_release(&process);
    workload_close(&w);
}

static void test_server_killed(void **state)
{
    struct workload w;
    struct end server, client;

    (void)state;
    for (int64_t jobs = 1; jobs < 20; jobs += 10) {
        open_with(&w, (const char *const[]){"mode", "rr", NULL});
        w.role.jobs = jobs;
        end_start(&server, &w, BENCH_SERVER);
        end_start(&client, &w, BENCH_CLIENT);
        wait_until(end_sum(&client, operations) > 10);
        kill(server.pid, SIGKILL);
        assert_true(end_wait(&client, PATIENCE));
        assert_non_null(strstr(client.page->message, " was closed by the peer after "));
        assert_ended(&client, 1, client.page->message);
        assert_counts_are_the_kernels(&client);
        end_release(&client);
        end_release(&server);
        workload_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_loop),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_huge_messages),
        cmocka_unit_test(test_open_loop),
        cmocka_unit_test(test_generator_that_was_late),
        cmocka_unit_test(test_modes_without_requests_refuse_a_rate),
        cmocka_unit_test(test_server_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
