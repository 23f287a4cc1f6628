/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/perf_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "capture/events.h"
#include "process/query.h"

/* Only a perf that hangs takes as long. Attaching reads /proc for every thread of the role, which
 * is one at the gate; writing up resolves the program of every sample. */
#define START_PATIENCE (20 * NS_PER_S)
#define ANSWER_PATIENCE (5 * NS_PER_S)
#define FINISH_PATIENCE (60 * NS_PER_S)
#define REPORT_PATIENCE (120 * NS_PER_S)

/* `ping`, `stop` and events by name on the control channel came with it. */
enum { OLDEST_MAJOR = 5, OLDEST_MINOR = 12 };

struct perf_tool {
    char *name, *directory;
    struct bench_process process;
    struct cgroup *cgroup;
    struct role *role;
    struct strings events;
    int control; /* our end of the pair that is perf's standard input */
    struct perf_answers answers;
    unsigned asked;
};

/* ---- the program ---- */

char *perf_version(const char *printed, struct bench_error *err)
{
    cleanup_free char *line = query_version_line(printed);
    int major, minor;

    if (!line || sscanf(line, "perf version %d.%d", &major, &minor) != 2) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "'perf' does not tell its version");
        error_detail(err, printed);
        error_hint(err, "install the perf of this kernel: apt install linux-perf, or dnf install "
                        "perf");
        return NULL;
    }
    if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "%s is too old: it takes no commands by event name",
                  line);
        error_hint(err, "install perf %d.%d or later; it need not be the kernel's own version",
                   OLDEST_MAJOR, OLDEST_MINOR);
        return NULL;
    }
    return xstrdup(line);
}

int perf_find(struct perf_program *ret, struct bench_error *err)
{
    static const char *const question[] = {"--version", NULL};
    const struct strings nothing = {0};
    cleanup_free char *path = program_find("perf", NULL, NULL);
    cleanup_text struct text said = {0};
    char *version;

    if (!path) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "'perf' is not found on PATH");
        error_hint(err, "apt install linux-perf, or dnf install perf");
        return -1;
    }
    if (process_query(path, question, &nothing, ANSWER_PATIENCE, &said, err) < 0)
        return -1;
    version = perf_version(text_get(&said), err);
    if (!version)
        return error_context(err, "'%s'", path);
    *ret = (struct perf_program){.path = path, .version = version};
    path = NULL;
    return 0;
}

void perf_program_release(struct perf_program *p)
{
    free(p->path);
    free(p->version);
    *p = (struct perf_program){0};
}

/* ---- the control channel ---- */

void perf_answers_add(struct perf_answers *a, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            a->line[a->length] = '\0';
            if (strcmp(a->line, "ack") == 0)
                a->count++;
            else
                a->wrong = true;
            a->length = 0;
        } else if (bytes[i] && a->length < sizeof(a->line) - 1) { /* a NUL ends each answer */
            a->line[a->length++] = bytes[i];
        }
    }
}

static int ended(struct perf_tool *p, struct bench_error *err)
{
    role_error(p->role, err);
    return error_context(err, "%s", p->name);
}

/* Does not wait. Whether perf is still there turns out when its answer is waited for. */
static void ask(struct perf_tool *p, const char *command, const char *event)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%s%s%s\n", command, event ? " " : "", event ? event : "");

    send(p->control, line, (size_t)n, MSG_NOSIGNAL);
    p->asked++;
}

static void take_answers(struct perf_tool *p)
{
    char bytes[64];
    ssize_t n = recv(p->control, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n > 0)
        perf_answers_add(&p->answers, bytes, (size_t)n);
}

/* Until everything that was asked has been answered. */
static int await_answers(struct perf_tool *p, int64_t patience, struct bench_error *err)
{
    int64_t deadline = clock_now() + patience;

    while (p->answers.count < p->asked) {
        struct pollfd fds[2] = {{.fd = p->control, .events = POLLIN},
                                {.fd = role_fd(p->role), .events = POLLIN}};
        int64_t left = deadline - clock_now();
        struct timespec timeout = clock_timespec(left > 0 ? left : 0);

        if (role_update(p->role) == ROLE_EXITED)
            return ended(p, err);
        if (p->answers.wrong)
            return error_set(err, BENCH_ERROR_RUN, "%s: perf gives another answer than 'ack'",
                             p->name);
        if (left <= 0) {
            error_set(err, BENCH_ERROR_RUN, "%s: perf does not answer", p->name);
            error_hint(err, "what it printed is in '%s'", p->directory);
            return -1;
        }
        if (ppoll(fds, 2, &timeout, NULL) > 0 && fds[0].revents)
            take_answers(p);
    }
    return 0;
}

/* ---- its process ---- */

static void describe(struct perf_tool *p, const char *program, const struct strings *arguments)
{
    struct bench_process *process = &p->process;

    process_init(process, NULL, NULL);
    process->program = xstrdup(program);
    process->stop_signal = SIGINT;
    strings_add(&process->argv, "perf");
    for (size_t i = 0; i < arguments->count; i++)
        strings_add(&process->argv, arguments->items[i]);
    /* What the user configured for his own sessions changes nothing here. */
    strings_add(&process->environment, "PERF_CONFIG=/dev/null");
    strings_add(&process->environment, "LC_ALL=C");
}

static int start(struct perf_tool *p, const struct capture_target *t, int input,
                 struct bench_error *err)
{
    const struct containment *c = t->containment;
    cleanup_free char *group = xasprintf("r%u-%s", c->next_group, p->name);
    struct role_spec spec = {
        .name = p->name,
        .process = &p->process,
        .directory = p->directory,
        .network = t->network,
        .input = input,
        .host_pids = true,
    };

