/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrk over HTTP/1.1, against nginx as the origin server.
 *
 * wrk counts from its start to its end and cannot leave a warm-up out, so one that is asked for is
 * refused. Its totals and the moment of its end come from a Lua function that it calls when it is
 * done. Its latencies are not taken: it adds samples that it never measured to "correct" them.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/json_file.h"
#include "shared/origin.h"
#include "shared/wrapper.h"

#define NS_IN_S 1000000000LL
#define NS_IN_US 1000LL
#define RESULT "result.json"

struct state {
    int64_t requests_size, threads, server_threads;
};

#define FIELD(field) BENCH_OFFSET(struct state, field)

static const struct bench_option options[] = {
    {.name = "requests_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(requests_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = ORIGIN_MAX_SIZE,
     .fallback = "1K",
     .help = "body of each response"},
    {.name = "threads",
     .type = BENCH_OPTION_INTEGER,
     .offset = FIELD(threads),
     .unit = "threads",
     .minimum = 1,
     .maximum = 1024,
     .fallback = "1",
     .help = "threads of wrk; no more than 'jobs', its connections"},
    {.name = "server_threads",
     .type = BENCH_OPTION_INTEGER,
     .offset = FIELD(server_threads),
     .unit = "processes",
     .minimum = 1,
     .maximum = 1024,
     .fallback = "1",
     .help = "workers of nginx"},
    {0},
};

/* The processes */

static int server(void *self, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct state *state = self;

    (void)err;
    origin_describe(p, role, state->server_threads, state->requests_size);
    return 0;
}

static int check(const struct state *state, const struct bench_role *role, struct bench_error *err)
{
    if (role->warmup_ns > 0) {
        host->fail(err, BENCH_ERROR_USAGE, "warmup: wrk counts from its start and has none");
        host->hint(err, "set 'warmup: 0s', or use workload 'h2load-h1'");
        return -1;
    }
    if (role->duration_ns % NS_IN_S) {
        host->fail(err, BENCH_ERROR_USAGE, "duration: wrk takes whole seconds only");
        return -1;
    }
    if (role->rate > 0) {
        host->fail(err, BENCH_ERROR_USAGE, "rate: wrk only sends as fast as it can");
        host->hint(err, "workloads 'builtin' and 'h2load-h1' can send at a rate");
        return -1;
    }
    return wrapper_check_threads("wrk", state->threads, role->jobs, "connection", err);
}

static int client(void *self, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct state *state = self;

    if (check(state, role, err) < 0)
        return -1;
    host->argument(p, "wrk");
    host->argument(p, "--threads");
    host->argument(p, "%lld", (long long)state->threads);
    host->argument(p, "--connections");
    host->argument(p, "%lld", (long long)role->jobs);
    host->argument(p, "--duration");
    host->argument(p, "%llds", (long long)(role->duration_ns / NS_IN_S));
    host->argument(p, "--script");
    host->argument(p, "report.lua");
    origin_url(p, &role->connect);
    host->file(p, "report.lua",
               "-- written by bench: wrk's totals, and when it was done\n"
               "local ffi = require('ffi')\n"
               "ffi.cdef('struct bench_time { long s; long ns; };'\n"
               "    .. 'int clock_gettime(int clock, struct bench_time *now);')\n"
               "function done(summary, latency, requests)\n"
               "    local now = ffi.new('struct bench_time')\n"
               "    ffi.C.clock_gettime(0, now)\n"
               "    local e = summary.errors\n"
               "    local f = io.open('" RESULT "', 'w')\n"
               "    f:write(string.format('{\"end_us\": %%.0f, \"duration_us\": %%.0f, '\n"
               "        .. '\"requests\": %%.0f, \"connect\": %%.0f, \"read\": %%.0f, '\n"
               "        .. '\"write\": %%.0f, \"status\": %%.0f, \"timeout\": %%.0f}\\n',\n"
               "        tonumber(now.s) * 1e6 + tonumber(now.ns) / 1e3, summary.duration,\n"
               "        summary.requests, e.connect, e.read, e.write, e.status, e.timeout))\n"
               "    f:close()\n"
               "end\n");
    return 0;
}

