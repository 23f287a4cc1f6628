/* SPDX-License-Identifier: Apache-2.0 */
#include "process/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define CONGESTION "/proc/sys/net/ipv4/tcp_congestion_control"

struct network {
    bool isolated;
    char congestion[32];
    int home;      /* the bench's own namespace; -1 in the host's network */
    int namespace; /* -1 in the host's network */
    int diag;      /* socket diagnostics of this network */
    int snmp, netstat;
    int *locks; /* of reserved ports */
    size_t n_locks, locks_capacity;
};

/* ---- the host's tuning, carried into a new namespace ---- */

/* A new namespace starts with the kernel's defaults for some of these, whatever the host is set to:
 * results would not mean what the user tuned. The congestion control is not among them. */
static const char *const tuning[] = {
    "/proc/sys/net/ipv4/tcp_rmem",
    "/proc/sys/net/ipv4/tcp_wmem",
    "/proc/sys/net/ipv4/ip_local_port_range",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/net/ipv4/tcp_max_syn_backlog",
    "/proc/sys/net/ipv4/tcp_tw_reuse",
    "/proc/sys/net/ipv4/tcp_max_tw_buckets",
    "/proc/sys/net/ipv4/tcp_moderate_rcvbuf",
    "/proc/sys/net/ipv4/tcp_adv_win_scale",
    "/proc/sys/net/ipv4/tcp_notsent_lowat",
    "/proc/sys/net/ipv4/tcp_limit_output_bytes",
    "/proc/sys/net/ipv4/tcp_slow_start_after_idle",
    "/proc/sys/net/ipv4/tcp_autocorking",
    "/proc/sys/net/ipv4/tcp_sack",
    "/proc/sys/net/ipv4/tcp_timestamps",
    "/proc/sys/net/ipv4/tcp_ecn",
};

static void read_tuning(char *values[ARRAY_SIZE(tuning)])
{
    for (size_t i = 0; i < ARRAY_SIZE(tuning); i++)
        values[i] = file_peek(tuning[i]); /* NULL: this kernel lacks it, then so does the other */
}

static void free_tuning(char *values[ARRAY_SIZE(tuning)])
{
    for (size_t i = 0; i < ARRAY_SIZE(tuning); i++)
        free(values[i]);
}

/* sysctl files take a value in one write or refuse it. */
static int write_sysctl(const char *path, const char *value)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, value, strlen(value)) >= 0 ? 0 : -1;
}

static int apply_tuning(char *values[ARRAY_SIZE(tuning)], struct bench_error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(tuning); i++) {
        cleanup_free char *now = values[i] ? file_peek(tuning[i]) : NULL;

        if (now && strcmp(now, values[i]) != 0 && write_sysctl(tuning[i], values[i]) < 0) {
            error_errno(err, BENCH_ERROR_ENVIRONMENT, errno,
                        "cannot give the network namespace the host's '%s'", tuning[i]);
            error_hint(err, "use 'network: host'");
            return -1;
        }
    }
    return 0;
}

/* ---- making one; everything below runs inside the namespace ---- */

static int refuse_congestion(const char *wanted, int errnum, struct bench_error *err)
{
    cleanup_free char *available = file_peek("/proc/sys/net/ipv4/tcp_available_congestion_control");

    error_errno(err, BENCH_ERROR_ENVIRONMENT, errnum, "cannot use congestion control '%s'", wanted);
    if (errnum == EPERM)
        error_hint(err,
                   "a namespace may use it once the host allows it: add '%s' to "
                   "/proc/sys/net/ipv4/tcp_allowed_congestion_control",
                   wanted);
    else
        error_hint(err, "available: %s; 'modprobe tcp_%s' may add it",
                   available ? available : "none", wanted);
    return -1;
}

static int set_congestion(struct network *n, const char *wanted, struct bench_error *err)
{
    cleanup_free char *now = NULL;

    if (wanted && write_sysctl(CONGESTION, wanted) < 0)
        return refuse_congestion(wanted, errno, err);
    now = file_peek(CONGESTION);
    snprintf(n->congestion, sizeof(n->congestion), "%s", now ? now : "unknown");
    return 0;
}

