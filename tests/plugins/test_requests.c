/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and responses of the built-in workload: both ends in children, without the runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

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

static void test_connection_per_request(void **state)
{
    struct workload w;
    struct end server, client;
    uint64_t connections;

    (void)state;
    for (int open_loop = 0; open_loop < 2; open_loop++) {
        open_with(&w, (const char *const[]){"mode", "crr", "response_size", "5000", NULL});
        w.role.jobs = 7;
        w.role.rate = open_loop ? 1000 : 0;
        exchange(&w, 300, &server, &client);
        connections = end_sum(&client, connections);
        assert_true(connections >= end_sum(&client, operations));
        assert_true(connections <= end_sum(&client, operations) + 7);
        end_release(&client);
        end_release(&server);
        workload_close(&w);
    }
}

static void model(const char *name, const char *mode)
{
    const char *const options[] = {"mode", mode, "server", name, "verify", "true", NULL};
    bool requests = strcmp(mode, "rr") == 0 || strcmp(mode, "crr") == 0;
    struct workload w;
    struct end server, client;

    open_with(&w, options);
    w.role.jobs = 6;
    if (requests) {
        exchange(&w, 100, &server, &client);
    } else {
        end_start(&server, &w, BENCH_SERVER);
        end_start(&client, &w, BENCH_CLIENT);
        wait_until(client.page->message[0] || end_sum(&server, bytes_received) > 4 << 20);
        end_stop(&client);
        end_stop(&server);
        assert_ended(&client, 0, "");
        assert_ended(&server, 0, "");
        assert_string_equal(client.page->invalid, "");
        assert_string_equal(server.page->invalid, "");
        assert_counts_are_the_kernels(&client);
        assert_counts_are_the_kernels(&server);
    }
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

static void test_server_models(void **state)
{
    static const char *const models[] = {"thread", "epoll", "process"};
    static const char *const modes[] = {"stream", "echo", "rr", "crr"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++)
            model(models[i], modes[k]);
}

static void test_ten_thousand_connections(void **state)
{
    struct rlimit limit;
    struct workload w;
    struct end server, client;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 10100) {
        print_message("# SKIP 'ulimit -Hn' is below 10100\n");
        skip();
    }
    open_with(&w, (const char *const[]){"mode", "rr", NULL});
    w.role.jobs = 10000;
    exchange(&w, 10000, &server, &client);
    assert_int_equal(end_sum(&server, connections), 10000);
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

static void test_paced_stream(void **state)
{
    struct workload w;
    struct end server, client;
    int64_t begin;
    double seconds;

    (void)state;
    open_with(&w, (const char *const[]){"rate_per_connection", "8M", NULL});
    w.role.jobs = 5;
    end_start(&server, &w, BENCH_SERVER);
    begin = clock_now();
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&server, bytes_received) >= 2000000);
    seconds = (double)(clock_now() - begin) * 1e-9;
    /* Never faster than asked for, but for the first piece of each connection. */
    assert_true(seconds > 0.35);
    end_stop(&client);
    end_stop(&server);
    assert_ended(&client, 0, "");
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

/* A relay for one connection that spoils one byte of one direction. */

enum fault { CORRUPT, DROP, DOUBLE, SWAP, CUT }; /* CUT: what follows is never passed on */

struct bad_relay {
    enum fault fault;
    bool from_server;
    size_t offset;
};

static void pass_on(int from, int to, const struct bad_relay *r, bool spoil, size_t *passed)
{
    char data[4096 + 1];
    ssize_t n = recv(from, data, 4096, 0);
    size_t at = r->offset - *passed;

    if (n <= 0)
        _exit(0);
    if (spoil && r->fault == CUT && *passed + (size_t)n > r->offset) {
        n = *passed < r->offset ? (ssize_t)at : 0;
        *passed += (size_t)n;
    } else if (spoil && *passed <= r->offset &&
               r->offset + (r->fault == SWAP) < *passed + (size_t)n) {
        char byte = data[at];

        if (r->fault == CORRUPT) {
            data[at] ^= 0x10;
        } else if (r->fault == SWAP) {
            data[at] = data[at + 1];
            data[at + 1] = byte;
        } else if (r->fault == DROP) {
            memmove(data + at, data + at + 1, (size_t)n - at - 1);
        } else {
            memmove(data + at + 1, data + at, (size_t)n - at);
        }
        *passed += (size_t)n;
        n += r->fault == DOUBLE ? 1 : r->fault == DROP ? -1 : 0;
    } else {
        *passed += (size_t)n;
    }
    if (send(to, data, (size_t)n, MSG_NOSIGNAL) != n)
        _exit(0);
}

