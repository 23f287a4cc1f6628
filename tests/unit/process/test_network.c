/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../../harness/stage.h"

static bool privileged(void)
{
    struct network *n;

    if (network_new(&n, true, NULL, NULL) < 0)
        return false;
    network_free(n);
    return true;
}

static void need_privilege(void)
{
    if (privileged())
        return;
    print_message("# SKIP no permission to make network namespaces\n");
    skip();
}

static struct network *make(bool isolated, const char *congestion)
{
    struct bench_error err = {0};
    struct network *n = NULL;

    stage_expect_ok(network_new(&n, isolated, congestion, &err), &err);
    return n;
}

static uint16_t reserve(struct network *n)
{
    struct bench_error err = {0};
    uint16_t port = 0;

    stage_expect_ok(network_reserve(n, &port, &err), &err);
    assert_true(port > 0);
    return port;
}

static char *own_namespace(void)
{
    char link[64] = "";

    assert_true(readlink("/proc/thread-self/ns/net", link, sizeof(link) - 1) > 0);
    return xstrdup(link);
}

/* Runs `fn` in a child inside the network; its result is the exit status, 0 to 255. */
static int inside(struct network *n, int (*fn)(const void *), const void *context)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(network_enter_self(n, NULL) < 0 ? 255 : fn(context));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- namespaces ---- */

static void test_isolated_leaves_the_host_alone(void **state)
{
    cleanup_free char *before = own_namespace(), *after = NULL;
    cleanup_free char *host = file_peek("/proc/sys/net/ipv4/tcp_congestion_control");
    cleanup_free char *host_after = NULL;
    struct network *n;

    (void)state;
    need_privilege();
    n = make(true, "reno");
    assert_true(network_isolated(n));
    assert_string_equal(network_congestion(n), "reno");
    reserve(n);
    after = own_namespace();
    assert_string_equal(before, after);
    host_after = file_peek("/proc/sys/net/ipv4/tcp_congestion_control");
    assert_string_equal(host, host_after);
    network_free(n);
}

static int congestion_is_reno(const void *context)
{
    cleanup_free char *now = file_peek("/proc/sys/net/ipv4/tcp_congestion_control");

    (void)context;
    return strcmp(now, "reno") == 0 ? 0 : 1;
}

static void test_enter_self_enters_it(void **state)
{
    struct network *n;

    (void)state;
    need_privilege();
    n = make(true, "reno");
    assert_int_equal(inside(n, congestion_is_reno, NULL), 0);
    network_free(n);
}

static void test_host_network(void **state)
{
    cleanup_free char *host = file_peek("/proc/sys/net/ipv4/tcp_congestion_control");
    struct network *n = make(false, NULL);

    (void)state;
    assert_false(network_isolated(n));
    assert_string_equal(network_congestion(n), host);
    network_free(n);
}

static void test_host_network_keeps_its_congestion_control(void **state)
{
    struct bench_error err = {0};
    struct network *n = NULL;

    (void)state;
    assert_int_equal(network_new(&n, false, "reno", &err), -1);
    assert_null(n);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "congestion control 'reno' needs an isolated network");
}

static void test_unknown_congestion_control_lists_those_that_exist(void **state)
{
    cleanup_free char *before = own_namespace(), *after = NULL;
    struct bench_error err = {0};
    struct network *n = NULL;

    (void)state;
    need_privilege();
    assert_int_equal(network_new(&n, true, "warp", &err), -1);
    assert_null(n);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message,
                        "cannot use congestion control 'warp': No such file or directory");
    assert_non_null(strstr(err.hint, "available: "));
    assert_non_null(strstr(err.hint, "reno"));
    after = own_namespace();
    assert_string_equal(before, after);
}