/* The results */

struct counts {
    int64_t end_us, duration_us, requests;
    int64_t connect, read, write, status, timeout; /* errors */
};

static bool read_counts(const json_t *root, struct counts *c)
{
    const struct {
        const char *name;
        int64_t *at;
    } fields[] = {{"end_us", &c->end_us},     {"duration_us", &c->duration_us},
                  {"requests", &c->requests}, {"connect", &c->connect},
                  {"read", &c->read},         {"write", &c->write},
                  {"status", &c->status},     {"timeout", &c->timeout}};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const json_t *value = json_object_get(root, fields[i].name);

        if (!json_is_integer(value))
            return false;
        *fields[i].at = json_integer_value(value);
        if (*fields[i].at < 0 || *fields[i].at > WRAPPER_LATEST_US)
            return false;
    }
    return true;
}

static int report(const struct state *state, const struct counts *c,
                  const struct bench_leftovers *left, struct bench_result *result,
                  struct bench_error *err)
{
    const int64_t failed = c->connect + c->read + c->write + c->status + c->timeout;
    const int64_t good = c->requests - c->status;

    if (c->requests == 0)
        return host->fail(err, BENCH_ERROR_RUN, "wrk completed no request");
    if (c->duration_us == 0 || c->duration_us > c->end_us)
        return host->fail(err, BENCH_ERROR_RUN, "wrk's duration of %lld µs makes no sense",
                          (long long)c->duration_us);
    if ((double)failed > WRAPPER_MAX_FAILED * (double)c->requests || good <= 0)
        return host->fail(err, BENCH_ERROR_RUN,
                          "of %lld requests too many failed: connect %lld, read %lld, write %lld, "
                          "status %lld, timeout %lld",
                          (long long)c->requests, (long long)c->connect, (long long)c->read,
                          (long long)c->write, (long long)c->status, (long long)c->timeout);
    if (wrapper_check_lasted("wrk", c->duration_us * NS_IN_US, left, err) < 0)
        return -1;
    host->result_window(result, (c->end_us - c->duration_us) * NS_IN_US, c->end_us * NS_IN_US);
    host->result_total(result, "operations", (double)good);
    host->result_total(result, "errors_client", (double)failed);
    host->result_total(result, "bytes", (double)good * (double)state->requests_size);
    return 0;
}

/* As parse(), with the result from `path`. */
static int parse_result(const struct state *state, const char *path,
                        const struct bench_leftovers *left, struct bench_result *result,
                        struct bench_error *err)
{
    struct counts counts;
    char *rest;
    json_t *root;
    bool good;

    if (wrapper_check_ending("wrk", left->client_status, err) < 0)
        return -1;
    if (access(path, F_OK) < 0)
        return host->fail(err, BENCH_ERROR_RUN, "wrk left no result");
    root = json_file(path, "wrk's result", &rest, err);
    free(rest);
    if (!root)
        return -1;
    good = read_counts(root, &counts);
    json_decref(root);
    if (!good)
        return host->fail(err, BENCH_ERROR_RUN, "wrk's result lacks a count");
    return report(state, &counts, left, result, err);
}

static int parse(void *self, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/" RESULT, left->client_directory);
    return parse_result(self, path, left, result, err);
}

/* As plain TCP every relay carries it. */
static const char *const protocols[] = {"tcp", "http1", NULL};

static const struct bench_program programs[] = {
    /* Debian has it; Fedora does not. */
    {.name = "wrk", .version = (const char *const[]){"-v", NULL}, .apt = "wrk"},
    ORIGIN_PROGRAM,
    {0},
};

static const struct bench_workload workload = {
    .plugin = {PLUGIN(workload, BENCH_WORKLOAD), .name = "wrk",
               .description = "HTTP/1.1 requests of wrk to nginx", .options = options,
               .state_size = sizeof(struct state), .programs = programs},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = parse,
};

PLUGIN_EXPORT(workload)
