/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in workload: both ends in children over the loopback, without the runner. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "builtin.h"

/* Runs both ends for a moment in which at least `bytes` are delivered. */
static void exchange(struct workload *w, uint64_t bytes, bool server_stops_first)
{
    bool echo = w->plugin->delivered(w->state) == BENCH_CLIENT;
    struct end server, client;

    end_start(&server, w, BENCH_SERVER);
    end_start(&client, w, BENCH_CLIENT);
    wait_until(client.page->message[0] ||
               (end_sum(&server, connections) == (uint64_t)w->role.jobs &&
                end_sum(echo ? &client : &server, bytes_received) >= bytes));
    if (server_stops_first) {
        /* As a runner does that asks everybody at once. */
        kill(client.pid, SIGSTOP);
        end_stop(&server);
        kill(client.pid, SIGTERM);
        kill(client.pid, SIGCONT);
    }
    end_stop(&client);
    /* Stopped in order, nothing that was sent is lost. */
    if (!server_stops_first && !echo)
        wait_until(end_sum(&server, bytes_received) == end_sum(&client, bytes_sent));
    end_stop(&server);

    assert_ended(&client, 0, "");
    assert_ended(&server, 0, "");
    assert_int_equal(end_sum(&server, connections), w->role.jobs);
    assert_int_equal(end_sum(&server, errors), 0);
    assert_counts_are_the_kernels(&client);
    assert_counts_are_the_kernels(&server);
    if (echo)
        assert_true(end_sum(&server, bytes_received) >= end_sum(&server, bytes_sent));
    else
        assert_int_equal(end_sum(&client, bytes_received) + end_sum(&server, bytes_sent), 0);
    end_release(&client);
    end_release(&server);
}

static void exchange_with(const char *const *options, int64_t jobs, uint64_t bytes)
{
    struct workload w;

    for (int server_first = 0; server_first < 2; server_first++) {
        open_with(&w, options);
        w.role.jobs = jobs;
        exchange(&w, bytes, server_first);
        workload_close(&w);
    }
}

static void test_stream(void **state)
{
    (void)state;
    exchange_with(NULL, 2, 8 << 20);
}

static void test_stream_copy(void **state)
{
    (void)state;
    exchange_with((const char *const[]){"receive", "copy", "receive_buffer", "128K", NULL}, 2,
                  8 << 20);
}

static void test_echo(void **state)
{
    (void)state;
    exchange_with((const char *const[]){"mode", "echo", NULL}, 3, 8 << 20);
}

static void test_echo_copy(void **state)
{
    (void)state;
    exchange_with((const char *const[]){"mode", "echo", "receive", "copy", NULL}, 1, 8 << 20);
}

static void test_single_bytes(void **state)
{
    (void)state;
    exchange_with((const char *const[]){"send_size", "1", "receive_size", "1", NULL}, 2, 1000);
    exchange_with(
        (const char *const[]){"mode", "echo", "send_size", "1", "receive_size", "1", NULL}, 2,
        1000);
}

/* Far more than all buffers hold: ends that both waited for room would stand still for ever. */
static void test_echo_of_huge_blocks(void **state)
{
    (void)state;
    exchange_with(
        (const char *const[]){"mode", "echo", "send_size", "64M", "receive_size", "64M", NULL}, 1,
        128 << 20);
}

static void test_pinned_flows(void **state)
{
    (void)state;
    exchange_with((const char *const[]){"pin", "flow", NULL}, 3, 8 << 20);
}

static void test_thousand_jobs(void **state)
{
    (void)state;
    exchange_with((const char *const[]){"send_size", "16K", "receive_size", "64K", NULL}, 1000,
                  32 << 20);
}

static void test_ipv6(void **state)
{
    struct workload w;
    struct end client;

    (void)state;
    open_with(&w, NULL);
    snprintf(w.role.connect.host, sizeof(w.role.connect.host), "::1");
    end_start(&client, &w, BENCH_CLIENT);
    assert_true(end_wait(&client, PATIENCE));
    assert_true(strncmp(client.page->message, "connect to [::1]:", 17) == 0 ||
                strncmp(client.page->message, "socket: ", 8) == 0);
    end_release(&client);
    workload_close(&w);
}

static void test_refused(void **state)
{
    struct workload w;
    struct end client;
    char expected[128];

    (void)state;
    open_with(&w, NULL);
    end_start(&client, &w, BENCH_CLIENT);
    assert_true(end_wait(&client, PATIENCE));
    snprintf(expected, sizeof(expected), "connect to 127.0.0.1:%u: Connection refused",
             w.role.connect.port);
    assert_ended(&client, 1, expected);
    assert_true(end_sum(&client, errors) >= 1);
    assert_int_equal(end_sum(&client, connections), 0);
    end_release(&client);
    workload_close(&w);
}

