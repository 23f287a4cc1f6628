/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A workload plugin: describes a server and a client process.
 *
 * There are two ways to be a role. A wrapper names a program (host->argument) and later parses what
 * it wrote (`parse`). A built-in role gives a function (host->main) that the core runs in a child
 * and that counts in a shared page, which the core samples on every tick: warm-up can then never
 * leak into a rate.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#ifdef __cplusplus
#include <atomic>
#define BENCH_ATOMIC(type) std::atomic<type>
#else
#include <stdatomic.h>
#define BENCH_ATOMIC(type) _Atomic(type)
#endif

#include <bench/histogram.h>
#include <bench/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One end of a workload, as the description hooks see it. */
struct bench_role {
    uint32_t size;
    struct bench_address listen;  /* server: where to listen */
    struct bench_address connect; /* client: hop 1, or the server when there is no relay */
    const char *protocol;         /* "tcp", "http1" or "http2" */
    int64_t jobs;                 /* concurrent communications */
    int64_t warmup_ns, duration_ns;
    const char *directory;        /* absolute; the process's own and its working directory */
    uint64_t seed;                /* of the repetition; the same for every arm of a block */
    double rate;                  /* operations per second of the whole client; 0: closed loop */
    bool poisson;                 /* arrivals at `rate`: Poisson from `seed`, else constant */
    const char *server_directory; /* of the server's process: keys and sockets that it made */
};

/*
 * Cumulative counters of one thread. Each is written by one thread only, with relaxed atomic
 * stores; the slot fills two cache lines so that neighbours never share one.
 */
struct bench_slot {
    BENCH_ATOMIC(uint64_t) bytes_sent;     /* payload handed to the kernel */
    BENCH_ATOMIC(uint64_t) bytes_received; /* payload taken from the kernel */
    BENCH_ATOMIC(uint64_t) operations;     /* completed requests */
    BENCH_ATOMIC(uint64_t) connections;    /* established so far */
    BENCH_ATOMIC(uint64_t) errors;         /* operations or connections that failed */
    BENCH_ATOMIC(uint64_t)
    kernel_bytes_sent; /* TCP_INFO bytes_acked less SYN and FIN, set at the end */
    BENCH_ATOMIC(uint64_t) kernel_bytes_received; /* TCP_INFO bytes_received, set at the end */
    BENCH_ATOMIC(uint64_t) due;                   /* requests whose time has come: open loop */
    uint64_t reserved[8];
} __attribute__((aligned(128)));

#define BENCH_SLOTS 256

/* What a latency is measured from and to. A closed loop knows only the first. */
enum bench_latency {
    BENCH_LATENCY_SERVICE = 0,  /* sent → done */
    BENCH_LATENCY_RESPONSE = 1, /* intended start → done: what a user waits, the headline */
    BENCH_LATENCY_LAG = 2,      /* intended start → sent: how late the generator was */
    BENCH_LATENCIES = 3,
};

/* Thread i records in histogram i mod this. */
#define BENCH_HISTOGRAMS 64

/* Where a repetition stands. Set by the core; only goes up. */
enum bench_phase {
    BENCH_PHASE_START = 0,  /* roles are being started */
    BENCH_PHASE_WARMUP = 1, /* left out when the warm-up is 0 */
    BENCH_PHASE_WINDOW = 2, /* the samples of its begin were taken: what is counted now, counts */
    BENCH_PHASE_END = 3,    /* so were those of its end: nothing more counts */
};

struct bench_page {
    uint32_t size;
    BENCH_ATOMIC(uint32_t)
    slots;             /* how many are in use; a thread beyond BENCH_SLOTS shares slot i mod */
    char message[512]; /* why `main` failed, set before it returns non-zero */
    struct bench_slot slot[BENCH_SLOTS];
    /* Which of the histograms are in use, 1 << enum bench_latency; set before the first record. */
    BENCH_ATOMIC(uint32_t) latencies;
    /* Why the numbers must not be used although nothing failed (the generator could not keep the
     * rate), set at any time; the repetition then fails with it. */
    char invalid[512];
    struct bench_histogram histogram[BENCH_LATENCIES][BENCH_HISTOGRAMS];
    BENCH_ATOMIC(uint32_t) phase; /* enum bench_phase */
};

struct bench_child {
    uint32_t size;
    const struct bench_role *role;
    const void *state; /* the plugin's options, read only */
    struct bench_page *page;
    /* What host->argument described beside host->main: the program, found as it would be for a
     * process, and its arguments, NULL-terminated. Both NULL when there were none. */
    const char *program;
    char *const *argv;
};

/* Where a workload's bytes and operations are counted; names columns of the page. */
enum bench_side { BENCH_SERVER = 1, BENCH_CLIENT = 2 };

/* What a wrapper left behind, for `parse`. Times are CLOCK_REALTIME ns. */
struct bench_leftovers {
    uint32_t size;
    const char *client_stdout, *client_stderr, *client_directory; /* paths */
    const char *server_stdout, *server_stderr, *server_directory;
    int client_status; /* as from waitpid(), or -1 while it ran until stopped */
    int64_t window_begin_ns, window_end_ns;
    /* When the client was started, and when it was seen to have ended: bounds for a tool that
     * stamps its results with nothing better than seconds. */
    int64_t client_begin_ns, client_end_ns;
};

struct bench_workload {
    struct bench_plugin plugin;

    const char *const *protocols; /* what it speaks, NULL-terminated; the first is the default */

    /*
     * Required. Each is called once per repetition before anything starts; must not block; `role`
     * and `process` are valid during the call only.
     */
    int (*server)(void *state, const struct bench_role *role, struct bench_process *process,
                  struct bench_error *err);
    int (*client)(void *state, const struct bench_role *role, struct bench_process *process,
                  struct bench_error *err);

    /*
     * Optional; NULL means that the shared pages hold everything. Called after the processes ended.
     * Reads the files named by `left` and reports the tool's own window and totals in it. A
     * metric's name is one of the table in docs/measurement.md. -1 with `err` set fails the
     * repetition, which is right whenever the tool did nothing, however it exited.
     */
    int (*parse)(void *state, const struct bench_leftovers *left, struct bench_result *result,
                 struct bench_error *err);

    /* The side whose received bytes are the payload delivered; the core's bits_per_second comes
     * from there. May depend on the options. NULL: BENCH_SERVER. */
    enum bench_side (*delivered)(const void *state);

    /* Whether the client may be stopped (SIGSTOP) and continued between slices of the window: it
     * then goes on as if no time had passed, and the others meanwhile have nothing to do. `role` as
     * for `client`. NULL: never. */
    bool (*pausable)(const void *state, const struct bench_role *role);

    /* The payload in bits per second that the whole client is asked to move, 0: as much as it can.
     * The core compares it with what was moved, as it compares `role->rate`. NULL: 0. */
    double (*asked_bits)(const void *state, const struct bench_role *role);
};

#ifdef __cplusplus
}
#endif
#endif
