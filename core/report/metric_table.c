/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metric_table.h"

#include "base/memory.h"

#define NANO 1e-9
#define HIGHER BENCH_HIGHER_IS_BETTER
#define LOWER BENCH_LOWER_IS_BETTER
#define NEUTRAL BENCH_NEUTRAL
#define METRIC(n, u, t, d, f, r, m)                                                              \
    {                                                                                            \
        .name = n, .unit = u, .title = t, .direction = d, .format = BENCH_FORMAT_##f, .rank = r, \
        .meaning = m                                                                             \
    }
#define LATENCY(name, rank, per, q, text)                                                          \
    {                                                                                              \
        METRIC("latency_" name "_seconds", "s", "latency " name, LOWER, SECONDS, rank, text), RUN, \
            per, NANO, NULL, q                                                                     \
    }
#define ALL_STATES                                                                    \
    "system.user_ns system.nice_ns system.system_ns system.idle_ns system.iowait_ns " \
    "system.irq_ns system.softirq_ns system.steal_ns"
#define SYSTEM_SHARE(name, column, text)                                                     \
    {                                                                                        \
        METRIC("system_" name "_share", "1", "machine " name, NEUTRAL, SHARE, 2, text), RUN, \
            COLUMNS, 1, "system." column "_ns", ALL_STATES                                   \
    }
#define NET_COUNT(name, column, title, direction, text)                                         \
    {                                                                                           \
        METRIC(name, "1", title, direction, PLAIN, 2, text), RUN, TOTAL, 1, "net." column, NULL \
    }