/* Those that the host has but does not allow to everybody. */
static void test_restricted_congestion_control_is_explained(void **state)
{
    cleanup_free char *available = file_peek("/proc/sys/net/ipv4/tcp_available_congestion_control");
    cleanup_free char *allowed = file_peek("/proc/sys/net/ipv4/tcp_allowed_congestion_control");
    cleanup_strings struct strings all = {0}, some = {0};
    struct bench_error err = {0};
    struct network *n = NULL;
    const char *name = NULL;

    (void)state;
    need_privilege();
    strings_split(&all, available, " ");
    strings_split(&some, allowed, " ");
    for (size_t i = 0; i < all.count; i++)
        if (!strings_has(&some, all.items[i]))
            name = all.items[i];
    if (!name) {
        print_message("# SKIP every congestion control is allowed here\n");
        skip();
    }
    assert_int_equal(network_new(&n, true, name, &err), -1);
    assert_non_null(strstr(err.message, ": Operation not permitted"));
    assert_non_null(strstr(err.hint, "tcp_allowed_congestion_control"));
}

static void test_no_privilege_is_explained(void **state)
{
    enum { NOBODY = 65534 };
    pid_t pid;
    int status;

    (void)state;
    pid = fork();
    if (pid == 0) {
        struct bench_error err = {0};
        struct network *n = NULL;

        if (geteuid() == 0 && setuid(NOBODY) < 0)
            _exit(1);
        if (network_new(&n, true, "reno", &err) == 0)
            _exit(2);
        if (strcmp(err.message, "cannot make a network namespace: Operation not permitted") != 0)
            _exit(3);
        _exit(strstr(err.hint, "network: host") && err.kind == BENCH_ERROR_ENVIRONMENT ? 0 : 4);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        _exit(100);
    close(fd);
}

static int tuning_arrived(const void *context)
{
    cleanup_free char *backlog = file_peek("/proc/sys/net/core/somaxconn");
    cleanup_free char *ports = file_peek("/proc/sys/net/ipv4/ip_local_port_range");
    cleanup_free char *memory = file_peek("/proc/sys/net/ipv4/tcp_rmem");

    (void)context;
    return strcmp(backlog, "1234") != 0                ? 1
           : strcmp(ports, "41000\t42000") != 0        ? 2
           : strcmp(memory, "4096\t65536\t99999") != 0 ? 3
                                                       : 0;
}

/* A namespace of the test's own plays the host that its user has tuned. */
static void test_tuning_of_the_host_is_carried_over(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    need_privilege();
    pid = fork();
    if (pid == 0) {
        struct network *n;

        if (unshare(CLONE_NEWNET) < 0)
            _exit(101);
        write_text("/proc/sys/net/core/somaxconn", "1234");
        write_text("/proc/sys/net/ipv4/ip_local_port_range", "41000 42000");
        write_text("/proc/sys/net/ipv4/tcp_rmem", "4096 65536 99999");
        if (network_new(&n, true, NULL, NULL) < 0)
            _exit(102);
        _exit(inside(n, tuning_arrived, NULL));
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* ---- ports ---- */

static int listen_at(int family, uint16_t port)
{
    struct sockaddr_in a4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const void *address = family == AF_INET ? (void *)&a4 : (void *)&a6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address, family == AF_INET ? sizeof(a4) : sizeof(a6)) < 0 || listen(fd, 5) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void test_reserved_ports_differ_and_do_not_listen(void **state)
{
    struct network *n = make(false, NULL);
    uint16_t a = reserve(n), b = reserve(n);

    (void)state;
    assert_int_not_equal(a, b);
    assert_false(network_listening(n, a));
    network_free(n);
}

static void test_listeners_are_seen(void **state)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct network *n = make(false, NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint16_t port = reserve(n);
        int fd = listen_at(families[i], port);

        if (fd < 0 && families[i] == AF_INET6) {
            print_message("# no IPv6 here\n");
            continue;
        }
        assert_true(fd >= 0);
        assert_true(network_listening(n, port));
        close(fd);
        assert_false(network_listening(n, port));
    }
    network_free(n);
}

struct ports {
    uint16_t reserved[5];
};

/* Asks for any port until there is none: 1 when a reserved one was handed out, 2 when there was
 * nothing to hand out at all. */
static int take_all_ports(const struct ports *p, int reuse)
{
    int taken = 0;

    for (;; taken++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
            return taken > 0 ? 0 : 2;
        getsockname(fd, (struct sockaddr *)&address, &length);
        for (size_t i = 0; i < ARRAY_SIZE(p->reserved); i++)
            if (address.sin_port == htons(p->reserved[i]))
                return 1;
    }
}

static int take_without_reuse(const void *ports)
{
    return take_all_ports(ports, 0);
}

static int take_with_reuse(const void *ports)
{
    return take_all_ports(ports, 1);
}

/* The same for connections, whose own port is chosen by the kernel, too. */
static int connect_until_exhausted(const void *context)
{
    const struct ports *p = context;
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(5), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = listen_at(AF_INET, 5), connections = 0;

    if (listener < 0)
        return 3;
    for (;; connections++) {
        struct sockaddr_in own;
        socklen_t length = sizeof(own);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0)
            return connections > 0 ? 0 : 2;
        close(accept(listener, NULL, NULL));
        getsockname(fd, (struct sockaddr *)&own, &length);
        for (size_t i = 0; i < ARRAY_SIZE(p->reserved); i++)
            if (own.sin_port == htons(p->reserved[i]))
                return 1;
    }
}

static int narrow_port_range(const void *context)
{
    (void)context;
    write_text("/proc/sys/net/ipv4/ip_local_port_range", "41000 41019");
    return 0;
}

static void test_reserved_port_is_given_to_nobody(void **state)
{
    struct ports ports;
    struct network *n;

    (void)state;
    need_privilege();
    n = make(true, NULL);
    assert_int_equal(inside(n, narrow_port_range, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ports.reserved); i++) {
        ports.reserved[i] = reserve(n);
        assert_not_in_range(ports.reserved[i], 41000, 41019);
    }
    assert_int_equal(inside(n, take_without_reuse, &ports), 0);
    assert_int_equal(inside(n, take_with_reuse, &ports), 0);
    assert_int_equal(inside(n, connect_until_exhausted, &ports), 0);
    network_free(n);
}

static int widen_port_range(const void *context)
{
    (void)context;
    write_text("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
    return 0;
}

static void test_without_numbers_outside_of_the_range_one_inside_is_taken(void **state)
{
    struct network *n;

    (void)state;
    need_privilege();
    n = make(true, NULL);
    assert_int_equal(inside(n, widen_port_range, NULL), 0);
    reserve(n);
    network_free(n);
}

/* Two benches in one network. */
static void test_ports_of_two_benches_differ(void **state)
{
    struct network *n[2] = {make(false, NULL), make(false, NULL)};
    bool seen[65536] = {false};

    (void)state;
    for (int i = 0; i < 200; i++) {
        uint16_t port = reserve(n[i % 2]);

        assert_false(seen[port]);
        seen[port] = true;
    }
    network_free(n[0]);
    network_free(n[1]);
}

/* Exit status 0: a server that does not set SO_REUSEADDR has it, whichever address it binds. */
static int bind_plainly(const void *context)
{
    static const in_addr_t addresses[] = {INADDR_LOOPBACK, INADDR_ANY};

    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(addresses[i]),
                                      .sin_port = htons(*(const uint16_t *)context)};
        cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
            return 1;
    }
    return 0;
}

