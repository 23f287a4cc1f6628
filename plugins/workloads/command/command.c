/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any server and any client from a scenario alone: their command lines and configurations are
 * templates. The server runs as it is; the client's command is started again and again by a loop
 * (client.c) that counts its runs, or is read for the numbers that it prints (result.c).
 */
#include <math.h>
#include <string.h>

#include "command.h"
#include "shared/signals.h"
#include "shared/template.h"

static const char *const ready_choices[] = {"listening", "started", NULL};
static const char *const result_choices[] = {"none", "json", "regex", "lines", NULL};
const char *const metric_choices[] = {
    "result",
    "operations_per_second",
    "bits_per_second",
    "connections_per_second",
    "latency_p50_seconds",
    "latency_p90_seconds",
    "latency_p99_seconds",
    "latency_p999_seconds",
    "latency_max_seconds",
    "latency_mean_seconds",
    NULL,
};

#define TEXT(n, field, value, text)                                                          \
    {                                                                                        \
        .name = n, .type = BENCH_OPTION_STRING, .offset = BENCH_OFFSET(struct state, field), \
        .fallback = value, .help = text                                                      \
    }
#define CHOICE(n, field, list, value, text)                                                  \
    {                                                                                        \
        .name = n, .type = BENCH_OPTION_CHOICE, .offset = BENCH_OFFSET(struct state, field), \
        .choices = list, .fallback = value, .help = text                                     \
    }

static const struct bench_option options[] = {
    TEXT("server", server, NULL,
         "the server's program and arguments, with placeholders such as {listen_port}; required"),
    TEXT("server_config", server_config, NULL,
         "content of a file that {config} names, with the same placeholders"),
    TEXT("server_config_name", server_config_name, "server.conf",
         "name of that file in the server's directory"),
    CHOICE("server_ready", server_ready, ready_choices, "listening",
           "what is waited for: that {listen_port} is listened on, or only that it has started"),
    CHOICE("server_stop_signal", server_stop_signal, signal_choices, "TERM",
           "the signal that asks the server to end"),
    TEXT("client", client, NULL,
         "the client's program and arguments, with placeholders such as {connect_port}; required"),
    TEXT("client_config", client_config, NULL,
         "content of a file that {config} names, with the same placeholders"),
    TEXT("client_config_name", client_config_name, "client.conf",
         "name of that file in the client's directory"),
    CHOICE("client_stop_signal", client_stop_signal, signal_choices, "TERM",
           "the signal that ends a run of the client which is still going on after the window"),
    {.name = "iterations",
     .type = BENCH_OPTION_INTEGER,
     .offset = BENCH_OFFSET(struct state, iterations),
     .unit = "runs",
     .maximum = 1e9,
     .fallback = "0",
     .help = "how many times the client is run in the window, which then ends; 0: again and again "
             "until it ends"},
    CHOICE("result", result, result_choices, "none",
           "what is measured: the client's runs (none), or a number that it prints, as JSON, by a "
           "regular expression, or one on each line"),
    TEXT("result_path", result_path, NULL,
         "for json: where the number is, such as end.sum_received.bits_per_second or runs.0.rate"),
    TEXT("result_pattern", result_pattern, NULL,
         "for regex: an extended expression whose first group, if any, is the number"),
    CHOICE("result_metric", result_metric, metric_choices, "result", "what the number is"),
    {.name = "result_scale",
     .type = BENCH_OPTION_NUMBER,
     .offset = BENCH_OFFSET(struct state, result_scale),
     .minimum = 1e-15,
     .maximum = 1e15,
     .fallback = "1",
     .help = "from the number's unit to the metric's: 0.001 for milliseconds, 1e6 for Mbit/s"},
    {0},
};

/* --- description --------------------------------------------------------------------------- */

