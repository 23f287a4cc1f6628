/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any relay from a scenario alone: its command line and configuration are templates, filled for
 * each hop.
 */
#include <bench/relay.h>

#include "shared/plugin.h"
#include "shared/signals.h"
#include "shared/template.h"

enum ready { READY_LISTENING, READY_STARTED };
static const char *const ready_choices[] = {"listening", "started", NULL};

struct state {
    char *command;
    char *config;
    char *config_name;
    int stop_signal; /* of signal_choices */
    int ready;       /* enum ready */
};

static const struct bench_option options[] = {
    {.name = "command",
     .type = BENCH_OPTION_STRING,
     .offset = BENCH_OFFSET(struct state, command),
     .help = "the program and its arguments, with placeholders such as {listen_port}; required"},
    {.name = "config",
     .type = BENCH_OPTION_STRING,
     .offset = BENCH_OFFSET(struct state, config),
     .help = "content of a file that {config} names, with the same placeholders"},
    {.name = "config_name",
     .type = BENCH_OPTION_STRING,
     .offset = BENCH_OFFSET(struct state, config_name),
     .fallback = "relay.conf",
     .help = "name of that file in the hop's directory"},
    {.name = "ready",
     .type = BENCH_OPTION_CHOICE,
     .offset = BENCH_OFFSET(struct state, ready),
     .choices = ready_choices,
     .fallback = "listening",
     .help = "what is waited for: that {listen_port} is listened on, or only that it has started"},
    {.name = "stop_signal",
     .type = BENCH_OPTION_CHOICE,
     .offset = BENCH_OFFSET(struct state, stop_signal),
     .choices = signal_choices,
     .fallback = "TERM",
     .help = "the signal that asks it to end"},
    {0},
};

static void fill(struct template *t, const struct state *state, const struct bench_hop *hop)
{
    template_set(t, "listen_host", "%s", hop->listen.host);
    template_set(t, "listen_port", "%u", hop->listen.port);
    template_set(t, "connect_host", "%s", hop->upstream.host);
    template_set(t, "connect_port", "%u", hop->upstream.port);
    template_set(t, "hop", "%u", hop->index);
    template_set(t, "hops", "%u", hop->count);
    template_set(t, "jobs", "%lld", (long long)hop->connections);
    template_set(t, "protocol", "%s", hop->protocol);
    template_set(t, "directory", "%s", hop->directory);
    template_set(t, "config", "%s/%s", hop->directory, state->config_name);
}

static int describe(void *self, const struct bench_hop *hop, struct bench_process *p,
                    struct bench_error *err)
{
    const struct state *state = self;
    struct template t = {.host = host};
    int result;

    if (!state->command) {
        host->fail(err, BENCH_ERROR_USAGE, "option 'command' is missing");
        host->hint(err, "such as options: {command: \"socat TCP-LISTEN:{listen_port},fork "
                        "TCP:{connect_host}:{connect_port}\"}");
        return -1;
    }
    fill(&t, state, hop);
    result = template_arguments(&t, "command", state->command, p, err);
    if (result == 0 && state->config)
        result = template_file(&t, "config", state->config, state->config_name, p, err);
    template_release(&t);
    if (state->ready == READY_LISTENING)
        host->listens(p, hop->listen.port);
    host->stop_signal(p, signal_number(state->stop_signal));
    return result;
}

static const char *const protocols[] = {"tcp", "http1", "http2", NULL};

static const struct bench_relay command = {
    .plugin = {PLUGIN(command, BENCH_RELAY), .name = "command",
               .description = "any relay, from its command line", .options = options,
               .state_size = sizeof(struct state)},
    .protocols = protocols,
    .max_hops = 64,
    .describe = describe,
};

PLUGIN_EXPORT(command)
