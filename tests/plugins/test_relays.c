/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay plugins: what they describe, to the letter, and that bytes pass through chains which
 * are started from these descriptions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
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
    snprintf(top, sizeof(top), "/tmp/bench-test-relays-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int group_tear_down(void **state)
{
    (void)state;
    registry_release(&registry);
    return directory_remove(AT_FDCWD, top, NULL);
}

static const struct bench_relay *relay(const char *name)
{
    struct bench_error err = {0};
    const struct bench_plugin *p = registry_find(&registry, BENCH_RELAY, name, &err);

    if (!p)
        fail_msg("%s", err.message);
    return (const struct bench_relay *)p;
}

/* The options of a relay, "name=value" each, ended by NULL. Caller: release_options(). */
static void *options(const struct bench_relay *r, const char *const *settings)
{
    void *state = xcalloc(1, r->plugin.state_size);
    struct bench_error err = {0};

    option_defaults(r->plugin.options, state);
    for (; settings && *settings; settings++) {
        cleanup_free char *name = xstrdup(*settings);
        char *value = strchr(name, '=');

        *value++ = '\0';
        if (option_set(option_find(r->plugin.options, name), state, value, &err) < 0)
            fail_msg("%s", err.message);
    }
    return state;
}

static void release_options(const struct bench_relay *r, void *state)
{
    option_release(r->plugin.options, state);
    free(state);
}

static const uint16_t ports[][3] = {{1001, 1002, 1003}, {2001, 2002, 2003}, {3001, 3002, 3003}};

static struct bench_hop example_hop(uint32_t index, uint32_t count)
{
    struct bench_hop hop = {
        .size = sizeof(hop),
        .index = index,
        .count = count,
        .listen = {.host = "127.0.0.1", .port = ports[index - 1][0]},
        .upstream = {.host = "127.0.0.1", .port = index < count ? ports[index][0] : 9000},
        .protocol = "tcp",
        .ports = &ports[index - 1][1],
        .next_ports = index < count ? &ports[index][1] : NULL,
        .directory = "/run/hop",
        .connections = 10,
    };

    return hop;
}

/* An executable `below` the temporary directory; returns its directory. Caller frees. */
static char *fake_program(const char *below, const char *name, const char *content)
{
    char *directory = xasprintf("%s/%s", top, below);
    cleanup_free char *path = xasprintf("%s/%s", directory, name);

    assert_int_equal(directory_make(AT_FDCWD, directory, NULL), 0);
    assert_int_equal(file_write(AT_FDCWD, path, content, strlen(content), NULL), 0);
    assert_int_equal(chmod(path, 0755), 0);
    return directory;
}

static void assert_described(const char *name, const char *search, const char *const *settings,
                             const struct bench_hop *hop, const char *file, const char *expected)
{
    const struct bench_relay *r = relay(name);
    void *state = options(r, settings);
    struct bench_error err = {0};
    struct bench_process p;

    process_init(&p, search, NULL);
    if (r->describe(state, hop, &p, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(process_resolve(&p, &err), 0);
    assert_int_equal(p.n_files, 1);
    assert_string_equal(p.files[0].name, file);
    assert_string_equal(text_get(&p.files[0].content), expected);
    process_release(&p);
    release_options(r, state);
}

/* none */

static void none_has_no_process(void **state)
{
    const struct bench_relay *r = relay("none");

    (void)state;
    assert_int_equal(r->max_hops, 0);
    assert_null(r->describe);
}

/* nginx */

static char *static_nginx(void)
{
    return fake_program("static", "nginx",
                        "ELF configure arguments: --prefix=/nowhere --with-stream_ssl_module "
                        "--with-stream --with-debug\n");
}

static void nginx_first_of_two_hops(void **state)
{
    cleanup_free char *search = static_nginx();
    struct bench_hop hop = example_hop(1, 2);

    (void)state;
    assert_described("nginx", search, NULL, &hop, "nginx.conf",
                     "# hop 1 of 2, written by bench\n"
                     "daemon off;\n"
                     "master_process on;\n"
                     "worker_processes 1;\n"
                     "error_log stderr notice;\n"
                     "pid nginx.pid;\n"
                     "lock_file nginx.lock;\n"
                     "events {\n"
                     "    worker_connections 552;\n"
                     "}\n"
                     "stream {\n"
                     "    proxy_buffer_size 16384;\n"
                     "    server {\n"
                     "        listen 127.0.0.1:1001;\n"
                     "        proxy_pass 127.0.0.1:2001;\n"
                     "    }\n"
                     "}\n");
}

static void nginx_with_every_option(void **state)
{
    static const char *const settings[] = {"workers=3", "proxy_buffer_size=64K", "reuseport=true",
                                           NULL};
    cleanup_free char *search = static_nginx();
    struct bench_hop hop = example_hop(3, 3);

    (void)state;
    hop.connections = 1000;
    snprintf(hop.listen.host, sizeof(hop.listen.host), "::1");
    assert_described("nginx", search, settings, &hop, "nginx.conf",
                     "# hop 3 of 3, written by bench\n"
                     "daemon off;\n"
                     "master_process on;\n"
                     "worker_processes 3;\n"
                     "worker_rlimit_nofile 4576;\n"
                     "error_log stderr notice;\n"
                     "pid nginx.pid;\n"
                     "lock_file nginx.lock;\n"
                     "events {\n"
                     "    worker_connections 4512;\n"
                     "}\n"
                     "stream {\n"
                     "    proxy_buffer_size 65536;\n"
                     "    server {\n"
                     "        listen [::1]:3001 reuseport backlog=1000;\n"
                     "        proxy_pass 127.0.0.1:9000;\n"
                     "    }\n"
                     "}\n");
}

/* What is the same for both versions of HTTP, with the options' defaults and 10 connections. */
#define HTTP_HEAD                              \
    "# hop 1 of 1, written by bench\n"         \
    "daemon off;\n"                            \
    "master_process on;\n"                     \
    "worker_processes 1;\n"                    \
    "error_log stderr notice;\n"               \
    "pid nginx.pid;\n"                         \
    "lock_file nginx.lock;\n"                  \
    "events {\n"                               \
    "    worker_connections 552;\n"            \
    "}\n"                                      \
    "http {\n"                                 \
    "    access_log off;\n"                    \
    "    client_body_temp_path temp;\n"        \
    "    proxy_temp_path temp;\n"              \
    "    fastcgi_temp_path temp;\n"            \
    "    uwsgi_temp_path temp;\n"              \
    "    scgi_temp_path temp;\n"               \
    "    keepalive_requests 1000000000;\n"     \
    "    keepalive_timeout 1h;\n"              \
    "    proxy_max_temp_file_size 0;\n"        \
    "    proxy_buffer_size 16384;\n"           \
    "    proxy_buffers 8 16384;\n"             \
    "    grpc_buffer_size 16384;\n"            \
    "    upstream next {\n"                    \
    "        server 127.0.0.1:9000;\n"         \
    "        keepalive 552;\n"                 \
    "        keepalive_requests 1000000000;\n" \
    "        keepalive_timeout 1h;\n"          \
    "    }\n"                                  \
    "    server {\n"

static void nginx_as_http_proxy(void **state)
{
    cleanup_free char *search =
        fake_program("no-stream", "nginx", "configure arguments: --with-http_v2_module\n");
    struct bench_hop hop = example_hop(1, 1);

    (void)state;
    hop.protocol = "http1";
    assert_described("nginx", search, NULL, &hop, "nginx.conf",
                     HTTP_HEAD "        listen 127.0.0.1:1001;\n"
                               "        location / {\n"
                               "            proxy_pass http://next;\n"
                               "            proxy_http_version 1.1;\n"
                               "            proxy_set_header Connection \"\";\n"
                               "        }\n"
                               "    }\n"
                               "}\n");
    hop.protocol = "http2";
    assert_described("nginx", search, NULL, &hop, "nginx.conf",
                     HTTP_HEAD "        listen 127.0.0.1:1001 http2;\n"
                               "        http2_max_concurrent_streams 100000;\n"
                               "        location / {\n"
                               "            grpc_pass grpc://next;\n"
                               "        }\n"
                               "    }\n"
                               "}\n");
}

#define STATUS_SERVER                    \
    "    server {\n"                     \
    "        listen unix:status.sock;\n" \
    "        location / {\n"             \
    "            stub_status;\n"         \
    "        }\n"                        \
    "    }\n"

static char *nginx_file(const char *search, const char *protocol, const char *setting)
{
    const char *const settings[] = {setting, NULL};
    const struct bench_relay *r = relay("nginx");
    void *state = options(r, settings);
    struct bench_hop hop = example_hop(1, 1);
    struct bench_error err = {0};
    struct bench_process p;
    char *text;

    hop.protocol = protocol;
    process_init(&p, search, NULL);
    if (r->describe(state, &hop, &p, &err) < 0)
        text = xasprintf("%s\n%s", err.message, err.hint);
    else
        text = text_take(&p.files[0].content);
    process_release(&p);
    release_options(r, state);
    return text;
}

static void nginx_shows_its_status_on_a_socket(void **state)
{
    cleanup_free char *search = fake_program(
        "status", "nginx", "configure arguments: --with-stream --with-http_stub_status_module\n");
    cleanup_free char *other = static_nginx();
    cleanup_free char *tcp = nginx_file(search, "tcp", "status=true");
    cleanup_free char *http = nginx_file(search, "http1", "status=true");
    cleanup_free char *without = nginx_file(search, "tcp", "status=false");
    cleanup_free char *lacking = nginx_file(other, "tcp", "status=true");
    cleanup_free char *expected =
        xasprintf("'%s/nginx' was built without the stub_status module\n"
                  "build nginx with --with-http_stub_status_module, or leave out 'status'",
                  other);

    (void)state;
    assert_non_null(strstr(tcp, "    scgi_temp_path temp;\n" STATUS_SERVER "}\n"));
    assert_non_null(strstr(http, "        }\n    }\n" STATUS_SERVER "}\n"));
    assert_null(strstr(without, "http {"));
    assert_string_equal(lacking, expected);
}

/* What a relay says it counted: "NAME=VALUE …", or the error. Caller frees. */
static char *counted(const char *name, const char *begin, const char *end)
{
    const struct bench_relay *r = relay(name);
    const struct bench_statistics read = {.size = sizeof(read), .begin = begin, .end = end};
    struct bench_result result = {0};
    struct bench_error err = {0};
    struct text text = {0};

    if (r->parse_statistics(NULL, &read, &result, &err) < 0)
        text_add(&text, "%s", err.message);
    for (size_t i = 0; i < result.n_totals; i++)
        text_add(&text, "%s=%g ", result.totals[i].metric, result.totals[i].value);
    result_release(&result);
    return text_take(&text);
}

static void nginx_status_less_the_questions(void **state)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nActive connections: 11 \n"
                                "server accepts handled requests\n 20 19 100 \n"
                                "Reading: 0 Writing: 1 Waiting: 10 \n";
    static const char end[] = "HTTP/1.1 200 OK\r\n\r\nActive connections: 12 \n"
                              "server accepts handled requests\n 31 29 5101 \n"
                              "Reading: 0 Writing: 4 Waiting: 8 \n";
    cleanup_free char *good = counted("nginx", begin, end), *bad = counted("nginx", begin, "502\n");
    cleanup_free char *back = counted("nginx", end, begin);

    (void)state;
    assert_string_equal(back, "the counters of nginx went back in the window, from 5101 requests "
                              "to 100: was it restarted?");
    assert_string_equal(good, "accepts=10 handled=9 requests=5000 active=11 waiting=8 ");
    assert_string_equal(bad, "nginx does not print what stub_status does");
}

static void nginx_runs_in_its_directory(void **state)
{
    const struct bench_relay *r = relay("nginx");
    cleanup_free char *search = static_nginx();
    cleanup_free char *program = xasprintf("%s/nginx", search);
    struct bench_hop hop = example_hop(1, 1);
    void *own = options(r, NULL);
    struct bench_error err;
    struct bench_process p;

    (void)state;
    process_init(&p, search, NULL);
    assert_int_equal(r->describe(own, &hop, &p, &err), 0);
    assert_int_equal(p.argv.count, 5);
    assert_string_equal(p.argv.items[0], program);
    assert_string_equal(p.argv.items[1], "-p");
    assert_string_equal(p.argv.items[2], "./");
    assert_string_equal(p.argv.items[3], "-c");
    assert_string_equal(p.argv.items[4], "nginx.conf");
    assert_int_equal(p.n_ports, 1);
    assert_int_equal(p.ports[0], 1001);
    assert_int_equal(p.stop_signal, SIGTERM);
    process_release(&p);
    release_options(r, own);
}

/* The line after the heading: where the module is loaded from. */
static void assert_loads(const char *search, const char *expected)
{
    const struct bench_relay *r = relay("nginx");
    struct bench_hop hop = example_hop(1, 1);
    cleanup_free char *line = xasprintf("by bench\n%s\n", expected);
    void *own = options(r, NULL);
    struct bench_error err = {0};
    struct bench_process p;

    process_init(&p, search, NULL);
    if (r->describe(own, &hop, &p, &err) < 0)
        fail_msg("%s", err.message);
    if (!strstr(text_get(&p.files[0].content), line))
        fail_msg("no '%s' in '%s'", expected, text_get(&p.files[0].content));
    process_release(&p);
    release_options(r, own);
}

static void nginx_loads_a_dynamic_module(void **state)
{
    cleanup_free char *modules = fake_program("modules", "ngx_stream_module.so", "ELF");
    cleanup_free char *content =
        xasprintf("configure arguments: --modules-path=%s --with-stream=dynamic\n", modules);
    cleanup_free char *search = fake_program("dynamic", "nginx", content);
    cleanup_free char *expected = xasprintf("load_module \"%s/ngx_stream_module.so\";", modules);

    (void)state;
    assert_loads(search, expected);
}

/* `configure` quotes what holds a blank, and nginx.conf has quotes of its own. */
static void nginx_loads_from_a_path_with_any_name(void **state)
{
    cleanup_free char *modules = fake_program("mo\"d $u\\l;es", "ngx_stream_module.so", "ELF");
    cleanup_free char *build =
        xasprintf("configure arguments: --modules-path='%s' --with-stream=dynamic\n", modules);
    cleanup_free char *search = fake_program("quoted", "nginx", build), *expected = NULL;
    char *last = strstr(modules, "mo\"d");

    (void)state;
    *last = '\0';
    expected = xasprintf("load_module \"%smo\\\"d $u\\\\l;es/ngx_stream_module.so\";", modules);
    assert_loads(search, expected);
}

static void nginx_has_modules_below_its_prefix(void **state)
{
    cleanup_free char *modules = fake_program("own/modules", "ngx_stream_module.so", "ELF");
    cleanup_free char *content =
        xasprintf("configure arguments: --with-stream=dynamic --prefix=%s/own\n", top);
    cleanup_free char *search = fake_program("own/sbin", "nginx", content);
    cleanup_free char *expected = xasprintf("load_module \"%s/ngx_stream_module.so\";", modules);

    (void)state;
    assert_loads(search, expected);
}

/* Not as nginx prints it, but a script around it may. */
static void nginx_with_arguments_right_after_the_colon(void **state)
{
    cleanup_free char *search =
        fake_program("glued", "nginx", "configure arguments:--with-stream\n");

    (void)state;
    assert_loads(search, "daemon off;");
}

static void assert_refused(const char *search, const char *message, const char *hint)
{
    const struct bench_relay *r = relay("nginx");
    struct bench_hop hop = example_hop(1, 1);
    void *own = options(r, NULL);
    struct bench_error err = {0};
    struct bench_process p;

    process_init(&p, search, NULL);
    assert_int_equal(r->describe(own, &hop, &p, &err), -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    process_release(&p);
    release_options(r, own);
}

static void nginx_without_its_module(void **state)
{
    cleanup_free char *search =
        fake_program("incomplete", "nginx",
                     "configure arguments: --modules-path=/nowhere --with-stream=dynamic\n");
    cleanup_free char *message = xasprintf("the stream module of '%s/nginx' is missing: no "
                                           "'/nowhere/ngx_stream_module.so'",
                                           search);

    (void)state;
    assert_refused(search, message,
                   "apt install libnginx-mod-stream, or dnf install nginx-mod-stream");
}

static void nginx_without_stream(void **state)
{
    cleanup_free char *search =
        fake_program("http-only", "nginx", "configure arguments: --with-stream_ssl_module\n");
    cleanup_free char *message =
        xasprintf("'%s/nginx' was built without the stream module", search);

    (void)state;
    assert_refused(search, message,
                   "build nginx with --with-stream, or give the arm another 'path'");
}

static void nginx_that_is_missing(void **state)
{
    cleanup_free char *message = xasprintf("program 'nginx' not found in '%s'", top);

    (void)state;
    assert_refused(top, message,
                   "'path' of an arm is the program itself, or a directory that holds it or has "
                   "it in sbin or bin");
}

/* skrouterd */

#define ROUTER(hop, count, threads)                  \
    "# hop " hop " of " count ", written by bench\n" \
    "router {\n"                                     \
    "    mode: interior\n"                           \
    "    id: hop-" hop "\n"                          \
    "    workerThreads: " threads "\n"               \
    "}\n"                                            \
    "log {\n"                                        \
    "    module: DEFAULT\n"                          \
    "    enable: warning+\n"                         \
    "}\n"
#define ENTITY(name, port, attributes) \
    name " {\n    host: 127.0.0.1\n    port: " port "\n" attributes "}\n"

static void skrouterd_chains(void **state)
{
    cleanup_free char *search = fake_program("router", "skrouterd", "#!/bin/sh\n");
    struct bench_hop alone = example_hop(1, 1), first = example_hop(1, 3);
    struct bench_hop middle = example_hop(2, 3), last = example_hop(3, 3);

    (void)state;
    assert_described("skrouterd", search, NULL, &alone, "skrouterd.conf",
                     ROUTER("1", "1", "4")                                 /**/
                     ENTITY("tcpListener", "1001", "    address: bench\n") /**/
                     ENTITY("tcpConnector", "9000", "    address: bench\n"));
    assert_described("skrouterd", search, NULL, &first, "skrouterd.conf",
                     ROUTER("1", "3", "4")                                 /**/
                     ENTITY("tcpListener", "1001", "    address: bench\n") /**/
                     ENTITY("connector", "2002", "    role: inter-router\n"));
    assert_described("skrouterd", search, NULL, &middle, "skrouterd.conf",
                     ROUTER("2", "3", "4")                                  /**/
                     ENTITY("listener", "2002", "    role: inter-router\n") /**/
                     ENTITY("connector", "3002", "    role: inter-router\n"));
    assert_described("skrouterd", search, NULL, &last, "skrouterd.conf",
                     ROUTER("3", "3", "4")                                  /**/
                     ENTITY("listener", "3002", "    role: inter-router\n") /**/
                     ENTITY("tcpConnector", "9000", "    address: bench\n"));
}

static void skrouterd_with_every_option(void **state)
{
    static const char *const settings[] = {"worker_threads=2", "management=yes", NULL};
    cleanup_free char *search = fake_program("router", "skrouterd", "#!/bin/sh\n");
    struct bench_hop alone = example_hop(1, 1);

    (void)state;
    assert_described("skrouterd", search, settings, &alone, "skrouterd.conf",
                     ROUTER("1", "1", "2")                                  /**/
                     ENTITY("tcpListener", "1001", "    address: bench\n")  /**/
                     ENTITY("tcpConnector", "9000", "    address: bench\n") /**/
                     ENTITY("listener", "1003",
                            "    role: normal\n    authenticatePeer: no\n"
                            "    saslMechanisms: ANONYMOUS\n"));
}

static void skrouterd_asks_skstat(void **state)
{
    static const char *const managed[] = {"management=yes", NULL};
    const struct bench_relay *r = relay("skrouterd");
    cleanup_free char *search = fake_program("router", "skstat", "#!/bin/sh\n");
    cleanup_free char *program = xasprintf("%s/skstat", search);
    struct bench_hop hop = example_hop(1, 1);

    (void)state;
    for (int with = 0; with < 2; with++) {
        void *options_of = options(r, with ? managed : NULL);
        struct bench_error err = {0};
        struct bench_process p;

        process_init(&p, search, NULL);
        assert_int_equal(r->statistics(options_of, &hop, &p, &err), 0);
        assert_int_equal(p.argv.count, with ? 3 : 0);
        if (with) {
            assert_string_equal(p.argv.items[0], program);
            assert_string_equal(p.argv.items[1], "--bus=127.0.0.1:1003");
            assert_string_equal(p.argv.items[2], "--general");
        }
        process_release(&p);
        release_options(r, options_of);
    }
}

static void skrouterd_without_skstat_has_no_statistics(void **state)
{
    static const char *const managed[] = {"management=yes", NULL};
    const struct bench_relay *r = relay("skrouterd");
    cleanup_free char *search = fake_program("alone", "skrouterd", "#!/bin/sh\n");
    void *options_of = options(r, managed);
    struct bench_hop hop = example_hop(1, 1);
    struct bench_error err = {0};
    struct bench_process p;

    (void)state;
    process_init(&p, search, NULL);
    assert_int_equal(r->statistics(options_of, &hop, &p, &err), 0);
    assert_int_equal(p.argv.count, 0);
    process_release(&p);
    release_options(r, options_of);
}

static void skstat_tables_are_compared(void **state)
{
    static const char begin[] = "2026-11-20 11:00:00.500000+00:00 UTC\nhop-1\n\nRouter Statistics\n"
                                "  attr                             value\n"
                                "  ========================================\n"
                                "  Version                          3.1.0\n"
                                "  Accepted Count                   5\n"
                                "  Deliveries Delayed > 1sec        0\n"
                                "  Ingress Count                    7\n"
                                "  Egress Count                     many\n";
    static const char end[] = "2026-11-20 11:00:02.250000+00:00 UTC\nhop-1\n\nRouter Statistics\n"
                              "  Accepted Count                   105\n"
                              "  Deliveries Delayed > 1sec        2\n"
                              "  Ingress Count                    8 \n"
                              "  Egress Count                     9\n"
                              "  Transit Count                    9\n";
    cleanup_free char *good = counted("skrouterd", begin, end);
    cleanup_free char *undated = counted("skrouterd", begin, strstr(end, "Router"));
    cleanup_free char *bad = counted("skrouterd", begin, "ConnectionException: refused\n");

    (void)state;
    assert_string_equal(good, "accepted=100 delayed_1s=2 ingress=1 seconds=1.75 ");
    assert_string_equal(undated, "accepted=100 delayed_1s=2 ingress=1 ");
    assert_string_equal(bad, "skstat does not print 'Router Statistics'");
}

/* Chains that run. */

enum { MAX_HOPS = 3, PORTS_PER_HOP = 3 };

struct chain {
    uint32_t hops;
    uint16_t ports[MAX_HOPS][PORTS_PER_HOP];
    int held[MAX_HOPS][PORTS_PER_HOP]; /* sockets that keep the ports for us */
    struct bench_process processes[MAX_HOPS];
    char *directories[MAX_HOPS];
    pid_t pids[MAX_HOPS];
    int server; /* listening */
    uint16_t server_port;
};

/* A bound socket, which the kernel then gives to nobody who asks for any port. */
static int hold_port(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &length), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static bool listening(uint16_t port)
{
    cleanup_free char *table = file_peek("/proc/net/tcp");
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "0100007F:%04X 00000000:0000 0A", port);
    return table && strstr(table, wanted);
}

static void start(struct chain *c, uint32_t i)
{
    struct bench_process *p = &c->processes[i];
    struct bench_error err = {0};
    pid_t pid;

    c->directories[i] = xasprintf("%s/chain-%u-%u", top, c->server_port, i + 1);
    assert_int_equal(directory_make(AT_FDCWD, c->directories[i], NULL), 0);
    for (size_t f = 0; f < p->n_files; f++) {
        cleanup_free char *path = xasprintf("%s/%s", c->directories[i], p->files[f].name);

        assert_int_equal(file_write(AT_FDCWD, path, text_get(&p->files[f].content),
                                    p->files[f].content.length, &err),
                         0);
    }
    pid = fork();
    if (pid == 0) {
        int fd;

        if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
            chdir(c->directories[i]) < 0)
            _exit(127);
        fd = open("stderr", O_WRONLY | O_CREAT, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(p->program, p->argv.items);
        _exit(127);
    }
    assert_true(pid > 0);
    c->pids[i] = pid;
}

/* Ready means what the runner means by it: every port of the description listens. */
static void wait_ready(struct chain *c, uint32_t i)
{
    int64_t deadline = clock_now() + 20 * NS_PER_S;

    for (size_t port = 0; port < c->processes[i].n_ports;) {
        cleanup_free char *path = xasprintf("%s/stderr", c->directories[i]);
        cleanup_free char *said = NULL;

        if (listening(c->processes[i].ports[port])) {
            port++;
            continue;
        }
        if (waitpid(c->pids[i], NULL, WNOHANG) == 0 && clock_now() < deadline) {
            usleep(2000);
            continue;
        }
        said = file_peek(path);
        fail_msg("hop %u does not listen; it said: %s", i + 1, said ? said : "nothing");
    }
}

static void chain_start(struct chain *c, const struct bench_relay *r, void *own, uint32_t hops)
{
    struct bench_error err = {0};

    *c = (struct chain){.hops = hops};
    c->server = hold_port(&c->server_port);
    assert_int_equal(listen(c->server, 16), 0);
    for (uint32_t i = 0; i < hops; i++)
        for (size_t j = 0; j < PORTS_PER_HOP; j++)
            c->held[i][j] = hold_port(&c->ports[i][j]);
    for (uint32_t i = hops; i-- > 0;) {
        cleanup_free char *directory = xasprintf("%s/chain-%u-%u", top, c->server_port, i + 1);
        struct bench_hop hop = {
            .size = sizeof(hop),
            .index = i + 1,
            .count = hops,
            .listen = {.host = "127.0.0.1", .port = c->ports[i][0]},
            .upstream = {.host = "127.0.0.1",
                         .port = i + 1 < hops ? c->ports[i + 1][0] : c->server_port},
            .protocol = "tcp",
            .ports = &c->ports[i][1],
            .next_ports = i + 1 < hops ? &c->ports[i + 1][1] : NULL,
            .directory = directory,
            .connections = 4,
        };

        process_init(&c->processes[i], NULL, NULL);
        if (r->describe(own, &hop, &c->processes[i], &err) < 0 ||
            process_resolve(&c->processes[i], &err) < 0)
            fail_msg("%s", err.message);
        start(c, i);
        wait_ready(c, i);
    }
}

/* The signal ends it in time. How it ends is the relay's own affair: skrouterd has been seen to
 * abort while it frees what it had (double free in its shutdown, after connections were closed). */
static void stop(struct chain *c, uint32_t i)
{
    int64_t deadline = clock_now() + 10 * NS_PER_S;
    pid_t ended;

    kill(c->pids[i], c->processes[i].stop_signal);
    while ((ended = waitpid(c->pids[i], NULL, WNOHANG)) == 0 && clock_now() < deadline)
        usleep(2000);
    kill(-c->pids[i], SIGKILL);
    if (ended == 0)
        waitpid(c->pids[i], NULL, 0);
    assert_int_equal(ended, c->pids[i]);
}

static void chain_stop(struct chain *c)
{
    for (uint32_t i = 0; i < c->hops; i++) {
        stop(c, i);
        process_release(&c->processes[i]);
        free(c->directories[i]);
        for (size_t j = 0; j < PORTS_PER_HOP; j++)
            close(c->held[i][j]);
    }
    close(c->server);
}

static void send_all(int fd, const char *data, size_t length)
{
    while (length) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);

        assert_true(n > 0);
        data += n;
        length -= (size_t)n;
    }
}