static const struct metric_row rows[] = {
    {METRIC("bits_per_second", "bit/s", "throughput", HIGHER, SI, 0,
            "Payload that reached its receiver, in bits per second."),
     RUN, SECOND, 8, "{delivered}.bytes_received", NULL},
    {METRIC("operations_per_second", "1/s", "operations", HIGHER, SI, 0,
            "Requests that the client completed, per second."),
     RUN, SECOND, 1, "client.operations", NULL},
    {METRIC("offered_per_second", "1/s", "offered", NEUTRAL, SI, 2,
            "Requests whose time came, per second: what an open loop asked for."),
     RUN, SECOND, 1, "client.due", NULL},
    {METRIC("result", "1", "result", NEUTRAL, PLAIN, 0,
            "What the workload `command` read from the output of its client, when no other metric "
            "was named."),
     RUN, TOTAL, 1, "result", NULL},
    {METRIC("connections_per_second", "1/s", "connections", HIGHER, SI, 2,
            "Connections that the client established, per second."),
     RUN, SECOND, 1, "client.connections", NULL},
    {METRIC("sent_bits_per_second", "bit/s", "client sent", NEUTRAL, SI, 2,
            "Payload that the client sent, in bits per second."),
     RUN, SECOND, 8, "client.bytes_sent", NULL},
    {METRIC("received_bits_per_second", "bit/s", "client received", NEUTRAL, SI, 2,
            "Payload that the client received, in bits per second."),
     RUN, SECOND, 8, "client.bytes_received", NULL},
    LATENCY("p50", 1, QUANTILE, "0.5", "Median time of an operation."),
    LATENCY("p90", 1, QUANTILE, "0.9", "Time within which 90% of the operations were done."),
    LATENCY("p99", 1, QUANTILE, "0.99", "Time within which 99% of the operations were done."),
    LATENCY("p999", 2, QUANTILE, "0.999", "Time within which 99.9% of the operations were done."),
    LATENCY("max", 2, LARGEST, NULL, "Time of the slowest operation."),
    LATENCY("mean", 2, MEAN, NULL, "Mean time of an operation."),
    {METRIC("cpus_{role}", "CPUs", "CPU {role}", LOWER, CPUS, 1,
            "CPU time of all processes of the role per second of the window, as the scheduler "
            "charges it."),
     ROLE, SECOND, NANO, "{role}.cpu_ns", NULL},
    {METRIC("idle_cpus", "CPUs", "idle CPU", LOWER, CPUS, 2,
            "CPUs that its processes used while other arms of the block were measured, in a window "
            "in slices."),
     RUN, TOTAL, 1, "idle_cpus", NULL},
    {METRIC("cpus_relay", "CPUs", "CPU relay", LOWER, CPUS, 2,
            "CPU time of all relay hops together per second of the window."),
     HOPS, SECOND, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpus_cv_{role}", "1", "CPU CV {role}", NEUTRAL, SHARE, 2,
            "Coefficient of variation of the role's CPUs from one sample (`tick`) to the next "
            "within the "
            "window."),
     ROLE, VARIATION, 1, "{role}.cpu_ns", NULL},
    {METRIC("cpus_user_{role}", "CPUs", "user CPU {role}", NEUTRAL, CPUS, 2,
            "The part of the role's CPUs that was spent in user space."),
     ROLE, SECOND, NANO, "{role}.user_ns", NULL},
    {METRIC("cpus_system_{role}", "CPUs", "system CPU {role}", NEUTRAL, CPUS, 2,
            "The part of the role's CPUs that was spent in the kernel."),
     ROLE, SECOND, NANO, "{role}.system_ns", NULL},
    {METRIC("cpu_seconds_per_gigabyte_{role}", "s/GB", "CPU s/GB {role}", LOWER, PLAIN, 2,
            "CPU time of the role per 1e9 bytes of payload delivered."),
     ROLE, GIGABYTE, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpu_seconds_per_gigabyte_relay", "s/GB", "CPU s/GB", LOWER, PLAIN, 1,
            "CPU time of all relay hops per 1e9 bytes of payload delivered."),
     HOPS, GIGABYTE, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpu_seconds_per_operation_{role}", "s", "CPU/op {role}", LOWER, SECONDS, 2,
            "CPU time of the role per completed request."),
     ROLE, OPERATION, NANO, "{role}.cpu_ns", NULL},
    {METRIC("cpu_seconds_per_operation_relay", "s", "CPU/op", LOWER, SECONDS, 1,
            "CPU time of all relay hops per completed request."),
     HOPS, OPERATION, NANO, "{role}.cpu_ns", NULL},
    {METRIC("rss_bytes_{role}", "bytes", "RSS {role}", LOWER, BINARY, 1,
            "Largest sum of the resident memory of the role's processes, of all samples, ten per "
            "second at most; a page that several of them share counts for each, see \"Memory\"."),
     ROLE, MAXIMUM, 1, "{role}.rss_bytes", NULL},
    {METRIC("rss_growth_bytes_{role}", "bytes", "RSS growth {role}", LOWER, BINARY, 2,
            "Resident memory of the role at the end of the window less that at its begin."),
     ROLE, TOTAL, 1, "{role}.rss_bytes", NULL},
    {METRIC("workers_{role}", "1", "workers {role}", NEUTRAL, PLAIN, 2,
            "The role's threads that accept connections, see \"Workers\"."),
     ROLE, MAXIMUM, 1, "{role}.workers", NULL},
    {METRIC("busiest_worker_share_{role}", "1", "busiest worker {role}", NEUTRAL, SHARE, 2,
            "The CPU time of the busiest of them, as a share of that of all of them."),
     ROLE, COLUMNS, 1, "{role}.busiest_ns", "{role}.workers_ns"},
    {METRIC(
         "runqueue_seconds_{role}", "s", "run queue {role}", LOWER, SECONDS, 2,
         "Time for which threads of the role were ready to run and waited for a CPU, summed over "
         "them."),
     ROLE, TOTAL, NANO, "{role}.runqueue_ns", NULL},
    {METRIC("involuntary_switches_{role}", "1", "preempted {role}", LOWER, SI, 2,
            "How often a thread of the role had to leave its CPU although it could have gone on."),
     ROLE, TOTAL, 1, "{role}.involuntary", NULL},
    {METRIC("throttled_seconds_{hop}", "s", "throttled {hop}", LOWER, SECONDS, 2,
            "Time for which the CPU limit kept the hop's threads from running, summed over CPUs."),
     HOP, TOTAL, NANO, "{role}.throttled_ns", NULL},
    {METRIC("throttled_share_{hop}", "1", "throttled {hop}", LOWER, SHARE, 1,
            "Share of the CPU limit's periods in which the hop used up its quota and had to wait."),
     HOP, COLUMNS, 1, "{role}.throttled_periods", "{role}.periods"},
    {METRIC("errors_{role}", "1", "errors {role}", LOWER, PLAIN, 2,
            "Operations or connections that failed, as the built-in role counts them."),
     ROLE, TOTAL, 1, "{role}.errors", NULL},
    SYSTEM_SHARE("user", "user", "Share of all CPU time of the machine spent in user space."),
    SYSTEM_SHARE("nice", "nice", "Share spent in user space at lowered priority."),
    SYSTEM_SHARE("kernel", "system", "Share spent in the kernel, without interrupts."),
    SYSTEM_SHARE("idle", "idle", "Share without work."),
    SYSTEM_SHARE("iowait", "iowait", "Share without work while a disk was waited for."),
    SYSTEM_SHARE("irq", "irq", "Share spent in hardware interrupts."),
    SYSTEM_SHARE("softirq", "softirq", "Share spent in software interrupts: most of the network."),
    SYSTEM_SHARE("steal", "steal", "Share that the hypervisor gave to others."),
    NET_COUNT("tcp_segments_sent", "segments_out", "segments sent", NEUTRAL,
              "TCP segments sent in the network of the repetition (with `network: host`, by "
              "all processes)."),
    NET_COUNT("tcp_segments_received", "segments_in", "segments received", NEUTRAL,
              "TCP segments received there."),
    NET_COUNT("tcp_retransmits", "retransmits", "retransmits", LOWER,
              "TCP segments sent again there."),
    NET_COUNT("tcp_resets", "resets_out", "resets", LOWER, "TCP connections reset there."),
    NET_COUNT("tcp_connections_opened", "active_opens", "connects", NEUTRAL,
              "TCP connections that were opened there."),
    NET_COUNT("tcp_connections_accepted", "passive_opens", "accepts", NEUTRAL,
              "TCP connections that were accepted there."),
    NET_COUNT("listen_overflows", "listen_overflows", "listen overflows", LOWER,
              "Connections that found the accept queue of a listener full."),
    NET_COUNT("listen_drops", "listen_drops", "listen drops", LOWER,
              "Connections that a listener dropped for any reason."),
    {METRIC("{event}_{role}", "1", "{event} {role}", NEUTRAL, SI, 2,
            "Count of the event in the role's processes; the clocks task-clock and cpu-clock, and "
            "the times offcpu-blocked and offcpu-preempted, are in seconds."),
     EVENT, TOTAL, 1, NULL, NULL},
    {METRIC("{event}_per_byte_{role}", "1/byte", "{event}/byte {role}", NEUTRAL, PLAIN, 2,
            "The same per byte of payload delivered."),
     EVENT, BYTE, 1, NULL, NULL},
    {METRIC("{event}_per_operation_{role}", "1", "{event}/op {role}", NEUTRAL, PLAIN, 2,
            "The same per completed request."),
     EVENT, OPERATION, 1, NULL, NULL},
    {METRIC("ipc_{role}", "1", "IPC {role}", HIGHER, PLAIN, 2,
            "Instructions per cycle, when both events were counted."),
     ROLE, CYCLES, 1, NULL, NULL},
    {METRIC("statistic_{event}_{role}", "1", "{event} {role}", NEUTRAL, PLAIN, 2,
            "What the relay itself counted, in its own terms."),
     STATISTIC, TOTAL, 1, NULL, NULL},
    {METRIC("bench_cpus", "CPUs", "CPU bench", LOWER, CPUS, 2,
            "CPU time of the bench itself per second of the window."),
     RUN, SECOND, NANO, "bench.cpu_ns", NULL},
    {METRIC("others_cpus", "CPUs", "CPU others", LOWER, CPUS, 2,
            "CPU time of all other processes on the machine per second of the window: all of it "
            "less that of roles and bench. By the ticks of /proc/stat where no control group "
            "counts all processes."),
     RUN, OTHERS, NANO, "system.user_ns system.nice_ns system.system_ns", "cpu_ns"},
};

const struct metric_row *metric_row(size_t i)
{
    return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}
