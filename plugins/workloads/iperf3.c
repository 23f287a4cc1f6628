/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iperf3: TCP streams, read from its JSON.
 *
 * iperf3 stamps its results with whole seconds and counts from a moment that lies between the start
 * and the end of its client less what its intervals lasted, some ten milliseconds apart on a
 * loopback: that places its intervals in time.
 * Those that lie within the core's window, neither cut nor stretched, make the bytes, and their
 * edges the window.
 *
 * It exits with 0 when it has failed, so its exit status is never believed alone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/json_file.h"
#include "shared/wrapper.h"

#define SECOND 1000000000LL /* ns */
/* What iperf3 is asked for beyond the window: it may start measuring a little later or earlier. */
#define MARGIN_NS (SECOND / 2)
/* Its own limit on parallel streams. */
#define MAX_STREAMS 128
/* Bytes above this are no measurement of a bench, nor are seconds. */
#define PLAUSIBLE 1e18
#define MOST_SECONDS 1e9

struct state {
    int reverse, zerocopy, no_delay; /* bool */
    int64_t length, socket_buffer;
    double bit_rate;
};

#define FIELD(field) BENCH_OFFSET(struct state, field)

static const struct bench_option options[] = {
    {.name = "reverse",
     .type = BENCH_OPTION_BOOL,
     .offset = FIELD(reverse),
     .fallback = "false",
     .help = "the server sends and the client receives"},
    {.name = "length",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(length),
     .unit = "bytes",
     .minimum = 1,
     .maximum = 1 << 20,
     .fallback = "128K",
     .help = "how much is given to one write(); 128K is iperf3's own default"},
    {.name = "socket_buffer",
     .type = BENCH_OPTION_SIZE,
     .offset = FIELD(socket_buffer),
     .unit = "bytes",
     .minimum = 0,
     .maximum = 512 << 20,
     .fallback = "0",
     .help = "socket buffers of both ends, 0: the kernel's own tuning"},
    {.name = "bit_rate",
     .type = BENCH_OPTION_RATE,
     .offset = FIELD(bit_rate),
     .unit = "bit/s",
     .minimum = 0,
     .maximum = 1e12,
     .fallback = "0",
     .help = "what each stream is held to, 0: no limit"},
    {.name = "zerocopy",
     .type = BENCH_OPTION_BOOL,
     .offset = FIELD(zerocopy),
     .fallback = "false",
     .help = "send by sendfile()"},
    {.name = "no_delay",
     .type = BENCH_OPTION_BOOL,
     .offset = FIELD(no_delay),
     .fallback = "false",
     .help = "set TCP_NODELAY"},
    {0},
};

/* The processes */

static int server(void *self, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    (void)self;
    (void)err;
    host->argument(p, "iperf3");
    host->argument(p, "--server");
    host->argument(p, "--bind");
    host->argument(p, "%s", role->listen.host);
    host->argument(p, "--port");
    host->argument(p, "%u", role->listen.port);
    host->listens(p, role->listen.port);
    return 0;
}

/* iperf3 takes whole seconds only. */
static long long seconds_to_cover(const struct bench_role *role)
{
    return (role->warmup_ns + role->duration_ns + MARGIN_NS + SECOND - 1) / SECOND;
}

/* iperf3 sends a whole block and then waits for as long as that had to take. */
static int check_bit_rate(const struct state *state, const struct bench_role *role,
                          struct bench_error *err)
{
    const double window = (double)role->duration_ns / SECOND;
    const double blocks = state->bit_rate * window / 8 / (double)state->length;

    if (state->bit_rate <= 0 || blocks >= WRAPPER_LEAST_PACED)
        return 0;
    host->fail(err, BENCH_ERROR_USAGE,
               "bit_rate: %.10g bit/s are %.3g blocks of %lld bytes in a window of %.3g s, too few "
               "to be a rate",
               state->bit_rate, blocks, (long long)state->length, window);
    host->hint(
        err, "%d are needed: set 'length' to %lld or less, or raise 'bit_rate' or 'duration'",
        WRAPPER_LEAST_PACED, (long long)(state->bit_rate * window / 8 / WRAPPER_LEAST_PACED));
    return -1;
}