/* What is left of `text` after the decimal number at its start. */
static const char *after_number(const char *text)
{
    return text + strspn(text, "0123456789");
}

static void assert_lost_a_connection(const struct end *client)
{
    const char *m = client->page->message;

    assert_true(strncmp(m, "connection ", 11) == 0);
    m = after_number(m + 11);
    assert_true(strncmp(m, " of 2 was closed by the peer after ", 35) == 0);
    assert_string_equal(after_number(m + 35), " bytes");
}

static void lose_the_server(const char *mode)
{
    struct workload w;
    struct end server, client;

    open_with(&w, (const char *const[]){"mode", mode, NULL});
    end_start(&server, &w, BENCH_SERVER);
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&server, bytes_received) > 1 << 20);
    kill(server.pid, SIGKILL);
    assert_true(end_wait(&client, PATIENCE));
    assert_lost_a_connection(&client);
    assert_ended(&client, 1, client.page->message);
    assert_true(end_sum(&client, errors) >= 1);
    assert_counts_are_the_kernels(&client);
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

static void test_server_killed(void **state)
{
    (void)state;
    lose_the_server("stream");
    lose_the_server("echo");
}

static void lose_the_client(const char *mode)
{
    struct workload w;
    struct end server, client;

    open_with(&w, (const char *const[]){"mode", mode, NULL});
    end_start(&server, &w, BENCH_SERVER);
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&server, bytes_received) > 1 << 20);
    kill(client.pid, SIGKILL);
    assert_true(end_wait(&client, PATIENCE));
    /* The server serves on. */
    end_release(&client);
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&client, bytes_sent) > 1 << 20);
    end_stop(&client);
    end_stop(&server);
    assert_ended(&client, 0, "");
    assert_ended(&server, 0, "");
    assert_int_equal(end_sum(&server, errors), 0);
    assert_int_equal(end_sum(&server, connections), 4);
    assert_counts_are_the_kernels(&server);
    end_release(&client);
    end_release(&server);
    workload_close(&w);
}

static void test_client_killed(void **state)
{
    (void)state;
    lose_the_client("stream");
    lose_the_client("echo");
}

static void test_port_in_use(void **state)
{
    struct workload w;
    struct end server, second;
    char expected[128];

    (void)state;
    open_with(&w, NULL);
    end_start(&server, &w, BENCH_SERVER);
    /* It counts as ready at once: the port does listen. */
    end_start(&second, &w, BENCH_SERVER);
    assert_true(end_wait(&second, PATIENCE));
    snprintf(expected, sizeof(expected), "listen on 127.0.0.1:%u: Address already in use",
             w.role.listen.port);
    assert_ended(&second, 1, expected);
    end_stop(&server);
    assert_ended(&server, 0, "");
    end_release(&second);
    end_release(&server);
    workload_close(&w);
}

static void test_unknown_congestion_control(void **state)
{
    const char *expected = "congestion 'carrier-pigeon': No such file or directory; 'sysctl "
                           "net.ipv4.tcp_available_congestion_control' lists what there is";
    struct workload w;
    struct end e;

    (void)state;
    open_with(&w, (const char *const[]){"congestion", "carrier-pigeon", NULL});
    end_start(&e, &w, BENCH_SERVER);
    assert_ended(&e, 1, expected);
    end_release(&e);
    end_start(&e, &w, BENCH_CLIENT);
    assert_true(end_wait(&e, PATIENCE));
    assert_ended(&e, 1, expected);
    end_release(&e);
    workload_close(&w);
}

static void test_more_jobs_than_descriptors(void **state)
{
    const int64_t jobs = INT64_C(1000000000000);
    struct workload w;
    struct end client;
    struct rlimit limit;
    char expected[256];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    open_with(&w, NULL);
    w.role.jobs = jobs;
    end_start(&client, &w, BENCH_CLIENT);
    assert_true(end_wait(&client, PATIENCE));
    snprintf(expected, sizeof(expected),
             "%" PRId64 " jobs need %" PRId64
             " file descriptors, but the limit is %ju; raise it ('ulimit -Hn')",
             jobs, jobs + 32, (uintmax_t)limit.rlim_max);
    assert_ended(&client, 1, expected);
    end_release(&client);
    workload_close(&w);
}

/* A socket that is bound to the workload's port, or connected to it. */
static int plain_socket(const struct workload *w, bool connected)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(w->role.listen.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connected)
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    else
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16), 0);
    return fd;
}