static void fill(struct template *t, const struct bench_role *role, const char *config_name)
{
    template_set(t, "jobs", "%lld", (long long)role->jobs);
    template_set_seconds(t, "warmup", role->warmup_ns);
    template_set_seconds(t, "duration", role->duration_ns);
    template_set(t, "protocol", "%s", role->protocol);
    template_set(t, "seed", "%llu", (unsigned long long)role->seed);
    template_set(t, "directory", "%s", role->directory);
    template_set(t, "config", "%s/%s", role->directory, config_name);
}

static int missing(const char *option, const char *example, struct bench_error *err)
{
    host->fail(err, BENCH_ERROR_USAGE, "option '%s' is missing", option);
    host->hint(err, "such as workload: {plugin: command, %s: \"%s\", …}", option, example);
    return -1;
}

static int server(void *self, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct state *state = self;
    struct template t = {.host = host};
    int result;

    if (!state->server)
        return missing("server", "redis-server --port {listen_port}", err);
    template_set(&t, "listen_host", "%s", role->listen.host);
    template_set(&t, "listen_port", "%u", role->listen.port);
    fill(&t, role, state->server_config_name);
    result = template_arguments(&t, "server", state->server, p, err);
    if (result == 0 && state->server_config)
        result = template_file(&t, "server_config", state->server_config, state->server_config_name,
                               p, err);
    template_release(&t);
    if (state->server_ready == READY_LISTENING)
        host->listens(p, role->listen.port);
    host->stop_signal(p, signal_number(state->server_stop_signal));
    return result;
}

int64_t command_loops(const struct state *state, int64_t jobs)
{
    return template_uses(state->client, "jobs") || template_uses(state->client_config, "jobs")
               ? 1
               : jobs;
}

static int client(void *self, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct state *state = self;
    struct template t = {.host = host};
    int result;

    if (!state->client)
        return missing("client", "redis-benchmark -h {connect_host} -p {connect_port}", err);
    if (role->rate > 0) {
        host->fail(err, BENCH_ERROR_USAGE, "rate: a command's client sends as it was written to");
        host->hint(err, "give the rate to the client in its own arguments");
        return -1;
    }
    if (result_check(state, role->jobs, err) < 0)
        return -1;
    template_set(&t, "connect_host", "%s", role->connect.host);
    template_set(&t, "connect_port", "%u", role->connect.port);
    template_set(&t, "server_directory", "%s", role->server_directory);
    fill(&t, role, state->client_config_name);
    result = template_arguments(&t, "client", state->client, p, err);
    if (result == 0 && state->client_config)
        result = template_file(&t, "client_config", state->client_config, state->client_config_name,
                               p, err);
    template_release(&t);
    host->main(p, client_main);
    return result;
}

/* --- results ------------------------------------------------------------------------------- */

static int parse(void *self, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err)
{
    const struct state *state = self;
    const char *metric = metric_choices[state->result_metric];
    double value;

    if (left->client_status > 0) {
        host->fail(err, BENCH_ERROR_RUN, "the client ended badly (wait status %d)",
                   left->client_status);
        host->hint(err, "see '%s'", left->client_stderr);
        return -1;
    }
    if (state->result == RESULT_NONE)
        return 0;
    if (result_read(state, left->client_stdout, &value, result, err) < 0) {
        host->hint(err, "the client's output is in '%s'", left->client_stdout);
        return -1;
    }
    value *= state->result_scale;
    if (!isfinite(value) || (value <= 0 && strcmp(metric, "result") != 0))
        return host->fail(err, BENCH_ERROR_RUN, "the client printed %g for '%s'", value, metric);
    host->result_total(result, metric, value);
    return 0;
}

static const char *const protocols[] = {"tcp", "http1", "http2", NULL};

static const struct bench_workload command = {
    .plugin = {PLUGIN(command, BENCH_WORKLOAD), .name = "command",
               .description = "any server and any client, from their command lines",
               .options = options, .state_size = sizeof(struct state)},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = parse,
};

PLUGIN_EXPORT(command)