static int raise_loopback(struct bench_error *err)
{
    cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo"};

    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot find 'lo'");
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot raise 'lo'");
    return 0;
}

static int open_proc(const char *path, int *ret, struct bench_error *err)
{
    *ret = open(path, O_RDONLY | O_CLOEXEC);
    if (*ret < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot open '%s'", path);
    return 0;
}

/* These keep showing the namespace in which they were opened. */
static int open_views(struct network *n, struct bench_error *err)
{
    n->diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (n->diag < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno,
                           "cannot open a socket diagnostics socket");
    if (open_proc("/proc/thread-self/net/snmp", &n->snmp, err) < 0)
        return -1;
    return open_proc("/proc/thread-self/net/netstat", &n->netstat, err);
}

static int set_up_inside(struct network *n, const char *congestion,
                         char *values[ARRAY_SIZE(tuning)], struct bench_error *err)
{
    n->namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (n->namespace < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno,
                           "cannot open '/proc/thread-self/ns/net'");
    if (raise_loopback(err) < 0 || apply_tuning(values, err) < 0 ||
        set_congestion(n, congestion, err) < 0)
        return -1;
    return open_views(n, err);
}

/* ---- in and out ---- */

static int go_home(struct network *n, struct bench_error *err)
{
    if (setns(n->home, CLONE_NEWNET) == 0)
        return 0;
    return error_errno(err, BENCH_ERROR_RUN, errno, "cannot return to the host's network");
}

static int isolate(struct network *n, const char *congestion, struct bench_error *err)
{
    char *values[ARRAY_SIZE(tuning)];
    int rc;

    n->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (n->home < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno,
                           "cannot open '/proc/thread-self/ns/net'");
    read_tuning(values);
    if (unshare(CLONE_NEWNET) < 0) {
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot make a network namespace");
        error_hint(err,
                   "run as root, in a user namespace ('unshare -Ur bench …'), or with 'network: "
                   "host'");
        rc = -1;
    } else {
        rc = set_up_inside(n, congestion, values, err);
        if (go_home(n, rc < 0 ? NULL : err) < 0)
            rc = -1;
    }
    free_tuning(values);
    return rc;
}

/* ---- socket diagnostics ---- */

struct diag_query {
    uint8_t family;
    uint32_t states;                  /* bits 1 << TCP_state */
    uint16_t local_port, remote_port; /* 0: any */
    bool want_info, want_inodes;
};

struct diag_sum {
    int sockets;
    uint64_t acked, received;
    uint64_t *inodes; /* of `sockets` sockets, when the query wants them */
    size_t inodes_capacity;
};

enum {
    STATE_ESTABLISHED = 1,
    STATE_LISTEN = 10,
    STATE_LAST = 12
}; /* of the kernel's tcp_states.h */

static int diag_send(int fd, const struct diag_query *q)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof(message),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = q->family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_ext = q->want_info ? 1 << (INET_DIAG_INFO - 1) : 0,
                    .idiag_states = q->states,
                    .id = {.idiag_sport = htons(q->local_port),
                           .idiag_dport = htons(q->remote_port)}},
    };

    return send(fd, &message, sizeof(message), 0) == (ssize_t)sizeof(message) ? 0 : -1;
}

/* The kernel's tcp_info may be shorter or longer than ours: what is missing stays 0. */
static void add_info(const struct nlmsghdr *header, struct diag_sum *sum)
{
    const char *p = (const char *)NLMSG_DATA(header) + NLMSG_ALIGN(sizeof(struct inet_diag_msg));
    const char *end = (const char *)header + header->nlmsg_len;

    while (end - p >= (ptrdiff_t)sizeof(struct nlattr)) {
        struct nlattr attribute;
        struct tcp_info info = {0};
        size_t length;

        memcpy(&attribute, p, sizeof(attribute));
        if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > end - p)
            return;
        length = attribute.nla_len - sizeof(attribute);
        if (attribute.nla_type == INET_DIAG_INFO) {
            memcpy(&info, p + sizeof(attribute), length < sizeof(info) ? length : sizeof(info));
            sum->acked += info.tcpi_bytes_acked;
            sum->received += info.tcpi_bytes_received;
        }
        p += NLA_ALIGN(attribute.nla_len);
    }
}

