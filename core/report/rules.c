/* SPDX-License-Identifier: Apache-2.0 */
#include "report/rules.h"

#include "base/memory.h"

/* --- quantities ---------------------------------------------------------------------------- */

#define READS \
    "syscall:read syscall:readv syscall:pread64 syscall:recvfrom syscall:recvmsg syscall:recvmmsg"
#define WRITES                                                                      \
    "syscall:write syscall:writev syscall:pwrite64 syscall:sendto syscall:sendmsg " \
    "syscall:sendmmsg syscall:sendfile"
#define ACCEPTS "syscall:accept syscall:accept4"
#define CLOSES "syscall:close"
#define FLUSH_CALLS "syscall:fsync syscall:fdatasync syscall:msync syscall:sync_file_range"
#define CALLS "syscalls_{role}|raw_syscalls_sys_enter_{role}"

#define QUANTITY(name, ...) static const struct quantity name = {__VA_ARGS__}

QUANTITY(others, "others on the machine used %s CPUs", BENCH_FORMAT_CPUS, "", "others_cpus", NULL,
         0);
QUANTITY(steal, "the hypervisor took %s of the CPU time", BENCH_FORMAT_SHARE, "",
         "system_steal_share", NULL, 0);
QUANTITY(tail, "p99 is %s of the period of its CPU limit", BENCH_FORMAT_SHARE, "",
         "latency_p99_seconds", "@period", 0);
QUANTITY(throttled, "throttled in %s of the periods of its CPU limit", BENCH_FORMAT_SHARE, "",
         "throttled_share_{role}", NULL, 0);
QUANTITY(overflows, "an accept queue overflowed %s times in a window", BENCH_FORMAT_PLAIN, "",
         "listen_overflows", NULL, 0);
QUANTITY(cpus, "%s CPUs used", BENCH_FORMAT_CPUS, "", "@cpu_seconds", "@seconds", 0);
QUANTITY(imbalance, "the busiest worker did %s times its fair share", BENCH_FORMAT_PLAIN, "",
         "busiest_worker_share_{role}", "@fair_share", 0);
QUANTITY(accepts, "accept() %s times for each request", BENCH_FORMAT_PLAIN, "", ACCEPTS,
         "@requests", 0);
QUANTITY(closes, "close() %s times", BENCH_FORMAT_PLAIN, "", CLOSES, "@requests", 0);
QUANTITY(connects, "connect() %s times for each request", BENCH_FORMAT_PLAIN, "", "syscall:connect",
         "@requests", 0);
QUANTITY(client_opens, "the client opened %s connections for each request", BENCH_FORMAT_PLAIN, "",
         "@client_connections", "@requests", 0);
QUANTITY(opened, "%s times a connection was opened for each request", BENCH_FORMAT_PLAIN, "",
         "tcp_connections_opened", "@requests", 0);
QUANTITY(flushes, "%s flushes to the disk per second", BENCH_FORMAT_SI, "", FLUSH_CALLS, "@seconds",
         0);
QUANTITY(read_size, "%s for each call that reads", BENCH_FORMAT_BINARY, "B", "@read_bytes", READS,
         0);
QUANTITY(write_size, "%s for each call that writes", BENCH_FORMAT_BINARY, "B", "@written_bytes",
         WRITES, 0);
QUANTITY(reads, "%s of them for each request", BENCH_FORMAT_PLAIN, "", READS, "@requests", 0);
QUANTITY(writes, "%s of them for each request", BENCH_FORMAT_PLAIN, "", WRITES, "@requests", 0);
QUANTITY(calls, "%s system calls for each request", BENCH_FORMAT_PLAIN, "", CALLS, "@requests", 0);
QUANTITY(call_size, "%s for each system call", BENCH_FORMAT_BINARY, "B", "@bytes", CALLS, 0);
QUANTITY(all_calls, "%s system calls", BENCH_FORMAT_SI, "", "syscalls_{role}", NULL, 0);
QUANTITY(reads_per_write, "%s calls that read for each that writes", BENCH_FORMAT_PLAIN, "", READS,
         WRITES, 0);
QUANTITY(writes_per_read, "%s calls that write for each that reads", BENCH_FORMAT_PLAIN, "", WRITES,
         READS, 0);