static void check_binds_plainly(bool isolated)
{
    struct network *n = make(isolated, NULL);
    uint16_t port = reserve(n);

    assert_int_equal(inside(n, bind_plainly, &port), 0);
    network_free(n);
}

static void test_a_server_without_reuse_binds_a_reserved_port(void **state)
{
    (void)state;
    check_binds_plainly(false);
    need_privilege();
    check_binds_plainly(true);
}

/* Real servers, all of which set SO_REUSEADDR. `config` is what stands before the port. */
static void check_server(struct stage *s, const char *program, const char *const *arguments,
                         const char *config)
{
    cleanup_free char *path = program_find(program, NULL, NULL);
    cleanup_free char *number = NULL;
    struct actor a = {0};
    uint16_t port;

    if (!path) {
        print_message("# '%s' is not installed\n", program);
        return;
    }
    port = reserve(s->network);
    number = xasprintf("%u", port);
    actor_argv(&a, path, NULL);
    for (; *arguments; arguments++)
        strings_add(&a.process.argv, strcmp(*arguments, "PORT") == 0 ? number : *arguments);
    if (config)
        host_get()->file(&a.process, "config", "%s%u; } }\n", config, port);
    actor_start(s, &a);
    for (int i = 0; i < 2000 && !network_listening(s->network, port); i++) {
        if (role_update(a.role) == ROLE_EXITED) {
            cleanup_free char *words = actor_output(&a, "stderr");

            fail_msg("'%s' ended: %s", program, words);
        }
        usleep(5000);
    }
    assert_true(network_listening(s->network, port));
    actor_gone(&a);
    assert_false(network_listening(s->network, port));
}