static void add_inode(const struct inet_diag_msg *m, struct diag_sum *sum)
{
    size_t n = (size_t)sum->sockets;

    sum->inodes = grow(sum->inodes, &sum->inodes_capacity, n + 1, sizeof(*sum->inodes));
    sum->inodes[n] = m->idiag_inode;
}

static bool matches(const struct nlmsghdr *header, const struct diag_query *q)
{
    const struct inet_diag_msg *m = NLMSG_DATA(header);

    return (!q->local_port || m->id.idiag_sport == htons(q->local_port)) &&
           (!q->remote_port || m->id.idiag_dport == htons(q->remote_port)) &&
           q->states >> m->idiag_state & 1;
}

/* One datagram of the answer: 1 more follows, 0 done, -1 error (errno). */
static int diag_take(const char *buffer, size_t length, const struct diag_query *q,
                     struct diag_sum *sum)
{
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;

    for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
        if (header->nlmsg_type == NLMSG_DONE)
            return 0;
        if (header->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *error = NLMSG_DATA(header);

            errno = -error->error;
            return -1;
        }
        if (!matches(header, q))
            continue;
        if (q->want_inodes)
            add_inode(NLMSG_DATA(header), sum);
        sum->sockets++;
        add_info(header, sum);
    }
    return 1;
}

/* Adds all sockets that match to `sum`. */
static int diag_dump(const struct network *n, const struct diag_query *q, struct diag_sum *sum)
{
    enum { BUFFER = 32768 };
    cleanup_free char *buffer = xcalloc(BUFFER, 1);
    int more = 1;

    if (diag_send(n->diag, q) < 0)
        return -1;
    while (more > 0) {
        ssize_t length = recv(n->diag, buffer, BUFFER, 0);

        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return -1;
        more = diag_take(buffer, (size_t)length, q, sum);
    }
    return more;
}

static int check_diag(const struct network *n, struct bench_error *err)
{
    struct diag_query q = {.family = AF_INET, .states = 1 << STATE_LISTEN, .local_port = 1};
    struct diag_sum sum = {0};

    if (diag_dump(n, &q, &sum) == 0)
        return 0;
    error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "the kernel shows no TCP sockets");
    error_hint(err, "'modprobe tcp_diag' (CONFIG_INET_DIAG, CONFIG_INET_TCP_DIAG)");
    return -1;
}

/* ---- life ---- */

int network_new(struct network **ret, bool isolated, const char *congestion,
                struct bench_error *err)
{
    struct network *n = xcalloc(1, sizeof(*n));
    int rc;

    n->isolated = isolated;
    n->home = n->namespace = n->diag = n->snmp = n->netstat = -1;
    if (isolated)
        rc = isolate(n, congestion, err);
    else if (congestion)
        rc = error_set(err, BENCH_ERROR_USAGE, "congestion control '%s' needs an isolated network",
                       congestion);
    else
        rc = set_congestion(n, NULL, err) < 0 ? -1 : open_views(n, err);
    if (rc < 0 || check_diag(n, err) < 0) {
        network_free(n);
        return -1;
    }
    *ret = n;
    return 0;
}

void network_free(struct network *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->n_locks; i++)
        close(n->locks[i]);
    free(n->locks);
    cleanup_closep(&n->netstat);
    cleanup_closep(&n->snmp);
    cleanup_closep(&n->diag);
    cleanup_closep(&n->namespace);
    cleanup_closep(&n->home);
    free(n);
}

bool network_isolated(const struct network *n)
{
    return n->isolated;
}

const char *network_congestion(const struct network *n)
{
    return n->congestion;
}