QUANTITY(switches, "%s context switches for each request", BENCH_FORMAT_PLAIN, "",
         "context_switches_{role}", "@requests", 0);
QUANTITY(switches_per_mb, "%s context switches for each MB", BENCH_FORMAT_PLAIN, "",
         "context_switches_{role}", "@bytes", 1e6);
QUANTITY(waiting, "waited %s for a CPU for each second that it ran", BENCH_FORMAT_SECONDS, "s",
         "runqueue_seconds_{role}", "@cpu_seconds", 0);
QUANTITY(involuntary, "lost its CPU %s times for each second that it ran", BENCH_FORMAT_SI, "",
         "involuntary_switches_{role}", "@cpu_seconds", 0);
QUANTITY(migrations, "moved to another CPU %s times for each second that it ran", BENCH_FORMAT_SI,
         "", "cpu_migrations_{role}", "@cpu_seconds", 0);
QUANTITY(retransmits, "%s of the segments were sent again", BENCH_FORMAT_SHARE, "",
         "tcp_retransmits", "tcp_segments_sent", 0);
QUANTITY(softirq, "%s of all CPU time in software interrupts", BENCH_FORMAT_SHARE, "",
         "system_softirq_share", NULL, 0);
QUANTITY(faults, "%s page faults for each second that it ran", BENCH_FORMAT_SI, "",
         "page_faults_{role}", "@cpu_seconds", 0);
QUANTITY(growth, "grew by %s in the window", BENCH_FORMAT_BINARY, "B", "rss_growth_bytes_{role}",
         NULL, 0);
QUANTITY(growth_share, "that is %s of its memory", BENCH_FORMAT_SHARE, "",
         "rss_growth_bytes_{role}", "rss_bytes_{role}", 0);
QUANTITY(ipc, "%s instructions per cycle", BENCH_FORMAT_PLAIN, "", "ipc_{role}", NULL, 0);
QUANTITY(cache_misses, "%s cache misses for each 1000 instructions", BENCH_FORMAT_PLAIN, "",
         "cache_misses_{role}", "instructions_{role}", 1000);
QUANTITY(call_rate, "%s system calls per second", BENCH_FORMAT_PLAIN, "", CALLS, "@seconds", 0);

/* --- rules --------------------------------------------------------------------------------- */

#define ABOVE(what, limit)                    \
    {                                         \
        .quantity = &what, .threshold = limit \
    }
#define BELOW(what, limit)                                   \
    {                                                        \
        .quantity = &what, .threshold = limit, .below = true \
    }
/* Holds as well where the quantity is not known. */
#define ABOVE_IF_KNOWN(what, limit)                             \
    {                                                           \
        .quantity = &what, .threshold = limit, .if_known = true \
    }
/* A premise that holds as well where the quantity is not known. */
#define GIVEN_BELOW_IF_KNOWN(what, limit)                                                      \
    {                                                                                          \
        .quantity = &what, .threshold = limit, .below = true, .if_known = true, .silent = true \
    }
/* A premise; with NO_THRESHOLD: it is known, and not 0. */
#define GIVEN(what, limit)                                    \
    {                                                         \
        .quantity = &what, .threshold = limit, .silent = true \
    }

