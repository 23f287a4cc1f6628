/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the workload `command`, and what its files share. */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <bench/workload.h>

#include "shared/plugin.h"

enum ready { READY_LISTENING, READY_STARTED };
enum result { RESULT_NONE, RESULT_JSON, RESULT_REGEX, RESULT_LINES };

struct state {
    char *server, *server_config, *server_config_name;
    int server_ready;       /* enum ready */
    int server_stop_signal; /* of signal_choices */
    char *client, *client_config, *client_config_name;
    int client_stop_signal;
    int64_t iterations;
    int result; /* enum result */
    char *result_path, *result_pattern;
    int result_metric; /* of metric_choices */
    double result_scale;
};

extern const char *const metric_choices[];

/* How many runs of the client are alive at once: `jobs`, or one that is told {jobs}. */
int64_t command_loops(const struct state *state, int64_t jobs);

/* The client's `main`: starts its command again and again. */
int client_main(const struct bench_child *child);

/* Checks that the options on results go together. */
int result_check(const struct state *state, int64_t jobs, struct bench_error *err);

/* Reads the number that `state` asks for from the client's output: the mean of all that are there.
 * A last line without its end was cut when the client was stopped: it is left out, with a warning in
 * `result`. */
int result_read(const struct state *state, const char *path, double *ret,
                struct bench_result *result, struct bench_error *err);

#endif
