/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs in the small init between the bench and a component (role.h): it joins the group and
 * the network, waits at the gate, starts the component, reports its end, and takes everything below
 * it along when the bench is gone or wants it gone.
 *
 * Bench and init talk over a SOCK_SEQPACKET pair. From the bench: any packet opens the gate, end of
 * file means "end now" (the bench's death looks the same). To the bench: the messages below.
 */
#ifndef PROCESS_INIT_H
#define PROCESS_INIT_H

#include <bench/workload.h>

#include "process/role.h"

enum init_event {
    INIT_HELD = 1, /* in its group and network, at the gate */
    INIT_STARTED,  /* sent by the component before exec: the kernel attaches its pid */
    INIT_FAILED,   /* `error` says why; sent by either */
    INIT_EXITED,   /* the component ended with wait status `status` */
};

struct init_message {
    enum init_event event;
    int status;
    struct bench_error error;
};

struct init {
    const struct containment *containment;
    const struct role_spec *spec;
    struct bench_page *page;
    int control;     /* the init's end of the pair */
    int exec_pipe;   /* write end; closes when the component has exec'ed, or is gone */
    int standard[3]; /* stdin, stdout and stderr of init and component */
};

/* Whether the role gets a PID namespace of its own. */
bool init_isolated(const struct containment *c, const struct role_spec *spec);
/* fork(), born as process 1 of a new PID namespace if wanted, and in the version 2 group that
 * `cgroup_fd` is a directory of, unless that is -1. */
pid_t init_fork(bool pid_namespace, int cgroup_fd);
/* Runs in the child that role_spawn() forked. */
_Noreturn void init_run(const struct init *in);

#endif