/* A relay that hangs: both ends are told to stop while they wait in the kernel. */
static void stop_while_waiting(const char *mode)
{
    struct workload w;
    struct end client;
    uint64_t sent = 0;
    int listener;

    open_with(&w, (const char *const[]){"mode", mode, NULL});
    listener = plain_socket(&w, false);
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&client, connections) == 2);
    do { /* until the buffers are full */
        sent = end_sum(&client, bytes_sent);
        pause_ms(50);
    } while (sent != end_sum(&client, bytes_sent));
    end_stop(&client);
    assert_ended(&client, 0, "");
    assert_counts_are_the_kernels(&client);
    assert_int_equal(end_sum(&client, errors), 0);
    close(listener);
    end_release(&client);
    workload_close(&w);
}

static void test_stop_while_waiting(void **state)
{
    (void)state;
    stop_while_waiting("stream");
    stop_while_waiting("echo");
}

/* A server that sends nothing back gets exactly the blocks that may be on their way. */
static void on_their_way(const char *depth, uint64_t blocks)
{
    const uint64_t jobs = 2, size = 1000;
    struct workload w;
    struct end client;
    int listener;

    open_with(&w, (const char *const[]){"mode", "echo", "send_size", "1000", "depth", depth, NULL});
    listener = plain_socket(&w, false);
    end_start(&client, &w, BENCH_CLIENT);
    wait_until(end_sum(&client, bytes_sent) == jobs * blocks * size);
    pause_ms(20);
    assert_int_equal(end_sum(&client, bytes_sent), jobs * blocks * size);
    end_stop(&client);
    assert_ended(&client, 0, "");
    close(listener);
    end_release(&client);
    workload_close(&w);
}

static void test_echo_has_so_many_blocks_on_their_way(void **state)
{
    (void)state;
    on_their_way("0", 2);
    on_their_way("1", 1);
    on_their_way("40", 40);
}

/* Relays open connections in advance, and drop them as they like. */
static void test_spare_connections(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    struct workload w;
    struct end server;
    int idle, gone, rude;

    (void)state;
    open_with(&w, (const char *const[]){"mode", "echo", NULL});
    end_start(&server, &w, BENCH_SERVER);
    idle = plain_socket(&w, true);
    gone = plain_socket(&w, true);
    rude = plain_socket(&w, true);
    wait_until(end_sum(&server, connections) == 3);
    close(gone);
    setsockopt(rude, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(rude);
    end_stop(&server);
    assert_ended(&server, 0, "");
    assert_int_equal(end_sum(&server, errors), 0);
    assert_counts_are_the_kernels(&server);
    close(idle);
    end_release(&server);
    workload_close(&w);
}

static void test_echo_returns_the_same_bytes(void **state)
{
    struct workload w;
    struct end server;
    char out[5000], back[sizeof(out)];
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (char)(i * 7 + i / 256);
    open_with(&w, (const char *const[]){"mode", "echo", "receive_size", "999", NULL});
    end_start(&server, &w, BENCH_SERVER);
    fd = plain_socket(&w, true);
    assert_int_equal(send(fd, out, sizeof(out), 0), sizeof(out));
    assert_int_equal(recv(fd, back, sizeof(back), MSG_WAITALL), sizeof(back));
    assert_memory_equal(out, back, sizeof(out));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(recv(fd, back, sizeof(back), 0), 0);
    close(fd);
    end_stop(&server);
    assert_ended(&server, 0, "");
    assert_int_equal(end_sum(&server, bytes_received), sizeof(out));
    assert_int_equal(end_sum(&server, bytes_sent), sizeof(out));
    assert_counts_are_the_kernels(&server);
    end_release(&server);
    workload_close(&w);
}

static void test_description(void **state)
{
    struct workload w;
    struct bench_error err = {0};

    (void)state;
    open_with(&w, NULL);
    assert_int_equal(option_check(w.plugin->plugin.options, w.plugin->plugin.state_size, &err), 0);
    assert_string_equal(w.plugin->protocols[0], "tcp");
    assert_null(w.plugin->protocols[1]);
    assert_int_equal(w.plugin->delivered(w.state), BENCH_SERVER);
    assert_int_equal(workload_set(&w, "mode", "echo", &err), 0);
    assert_int_equal(w.plugin->delivered(w.state), BENCH_CLIENT);
    workload_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_copy),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_echo_copy),
        cmocka_unit_test(test_single_bytes),
        cmocka_unit_test(test_echo_of_huge_blocks),
        cmocka_unit_test(test_echo_returns_the_same_bytes),
        cmocka_unit_test(test_pinned_flows),
        cmocka_unit_test(test_thousand_jobs),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_server_killed),
        cmocka_unit_test(test_client_killed),
        cmocka_unit_test(test_echo_has_so_many_blocks_on_their_way),
        cmocka_unit_test(test_spare_connections),
        cmocka_unit_test(test_stop_while_waiting),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_unknown_congestion_control),
        cmocka_unit_test(test_more_jobs_than_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