static void expect(int fd, const char *data, size_t length)
{
    cleanup_free char *got = xcalloc(length, 1);
    size_t have = 0;

    while (have < length) {
        ssize_t n = recv(fd, got + have, length - have, 0);

        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, data, length);
}

/* Small enough for the sockets' buffers, so that one thread can hold both ends. */
static void pass_bytes(struct chain *c)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr = {htonl(INADDR_LOOPBACK)},
                            .sin_port = htons(c->ports[0][0])};
    struct timeval limit = {.tv_sec = 10};
    char there[32768], back[20000];
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;

    for (size_t i = 0; i < sizeof(there); i++)
        there[i] = (char)(i * 7 + i / 256);
    for (size_t i = 0; i < sizeof(back); i++)
        back[i] = (char)(i * 13 + 5);
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(c->server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
    send_all(client, there, sizeof(there));
    server = accept(c->server, NULL, NULL);
    assert_true(server >= 0);
    setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    expect(server, there, sizeof(there));
    send_all(server, back, sizeof(back));
    expect(client, back, sizeof(back));
    close(client);
    close(server);
}

static void skip_without(const char *program, const char *reason)
{
    cleanup_free char *found = program_find(program, NULL, NULL);

    if (!found) {
        print_message("# SKIP %s\n", reason);
        skip();
    }
}