static void check_servers(struct stage *s)
{
    static const char nginx[] = "daemon off; master_process off; pid pid; error_log stderr;\n"
                                "events {}\n"
                                "http { access_log off; client_body_temp_path t; proxy_temp_path t;"
                                " fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;\n"
                                "server { listen 127.0.0.1:";

    check_server(s, "iperf3", (const char *[]){"-s", "-B", "127.0.0.1", "-p", "PORT", NULL}, NULL);
    check_server(s, "iperf3", (const char *[]){"-s", "-p", "PORT", NULL}, NULL);
    check_server(s, "python3",
                 (const char *[]){"-m", "http.server", "--bind", "127.0.0.1", "PORT", NULL}, NULL);
    check_server(s, "nginx", (const char *[]){"-p", ".", "-e", "stderr", "-c", "config", NULL},
                 nginx);
}

static void test_servers_bind_reserved_ports(void **state)
{
    struct bench_error err = {0};
    struct stage s;

    (void)state;
    stage_open(&s);
    check_servers(&s);
    if (network_isolated(s.network)) {
        network_free(s.network);
        stage_expect_ok(network_new(&s.network, false, NULL, &err), &err);
        check_servers(&s);
    }
    stage_close(&s);
}

/* ---- what the kernel says ---- */

struct conversation {
    int to_child[2], to_parent[2];
    uint16_t port;
};

enum { PAYLOAD = 12345 };

/* One connection over which PAYLOAD bytes went, kept open until told. */
static int converse(const void *context)
{
    const struct conversation *c = context;
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons(c->port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = listen_at(AF_INET, c->port), client, accepted;
    static char payload[PAYLOAD];
    size_t got = 0;

    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || connect(client, (struct sockaddr *)&server, sizeof(server)) < 0)
        return 1;
    accepted = accept(listener, NULL, NULL);
    if (accepted < 0 || write(client, payload, sizeof(payload)) != sizeof(payload))
        return 2;
    while (got < sizeof(payload)) {
        ssize_t n = read(accepted, payload, sizeof(payload));

        if (n <= 0)
            return 3;
        got += (size_t)n;
    }
    if (write(accepted, payload, 99) != 99 || read(client, payload, sizeof(payload)) != 99 ||
        write(c->to_parent[1], "x", 1) != 1)
        return 4;
    return read(c->to_child[0], payload, 1) == 0 ? 0 : 5;
}

static void check_conversation(bool isolated)
{
    struct network *n = make(isolated, NULL);
    struct network_counters before, after;
    struct conversation c;
    uint64_t acked = 0, received = 0;
    int status;
    pid_t pid;
    char byte;

    assert_int_equal(pipe2(c.to_child, O_CLOEXEC), 0);
    assert_int_equal(pipe2(c.to_parent, O_CLOEXEC), 0);
    c.port = reserve(n);
    assert_int_equal(network_read(n, &before), 0);
    if (isolated)
        assert_int_equal(before.active_opens + before.passive_opens + before.segments_in, 0);
    assert_int_equal(network_tcp_bytes(n, c.port, &acked, &received), 0);
    pid = fork();
    if (pid == 0) {
        close(c.to_child[1]);
        _exit(network_enter_self(n, NULL) < 0 ? 99 : converse(&c));
    }
    close(c.to_parent[1]);
    assert_int_equal(read(c.to_parent[0], &byte, 1), 1);
    assert_int_equal(network_read(n, &after), 0);
    /* bytes_acked counts the SYN, too. */
    for (int i = 0; i < 500 && acked != PAYLOAD + 1; i++) {
        assert_int_equal(network_tcp_bytes(n, c.port, &acked, &received), 1);
        usleep(1000);
    }
    assert_int_equal(acked, PAYLOAD + 1);
    assert_int_equal(received, 99);
    if (isolated) {
        assert_int_equal(after.active_opens, 1);
        assert_int_equal(after.passive_opens, 1);
        assert_int_equal(after.listen_drops, 0);
    } else {
        assert_true(after.active_opens > before.active_opens);
        assert_true(after.passive_opens > before.passive_opens);
    }
    assert_true(after.segments_out > before.segments_out);
    close(c.to_child[1]);
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    close(c.to_child[0]);
    close(c.to_parent[0]);
    network_free(n);
}

