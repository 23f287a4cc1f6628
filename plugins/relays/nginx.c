/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx as a relay, one per hop with a configuration of its own: TCP by its stream module, HTTP/1.1
 * by its proxy module, HTTP/2 by its gRPC module, the only one that speaks HTTP/2 to the next hop
 * too. Every path in it lies in the process's directory or is the error log on stderr, so nothing
 * of the system's nginx is read or written.
 *
 * Run by root, the workers become the user that nginx was built for ("nobody"), as in production:
 * a relay writes no files (a response that does not fit its buffers waits), so that user needs
 * access to none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bench/relay.h>
#include <bench/workload.h>

#include "shared/plugin.h"

struct state {
    int64_t workers;
    int64_t proxy_buffer_size;
    int reuseport; /* bool */
    int status;    /* bool */
};

static const struct bench_option options[] = {
    {.name = "workers",
     .type = BENCH_OPTION_INTEGER,
     .offset = BENCH_OFFSET(struct state, workers),
     .unit = "processes",
     .minimum = 1,
     .maximum = 1024,
     .fallback = "1",
     .help = "worker_processes of each nginx"},
    {.name = "proxy_buffer_size",
     .type = BENCH_OPTION_SIZE,
     .offset = BENCH_OFFSET(struct state, proxy_buffer_size),
     .unit = "bytes",
     .minimum = 1024,
     .maximum = 64 << 20,
     .fallback = "16K",
     .help = "buffer for each direction of a connection; 16K is nginx's own default for tcp. With "
             "http1 of each of 8 buffers of a response, with http2 of its one"},
    {.name = "reuseport",
     .type = BENCH_OPTION_BOOL,
     .offset = BENCH_OFFSET(struct state, reuseport),
     .fallback = "false",
     .help = "a listening socket per worker, so that the kernel spreads connections over them"},
    {.name = "status",
     .type = BENCH_OPTION_BOOL,
     .offset = BENCH_OFFSET(struct state, status),
     .fallback = "false",
     .help = "also keep what nginx counts itself (stub_status), read before and after the window"},
    {0},
};

/*
 * Where the stream module is. An nginx has it built in, or as a library that has to be loaded by
 * its path. Which one it is stands in the arguments of `configure`, which the program carries to
 * print them with -V; reading them saves starting it.
 */

struct build {
    char arguments[8192]; /* of configure, with a space before and after; empty when not found */
};

static void read_build(const char *program, struct build *ret)
{
    static const char mark[] = "configure arguments:";
    int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *image = MAP_FAILED, *at = NULL;
    struct stat st = {0};

    ret->arguments[0] = '\0';
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (image == MAP_FAILED)
        return;
    at = memmem(image, (size_t)st.st_size, mark, sizeof(mark) - 1);
    if (at) {
        size_t rest = (size_t)(image + st.st_size - (at + sizeof(mark) - 1));
        size_t length = strnlen(at + sizeof(mark) - 1, rest);

        snprintf(ret->arguments, sizeof(ret->arguments), " %.*s ", (int)length,
                 at + sizeof(mark) - 1);
        ret->arguments[strcspn(ret->arguments, "\n")] = ' ';
    }
    munmap((void *)image, (size_t)st.st_size);
}

static bool built_with(const struct build *b, const char *argument)
{
    const size_t length = strlen(argument);
    const char *at = b->arguments;

    while ((at = strstr(at, argument))) {
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
        at += length;
    }
    return false;
}

/* The value of "--name=value", or `fallback`; "--name" begins no other argument. */
static void build_value(const struct build *b, const char *name, const char *fallback, char *out,
                        size_t size)
{
    const char *at = strstr(b->arguments, name);

    if (at) {
        /* `configure` quotes a value that holds blanks. */
        const char *end = at[strlen(name)] == '\'' ? "'" : " ";

        at += strlen(name) + (*end == '\'');
        snprintf(out, size, "%.*s", (int)strcspn(at, end), at);
    } else {
        snprintf(out, size, "%s", fallback);
    }
}

static bool module_in(const char *directory, char *out, size_t size)
{
    snprintf(out, size, "%s/ngx_stream_module.so", directory);
    return access(out, R_OK) == 0;
}