static int check(const struct state *state, const struct bench_role *role, struct bench_error *err)
{
    if (role->jobs > MAX_STREAMS) {
        host->fail(err, BENCH_ERROR_USAGE, "jobs: iperf3 has at most %d streams, not %lld",
                   MAX_STREAMS, (long long)role->jobs);
        host->hint(err, "workload 'builtin' has no such limit");
        return -1;
    }
    if (role->rate > 0) {
        host->fail(err, BENCH_ERROR_USAGE, "rate: iperf3 has no operations to send at a rate");
        host->hint(err, "its option 'bit_rate' holds each stream to a bit rate");
        return -1;
    }
    return check_bit_rate(state, role, err);
}

static int client(void *self, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    const struct state *state = self;

    if (check(state, role, err) < 0)
        return -1;
    host->argument(p, "iperf3");
    host->argument(p, "--client");
    host->argument(p, "%s", role->connect.host);
    host->argument(p, "--port");
    host->argument(p, "%u", role->connect.port);
    host->argument(p, "--parallel");
    host->argument(p, "%lld", (long long)role->jobs);
    host->argument(p, "--time");
    host->argument(p, "%lld", seconds_to_cover(role));
    host->argument(p, "--interval");
    host->argument(p, "0.1");
    host->argument(p, "--length");
    host->argument(p, "%lld", (long long)state->length);
    if (state->socket_buffer) {
        host->argument(p, "--window");
        host->argument(p, "%lld", (long long)state->socket_buffer);
    }
    if (state->bit_rate > 0) {
        host->argument(p, "--bitrate");
        host->argument(p, "%.0f", state->bit_rate);
    }
    if (state->reverse)
        host->argument(p, "--reverse");
    if (state->zerocopy)
        host->argument(p, "--zerocopy");
    if (state->no_delay)
        host->argument(p, "--no-delay");
    host->argument(p, "--json");
    return 0;
}

/* The results */

/* What the intervals say, in seconds since iperf3 began to count. */
struct account {
    double offset;     /* of `begin` in CLOCK_REALTIME ns since the core's window began */
    double window;     /* the core's, in seconds */
    double begin, end; /* of the intervals taken, in seconds since the core's window began */
    double bytes;
    size_t taken;
};

/* A finite amount that is not negative. */
static bool amount(const json_t *object, const char *name, double *ret)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_number(value))
        return false;
    *ret = json_number_value(value);
    return isfinite(*ret) && *ret >= 0 && *ret < PLAUSIBLE;
}

/*
 * Goes through the intervals and takes those within the core's window. Offsets start again at zero
 * when iperf3 ends its own warm-up, so time is the sum of what the intervals lasted. Called with
 * account->window 0 it only finds out how long all of them lasted.
 */
static int take_intervals(const json_t *intervals, struct account *a, double *ret_lasted,
                          struct bench_error *err)
{
    double at = 0;
    size_t i;
    json_t *interval;

    json_array_foreach(intervals, i, interval)
    {
        const json_t *sum = json_object_get(interval, "sum");
        double seconds, bytes, begin = a->offset + at;

        if (!amount(sum, "seconds", &seconds) || !amount(sum, "bytes", &bytes))
            return host->fail(err, BENCH_ERROR_RUN, "interval %zu has no seconds and bytes", i + 1);
        at += seconds;
        if (at > MOST_SECONDS)
            return host->fail(err, BENCH_ERROR_RUN, "iperf3's intervals lasted %g s", at);
        if (json_is_true(json_object_get(sum, "omitted")) || begin < 0 ||
            begin + seconds > a->window)
            continue;
        if (a->taken++ == 0)
            a->begin = begin;
        a->end = begin + seconds;
        a->bytes += bytes;
    }
    *ret_lasted = at;
    return 0;
}

/* Its own word is the better one. `root` may be NULL. */
static int check_ending(const struct bench_leftovers *left, const json_t *root,
                        struct bench_error *err)
{
    const char *error = json_string_value(json_object_get(root, "error"));