static void run_chain(const char *name, const char *const *settings, uint32_t hops)
{
    const struct bench_relay *r = relay(name);
    void *own = options(r, settings);
    struct chain c;

    chain_start(&c, r, own, hops);
    pass_bytes(&c);
    chain_stop(&c);
    release_options(r, own);
}

static void nginx_carries_bytes_over_two_hops(void **state)
{
    (void)state;
    skip_without("nginx", "no nginx on PATH");
    run_chain("nginx", NULL, 2);
}

static void nginx_carries_bytes_with_every_option(void **state)
{
    static const char *const settings[] = {"workers=2", "proxy_buffer_size=1K", "reuseport=on",
                                           NULL};

    (void)state;
    skip_without("nginx", "no nginx on PATH");
    run_chain("nginx", settings, 1);
}

static void skrouterd_carries_bytes_over_three_hops(void **state)
{
    (void)state;
    skip_without("skrouterd", "no skrouterd on PATH");
    run_chain("skrouterd", NULL, 3);
}

static void skrouterd_carries_bytes_with_every_option(void **state)
{
    static const char *const settings[] = {"worker_threads=1", "management=true", NULL};

    (void)state;
    skip_without("skrouterd", "no skrouterd on PATH");
    run_chain("skrouterd", settings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_has_no_process),
        cmocka_unit_test(nginx_first_of_two_hops),
        cmocka_unit_test(nginx_with_every_option),
        cmocka_unit_test(nginx_as_http_proxy),
        cmocka_unit_test(nginx_shows_its_status_on_a_socket),
        cmocka_unit_test(nginx_status_less_the_questions),
        cmocka_unit_test(nginx_runs_in_its_directory),
        cmocka_unit_test(nginx_loads_a_dynamic_module),
        cmocka_unit_test(nginx_with_arguments_right_after_the_colon),
        cmocka_unit_test(nginx_has_modules_below_its_prefix),
        cmocka_unit_test(nginx_loads_from_a_path_with_any_name),
        cmocka_unit_test(nginx_without_its_module),
        cmocka_unit_test(nginx_without_stream),
        cmocka_unit_test(nginx_that_is_missing),
        cmocka_unit_test(skrouterd_chains),
        cmocka_unit_test(skrouterd_with_every_option),
        cmocka_unit_test(skrouterd_asks_skstat),
        cmocka_unit_test(skrouterd_without_skstat_has_no_statistics),
        cmocka_unit_test(skstat_tables_are_compared),
        cmocka_unit_test(nginx_carries_bytes_over_two_hops),
        cmocka_unit_test(nginx_carries_bytes_with_every_option),
        cmocka_unit_test(skrouterd_carries_bytes_over_three_hops),
        cmocka_unit_test(skrouterd_carries_bytes_with_every_option),
    };

    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