/* Where Debian and Fedora put modules, for a program that does not say (a wrapper script). */
static bool packaged_module(char *out, size_t size)
{
    static const char *const usual[] = {"/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"};

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (module_in(usual[i], out, size))
            return true;
    return false;
}

/* Sets `out` to the module's path, or to "" when none has to be loaded. */
static int find_module(const char *program, char *out, size_t size, struct bench_error *err)
{
    char prefix[1024], modules[2048], fallback[2048];
    struct build build;

    read_build(program, &build);
    if (!build.arguments[0]) {
        if (!packaged_module(out, size))
            out[0] = '\0';
        return 0;
    }
    if (built_with(&build, "--with-stream")) {
        out[0] = '\0';
        return 0;
    }
    if (!built_with(&build, "--with-stream=dynamic")) {
        host->fail(err, BENCH_ERROR_ENVIRONMENT, "'%s' was built without the stream module",
                   program);
        host->hint(err, "build nginx with --with-stream, or give the arm another 'path'");
        return -1;
    }
    build_value(&build, "--prefix=", "/usr/local/nginx", prefix, sizeof(prefix));
    snprintf(fallback, sizeof(fallback), "%s/modules", prefix);
    build_value(&build, "--modules-path=", fallback, modules, sizeof(modules));
    if (module_in(modules, out, size))
        return 0;
    host->fail(err, BENCH_ERROR_ENVIRONMENT, "the stream module of '%s' is missing: no '%s'",
               program, out);
    host->hint(err, "apt install libnginx-mod-stream, or dnf install nginx-mod-stream");
    return -1;
}

/* Appends a word to a file of nginx, quoted as nginx reads it. */
static void write_quoted(struct bench_process *p, const char *name, const char *word)
{
    host->file(p, name, "\"");
    for (; *word; word++)
        host->file(p, name, strchr("\"\\", *word) ? "\\%c" : "%c", *word);
    host->file(p, name, "\"");
}

/* "127.0.0.1:80" or "[::1]:80". */
static const char *format_address(const struct bench_address *a, char *out, size_t size)
{
    snprintf(out, size, strchr(a->host, ':') ? "[%s]:%u" : "%s:%u", a->host, a->port);
    return out;
}

/*
 * What nginx counts itself, on a socket in its own directory: no port, and no segments in the
 * network that is measured.
 */

#define STATUS_SOCKET "status.sock"
#define STATUS_DIRECTORY "BENCH_NGINX_DIRECTORY" /* where the reader finds it */

static int check_status(const char *program, struct bench_error *err)
{
    struct build build;

    read_build(program, &build);
    if (!build.arguments[0] || built_with(&build, "--with-http_stub_status_module"))
        return 0;
    host->fail(err, BENCH_ERROR_ENVIRONMENT, "'%s' was built without the stub_status module",
               program);
    host->hint(err, "build nginx with --with-http_stub_status_module, or leave out 'status'");
    return -1;
}

static void write_status(struct bench_process *p)
{
    host->file(p, "nginx.conf",
               "    server {\n"
               "        listen unix:" STATUS_SOCKET ";\n"
               "        location / {\n"
               "            stub_status;\n"
               "        }\n"
               "    }\n");
}

/* The length of what was answered, or -1 with errno. */
static ssize_t ask_status(char *answer, size_t size)
{
    static const char question[] = "GET / HTTP/1.0\r\n\r\n";
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = STATUS_SOCKET};
    const char *directory = getenv(STATUS_DIRECTORY);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n = 0, length = 0;

    if (!directory || chdir(directory) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        write(fd, question, strlen(question)) < 0)
        return -1;
    while ((size_t)length < size && (n = read(fd, answer + length, size - (size_t)length)) > 0)
        length += n;
    return n < 0 ? -1 : length;
}

static int print_status(const struct bench_child *child)
{
    char answer[4096];
    ssize_t length = ask_status(answer, sizeof(answer));

    if (length < 0)
        snprintf(child->page->message, sizeof(child->page->message), "'%s': %s", STATUS_SOCKET,
                 strerror(errno));
    return length < 0 || write(STDOUT_FILENO, answer, (size_t)length) != length;
}

static int statistics(void *self, const struct bench_hop *hop, struct bench_process *reader,
                      struct bench_error *err)
{
    const struct state *state = self;

