/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one file per command, their table (commands.c), and what they share. Only code
 * in this folder prints: results to standard output, everything else to standard error.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <stdio.h>

#include <bench/reporter.h>

#include "base/text.h"
#include "plugin/registry.h"
#include "scenario/scenario.h"
#include "store/store.h"

struct cli {
    char *program;            /* absolute path of the running bench */
    struct registry registry; /* loaded on first use: cli_registry() */
    bool loaded;
};

/* What is made of a stored run (print.c). */
struct cli_print {
    const char *format; /* reporter */
    struct bench_style style;
    const char *output; /* a file, or a directory for several; NULL or "-": standard output */
    const struct settings *gates; /* instead of those of the run's scenario, or NULL */
};

struct command {
    const char *name;
    int (*run)(struct cli *cli, int argc,
               char **argv); /* argv[0] is the command; returns exit code */
    const char *summary;     /* one line */
};

/* Ended by a row without a name. */
extern const struct command commands[];

int cli_run(struct cli *cli, int argc, char **argv);
int cli_compare(struct cli *cli, int argc, char **argv);
int cli_compare_arms(struct cli *cli, int argc, char **argv); /* run.c */
int cli_compare_runs(struct cli *cli, int argc, char **argv); /* saved.c */
/* How many words are neither options nor their values, by the options of bench run; 0 when one of
 * the options is none of them. */
int cli_run_words(int argc, char **argv);
/* Compares two stored runs, each "PATH" or "LABEL=PATH", by the metrics and margin of `s`; prints
 * and returns the exit code. */
int cli_compare_saved(struct cli *cli, const char *const words[2], const struct scenario *s,
                      const struct cli_print *print);
int cli_bisect(struct cli *cli, int argc, char **argv);
int cli_stat(struct cli *cli, int argc, char **argv);
int cli_record(struct cli *cli, int argc, char **argv);
int cli_c2c(struct cli *cli, int argc, char **argv);
int cli_mem(struct cli *cli, int argc, char **argv);
int cli_offcpu(struct cli *cli, int argc, char **argv);
int cli_syscalls(struct cli *cli, int argc, char **argv);
int cli_report(struct cli *cli, int argc, char **argv);
int cli_explain(struct cli *cli, int argc, char **argv);
int cli_flamegraph(struct cli *cli, int argc, char **argv);
int cli_list(struct cli *cli, int argc, char **argv);
int cli_history(struct cli *cli, int argc, char **argv);
int cli_list_runs(int argc, char **argv); /* argv[0] is "runs" */
int cli_check(struct cli *cli, int argc, char **argv);
int cli_plugin(struct cli *cli, int argc, char **argv);
int cli_help(struct cli *cli, int argc, char **argv);

const struct registry *cli_registry(struct cli *cli);

/* Prints the lines that follow a message: the detail, indented, and "hint: …". */
void cli_error_proof(const struct bench_error *err);
/* Prints "bench: message", the detail indented, "hint: …". Returns the exit code of err->kind. */
int cli_error(const struct bench_error *err);
/* "bench: COMMAND: message" and where to find help; returns BENCH_ERROR_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) BENCH_PRINTF(2, 3);
/* The option that getopt_long() has just refused, as the user wrote it; `shorts` are the letters of
 * those that exist. */
const char *cli_refused_option(char *const *argv, const char *shorts, char buffer[3]);
/* An option whose value is "", as that of a variable of the shell that is not set. Returns -1. */
int cli_refuse_empty(const char *option, struct bench_error *err);
/* Of an option that names a directory for a run: "-", which is standard output elsewhere, is none.
 * Returns 0 or -1. */
int cli_check_directory(const char *option, const char *value, struct bench_error *err);
/* The next option, as getopt_long() gives it; -1 behind the last. CLI_REFUSED: there is no such
 * option, or its value is missing or empty, which has been said. */
enum { CLI_REFUSED = '?' };
int cli_option(const char *command, int argc, char **argv, const char *shorts,
               const struct option *options);
/* Two columns: what is given, and what it means, wrapped to the terminal. */
void cli_help_row(const char *left, const char *right);
/* The same of a list, which has one row a line where it does not go to a terminal. */
void cli_list_row(const char *left, const char *right);

/* Columns of the terminal behind `file`, else what COLUMNS says; 0: unlimited. */
int cli_width(FILE *file);
/* How to write to `file`: colour, UTF-8, width; `no_color` as asked on the command line. */
void cli_style(struct bench_style *ret, FILE *file, bool no_color);
/* The reporter `format`, if it can write histories. */
const struct bench_reporter *cli_history_reporter(struct cli *cli, const char *format,
                                                  struct bench_error *err);
int cli_print_history(const struct bench_reporter *reporter, const struct bench_history *history,
                      const struct bench_style *style, struct bench_error *err);
/* Returns the exit status that the gates ask for, or -1. Runs the reporter over the run at `path`.
 * In a directory that is run.EXTENSION, and a file for each role when the reporter is `by_role`. An
 * output is a directory when it is one, ends with '/', or when the reporter is `by_role` and the
 * name does not end as its files do. */
int cli_print_run(struct cli *cli, const char *path, const struct cli_print *print,
                  struct bench_error *err);
/* The same of a run that was read. */
int cli_print_stored(struct cli *cli, const struct stored_run *run, const struct cli_print *print,
                     struct bench_error *err);

/* Reads a scenario file: the path itself, or a name among the shipped scenarios. */
int cli_read_scenario(const struct cli *cli, const char *name, struct scenario *ret,
                      struct bench_error *err);
/* Directories with shipped scenarios that exist, best first. */
void cli_scenario_directories(const struct cli *cli, struct strings *ret);

#endif
