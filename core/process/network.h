/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of one repetition: the host's, or a namespace of its own with lo up and a chosen
 * congestion control; free ports; and what the kernel says about it (who listens, TCP statistics).
 *
 * A reserved port is a number that no process has bound and that the kernel never chooses by
 * itself: it lies outside of ip_local_port_range as long as there is one outside. It stays unbound,
 * so that a server without SO_REUSEADDR can bind it. Other benches in the same network keep away
 * from it: an abstract Unix socket is its lock for the repetition's life. A namespace lives as long
 * as this struct and the processes in it.
 *
 * A new namespace starts with the kernel's defaults for many settings. Those that matter to TCP on
 * the loopback (buffer sizes, port range, somaxconn and others: the table in network.c) are copied
 * from the host, so that a result means what its user has tuned.
 */
#ifndef PROCESS_NETWORK_H
#define PROCESS_NETWORK_H

#include <bench/types.h>

struct network;

/* `isolated`: a new namespace (ENVIRONMENT error without the privilege). `congestion`: NULL keeps
 * the kernel's default of that namespace; in the host's network it must be NULL. */
int network_new(struct network **ret, bool isolated, const char *congestion,
                struct bench_error *err);
void network_free(struct network *n);

bool network_isolated(const struct network *n);
const char *network_congestion(const struct network *n); /* in force, "reno" */
/* A free port of 127.0.0.1, locked against other benches until network_free(). */
int network_reserve(struct network *n, uint16_t *ret_port, struct bench_error *err);
/* In the child, before exec: enters the namespace. Nothing to do for the host's. */
int network_enter_self(struct network *n, struct bench_error *err);
/* True when the kernel shows a TCP listener on `port` (socket diagnostics; never connects). */
bool network_listening(struct network *n, uint16_t port);
/* The inodes of all TCP sockets that listen; 0 when there are none or nothing is known. The caller
 * frees *ret. */
size_t network_listeners(struct network *n, uint64_t **ret);

/* False when the kernel knows no TCP connection from or to `port`, also none that has ended: those
 * it remembers for a minute, unless they were reset. True as well when it does not tell. */
bool network_reached(struct network *n, uint16_t port);

/* Cumulative TCP statistics of this network (RFC 1213, RFC 2012 and Linux TcpExt names). */
struct network_counters {
    int64_t segments_out, segments_in, retransmits, active_opens, passive_opens;
    int64_t listen_overflows, listen_drops, resets_out;
};
int network_read(struct network *n, struct network_counters *ret);

/* Sum over established connections whose remote port is `port`: TCP_INFO's bytes_acked and
 * bytes_received. For tests and cross-checks. Returns the number of connections or -1. */
int network_tcp_bytes(struct network *n, uint16_t port, uint64_t *ret_acked,
                      uint64_t *ret_received);

#endif