int network_enter_self(struct network *n, struct bench_error *err)
{
    if (!n->isolated || setns(n->namespace, CLONE_NEWNET) == 0)
        return 0;
    return error_errno(err, BENCH_ERROR_RUN, errno, "cannot enter the network namespace");
}

/* ---- ports ---- */

/* Numbers that are looked at. Below them are those of well-known services. */
enum { PORT_FIRST = 10000, PORT_LAST = 65535, PORT_COUNT = PORT_LAST - PORT_FIRST + 1 };

/* From which the kernel chooses for sockets that ask for any port, and for outgoing connections. */
static void read_port_range(unsigned range[2])
{
    cleanup_free char *text = file_peek("/proc/sys/net/ipv4/ip_local_port_range");

    if (!text || sscanf(text, "%u %u", &range[0], &range[1]) != 2)
        range[0] = range[1] = 0;
}

/* Abstract names of Unix sockets belong to a network namespace, as ports do, and end with their
 * socket. Returns -1 with EADDRINUSE when another bench has the number. */
static int lock_port(uint16_t port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "bench-port-%u", port);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* Whether a server that does not set SO_REUSEADDR could bind it now: no listener, and no connection
 * that ended a moment ago. A bound socket that never listened leaves nothing behind. */
static int try_port(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
}

/* The lock of a free number, in the current namespace; the number is in *ret_port. */
static int find_port(uint16_t *ret_port, struct bench_error *err)
{
    unsigned range[2], start = 0;

    read_port_range(range);
    if (getrandom(&start, sizeof(start), 0) < 0)
        start = (unsigned)getpid();
    /* Those of the range come last: an outgoing connection may take one before its server does. */
    for (int inside = 0; inside < 2; inside++)
        for (unsigned i = 0; i < PORT_COUNT; i++) {
            unsigned port = PORT_FIRST + (start % PORT_COUNT + i) % PORT_COUNT;
            int lock;

            if ((port >= range[0] && port <= range[1]) != inside)
                continue;
            lock = lock_port((uint16_t)port);
            if (lock >= 0 && try_port((uint16_t)port) == 0) {
                *ret_port = (uint16_t)port;
                return lock;
            }
            if (lock >= 0)
                close(lock);
            else if (errno != EADDRINUSE)
                return error_errno(err, BENCH_ERROR_RUN, errno, "cannot reserve a port");
        }
    error_set(err, BENCH_ERROR_ENVIRONMENT, "no free port from %d to %d of 127.0.0.1", PORT_FIRST,
              PORT_LAST);
    error_hint(err, "'ss -tan' shows what has them; 'network: isolated' has all of its own");
    return -1;
}

int network_reserve(struct network *n, uint16_t *ret_port, struct bench_error *err)
{
    int lock;

    if (network_enter_self(n, err) < 0)
        return -1;
    lock = find_port(ret_port, err);
    if (n->isolated && go_home(n, lock < 0 ? NULL : err) < 0) {
        if (lock >= 0)
            close(lock);
        return -1;
    }
    if (lock < 0)
        return -1;
    n->locks = grow(n->locks, &n->locks_capacity, n->n_locks + 1, sizeof(int));
    n->locks[n->n_locks++] = lock;
    return 0;
}

/* ---- what the kernel says ---- */

bool network_listening(struct network *n, uint16_t port)
{
    struct diag_query q = {.family = AF_INET, .states = 1 << STATE_LISTEN, .local_port = port};
    struct diag_sum sum = {0};

    if (diag_dump(n, &q, &sum) == 0 && sum.sockets > 0)
        return true;
    q.family = AF_INET6; /* a listener on :: takes IPv4 connections, too */
    return diag_dump(n, &q, &sum) == 0 && sum.sockets > 0;
}

size_t network_listeners(struct network *n, uint64_t **ret)
{
    struct diag_query q = {.family = AF_INET, .states = 1 << STATE_LISTEN, .want_inodes = true};
    struct diag_sum sum = {0};

    /* A dump that ends early has told of some. */
    diag_dump(n, &q, &sum);
    q.family = AF_INET6;
    diag_dump(n, &q, &sum);
    *ret = sum.inodes;
    return (size_t)sum.sockets;
}

