/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every plugin is: a shared object that exports one function, `bench_plugin_get`, which
 * returns a constant struct whose first member is `struct bench_plugin`.
 *
 * Plugins describe, the core executes: a plugin never forks, never prints and never sleeps. It
 * fills process descriptions, and it parses what a process wrote.
 *
 * Life cycle: dlopen(RTLD_NOW | RTLD_LOCAL) → bench_plugin_get() once → checks (see below) → for
 * each arm a zeroed state of `state_size` bytes whose options are filled → hooks → the state is
 * freed by the core. Plugins are never unloaded.
 */
#ifndef BENCH_PLUGIN_H
#define BENCH_PLUGIN_H

#include <stdarg.h>

#include <bench/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Another major is refused by name; a plugin built for a newer minor than the core's still loads,
 * because everything is appended and carries its size. docs/plugin-api.md logs every change. */
#define BENCH_ABI_MAJOR 1
#define BENCH_ABI_MINOR 1

enum bench_plugin_kind {
    BENCH_WORKLOAD = 1,
    BENCH_RELAY = 2,
    BENCH_REPORTER = 3,
};

/* A program that the plugin needs. `bench check` looks for it, and each run records its version. */
struct bench_program {
    const char *name;           /* as found on PATH */
    const char *const *version; /* argv that prints the version, without argv[0], NULL-terminated */
    const char *apt, *dnf;      /* package names, space separated, or NULL when not packaged */
};

struct bench_plugin {
    uint32_t size; /* of the whole kind-specific struct: sizeof(struct bench_relay), … */
    uint16_t abi_major, abi_minor;
    enum bench_plugin_kind kind;
    const char *name;                     /* [a-z][a-z0-9-]*, as scenarios name it */
    const char *description;              /* one line */
    const struct bench_option *options;   /* ended by a row whose name is NULL; or NULL */
    size_t state_size;                    /* bytes of state per arm; 0 when there are no options */
    const struct bench_program *programs; /* ended by a row whose name is NULL; or NULL */
};

/* The description of one process, filled through `struct bench_host` and owned by the core. */
struct bench_process;

/* Counters that a role's `main` shares with the core; see workload.h. */
struct bench_page;

/* What `main` is given in the child; see workload.h. */
struct bench_child;
typedef int (*bench_main_fn)(const struct bench_child *child);

/* What a workload's parser found; filled through the host. */
struct bench_result;

/* Where a reporter writes; see reporter.h. */
struct bench_output;

/*
 * The core's services. The struct lives as long as the program. Strings that are passed in are
 * copied. Functions that return void cannot fail; out of memory ends the program.
 */
struct bench_host {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    const char *version; /* of the core, "0.1.0" */

    /* Errors. `fail` sets kind and message and returns -1, so a hook can `return host->fail(…)`.
     * `hint` adds the remedy to an error that was set. */
    int (*fail)(struct bench_error *err, enum bench_error_kind kind, const char *fmt, ...)
        BENCH_PRINTF(3, 4);
    void (*hint)(struct bench_error *err, const char *fmt, ...) BENCH_PRINTF(2, 3);

    /* Process description. The first `argument` is the program: a name with '/' is taken as it is.
     * When the arm has a `path` (the program itself, or a directory that holds it or has it in sbin
     * or bin), only that is looked at: another build is never measured by accident. Otherwise a
     * name is looked up in the arm's PATH, PATH, then the usual sbin directories. */
    void (*argument)(struct bench_process *p, const char *fmt, ...) BENCH_PRINTF(2, 3);
    /* Sets a variable over the inherited environment; the last value of a name counts. */
    void (*environment)(struct bench_process *p, const char *name, const char *fmt, ...)
        BENCH_PRINTF(3, 4);
    /* Appends text to a file `name` (no '/'; not "stdout" or "stderr") in the process's own
     * directory, which is also its working directory. Written before the process starts; kept with
     * the run. */
    void (*file)(struct bench_process *p, const char *name, const char *fmt, ...)
        BENCH_PRINTF(3, 4);
    /* Asks for a directory `name` (no '/') there, removed after the repetition. */
    void (*directory)(struct bench_process *p, const char *name);
    /* The process is ready when it listens on all these ports. None: ready once it has started. */
    void (*listens)(struct bench_process *p, uint16_t port);
    /* Run `fn` in a child of the core instead of the arguments. `fn` must come from the plugin.
     * Arguments that are described too are found and recorded like any, and given to `fn`, which
     * may start them. */
    void (*main)(struct bench_process *p, bench_main_fn fn);
    /* The signal that asks the process to end; SIGTERM unless said otherwise. */
    void (*stop_signal)(struct bench_process *p, int signal);

    /* Finds a program as `argument` would. Returns its absolute path, which the process description
     * owns, or NULL with an error. May stat files; does not start anything. */
    const char *(*find_program)(struct bench_process *p, const char *name, struct bench_error *err);

    /* Parser results (workload.h, `parse`). */
    void (*result_window)(struct bench_result *r, int64_t begin_ns, int64_t end_ns);
    void (*result_total)(struct bench_result *r, const char *metric, double value);
    /* One request of a wrapped tool: when it began (CLOCK_REALTIME), how long it took, whether it
     * succeeded. In any order. Those that ended in the window become operations, errors and
     * latencies; others only serve to find a clock that was set: report them too. */
    void (*result_request)(struct bench_result *r, int64_t begin_ns, int64_t duration_ns, bool ok);

    /* Reporter output (reporter.h). */
    void (*emit)(struct bench_output *out, const char *fmt, ...) BENCH_PRINTF(2, 3);

    /* A sentence about the repetition that a user has to know although its numbers count, such as
     * what was left out of them. Kept with the run and shown with its results. */
    void (*result_warning)(struct bench_result *r, const char *fmt, ...) BENCH_PRINTF(2, 3);
};

#define BENCH_PLUGIN_SYMBOL "bench_plugin_get"
#define BENCH_EXPORT __attribute__((visibility("default")))

/*
 * The one symbol that a plugin exports, however it is compiled. Called once, on the main thread,
 * before any other hook. `host` stays valid for the program's life: keep the pointer. Returns a
 * struct with static lifetime, or NULL to decline (the plugin is then listed as refused).
 */
BENCH_EXPORT const struct bench_plugin *bench_plugin_get(const struct bench_host *host);

#ifdef __cplusplus
}
#endif
#endif
