/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is run to its end, apart from any measurement: git, a build. It stands under a
 * role's init (role.h), so nothing that it started is left, however it or the bench ends. For a
 * question with a short answer there is query.h.
 */
#ifndef PROCESS_COMMAND_H
#define PROCESS_COMMAND_H

#include "process/containment.h"

struct command_spec {
    const char *name;      /* for messages and its control group: "build" */
    const char *directory; /* absolute; made if need be; cwd, and "stdout" and "stderr" go there */
    const char *const *argv; /* NULL-terminated; [0] is looked for on PATH */
    int64_t timeout_ns;
    int interrupt_fd; /* readable: it is to be stopped; -1: never */
};

enum command_end { COMMAND_EXITED, COMMAND_TIMED_OUT, COMMAND_INTERRUPTED };

/* Standard input is empty. *ret_status is its wait status when it COMMAND_EXITED. -1 when it could
 * not be started; how it ended is no error. */
int command_run(const struct containment *c, const struct command_spec *spec,
                enum command_end *ret_end, int *ret_status, struct bench_error *err);

#endif
