/* SPDX-License-Identifier: Apache-2.0 */
#include "report/thresholds.h"

#include "base/memory.h"

static const struct threshold_row rows[] = {
    [SATURATED] = {"saturated", 0.95, "",
                   "share of the CPUs that a role may use, from which on it is the limit",
                   "convention; a limit holds within 1%"},
    [THROTTLED] = {"throttled", 0.10, "", "share of periods, above which a relay is throttled",
                   "convention; a relay that is at its limit is throttled in nearly all of them"},
    [MACHINE_IDLE] = {"machine idle", 0.05, "",
                      "share of idle CPU, below which the machine is the limit",
                      "convention; the kernel counts it in ticks of 10 ms"},
    [THREAD_LOW] = {"one thread, from", 0.95, "CPUs",
                    "CPUs of a role that can use more: one busy thread", "as saturated"},
    [THREAD_HIGH] = {"one thread, to", 1.02, "CPUs",
                     "CPUs above which more than one thread is at work",
                     "as saturated, and what a sample is late by"},
    [OTHERS_AT_WORK] = {"others", 0.2, "CPUs", "CPUs that all other processes on the machine used",
                        "convention; the kernel's ticks of 10 ms make it uncertain by less"},
    [STEAL] = {"steal", 0.001, "", "share of CPU time that the hypervisor took",
               "a tenth of what makes a repetition unfit for a comparison"},
    [TAIL_LOW] = {"tail, from", 0.25, "periods", "p99 of the latency that throttling explains",
                  "a hop that uses up its quota at twice its rate stands still for half a period"},
    [TAIL_HIGH] = {"tail, to", 1.1, "periods", "p99 that one wait for the next period can explain",
                   "one period, and the request itself"},
    [OVERFLOWS] = {"overflows", 0, "", "connections that found an accept queue full",
                   "none is the rule; each is a retry after a second"},
    [RETRANSMITS] = {"retransmits", 0.001, "", "share of the segments that were sent again",
                     "convention; on loopback there are none unless a queue overflows"},
    [ACTIVE] = {"active", 0.1, "CPUs", "least CPU use for which rates per CPU second say something",
                "convention"},
    [IMBALANCE] = {"imbalance", 1.8, "fair shares",
                   "share of the busiest worker, as a multiple of an even share",
                   "nearly all of two workers, or twice what others of many have"},
    [CHURN] = {"churn", 0.5, "per request", "connections for each request", "every second request"},
    [FLUSHES] = {"flushes", 10, "per second", "flushes to the disk",
                 "at 1 to 10 ms each, up to a tenth of the time"},
    [SMALL_CALL] =
        {"small call", 4096, "bytes", "payload for each call that reads or writes",
         "entering the kernel (0.1 to 0.2 µs) is then a third of the copying (0.11 ns per "
         "byte)"},
    [CALLS_TO_MOVE] = {"calls to move", 4, "per request",
                       "calls that read, or that write, for each request",
                       "a relay needs two: request and response"},
    [MANY_CALLS] = {"many calls", 20, "per request", "system calls for each request",
                    "a relay needs about six: two reads, two writes, two waits"},
    [TINY_CALL] = {"tiny call", 1024, "bytes", "payload for each system call of any kind",
                   "a quarter of a small call: waiting and asking count as well"},
    [ONE_SIDED] = {"one-sided", 4, "", "calls that read for each that writes, or the reverse",
                   "convention; a relay writes what it reads"},
    [SWITCHES_PER_REQUEST] = {"switches per request", 4, "per request",
                              "context switches for each request",
                              "twice what waiting for request and response takes"},
    [SWITCHES_PER_MEGABYTE] = {"switches per MB", 100, "per MB",
                               "context switches for each megabyte",
                               "at 2.7 µs each as much CPU as moving the bytes"},
    [WAITING] = {"waiting", 0.5, "s per CPU second",
                 "time for which runnable threads waited for a CPU",
                 "convention; a third of the time that it was ready to run"},
    [INVOLUNTARY] = {"involuntary", 500, "per CPU second", "switches that a thread did not ask for",
                     "a thread that keeps its time slice of 2 to 4 ms has fewer"},
    [MIGRATIONS] = {"migrations", 1000, "per CPU second", "moves of threads to another CPU",
                    "convention; each starts with cold caches"},
    [FAULTS] = {"page faults", 10000, "per CPU second", "pages that had to be mapped",
                "at 1.7 µs each, 1.7% of the CPU time"},
    [GROWTH] = {"growth", 16 << 20, "bytes", "resident memory gained in the window", "convention"},
    [GROWTH_SHARE] = {"growth, share", 0.1, "", "the same, as a share of the largest",
                      "convention"},
    [SOFTIRQ] = {"softirq", 0.3, "", "share of all CPU time in software interrupts",
                 "twice what streams over loopback take (0.11 to 0.14)"},
    [LOW_IPC] = {"low IPC", 0.5, "", "instructions per cycle, below which the CPU waits",
                 "convention; network code reaches 0.6 to 1, compute code more"},
    [CACHE_MISSES] = {"cache misses", 10, "per 1000 instructions",
                      "accesses that the last cache did not hold",
                      "convention; at 100 cycles each, one cycle per instruction"},
    [FEW_CALLS] = {"few calls", 1000, "per second", "system calls", "convention"},
    [RESTING] = {"resting", 0.05, "CPUs", "CPU use below which a role has next to nothing to do",
                 "convention"},
};

double threshold(enum threshold t)
{
    return rows[t].value;
}

const struct threshold_row *threshold_row(size_t i)
{
    return i + 1 < ARRAY_SIZE(rows) ? &rows[i + 1] : NULL;
}