static bool knows(struct network *n, struct diag_query q)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    bool all = true;

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        struct diag_sum sum = {0};

        q.family = families[i];
        if (diag_dump(n, &q, &sum) == 0)
            all = all && sum.sockets == 0;
        else if (errno != ENOENT) /* ENOENT: a kernel without IPv6 */
            all = false;
    }
    return !all;
}

bool network_reached(struct network *n, uint16_t port)
{
    /* Every state of the kernel's but that of a listener. */
    const uint32_t states = ((1u << (STATE_LAST + 1)) - 1) & ~(1u << STATE_LISTEN);

    return knows(n, (struct diag_query){.states = states, .remote_port = port}) ||
           knows(n, (struct diag_query){.states = states, .local_port = port});
}

int network_tcp_bytes(struct network *n, uint16_t port, uint64_t *ret_acked, uint64_t *ret_received)
{
    struct diag_query q = {.family = AF_INET,
                           .states = 1 << STATE_ESTABLISHED,
                           .remote_port = port,
                           .want_info = true};
    struct diag_sum sum = {0};

    if (diag_dump(n, &q, &sum) < 0)
        return -1;
    q.family = AF_INET6;
    if (diag_dump(n, &q, &sum) < 0 && errno != ENOENT) /* ENOENT: a kernel without IPv6 */
        return -1;
    *ret_acked = sum.acked;
    *ret_received = sum.received;
    return sum.sockets;
}

struct counter_name {
    const char *name;
    size_t offset;
};

static const struct counter_name snmp_names[] = {
    {"OutSegs", offsetof(struct network_counters, segments_out)},
    {"InSegs", offsetof(struct network_counters, segments_in)},
    {"RetransSegs", offsetof(struct network_counters, retransmits)},
    {"ActiveOpens", offsetof(struct network_counters, active_opens)},
    {"PassiveOpens", offsetof(struct network_counters, passive_opens)},
    {"OutRsts", offsetof(struct network_counters, resets_out)},
};

static const struct counter_name netstat_names[] = {
    {"ListenOverflows", offsetof(struct network_counters, listen_overflows)},
    {"ListenDrops", offsetof(struct network_counters, listen_drops)},
};

/* These files hold pairs of lines, "Prefix: Name …" and "Prefix: value …". Every name must be
 * there. */
static int read_pairs(int fd, const char *prefix, const struct counter_name *names, size_t count,
                      struct network_counters *out)
{
    char buffer[16384], *save_names, *save_values, *name, *value;
    char *head, *body;
    size_t found = 0;

    if (file_again(fd, buffer, sizeof(buffer)) <= 0)
        return -1;
    head = strstr(buffer, prefix);
    body = head ? strchr(head, '\n') : NULL;
    if (!body || strncmp(body + 1, prefix, strlen(prefix)) != 0)
        return -1;
    *body++ = '\0';
    body[strcspn(body, "\n")] = '\0';
    name = strtok_r(head, " ", &save_names);
    value = strtok_r(body, " ", &save_values);
    for (; name && value;
         name = strtok_r(NULL, " ", &save_names), value = strtok_r(NULL, " ", &save_values))
        for (size_t i = 0; i < count; i++)
            if (strcmp(name, names[i].name) == 0) {
                *(int64_t *)(void *)((char *)out + names[i].offset) = strtoll(value, NULL, 10);
                found++;
            }
    return found == count ? 0 : -1;
}

int network_read(struct network *n, struct network_counters *ret)
{
    struct network_counters counters = {0};

    if (read_pairs(n->snmp, "Tcp:", snmp_names, ARRAY_SIZE(snmp_names), &counters) < 0 ||
        read_pairs(n->netstat, "TcpExt:", netstat_names, ARRAY_SIZE(netstat_names), &counters) < 0)
        return -1;
    *ret = counters;
    return 0;
}
