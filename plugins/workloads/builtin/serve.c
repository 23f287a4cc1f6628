/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

static uint64_t owed_confirmations(const struct flow *f)
{
    return f->crew->options->verify ? f->received / VERIFY_PIECE - f->sent : 0;
}

static ssize_t serve_stream(struct flow *f)
{
    uint64_t owed = owed_confirmations(f);

    return owed ? flow_send_payload(f, owed, 0) : flow_consume(f, 0);
}

/* What is owed is always the end of the last chunk. */
static ssize_t serve_echo(struct flow *f)
{
    size_t owed = (size_t)(f->received - f->sent);

    if (owed)
        return flow_send(f, f->buffer + f->chunk - owed, owed, 0);
    return flow_receive(f, 0);
}

/* Requests take their time one after the other, by a clock: what one sleeps too long is taken off
 * the next. */
static void take_time(struct flow *f)
{
    int64_t due;

    if (f->free_ns < f->arrived_ns)
        f->free_ns = f->arrived_ns;
    f->free_ns += f->crew->options->delay_ns;
    due = f->free_ns;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
                    &(struct timespec){.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000},
                    NULL);
    f->served++;
}

static uint64_t owed_bytes(const struct flow *f)
{
    const struct options *o = f->crew->options;
    uint64_t requests = o->delay_ns ? f->served : f->received / (uint64_t)o->request_size;

    return requests * (uint64_t)o->response_size - f->sent;
}

static ssize_t serve_requests(struct flow *f)
{
    const struct options *o = f->crew->options;
    ssize_t n;

    if (o->delay_ns && f->served < f->received / (uint64_t)o->request_size && !owed_bytes(f))
        take_time(f);
    if (owed_bytes(f))
        return flow_send_payload(f, owed_bytes(f), 0);
    n = flow_consume(f, 0);
    if (o->delay_ns)
        f->arrived_ns = now_ns();
    return n;
}

/* The server ends the connection: its ports are then the ones that have to wait (TIME_WAIT), and
 * the client's can be used again at once. */
static ssize_t serve_one_request(struct flow *f)
{
    ssize_t n = serve_requests(f);

    return n > 0 && f->sent == (uint64_t)f->crew->options->response_size ? -1 : n;
}

ssize_t serve(struct flow *f)
{
    switch ((enum mode)f->crew->options->mode) {
    case MODE_STREAM:
        return serve_stream(f);
    case MODE_ECHO:
        return serve_echo(f);
    case MODE_RR:
        return serve_requests(f);
    case MODE_CRR:
        return serve_one_request(f);
    }
    return -1;
}

bool serve_owes(const struct flow *f)
{
    switch ((enum mode)f->crew->options->mode) {
    case MODE_STREAM:
        return owed_confirmations(f) > 0;
    case MODE_ECHO:
        return f->sent < f->received;
    case MODE_RR:
    case MODE_CRR:
        return owed_bytes(f) > 0;
    }
    return false;
}

void serve_blocking(struct flow *f)
{
    while (!crew_stopping(f->crew))
        if (serve(f) < 0)
            return;
}