static void test_counters_and_bytes_in_the_host(void **state)
{
    (void)state;
    check_conversation(false);
}

static void test_counters_and_bytes_in_isolation(void **state)
{
    (void)state;
    need_privilege();
    check_conversation(true);
}

/* The accept queue of a listener overflows in the namespace, and only there. */
static int overflow(const void *context)
{
    const uint16_t *port = context;
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = listen_at(AF_INET, *port);

    if (listener < 0 || listen(listener, 0) < 0)
        return 1;
    for (int i = 0; i < 4; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS)
            return 2;
    }
    return 0;
}

static void test_overflows_are_counted(void **state)
{
    struct network_counters counters;
    struct network *n;
    uint16_t port;

    (void)state;
    need_privilege();
    n = make(true, NULL);
    port = reserve(n);
    assert_int_equal(inside(n, overflow, &port), 0);
    assert_int_equal(network_read(n, &counters), 0);
    assert_true(counters.listen_overflows > 0);
    assert_true(counters.listen_drops > 0);
    network_free(n);
}

/* A connection to the port that is over before the kernel is asked. */
static int connects_once(const void *context)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(*(const uint16_t *)context)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    int server;

    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 1) < 0 ||
        connect(client, (struct sockaddr *)&address, sizeof(address)) < 0)
        return 1;
    server = accept(listener, NULL, NULL);
    close(client);
    close(server);
    close(listener);
    return 0;
}

static int listens_only(const void *context)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(*(const uint16_t *)context)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    return bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
           listen(listener, 1) < 0;
}

static void test_a_connection_that_is_over_is_remembered(void **state)
{
    (void)state;
    for (int isolated = 0; isolated < (privileged() ? 2 : 1); isolated++) {
        struct network *n = make(isolated, NULL);
        uint16_t port = reserve(n);

        assert_int_equal(inside(n, listens_only, &port), 0);
        assert_false(network_reached(n, port));
        assert_int_equal(inside(n, connects_once, &port), 0);
        assert_true(network_reached(n, port));
        network_free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isolated_leaves_the_host_alone),
        cmocka_unit_test(test_enter_self_enters_it),
        cmocka_unit_test(test_host_network),
        cmocka_unit_test(test_host_network_keeps_its_congestion_control),
        cmocka_unit_test(test_unknown_congestion_control_lists_those_that_exist),
        cmocka_unit_test(test_restricted_congestion_control_is_explained),
        cmocka_unit_test(test_no_privilege_is_explained),
        cmocka_unit_test(test_tuning_of_the_host_is_carried_over),
        cmocka_unit_test(test_reserved_ports_differ_and_do_not_listen),
        cmocka_unit_test(test_listeners_are_seen),
        cmocka_unit_test(test_reserved_port_is_given_to_nobody),
        cmocka_unit_test(test_without_numbers_outside_of_the_range_one_inside_is_taken),
        cmocka_unit_test(test_ports_of_two_benches_differ),
        cmocka_unit_test(test_a_server_without_reuse_binds_a_reserved_port),
        cmocka_unit_test(test_servers_bind_reserved_ports),
        cmocka_unit_test(test_counters_and_bytes_in_the_host),
        cmocka_unit_test(test_counters_and_bytes_in_isolation),
        cmocka_unit_test(test_overflows_are_counted),
        cmocka_unit_test(test_a_connection_that_is_over_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