static const struct rule rules[] = {
    {
        .name = "limited by the client",
        .about = ABOUT_RUN,
        .capture = "resources",
        .limited_by = "client",
        .unpaced = true,
        .meaning = "the client was measured, not the relay: its throughput says little about the "
                   "relay",
        .remedy = "more client: 'jobs', CPUs of its own ('cpus'), a cheaper workload; or a lower "
                  "'cpu_limit'",
    },
    {
        .name = "limited by the server",
        .about = ABOUT_RUN,
        .capture = "resources",
        .limited_by = "server",
        .unpaced = true,
        .meaning = "the server was measured, not the relay: its throughput says little about the "
                   "relay",
        .remedy = "more server: threads, CPUs of its own ('cpus'), cheaper answers; or a lower "
                  "'cpu_limit'",
    },
    {
        .name = "limited by the machine",
        .about = ABOUT_RUN,
        .capture = "resources",
        .limited_by = "cpu",
        .unpaced = true,
        .meaning = "all roles competed for the CPUs: the relay's throughput says little about the "
                   "relay",
        .remedy = "compare CPU per byte or request instead, lower 'cpu_limit', or give the roles "
                  "CPUs of their own ('cpus')",
    },
    {
        .name = "limited by the quota around bench",
        .about = ABOUT_RUN,
        .capture = "resources",
        .limited_by = "quota",
        .meaning = "a control group around bench has a CPU quota, which client, relays and server "
                   "used up",
        .remedy = "start bench elsewhere, or raise cpu.max or cpu.cfs_quota_us, '--cpus' of the "
                  "container, CPUQuota=",
    },
    {
        .name = "no bottleneck found",
        .about = ABOUT_RUN,
        .capture = "resources",
        .limited_by = "nothing",
        .unpaced = true,
        .meaning = "no role was at its end: the relay's throughput says little about the relay",
        .remedy = "more 'jobs' to keep it busy; what still waits then waits for locks, wake-ups or "
                  "the peer",
    },
    {
        .name = "others at work",
        .about = ABOUT_RUN,
        .capture = "resources",
        .conditions = {ABOVE(others, OTHERS_AT_WORK)},
        .meaning = "processes that are no part of the run took CPU time and caches from it",
        .remedy = "stop them, or give the roles CPUs where they do not run ('cpus')",
    },
    {
        .name = "steal",
        .about = ABOUT_RUN,
        .capture = "resources",
        .once = true,
        .conditions = {ABOVE(steal, STEAL)},
        .meaning = "another virtual machine had the CPUs meanwhile: times and rates are worse than "
                   "they would be",
        .remedy = "a quieter host, dedicated CPUs, or more repetitions",
    },
    {
        .name = "tail of throttling",
        .about = ABOUT_HOP,
        .capture = "resources",
        .conditions = {ABOVE(tail, TAIL_LOW),
                       {.quantity = &tail, .threshold = TAIL_HIGH, .below = true, .silent = true},
                       ABOVE(throttled, THROTTLED)},
        .meaning = "the slowest requests waited for the next period of the limit, not for the "
                   "relay's work",
        .remedy = "a higher 'cpu_limit', fewer threads of the relay, a lower rate, or a shorter "
                  "'cpu_period'",
    },
    {
        .name = "throttled",
        .about = ABOUT_HOP,
        .capture = "resources",
        .covered_by = "tail of throttling",
        .conditions = {ABOVE(throttled, THROTTLED)},
        .meaning = "it used up its CPU limit and stood still until the next period: the limit "
                   "decides what it does",
        .remedy = "a higher 'cpu_limit'; with more threads than CPUs of the limit, fewer threads",
    },
    {
        .name = "listen overflows",
        .about = ABOUT_RUN,
        .capture = "resources",
        .once = true,
        .conditions = {ABOVE(overflows, OVERFLOWS)},
        .meaning = "connections came faster than a listener accepted them; those refused try again "
                   "after a second",
        .remedy = "a longer backlog (listen(), net.core.somaxconn), more acceptors, kept "
                  "connections",
    },
    {
        .name = "one busy worker",
        .about = ABOUT_ROLE,
        .capture = "resources",
        .conditions = {ABOVE(imbalance, IMBALANCE), GIVEN(cpus, ACTIVE)},
        .meaning =
            "each worker serves the connections that it accepted, and one has most of the work",
        .remedy = "more connections ('jobs'), SO_REUSEPORT where the workers share one listening "
                  "socket, or fewer workers",
    },
    {
        .name = "short connections",
        .about = ABOUT_ROLE,
        .capture = "syscalls",
        .conditions = {ABOVE(accepts, CHURN), ABOVE(closes, CHURN)},
        .meaning = "a connection serves hardly more than one request: handshakes and descriptors "
                   "cost more than the work",
        .remedy = "keep connections alive and use them again; mode 'crr' opens one each on purpose",
    },
    {
        .name = "connects",
        .about = ABOUT_HOP,
        .capture = "syscalls",
        /* A relay of connections cannot do with fewer than its client opens. */
        .conditions = {ABOVE(connects, CHURN), GIVEN_BELOW_IF_KNOWN(client_opens, CHURN)},
        .meaning = "it opens a connection to the next hop for nearly every request",
        .remedy = "persistent connections or a pool towards the next hop",
    },
    {
        .name = "connection per request",
        .about = ABOUT_RUN,
        .capture = "resources",
        .covered_by = "short connections",
        .conditions = {ABOVE(opened, CHURN)},
        .meaning = "a connection is opened for nearly every request: the handshake is part of "
                   "each",
        .remedy = "keep connections alive, at the client and from hop to hop",
    },
    {
        .name = "flushes",
        .about = ABOUT_ROLE,
        .capture = "syscalls",
        .conditions = {ABOVE(flushes, FLUSHES)},
        .meaning = "it waits for the disk to have what it wrote",
        .remedy = "group commits, flush later or in the background, keep logs and files in memory",
    },
    {
        .name = "small reads",
        .about = ABOUT_ROLE,
        .capture = "syscalls",
        .conditions = {BELOW(read_size, SMALL_CALL), ABOVE_IF_KNOWN(reads, CALLS_TO_MOVE)},
        .meaning = "many small reads: entering the kernel is a good part of their cost",
        .remedy = "larger buffers, read until there is no more, batch reads",
    },
    {
        .name = "small writes",
        .about = ABOUT_ROLE,
        .capture = "syscalls",
        .conditions = {BELOW(write_size, SMALL_CALL), ABOVE_IF_KNOWN(writes, CALLS_TO_MOVE)},
        .meaning = "many small writes: entering the kernel is a good part of their cost",
        .remedy = "buffer and write once, writev() or sendmsg(), MSG_MORE",
    },
    {
        .name = "many calls per request",
        .about = ABOUT_ROLE,
        .capture = "syscalls",
        .conditions = {ABOVE(calls, MANY_CALLS)},
        .meaning = "too many transitions into the kernel for the work that is done",
        .remedy = "batch I/O, wait less often for more events, io_uring",
    },
    {
        .name = "many calls per byte",
        .about = ABOUT_ROLE,
        .capture = "syscalls",
        .covered_by = "many calls per request",
        .conditions =
            {BELOW(call_size, TINY_CALL),
             {.quantity = &calls, .threshold = MANY_CALLS, .if_known = true, .silent = true}},
        .meaning = "too many transitions into the kernel for the bytes that are moved",
        .remedy = "larger buffers, batch I/O, splice() where bytes pass unseen",
    },
    {
        .name = "reads, few writes",
        .about = ABOUT_PEER,
        .capture = "syscalls",
        .conditions = {ABOVE(reads_per_write, ONE_SIDED), GIVEN(all_calls, NO_THRESHOLD)},
        .covered_by = "small reads",
        .meaning =
            "input comes in smaller pieces than output leaves, or there is none when it reads",
        .remedy = "read when the kernel says there is something, larger buffers, more concurrent "
                  "clients",
    },
    {
        .name = "writes, few reads",
        .about = ABOUT_PEER,
        .capture = "syscalls",
        .conditions = {ABOVE(writes_per_read, ONE_SIDED), GIVEN(all_calls, NO_THRESHOLD)},
        .covered_by = "small writes",
        .meaning = "output goes out in pieces, or the peer takes it only in pieces (back-pressure)",
        .remedy = "buffer writes, larger socket buffers, flow control",
    },
    {
        .name = "switches per request",
        .about = ABOUT_ROLE,
        .capture = "stat",
        .conditions = {ABOVE(switches, SWITCHES_PER_REQUEST)},
        .meaning = "it sleeps and wakes more often than the request asks for: hand-overs between "
                   "threads, locks, small waits",
        .remedy = "one thread per connection's whole way, batches between threads, fewer threads",
    },
    {
        .name = "switches per byte",
        .about = ABOUT_ROLE,
        .capture = "stat",
        .conditions = {ABOVE(switches_per_mb, SWITCHES_PER_MEGABYTE),
                       {.quantity = &switches,
                        .threshold = SWITCHES_PER_REQUEST,
                        .if_known = true,
                        .silent = true}},
        .covered_by = "switches per request",
        .meaning = "it sleeps and wakes for few bytes each time",
        .remedy = "larger buffers and socket buffers, fewer hand-overs between threads",
    },
    {
        .name = "waiting for a CPU",
        .about = ABOUT_HOP,
        .capture = "resources",
        .covered_by = "limited by the machine",
        /* who is throttled waits for its quota, which the kernel counts as waiting for a CPU */
        .conditions = {ABOVE(waiting, WAITING), GIVEN(cpus, ACTIVE),
                       GIVEN_BELOW_IF_KNOWN(throttled, THROTTLED)},
        .meaning = "its threads were ready while others, its own among them, had the CPUs: latency "
                   "has that",
        .remedy =
            "CPUs of its own ('cpus'), not more busy threads than these, fewer other processes",
    },
    {
        .name = "involuntary switches",
        .about = ABOUT_HOP,
        .capture = "resources",
        .covered_by = "limited by the machine",
        .conditions = {ABOVE(involuntary, INVOLUNTARY), GIVEN(cpus, ACTIVE)},
        .meaning = "it is interrupted at work by others on its CPU, often by those that it wakes",
        .remedy = "CPUs of its own ('cpus'), and client and server on others",
    },
    {
        .name = "migrations",
        .about = ABOUT_ROLE,
        .capture = "stat",
        .conditions = {ABOVE(migrations, MIGRATIONS), GIVEN(cpus, ACTIVE)},
        .meaning = "its threads move from CPU to CPU and find cold caches",
        .remedy = "pin it ('cpus'), as many threads as CPUs",
    },
    {
        .name = "retransmits",
        .about = ABOUT_RUN,
        .capture = "resources",
        .conditions = {ABOVE(retransmits, RETRANSMITS)},
        .meaning =
            "segments were lost, or acknowledged late: on loopback by a receiver that was busy",
        .remedy = "on loopback less load; else look for full queues (the link, socket buffers)",
    },
    {
        .name = "software interrupts",
        .about = ABOUT_RUN,
        .capture = "resources",
        .conditions = {ABOVE(softirq, SOFTIRQ)},
        .meaning = "packets cost more than what is done with them: many small ones",
        .remedy = "larger segments (MTU, GSO, fewer and larger writes), receive steering, fewer "
                  "firewall rules",
    },
    {
        .name = "page faults",
        .about = ABOUT_ROLE,
        .capture = "stat",
        .conditions = {ABOVE(faults, FAULTS), GIVEN(cpus, ACTIVE)},
        .meaning = "memory is asked of the kernel and given back all the time",
        .remedy =
            "use buffers again, another allocator or its limits (M_TRIM_THRESHOLD), huge pages",
    },
    {
        .name = "memory growth",
        .about = ABOUT_ROLE,
        .capture = "resources",
        .conditions = {ABOVE(growth, GROWTH), ABOVE(growth_share, GROWTH_SHARE)},
        .meaning = "it keeps what it gets: a leak, a queue without bound, or not yet warm",
        .remedy =
            "a longer 'warmup' and 'duration'; if it goes on, bound queues, look for the leak",
    },
    {
        .name = "low IPC",
        .about = ABOUT_ROLE,
        .capture = "stat",
        .conditions = {BELOW(ipc, LOW_IPC), GIVEN(cpus, ACTIVE)},
        .meaning = "the CPU mostly waits: for memory, or for instructions",
        .remedy = "look at cache misses; smaller working set, fewer copies, fewer switches",
    },
    {
        .name = "cache misses",
        .about = ABOUT_ROLE,
        .capture = "stat",
        .conditions = {ABOVE(cache_misses, CACHE_MISSES), GIVEN(cpus, ACTIVE)},
        .meaning = "its data does not fit the caches, or other CPUs take it away",
        .remedy = "smaller buffers that are used again, data of one thread on its own cache lines",
    },
    {
        .name = "few calls",
        .about = ABOUT_HOP,
        .capture = "syscalls",
        .unpaced = true,
        .conditions = {BELOW(call_rate, FEW_CALLS),
                       {.quantity = &cpus, .threshold = RESTING, .below = true}},
        .meaning = "it is idle or hardly loaded: nothing is learnt about it",
        .remedy = "more load: 'jobs', a cheaper peer",
    },
};

const struct rule *rule_row(size_t i)
{
    return i < ARRAY_SIZE(rules) ? &rules[i] : NULL;
}

size_t rule_conditions(const struct rule *rule)
{
    size_t n = 0;

    while (n < ARRAY_SIZE(rule->conditions) && rule->conditions[n].quantity)
        n++;
    return n;
}
