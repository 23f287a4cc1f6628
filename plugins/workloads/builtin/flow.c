/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

/* The states of a connection that nobody here has shut down (netinet/tcp.h, which cannot be
 * included beside linux/tcp.h). */
#define STATE_CLOSE 7
#define STATE_CLOSE_WAIT 8

static int again(struct flow *f, int error)
{
    if (error == EINTR || error == EAGAIN)
        return 0;
    f->error = error;
    return -1;
}

ssize_t flow_send(struct flow *f, const char *data, size_t n, int flags)
{
    ssize_t sent = send(f->fd, data, n, flags | MSG_NOSIGNAL);

    if (sent < 0)
        return again(f, errno);
    f->sent += (uint64_t)sent;
    count(&f->slot->bytes_sent, (uint64_t)sent);
    return sent;
}

ssize_t flow_receive(struct flow *f, int flags)
{
    ssize_t n = recv(f->fd, f->buffer, (size_t)f->crew->options->receive_size, flags);

    if (n < 0)
        return again(f, errno);
    if (n == 0) {
        f->fin = true;
        return -1;
    }
    f->received += (uint64_t)n;
    f->chunk = (size_t)n;
    count(&f->slot->bytes_received, (uint64_t)n);
    return n;
}

/* A server learns from the first bytes whose they are. -1 after crew_fail(). */
static int learn(struct flow *f, uint64_t offset, size_t n)
{
    const char *h = f->header;

    for (size_t i = 0; i < n && offset + i < VERIFY_HEADER; i++)
        f->header[offset + i] = f->buffer[i];
    if (offset + n < VERIFY_HEADER || verify_header(h, &f->stream.connection))
        return 0;
    return crew_fail(f->crew,
                     "verify: offset 0 of what the client sent: expected the connection's number "
                     "and its complement, got %02x%02x%02x%02x %02x%02x%02x%02x",
                     h[0] & 0xff, h[1] & 0xff, h[2] & 0xff, h[3] & 0xff, h[4] & 0xff, h[5] & 0xff,
                     h[6] & 0xff, h[7] & 0xff);
}

/* The last n bytes received. An echo comes back as it was sent. */
static int verify(struct flow *f, size_t n)
{
    struct crew *c = f->crew;
    struct verify_stream theirs = {.from_server = c->client && c->options->mode != MODE_ECHO};
    uint64_t offset = f->received - n;
    size_t i = 0;

    if (!c->client && offset < VERIFY_HEADER) {
        if (learn(f, offset, n))
            return -1;
        i = VERIFY_HEADER - offset < n ? VERIFY_HEADER - offset : n;
    }
    theirs.connection = f->stream.connection;
    i += verify_compare(&theirs, offset + i, f->buffer + i, n - i);
    if (i == n)
        return 0;
    count(&f->slot->errors, 1);
    return crew_fail(c,
                     "verify: connection %u, offset %llu of what the %s sent: expected 0x%02x, "
                     "got 0x%02x",
                     theirs.connection, (unsigned long long)(offset + i),
                     theirs.from_server ? "server" : "client", verify_byte(&theirs, offset + i),
                     f->buffer[i] & 0xff);
}

ssize_t flow_send_payload(struct flow *f, uint64_t n, int flags)
{
    const struct crew *c = f->crew;
    char checked[16 * 1024];

    if (!c->options->verify)
        return flow_send(f, c->payload, n < c->payload_size ? n : c->payload_size, flags);
    if (n > sizeof(checked))
        n = sizeof(checked);
    verify_fill(&f->stream, f->sent, checked, n);
    return flow_send(f, checked, n, flags);
}

ssize_t flow_consume(struct flow *f, int flags)
{
    const struct options *o = f->crew->options;
    ssize_t n;

    if (!o->verify)
        return flow_receive(f, flags | (o->receive == RECEIVE_DISCARD ? MSG_TRUNC : 0));
    n = flow_receive(f, flags);
    return n > 0 && verify(f, (size_t)n) ? -1 : n;
}

void flow_lost(struct flow *f, const char *what)
{
    int64_t jobs = f->crew->child->role->jobs;

    if (crew_stopping(f->crew))
        return;
    count(&f->slot->errors, 1);
    if (f->fin || f->error == EPIPE || f->error == ECONNRESET)
        crew_fail(f->crew, "connection %lld of %lld was closed by the peer after %llu bytes",
                  (long long)f->number, (long long)jobs, (unsigned long long)f->sent);
    else
        crew_fail(f->crew, "connection %lld of %lld: %s: %s", (long long)f->number, (long long)jobs,
                  what, strerror(f->error));
}

/* The kernel's count */

struct kernel_count {
    struct tcp_info info;
    int unread, unacked;
};

/*
 * One consistent look at a connection whose peer may still send and acknowledge: the queue lengths
 * and TCP_INFO are separate calls, so they are taken until TCP_INFO is the same before and after.
 */
static int kernel_count(int fd, struct kernel_count *k)
{
    for (int i = 0; i < 1000; i++) {
        struct tcp_info before = {0};
        socklen_t n = sizeof(before), m = sizeof(k->info);

        memset(&k->info, 0, sizeof(k->info));
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &before, &n) || ioctl(fd, SIOCINQ, &k->unread) ||
            ioctl(fd, SIOCOUTQ, &k->unacked) || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &k->info, &m))
            return -1;
        if (before.tcpi_bytes_acked == k->info.tcpi_bytes_acked &&
            before.tcpi_bytes_received == k->info.tcpi_bytes_received &&
            before.tcpi_state == k->info.tcpi_state)
            return 0;
    }
    return -1;
}

/* The peer's FIN takes a number of the sequence, which the kernel counts as a received byte. After
 * a reset only the error tells whether a FIN had come before it: EPIPE instead of ECONNRESET. */
static bool fin_received(struct flow *f, const struct tcp_info *info)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (info->tcpi_state != STATE_CLOSE)
        return info->tcpi_state == STATE_CLOSE_WAIT;
    if (f->fin || f->error == EPIPE)
        return true;
    return !getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &n) && error == EPIPE;
}

/*
 * Adds what the kernel counted for this connection, in a form that must equal our own count:
 *   received = bytes_received − unread in the receive queue − 1 for a FIN
 *   sent     = bytes_acked + not yet acknowledged in the send queue − 1 for a client's SYN
 * Nothing here has shut the connection down, so there is no FIN of ours to subtract.
 */
void flow_settle(struct flow *f)
{
    struct kernel_count k;

    if (kernel_count(f->fd, &k))
        return;
    count(&f->slot->kernel_bytes_sent,
          k.info.tcpi_bytes_acked + (uint64_t)k.unacked - (f->crew->client ? 1 : 0));
    count(&f->slot->kernel_bytes_received,
          k.info.tcpi_bytes_received - (uint64_t)k.unread - (fin_received(f, &k.info) ? 1 : 0));
}
