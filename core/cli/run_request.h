/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of 'bench run' and of those that are the same with something added: 'bench stat',
 * 'bench compare', …. Their flags and their help.
 *
 * Life: run_request_read() → … → run_request_release(). Texts are those of the command line.
 */
#ifndef CLI_RUN_REQUEST_H
#define CLI_RUN_REQUEST_H

#include "cli/cli.h"

/* What a command makes of a run. */
struct run_mode {
    const char *capture; /* added to the scenario's, or NULL */
    bool compare;        /* with verdicts */
};

struct run_request {
    struct run_mode mode;
    const char *output, *format;
    const char *save_baseline, *baseline_run; /* names, or NULL */
    char *baseline_path;                      /* of the latter, once it was found; owned */
    bool capture_cost, dry_run, quiet, verbose, no_color, details;
    struct scenario scenario;
    const struct registry *registry; /* once it is needed; borrowed */
};

/* Reads the scenario too, and sets over it what the flags say. *ret_help: help was asked for and
 * printed, nothing is read. Released by the caller whatever it returns. */
int run_request_read(struct run_request *q, struct cli *cli, const struct run_mode *mode, int argc,
                     char **argv, bool *ret_help, struct bench_error *err);
void run_request_release(struct run_request *q);

#endif