    (void)err;
    if (!state->status)
        return 0;
    host->environment(reader, STATUS_DIRECTORY, "%s", hop->directory);
    host->main(reader, print_status);
    return 0;
}

struct status {
    double active, accepts, handled, requests, waiting;
};

static int read_status(const char *text, struct status *ret, struct bench_error *err)
{
    const char *at = strstr(text, "Active connections:");

    if (at &&
        sscanf(at,
               "Active connections: %lf server accepts handled requests %lf %lf %lf "
               "Reading: %*f Writing: %*f Waiting: %lf",
               &ret->active, &ret->accepts, &ret->handled, &ret->requests, &ret->waiting) == 5)
        return 0;
    return host->fail(err, BENCH_ERROR_RUN, "nginx does not print what stub_status does");
}

/* Both questions were a connection and a request each; the second one is in both differences. */
static int parse_statistics(void *state, const struct bench_statistics *read,
                            struct bench_result *result, struct bench_error *err)
{
    struct status begin, end;

    (void)state;
    if (read_status(read->begin, &begin, err) < 0 || read_status(read->end, &end, err) < 0)
        return -1;
    /* Each was asked by a request: less than one more is another nginx, or one that began anew. */
    if (end.accepts < begin.accepts + 1 || end.handled < begin.handled + 1 ||
        end.requests < begin.requests + 1)
        return host->fail(err, BENCH_ERROR_RUN,
                          "the counters of nginx went back in the window, from %g requests to %g: "
                          "was it restarted?",
                          begin.requests, end.requests);
    host->result_total(result, "accepts", end.accepts - begin.accepts - 1);
    host->result_total(result, "handled", end.handled - begin.handled - 1);
    host->result_total(result, "requests", end.requests - begin.requests - 1);
    host->result_total(result, "active", end.active - 1);
    host->result_total(result, "waiting", end.waiting);
    return 0;
}

/* Connections may all land on one worker, each takes two, and closed ones linger for a moment. */
static int64_t worker_connections(const struct bench_hop *hop)
{
    return 4 * hop->connections + 512;
}

static void write_listen(const struct state *state, const struct bench_hop *hop,
                         struct bench_process *p)
{
    char listen[80];

    host->file(p, "nginx.conf", "        listen %s",
               format_address(&hop->listen, listen, sizeof(listen)));
    if (state->reuseport)
        host->file(p, "nginx.conf", " reuseport");
    /* nginx asks for 511, and a connection that finds the queue full waits for a second. */
    if (hop->connections > 511)
        host->file(p, "nginx.conf", " backlog=%lld", (long long)hop->connections);
}

/* Where bodies would go that do not fit into memory; needed whether they ever come or not. */
static void write_temporary(struct bench_process *p)
{
    host->file(p, "nginx.conf",
               "    access_log off;\n"
               "    client_body_temp_path temp;\n"
               "    proxy_temp_path temp;\n"
               "    fastcgi_temp_path temp;\n"
               "    uwsgi_temp_path temp;\n"
               "    scgi_temp_path temp;\n");
    host->directory(p, "temp");
}

static void write_stream(const struct state *state, const struct bench_hop *hop,
                         struct bench_process *p)
{
    char upstream[80];

    host->file(p, "nginx.conf",
               "stream {\n"
               "    proxy_buffer_size %lld;\n"
               "    server {\n",
               (long long)state->proxy_buffer_size);
    write_listen(state, hop, p);
    host->file(p, "nginx.conf", ";\n        proxy_pass %s;\n    }\n}\n",
               format_address(&hop->upstream, upstream, sizeof(upstream)));
    if (!state->status)
        return;
    host->file(p, "nginx.conf", "http {\n");
    write_temporary(p);
    write_status(p);
    host->file(p, "nginx.conf", "}\n");
}

/* Connections stay open on both sides, so that a request never has to wait for a handshake: nginx
 * would else close them after a thousand requests, and to the upstream after each. Of HTTP/2 every
 * request in flight takes a connection to the upstream. */
static void write_http(const struct state *state, const struct bench_hop *hop, bool http2,
                       struct bench_process *p)
{
    const long long buffer = (long long)state->proxy_buffer_size;
    char upstream[80];

