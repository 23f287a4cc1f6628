/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side of the plugin ABI: `struct bench_host` and the objects that its functions fill.
 * A process description is plain data until core/process starts it.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include <bench/plugin.h>
#include <bench/workload.h>

#include "base/text.h"
#include "stats/histogram.h"

const struct bench_host *host_get(void);

struct process_file {
    char *name;
    struct text content;
};

struct bench_process {
    const struct bench_plugin *plugin; /* that describes it; NULL: the core */
    struct strings argv;               /* [0] is what the plugin named; see `program` */
    char *program;                     /* absolute path, set by process_resolve() */
    struct strings environment;        /* "NAME=value", over the inherited environment */
    struct process_file *files;
    size_t n_files, files_capacity;
    struct strings directories;
    uint16_t *ports; /* listens on these when ready */
    size_t n_ports, ports_capacity;
    bench_main_fn main; /* instead of argv */
    int stop_signal;
    const char *search;      /* the arm's `path`: a directory, or the program itself; may be NULL */
    const char *search_path; /* the arm's env PATH, or NULL */
    const struct bench_program *programs; /* the plugin's table, for the hint; set it after
                                           * process_init(), may stay NULL */
    struct strings found;                 /* what find_program() returned */
    char *misuse; /* first wrong argument of a hook, or NULL; the hook fails with it */
};

/* `search` and `search_path` must outlive the description. */
void process_init(struct bench_process *p, const char *search, const char *search_path);
/* Finds the program of argv[0]; checks that there is one, or a main, and that the plugin called the
 * host correctly (RUN error). ENVIRONMENT error with a hint when the program is missing. */
int process_resolve(struct bench_process *p, struct bench_error *err);
/* The row of the plugin's table for the resolved program: the one by its file's name, else the
 * first, because an arm's `path` may name another file. NULL without a table. */
const struct bench_program *process_row(const struct bench_process *p);
void process_release(struct bench_process *p);

/* Looks `name` up as host->argument documents. Caller frees. */
char *program_find(const char *name, const char *search, const char *search_path);

struct result_total {
    char *metric;
    double value;
};
struct bench_result {
    bool has_window;          /* the tool said so; else begin and end are the core's window */
    int64_t begin_ns, end_ns; /* CLOCK_REALTIME; set to the core's window before parsing */
    uint64_t requests, failed_requests; /* that ended in the window */
    struct histogram *latencies;        /* of those that succeeded; NULL while there is none */
    struct result_total *totals;
    size_t n_totals, totals_capacity;
    struct strings warnings;
    /* The client's life, CLOCK_REALTIME, and by how much that was set in the repetition; set before
     * parsing. */
    int64_t life_begin_ns, life_end_ns, clock_step_ns;
    /* Requests that were not within it, and by how much the first of them was too early (below 0)
     * or too late. */
    uint64_t strays;
    int64_t stray_ns;
    char *misuse; /* first wrong argument, or NULL; the hook fails with it */
};
/* RUN error when the tool told something and the machine's clock was set meanwhile, or when times
 * that it told lie outside of the client's life. */
int result_check_times(const struct bench_result *r, struct bench_error *err);
void result_release(struct bench_result *r);

enum { OUTPUT_MOST_MIB = 1024 };

struct bench_output {
    struct text text;
    bool too_long; /* the rest was dropped */
};

#endif