static void relay_main(int listener, uint16_t server, const struct bad_relay *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(server),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd ends[2] = {{.events = POLLIN}, {.events = POLLIN}};
    size_t passed[2] = {0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ends[0].fd = accept(listener, NULL, NULL);
    ends[1].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(ends[1].fd, (struct sockaddr *)&a, sizeof(a)))
        _exit(1);
    for (;;) {
        poll(ends, 2, -1);
        for (int i = 0; i < 2; i++)
            if (ends[i].revents)
                pass_on(ends[i].fd, ends[1 - i].fd, r, i == r->from_server, &passed[i]);
    }
}

struct spoilt {
    struct workload w;
    struct end server, client;
    pid_t relay;
};

static void spoilt_open(struct spoilt *s, const char *mode, const char *depth, const char *server,
                        const struct bad_relay *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&a, n) || listen(listener, 1) ||
                         getsockname(listener, (struct sockaddr *)&a, &n),
                     0);
    open_with(&s->w, (const char *const[]){"mode", mode, "verify", "yes", "server", server,
                                           strcmp(mode, "rr") ? "send_size" : "depth",
                                           strcmp(mode, "rr") ? "3000" : depth, NULL});
    s->w.role.jobs = 1;
    end_start(&s->server, &s->w, BENCH_SERVER);
    s->relay = fork();
    if (s->relay == 0)
        relay_main(listener, s->w.role.listen.port, r);
    close(listener);
    s->w.role.connect.port = ntohs(a.sin_port);
    end_start(&s->client, &s->w, BENCH_CLIENT);
}

static void spoilt_close(struct spoilt *s)
{
    kill(s->relay, SIGKILL);
    waitpid(s->relay, NULL, 0);
    end_stop(&s->server);
    end_release(&s->client);
    end_release(&s->server);
    workload_close(&s->w);
}

/* Whoever receives the direction that is spoilt notices, and names the byte. */
static void spoil(const char *mode, const struct bad_relay *r, bool echo)
{
    struct spoilt s;
    struct end *victim = r->from_server || echo ? &s.client : &s.server;
    char expected[128];

    spoilt_open(&s, mode, strcmp(mode, "rr") ? "1" : "2", "auto", r);
    assert_true(end_wait(victim, PATIENCE));
    assert_int_equal(WEXITSTATUS(victim->status), 1);
    snprintf(expected, sizeof(expected),
             "verify: connection 1, offset %zu of what the %s sent: expected 0x",
             r->offset + (r->fault == DOUBLE), r->from_server && !echo ? "server" : "client");
    if (strncmp(victim->page->message, expected, strlen(expected)) != 0)
        fail_msg("'%s' is not '%s…'", victim->page->message, expected);
    end_stop(&s.client);
    spoilt_close(&s);
}

/* A relay that keeps back the end of a stream, or of an echo; in the second piece and in the first.
 */
static void test_end_held_back(void **state)
{
    static const char *const models[] = {"thread", "epoll", "process"};
    const struct bad_relay there = {.fault = CUT, .offset = 70000};
    const struct bad_relay back = {.fault = CUT, .from_server = true, .offset = 5000};
    struct spoilt s;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        spoilt_open(&s, "stream", "1", models[i], &there);
        wait_until(end_sum(&s.server, bytes_received) == 70000);
        end_stop(&s.client);
        assert_ended(&s.client, 0, "");
        assert_non_null(strstr(s.client.page->invalid, "verify: connection 1: of "));
        assert_non_null(
            strstr(s.client.page->invalid, "were not confirmed by the server within 1 s"));
        assert_int_equal(end_sum(&s.client, bytes_received), 1);
        spoilt_close(&s);
    }
    spoilt_open(&s, "echo", "1", "thread", &back);
    wait_until(end_sum(&s.client, bytes_received) == 5000);
    end_stop(&s.client);
    assert_ended(&s.client, 0, "");
    assert_non_null(strstr(s.client.page->invalid, "only 5000 were back within 1 s of the end"));
    spoilt_close(&s);
}