    if (directory_make(AT_FDCWD, p->directory, err) < 0 ||
        cgroup_new(&p->cgroup, &c->host, c->id, group, 0, 100 * NS_PER_MS, err) < 0)
        return -1;
    spec.cgroup = p->cgroup;
    return role_spawn(&p->role, c, &spec, err);
}

static struct perf_tool *new_tool(const struct capture_target *t, const char *program,
                                  const char *name, const struct strings *arguments)
{
    struct perf_tool *p = xcalloc(1, sizeof(*p));

    p->name = xstrdup(name);
    p->directory = xasprintf("%s/%s", t->directory, name);
    p->control = -1;
    describe(p, program, arguments);
    return p;
}

static void add_recording(struct strings *arguments, const struct capture_target *t,
                          const struct perf_recording *recording)
{
    strings_add(arguments, "record");
    /* No copies of the programs in the user's home. Where the kernel gives no build-ids, perf looks
     * for them when it writes up, and if it is killed then leaves copies of the vdso in /tmp. */
    strings_add(arguments, event_have_build_ids() ? "--buildid-mmap" : "--no-buildid-cache");
    /* The control channel is on standard input. */
    strings_add(arguments, "--control=fd:0,0");
    strings_addf(arguments, "--output=%s/%s.perf.data", t->directory, recording->name);
    strings_addf(arguments, "--pid=%d", (int)role_pid(recording->role));
    for (size_t i = 0; i < recording->arguments->count; i++)
        strings_add(arguments, recording->arguments->items[i]);
}

int perf_tool_spawn(struct perf_tool **ret, const struct capture_target *t,
                    const struct perf_recording *recording, struct bench_error *err)
{
    cleanup_strings struct strings arguments = {0};
    struct perf_tool *p;
    int pair[2], rc;

    add_recording(&arguments, t, recording);
    p = new_tool(t, recording->perf->path, recording->name, &arguments);
    for (size_t i = 0; recording->events[i]; i++)
        strings_add(&p->events, recording->events[i]);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        perf_tool_free(p);
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a socket pair");
    }
    p->control = pair[0];
    rc = start(p, t, pair[1], err);
    close(pair[1]);
    if (rc < 0) {
        perf_tool_free(p);
        return error_context(err, "%s", recording->name);
    }
    *ret = p;
    return 0;
}

int perf_tool_await(struct perf_tool *p, struct bench_error *err)
{
    if (role_wait_held(p->role, clock_now() + START_PATIENCE, err) < 0 ||
        role_release(p->role, err) < 0)
        return error_context(err, "%s", p->name);
    for (size_t i = 0; i < p->events.count; i++)
        ask(p, "disable", p->events.items[i]);
    return await_answers(p, START_PATIENCE, err);
}

int perf_tool_switch(struct perf_tool *const *tools, size_t n, bool on, struct bench_error *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < tools[i]->events.count; e++)
            ask(tools[i], on ? "enable" : "disable", tools[i]->events.items[e]);
    for (size_t i = 0; i < n; i++)
        if (await_answers(tools[i], ANSWER_PATIENCE, err) < 0)
            return -1;
    return 0;
}

void perf_tool_stop(struct perf_tool *p)
{
    ask(p, "stop", NULL);
}

/* Until perf has ended by itself, successfully. */
static int await_end(struct perf_tool *p, int64_t patience, struct bench_error *err)
{
    int64_t deadline = clock_now() + patience;
    int status;

    while (role_update(p->role) != ROLE_EXITED) {
        struct pollfd fd = {.fd = role_fd(p->role), .events = POLLIN};
        int64_t left = deadline - clock_now();
        struct timespec timeout = clock_timespec(left > 0 ? left : 0);

        if (left <= 0)
            return error_set(err, BENCH_ERROR_RUN, "%s: perf does not come to an end", p->name);
        ppoll(&fd, 1, &timeout, NULL);
    }
    status = role_status(p->role);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ended(p, err);
}

int perf_tool_finish(struct perf_tool *p, struct bench_error *err)
{
    return await_end(p, FINISH_PATIENCE, err);
}

void perf_tool_free(struct perf_tool *p)
{
    if (!p)
        return;
    role_free(p->role);
    if (p->cgroup)
        cgroup_remove(p->cgroup, NULL);
    cgroup_close(p->cgroup);
    if (p->control >= 0)
        close(p->control);
    process_release(&p->process);
    strings_release(&p->events);
    free(p->directory);
    free(p->name);
    free(p);
}

/* ---- reports ---- */

static int keep_output(const struct perf_tool *p, const char *path, struct bench_error *err)
{
    cleanup_free char *from = xasprintf("%s/stdout", p->directory);

    if (rename(from, path) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot rename '%s'", from);
    return 0;
}

static int run_report(struct perf_tool *p, const struct capture_target *t, const char *path,
                      struct bench_error *err)
{
    if (start(p, t, 0, err) < 0 || role_wait_held(p->role, clock_now() + START_PATIENCE, err) < 0 ||
        role_release(p->role, err) < 0)
        return error_context(err, "%s", p->name);
    return await_end(p, REPORT_PATIENCE, err) < 0 ? -1 : keep_output(p, path, err);
}

int perf_tool_report(const struct capture_target *t, const struct perf_program *perf,
                     const char *name, const struct strings *arguments, struct bench_error *err)
{
    cleanup_free char *own = xasprintf("%s-report", name);
    cleanup_free char *path = xasprintf("%s/%s.txt", t->directory, name);
    struct perf_tool *p = new_tool(t, perf->path, own, arguments);
    int rc = run_report(p, t, path, err);

    perf_tool_free(p);
    return rc;
}