    host->file(p, "nginx.conf", "http {\n");
    write_temporary(p);
    host->file(p, "nginx.conf",
               "    keepalive_requests 1000000000;\n"
               "    keepalive_timeout 1h;\n"
               "    proxy_max_temp_file_size 0;\n"
               "    proxy_buffer_size %lld;\n"
               "    proxy_buffers 8 %lld;\n"
               "    grpc_buffer_size %lld;\n"
               "    upstream next {\n"
               "        server %s;\n"
               "        keepalive %lld;\n"
               "        keepalive_requests 1000000000;\n"
               "        keepalive_timeout 1h;\n"
               "    }\n"
               "    server {\n",
               buffer, buffer, buffer, format_address(&hop->upstream, upstream, sizeof(upstream)),
               (long long)worker_connections(hop));
    write_listen(state, hop, p);
    if (http2)
        host->file(p, "nginx.conf",
                   " http2;\n"
                   "        http2_max_concurrent_streams 100000;\n"
                   "        location / {\n"
                   "            grpc_pass grpc://next;\n");
    else
        host->file(p, "nginx.conf",
                   ";\n"
                   "        location / {\n"
                   "            proxy_pass http://next;\n"
                   "            proxy_http_version 1.1;\n"
                   "            proxy_set_header Connection \"\";\n");
    host->file(p, "nginx.conf", "        }\n    }\n");
    if (state->status)
        write_status(p);
    host->file(p, "nginx.conf", "}\n");
}

static int describe(void *self, const struct bench_hop *hop, struct bench_process *p,
                    struct bench_error *err)
{
    const struct state *state = self;
    const int64_t connections = worker_connections(hop);
    const char *program = host->find_program(p, "nginx", err);
    const bool tcp = strcmp(hop->protocol, "tcp") == 0;
    char module[4096] = "";

    if (!program || (tcp && find_module(program, module, sizeof(module), err) < 0) ||
        (state->status && check_status(program, err) < 0))
        return -1;
    host->argument(p, "%s", program);
    /* Its working directory, by a name that holds nothing which nginx would take for a variable. */
    host->argument(p, "-p");
    host->argument(p, "./");
    host->argument(p, "-c");
    host->argument(p, "nginx.conf");

    host->file(p, "nginx.conf", "# hop %u of %u, written by bench\n", hop->index, hop->count);
    if (module[0]) {
        host->file(p, "nginx.conf", "load_module ");
        write_quoted(p, "nginx.conf", module);
        host->file(p, "nginx.conf", ";\n");
    }
    host->file(p, "nginx.conf",
               "daemon off;\n"
               "master_process on;\n"
               "worker_processes %lld;\n",
               (long long)state->workers);
    /* Above the usual limit on descriptors nginx raises its own; where it may not, it says so and
     * goes on with what it has. */
    if (connections > 1000)
        host->file(p, "nginx.conf", "worker_rlimit_nofile %lld;\n", (long long)connections + 64);
    host->file(p, "nginx.conf",
               "error_log stderr notice;\n"
               "pid nginx.pid;\n"
               "lock_file nginx.lock;\n"
               "events {\n"
               "    worker_connections %lld;\n"
               "}\n",
               (long long)connections);
    if (tcp)
        write_stream(state, hop, p);
    else
        write_http(state, hop, strcmp(hop->protocol, "http2") == 0, p);
    host->listens(p, hop->listen.port);
    return 0;
}

static const char *const protocols[] = {"tcp", "http1", "http2", NULL};

static const char *const version[] = {"-v", NULL};
static const struct bench_program programs[] = {
    {.name = "nginx",
     .version = version,
     .apt = "nginx libnginx-mod-stream",
     .dnf = "nginx-core nginx-mod-stream"},
    {0},
};

static const struct bench_relay nginx = {
    .plugin = {PLUGIN(nginx, BENCH_RELAY), .name = "nginx",
               .description = "nginx, one per hop: TCP by its stream module, HTTP/1.1, HTTP/2",
               .options = options, .state_size = sizeof(struct state), .programs = programs},
    .protocols = protocols,
    .max_hops = 64,
    .describe = describe,
    .statistics = statistics,
    .parse_statistics = parse_statistics,
};

PLUGIN_EXPORT(nginx)
