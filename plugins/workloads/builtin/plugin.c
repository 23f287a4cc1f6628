/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"
#include "shared/plugin.h"

#include <stdio.h>

static const char *const modes[] = {"stream", "echo", "rr", "crr", NULL};
static const char *const receives[] = {"discard", "copy", NULL};
static const char *const servers[] = {"auto", "thread", "epoll", "process", NULL};
static const char *const pins[] = {"none", "flow", NULL};

/* As in the table of options. */
enum { USUAL_REQUEST = 100, USUAL_SEND = 1024 * 1024 };

static bool requests(const struct options *o)
{
    return o->mode == MODE_RR || o->mode == MODE_CRR;
}

static int refuse(struct bench_error *err, const char *hint, const char *fmt, ...)
    BENCH_PRINTF(3, 4);
static int refuse(struct bench_error *err, const char *hint, const char *fmt, ...)
{
    char message[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    host->fail(err, BENCH_ERROR_USAGE, "%s", message);
    host->hint(err, "%s", hint);
    return -1;
}

/* Options that a mode cannot honour are refused: nothing that was asked for is ignored. */
static int check(const struct options *o, const struct bench_role *role, struct bench_error *err)
{
    const char *mode = modes[o->mode];

    if (role->rate > 0 && !requests(o))
        return refuse(err, "leave out 'rate' or choose mode 'rr' or 'crr'",
                      "mode '%s' has no requests that 'rate' could pace", mode);
    if (o->rate_per_connection > 0 && o->mode != MODE_STREAM)
        return refuse(err, "the requests of modes 'rr' and 'crr' are paced by the key 'rate'",
                      "mode '%s' does not know 'rate_per_connection'", mode);
    if (o->delay_ns && !requests(o))
        return refuse(err, "leave out 'delay' or choose mode 'rr' or 'crr'",
                      "mode '%s' has no answers that 'delay' could hold back", mode);
    if (o->delay_ns && o->server == SERVER_EPOLL)
        return refuse(err, "choose server 'thread' or 'process'",
                      "server 'epoll' cannot wait for 'delay'");
    if (o->depth > 1 && o->mode != MODE_RR && o->mode != MODE_ECHO)
        return refuse(err, "leave out 'depth' or choose mode 'rr' or 'echo'",
                      "mode '%s' has no pipelining", mode);
    if (!requests(o) && (o->request_size != USUAL_REQUEST || o->response_size != USUAL_REQUEST))
        return refuse(err,
                      "leave out 'request_size' and 'response_size', or choose mode 'rr' or "
                      "'crr'",
                      "mode '%s' has no requests that could have a size", mode);
    if (requests(o) && o->send_size != USUAL_SEND)
        return refuse(err, "leave out 'send_size', or choose mode 'stream' or 'echo'",
                      "mode '%s' sends requests of 'request_size', not pieces of 'send_size'",
                      mode);
    if (o->verify && requests(o) && o->request_size < VERIFY_HEADER)
        return refuse(err, "raise 'request_size'",
                      "'verify' needs requests of at least %d bytes, they have %lld", VERIFY_HEADER,
                      (long long)o->request_size);
    return 0;
}

static int describe_server(void *state, const struct bench_role *role,
                           struct bench_process *process, struct bench_error *err)
{
    if (check(state, role, err))
        return -1;
    host->main(process, server);
    host->listens(process, role->listen.port);
    return 0;
}

static int describe_client(void *state, const struct bench_role *role,
                           struct bench_process *process, struct bench_error *err)
{
    if (check(state, role, err))
        return -1;
    host->main(process, requests(state) ? requests_client : bulk_client);
    return 0;
}

static enum bench_side delivered(const void *state)
{
    return ((const struct options *)state)->mode == MODE_STREAM ? BENCH_SERVER : BENCH_CLIENT;
}

/* What is paced would have to make up for the time it was stopped. */
static bool pausable(const void *state, const struct bench_role *role)
{
    return role->rate <= 0 && ((const struct options *)state)->rate_per_connection <= 0;
}

static double asked_bits(const void *state, const struct bench_role *role)
{
    return ((const struct options *)state)->rate_per_connection * (double)role->jobs;
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
             "responses; crr: a connection for each request"},
    {.name = "request_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(request_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "100",
     .help = "rr, crr: bytes of a request"},
    {.name = "response_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(response_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "100",
     .help = "rr, crr: bytes of a response"},
    {.name = "depth",
     .type = BENCH_OPTION_INTEGER,
     .offset = FIELD(depth),
     .minimum = 0,
     .maximum = 65536,
     .fallback = "0",
     .help = "rr: requests of a connection that may wait for their answer at once (pipelining); 0: "
             "one in a closed loop, any number in an open one. echo: blocks of 'send_size' of a "
             "connection that may be on their way at once; 0: two, so raise it with a small "
             "'send_size'"},
    {.name = "send_size",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(send_size),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 256 * MEBI,
     .fallback = "1M",
     .help =
         "stream, echo: how much the client gives to one send(); an echo has 'depth' of these on "
         "its way"},
    {.name = "rate_per_connection",
     .type = BENCH_OPTION_RATE,
     .offset = FIELD(rate_per_connection),
     .unit = "bits/s",
     .minimum = 0,
     .maximum = 1e15,
     .fallback = "0",
     .help = "stream: bits per second of each connection, 0: as fast as it can"},
    {.name = "server",
     .type = BENCH_OPTION_CHOICE,
     .offset = FIELD(server),
     .fallback = "auto",
     .choices = servers,
     .help = "thread: one for each connection; epoll: one for each CPU; process: one for each "
             "connection; auto: thread, and epoll for requests on more connections than CPUs"},
    {.name = "delay",
     .type = BENCH_OPTION_DURATION,
     .offset = FIELD(delay_ns),
     .minimum = 0,
     .maximum = 60e9,
     .fallback = "0",
     .help = "rr, crr: time that the server takes for each request, one after the other on a "
             "connection"},
    {.name = "verify",
     .type = BENCH_OPTION_BOOL,
     .offset = FIELD(verify),
     .fallback = "false",
     .help = "checks every byte at both ends: one that a relay changed, lost, doubled or moved "
             "fails the repetition and is named; costs CPU, and implies receive: copy"},
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
    .plugin = {PLUGIN(workload, BENCH_WORKLOAD), .name = "builtin",
               .description =
                   "TCP streams, echoes, requests and responses, counted inside the bench",
               .options = options, .state_size = sizeof(struct options)},
    .protocols = protocols,
    .server = describe_server,
    .client = describe_client,
    .delivered = delivered,
    .pausable = pausable,
    .asked_bits = asked_bits,
};

PLUGIN_EXPORT(workload)