/* Nothing follows that would not fit. */
static void test_lost_at_the_end(void **state)
{
    const struct bad_relay r = {.fault = DROP, .offset = 1099};
    struct spoilt s;

    (void)state;
    spoilt_open(&s, "rr", "1", "auto", &r);
    wait_until(end_sum(&s.client, operations) == 10);
    for (int i = 0; i < 11; i++)
        pause_ms(100);
    end_stop(&s.client);
    assert_ended(&s.client, 0, "");
    assert_non_null(
        strstr(s.client.page->invalid, "verify: connection 1: request 11 has had no answer for "));
    assert_non_null(
        strstr(s.client.page->invalid, "bytes after offset 1000 of what the client sent"));
    spoilt_close(&s);
}

static void test_spoilt_bytes(void **state)
{
    (void)state;
    for (int fault = CORRUPT; fault <= SWAP; fault++) {
        spoil("rr", &(struct bad_relay){.fault = fault, .offset = 1010}, false);
        spoil("rr", &(struct bad_relay){.fault = fault, .from_server = true, .offset = 1010},
              false);
    }
    spoil("stream", &(struct bad_relay){.fault = CORRUPT, .offset = 100009}, false);
    spoil("echo", &(struct bad_relay){.fault = DROP, .offset = 10009}, true);
}

static void refused(const char *const *options, double rate, const char *message)
{
    struct bench_process process;
    struct bench_error err = {0};
    struct workload w;

    process_init(&process, NULL, NULL);
    open_with(&w, options);
    w.role.rate = rate;
    assert_int_equal(w.plugin->client(w.state, &w.role, &process, &err), -1);
    assert_string_equal(err.message, message);
    assert_true(err.hint[0] != '\0');
    assert_int_equal(w.plugin->server(w.state, &w.role, &process, &err), -1);
    process_release(&process);
    workload_close(&w);
}

static void test_options_that_a_mode_cannot_honour(void **state)
{
    (void)state;
    refused(NULL, 1, "mode 'stream' has no requests that 'rate' could pace");
    refused((const char *const[]){"mode", "rr", "rate_per_connection", "1M", NULL}, 0,
            "mode 'rr' does not know 'rate_per_connection'");
    refused((const char *const[]){"mode", "echo", "delay", "1ms", NULL}, 0,
            "mode 'echo' has no answers that 'delay' could hold back");
    refused((const char *const[]){"mode", "rr", "delay", "1ms", "server", "epoll", NULL}, 0,
            "server 'epoll' cannot wait for 'delay'");
    refused((const char *const[]){"mode", "crr", "depth", "2", NULL}, 0,
            "mode 'crr' has no pipelining");
    refused((const char *const[]){"mode", "echo", "response_size", "1K", NULL}, 0,
            "mode 'echo' has no requests that could have a size");
    refused((const char *const[]){"mode", "crr", "send_size", "1K", NULL}, 0,
            "mode 'crr' sends requests of 'request_size', not pieces of 'send_size'");
    refused((const char *const[]){"mode", "rr", "verify", "yes", "request_size", "7", NULL}, 0,
            "'verify' needs requests of at least 8 bytes, they have 7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_loop),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_huge_messages),
        cmocka_unit_test(test_open_loop),
        cmocka_unit_test(test_generator_that_was_late),
        cmocka_unit_test(test_options_that_a_mode_cannot_honour),
        cmocka_unit_test(test_server_killed),
        cmocka_unit_test(test_connection_per_request),
        cmocka_unit_test(test_server_models),
        cmocka_unit_test(test_ten_thousand_connections),
        cmocka_unit_test(test_paced_stream),
        cmocka_unit_test(test_spoilt_bytes),
        cmocka_unit_test(test_lost_at_the_end),
        cmocka_unit_test(test_end_held_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
