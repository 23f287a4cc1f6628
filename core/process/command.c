/* SPDX-License-Identifier: Apache-2.0 */
#include "process/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/role.h"

#define START_PATIENCE (20 * NS_PER_S)
#define GRACE (2 * NS_PER_S) /* to end by itself when it is asked to */

struct command {
    struct bench_process process;
    struct cgroup *cgroup;
    struct network *network;
    struct role *role;
};

static int describe(struct command *c, const struct command_spec *spec, struct bench_error *err)
{
    process_init(&c->process, NULL, NULL);
    for (const char *const *argument = spec->argv; *argument; argument++)
        strings_add(&c->process.argv, *argument);
    return process_resolve(&c->process, err);
}

static int start(struct command *c, const struct containment *containment,
                 const struct command_spec *spec, struct bench_error *err)
{
    struct role_spec role = {
        .name = spec->name,
        .process = &c->process,
        .directory = spec->directory,
    };

    if (describe(c, spec, err) < 0 || directory_make(AT_FDCWD, spec->directory, err) < 0 ||
        network_new(&c->network, false, NULL, err) < 0 ||
        cgroup_new(&c->cgroup, &containment->host, containment->id, spec->name, 0, 100 * NS_PER_MS,
                   err) < 0)
        return -1;
    role.cgroup = c->cgroup;
    role.network = c->network;
    if (role_spawn(&c->role, containment, &role, err) < 0 ||
        role_wait_held(c->role, clock_now() + START_PATIENCE, err) < 0)
        return -1;
    return role_release(c->role, err);
}

static enum command_end wait_for(struct role *role, const struct command_spec *spec)
{
    int64_t deadline = clock_now() + spec->timeout_ns;

    while (role_update(role) != ROLE_EXITED) {
        struct pollfd fds[] = {{.fd = role_fd(role), .events = POLLIN},
                               {.fd = spec->interrupt_fd, .events = POLLIN}};
        int64_t left = deadline - clock_now();
        struct timespec patience = clock_timespec(left);

        if (left <= 0)
            return COMMAND_TIMED_OUT;
        if (ppoll(fds, ARRAY_SIZE(fds), &patience, NULL) > 0 && fds[1].revents)
            return COMMAND_INTERRUPTED;
    }
    return COMMAND_EXITED;
}

int command_run(const struct containment *c, const struct command_spec *spec,
                enum command_end *ret_end, int *ret_status, struct bench_error *err)
{
    struct command command = {0};
    enum command_end end = COMMAND_EXITED;
    int status = -1, result = start(&command, c, spec, err);

    if (result == 0) {
        end = wait_for(command.role, spec);
        status = role_status(command.role);
        result = role_stop(command.role, GRACE, NULL, err);
    }
    role_free(command.role);
    if (command.cgroup && cgroup_remove(command.cgroup, result < 0 ? NULL : err) < 0)
        result = -1;
    cgroup_close(command.cgroup);
    network_free(command.network);
    process_release(&command.process);
    if (result < 0)
        return error_context(err, "%s", spec->name);
    *ret_end = end;
    *ret_status = status;
    return 0;
}
