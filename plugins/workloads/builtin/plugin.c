/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

static const char *const modes[] = {"stream", "echo", "rr", NULL};
static const char *const receives[] = {"discard", "copy", NULL};
static const char *const pins[] = {"none", "flow", NULL};

static const struct bench_host *host;

static int describe_server(void *state, const struct bench_role *role,
                           struct bench_process *process, struct bench_error *err)
{
    (void)state;
    (void)err;
    host->main(process, server);
    host->listens(process, role->listen.port);
    return 0;
}

/* A mode for which a key makes no sense refuses it: nothing that was asked for is ignored. */
static int describe_client(void *state, const struct bench_role *role,
                           struct bench_process *process, struct bench_error *err)
{
    const struct options *o = state;
    bool requests = o->mode == MODE_RR;

    if (role->rate > 0 && !requests) {
        host->fail(err, BENCH_ERROR_USAGE, "mode '%s' has no requests that 'rate' could pace",
                   modes[o->mode]);
        host->hint(err, "leave out 'rate' or choose mode 'rr' or 'crr'");
        return -1;
    }
    host->main(process, requests ? requests_client : bulk_client);
    return 0;
}

static enum bench_side delivered(const void *state)
{
    return ((const struct options *)state)->mode == MODE_STREAM ? BENCH_SERVER : BENCH_CLIENT;
}

#define FIELD(field) BENCH_OFFSET(struct options, field)
#define MEBI (1024.0 * 1024)

static const struct bench_option options[] = {
    {.name = "mode",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(mode),
     .fallback = "stream",
     .choices = modes,
     .help = "stream: client to server; echo: the server sends everything back; rr: requests and "
             "responses"},
    {.name = "request_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(request_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "100",
     .help = "rr: bytes of a request"},
    {.name = "response_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(response_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "100",
     .help = "rr: bytes of a response"},
    {.name = "depth",
     .type = BENCH_OPTION_INTEGER,
     .offset = FIELD(depth),
     .minimum = 0,
     .maximum = 65536,
     .fallback = "0",
     .help = "rr: requests of a connection that may wait for their answer at once (pipelining); 0: "
             "one in a closed loop, any number in an open one"},
    {.name = "send_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(send_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "1M",
     .help = "how much the client gives to one send()"},
    {.name = "receive_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(receive_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "512K",
     .help = "how much one recv() may take"},
    {.name = "receive",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(receive),
     .fallback = "discard",
     .choices = receives,
     .help = "discard: the kernel frees payload without copying it (MSG_TRUNC), which leaves the "
             "most CPU to the relay; copy: as an application would"},
    {.name = "receive_buffer",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(receive_buffer),
     .unit = "bytes",
     .minimum = 0,
     .maximum = 512 * MEBI,
     .fallback = "0",
     .help = "SO_RCVBUF of the server's connections, 0: the kernel's own tuning"},
    {.name = "congestion",
     .type = BENCH_OPTION_STRING,
     .offset = FIELD(congestion),
     .help = "TCP congestion control of the client's and server's sockets, empty: the network's"},
    {.name = "pin",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(pin),
     .fallback = "none",
     .choices = pins,
     .help =
         "flow: both ends of a connection on one CPU; fastest without a relay, harmful with one"},
    {0},
};

static const char *const protocols[] = {"tcp", NULL};

static const struct bench_workload workload = {
    .plugin = {.size = sizeof(workload),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_WORKLOAD,
               .name = "builtin",
               .description =
                   "TCP streams, echoes, requests and responses, counted inside the bench",
               .options = options,
               .state_size = sizeof(struct options)},
    .protocols = protocols,
    .server = describe_server,
    .client = describe_client,
    .delivered = delivered,
};

BENCH_EXPORT const struct bench_plugin *bench_plugin_get(const struct bench_host *h)
{
    host = h;
    return &workload.plugin;
}