    if (error)
        return host->fail(err, BENCH_ERROR_RUN, "iperf3: %s", error);
    return wrapper_check_ending("iperf3", left->client_status, err);
}

/* Whoever sent, the receiver must have got it. */
static int check_received(const json_t *root, struct bench_error *err)
{
    const json_t *end = json_object_get(root, "end");
    double bytes;

    if (!amount(json_object_get(end, "sum_received"), "bytes", &bytes))
        return host->fail(err, BENCH_ERROR_RUN, "iperf3's receiver has reported nothing");
    if (bytes <= 0)
        return host->fail(err, BENCH_ERROR_RUN, "iperf3's receiver has received nothing");
    return 0;
}

static int read_results(const struct bench_leftovers *left, const json_t *root,
                        struct bench_result *result, struct bench_error *err)
{
    const json_t *intervals = json_object_get(root, "intervals");
    struct account all = {0}, taken = {0};
    double lasted, earliest, latest;

    if (take_intervals(intervals, &all, &lasted, err) < 0)
        return -1;
    if (lasted <= 0)
        return host->fail(err, BENCH_ERROR_RUN, "iperf3 has no intervals");
    if (check_received(root, err) < 0)
        return -1;
    if (wrapper_check_lasted("iperf3", llround(lasted * SECOND), left, err) < 0)
        return -1;
    /* It began to count between these two; the middle is off by half of what lies between. */
    earliest = (double)(left->client_begin_ns - left->window_begin_ns) / SECOND;
    latest = (double)(left->client_end_ns - left->window_begin_ns) / SECOND - lasted;
    taken.offset = latest > earliest ? (earliest + latest) / 2 : earliest;
    taken.window = (double)(left->window_end_ns - left->window_begin_ns) / SECOND;
    if (take_intervals(intervals, &taken, &lasted, err) < 0)
        return -1;
    if (taken.taken == 0)
        return host->fail(err, BENCH_ERROR_RUN,
                          "none of iperf3's intervals, which lasted %.3f s, lies in the window",
                          lasted);
    if (taken.bytes <= 0)
        return host->fail(err, BENCH_ERROR_RUN, "iperf3 moved no data in the window");
    host->result_window(result, left->window_begin_ns + llround(taken.begin * SECOND),
                        left->window_begin_ns + llround(taken.end * SECOND));
    host->result_total(result, "bytes", taken.bytes);
    return 0;
}

/* Nothing that iperf3 printed is passed over: it may say why its numbers are no measurement. */
static int check_rest(const char *rest, struct bench_error *err)
{
    if (!rest)
        return 0;
    return host->fail(err, BENCH_ERROR_RUN, "iperf3 printed more than its JSON: '%.*s'",
                      (int)strcspn(rest, "\n"), rest);
}

static int parse(void *self, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err)
{
    struct bench_error unread = {0};
    char *rest;
    json_t *root = json_file(left->client_stdout, "iperf3's JSON", &rest, &unread);
    int status = check_ending(left, root, err);

    (void)self;
    if (status == 0 && !root) {
        *err = unread;
        status = -1;
    }
    if (status == 0)
        status = check_rest(rest, err) < 0 ? -1 : read_results(left, root, result, err);
    json_decref(root);
    free(rest);
    return status;
}

static double asked_bits(const void *self, const struct bench_role *role)
{
    return ((const struct state *)self)->bit_rate * (double)role->jobs;
}

static enum bench_side delivered(const void *self)
{
    return ((const struct state *)self)->reverse ? BENCH_CLIENT : BENCH_SERVER;
}

static const char *const protocols[] = {"tcp", NULL};

static const char *const version[] = {"--version", NULL};
static const struct bench_program programs[] = {
    {.name = "iperf3", .version = version, .apt = "iperf3", .dnf = "iperf3"},
    {0},
};

static const struct bench_workload workload = {
    .plugin = {PLUGIN(workload, BENCH_WORKLOAD), .name = "iperf3",
               .description = "TCP streams of iperf3, one for each job", .options = options,
               .state_size = sizeof(struct state), .programs = programs},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = parse,
    .delivered = delivered,
    .asked_bits = asked_bits,
};

PLUGIN_EXPORT(workload)
