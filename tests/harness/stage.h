/* SPDX-License-Identifier: Apache-2.0 */
/* A stage for tests that start roles: a containment, a network, a temporary directory, and roles
 * with their groups. */
#ifndef HARNESS_STAGE_H
#define HARNESS_STAGE_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/containment.h"
#include "process/network.h"
#include "process/role.h"

struct stage {
    struct containment containment;
    struct network *network;
    char directory[64];
    char fakes[PATH_MAX];
    unsigned groups;
};

struct actor {
    struct bench_process process;
    struct cgroup *cgroup;
    struct role *role;
    char directory[128];
};

static inline void stage_expect_ok(int rc, const struct bench_error *err)
{
    if (rc < 0)
        fail_msg("%s (%s)", err->message, err->hint);
}

static inline void stage_open(struct stage *s)
{
    struct bench_error err = {0};
    const char *build = getenv("BUILD"), *tmp = getenv("TMPDIR");

    memset(s, 0, sizeof(*s));
    if (!realpath(build ? build : "build", s->fakes))
        fail_msg("no build directory");
    strcat(s->fakes, "/tests/fakes");
    snprintf(s->directory, sizeof(s->directory), "%s/bench-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(s->directory))
        fail_msg("no temporary directory");
    stage_expect_ok(containment_start(&s->containment, &err), &err);
    stage_expect_ok(network_new(&s->network, s->containment.network_namespaces, NULL, &err), &err);
}

static inline void stage_close(struct stage *s)
{
    struct bench_error err = {0}, remove_err = {0};
    int stopped, removed;

    network_free(s->network);
    stopped = containment_stop(&s->containment, &err);
    removed = directory_remove(AT_FDCWD, s->directory, &remove_err);
    stage_expect_ok(stopped, &err);
    stage_expect_ok(removed, &remove_err);
}

static inline void actor_spawn(struct stage *s, struct actor *a, struct role_spec spec)
{
    struct bench_error err = {0};
    char group[32];

    snprintf(group, sizeof(group), "t%u", s->groups++);
    snprintf(a->directory, sizeof(a->directory), "%s/%s", s->directory, group);
    assert_int_equal(mkdir(a->directory, 0755), 0);
    stage_expect_ok(cgroup_new(&a->cgroup, &s->containment.host, s->containment.id, group, 0,
                               100 * NS_PER_MS, &err),
                    &err);
    if (!a->process.stop_signal)
        a->process.stop_signal = SIGTERM;
    if (!spec.name)
        spec.name = "server";
    spec.process = &a->process;
    spec.directory = a->directory;
    spec.cgroup = a->cgroup;
    spec.network = s->network;
    stage_expect_ok(role_spawn(&a->role, &s->containment, &spec, &err), &err);
}

static inline void actor_hold(struct actor *a)
{
    struct bench_error err = {0};

    stage_expect_ok(role_wait_held(a->role, clock_now() + 10 * NS_PER_S, &err), &err);
}

static inline void actor_release(struct actor *a)
{
    struct bench_error err = {0};

    stage_expect_ok(role_release(a->role, &err), &err);
}

/* Program and arguments; the list ends with NULL. */
static inline void actor_argv(struct actor *a, const char *program, ...)
{
    va_list ap;
    const char *argument;

    a->process.program = xstrdup(program);
    strings_add(&a->process.argv, program);
    va_start(ap, program);
    while ((argument = va_arg(ap, const char *)))
        strings_add(&a->process.argv, argument);
    va_end(ap);
}

static inline void actor_fake(struct stage *s, struct actor *a, const char *name,
                              const char *argument, const char *second)
{
    cleanup_free char *path = xasprintf("%s/%s", s->fakes, name);

    actor_argv(a, path, argument, second, NULL);
}

static inline void actor_start(struct stage *s, struct actor *a)
{
    actor_spawn(s, a, (struct role_spec){0});
    actor_hold(a);
    actor_release(a);
}

static inline char *actor_output(const struct actor *a, const char *name)
{
    cleanup_free char *path = xasprintf("%s/%s", a->directory, name);

    return file_peek(path);
}

/* Waits for a line that the component prints once it is set up. */
static inline void actor_await_output(const struct actor *a, const char *text)
{
    for (int i = 0; i < 2000; i++) {
        cleanup_free char *output = actor_output(a, "stdout");

        if (output && strstr(output, text))
            return;
        usleep(5000);
    }
    fail_msg("no '%s' on stdout", text);
}

static inline void actor_await_state(struct actor *a, enum role_state state)
{
    for (int i = 0; i < 2000 && role_update(a->role) != state; i++)
        usleep(5000);
    assert_int_equal(role_update(a->role), state);
}

static inline void actor_gone(struct actor *a)
{
    struct bench_error err = {0};

    role_free(a->role);
    stage_expect_ok(cgroup_remove(a->cgroup, &err), &err);
    cgroup_close(a->cgroup);
    process_release(&a->process);
    memset(a, 0, sizeof(*a));
}

#endif
