/* SPDX-License-Identifier: Apache-2.0 */
#include "process/role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "plugin/hook.h"
#include "process/init.h"
#include "process/output.h"
#include "process/descendants.h"

/* Nothing that a healthy machine does takes this long; it only ends a wait that would be endless.
 */
#define PATIENCE_NS (10 * NS_PER_S)
/* Of the end of an output, before lines that repeat each other become one. */
#define LOOKED_AT (64 * 1024)

struct role {
    const struct containment *containment;
    struct role_spec spec;
    struct bench_role role; /* what spec.role points to */
    struct bench_page *page;
    enum role_state state;
    pid_t init, component;
    int init_pidfd, component_pidfd;
    int control, exec_pipe;
    int status;       /* of the component, -1 before it ended */
    int64_t asked_ns; /* when it was asked to stop; 0: not yet */
    bool init_gone;   /* end of file on control */
    bool let_go, started;
    struct output outputs[2]; /* stdout and stderr */
    struct output_state *printed;
    struct drainer drainer; /* of the outputs, while the component runs */
    bool failed;            /* `failure` came from the init or the component before exec */
    struct bench_error failure;
};

/* ---- what the init tells ---- */

static pid_t sender(struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        struct ucred credentials;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
            continue;
        memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
        return credentials.pid;
    }
    return 0;
}

static int start_drainer(struct role *r, struct bench_error *err)
{
    if (drainer_start(&r->drainer, r->outputs, ARRAY_SIZE(r->outputs), err) < 0)
        return -1;
    containment_add_child(r->containment, r->drainer.pid);
    return 0;
}

/* What was printed until now is kept then. */
static void stop_drainer(struct role *r)
{
    containment_drop_child(r->containment, r->drainer.pid);
    drainer_stop(&r->drainer, r->outputs, ARRAY_SIZE(r->outputs));
}

static void component_ended(struct role *r, int status)
{
    r->state = ROLE_EXITED;
    r->status = status;
    r->component = 0;
    stop_drainer(r);
}

static void apply(struct role *r, const struct init_message *message, pid_t from)
{
    switch (message->event) {
    case INIT_HELD:
        r->state = ROLE_HELD;
        break;
    case INIT_STARTED:
        r->state = ROLE_RUNNING;
        r->component = from;
        /* Later signals go through this: the number may be reused once the init has reaped it. */
        r->component_pidfd = pidfd_open(from, 0);
        break;
    case INIT_FAILED:
        r->failed = true;
        r->failure = message->error;
        break;
    case INIT_EXITED:
        component_ended(r, message->status);
        break;
    }
}

/* Takes one message. Returns false when there is none (now, or ever again). */
static bool receive(struct role *r)
{
    struct init_message message;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } ancillary;
    struct iovec part = {.iov_base = &message, .iov_len = sizeof(message)};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &ancillary,
                            .msg_controllen = sizeof(ancillary)};
    ssize_t n;

    if (r->init_gone)
        return false;
    do
        n = recvmsg(r->control, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n != (ssize_t)sizeof(message)) {
        /* The init is dead, and in a PID namespace everything with it. */
        r->init_gone = true;
        if (r->state != ROLE_EXITED)
            component_ended(r, r->failed ? W_EXITCODE(127, 0) : W_EXITCODE(0, SIGKILL));
        return false;
    }
    apply(r, &message, sender(&header));
    return true;
}

/* Sleeps until `fd` is readable or at its end. False at the deadline. */
static bool wait_readable(int fd, int64_t deadline_ns)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    for (;;) {
        int64_t left = deadline_ns - clock_now();
        struct timespec timeout = clock_timespec(left > 0 ? left : 0);
        int n = ppoll(&p, 1, &timeout, NULL);

        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

/* ---- spawning ---- */

typedef void (*directory_fn)(const struct containment *c, const char *path);

static void for_directories(const struct role *r, directory_fn fn)
{
    const struct strings *directories = &r->spec.process->directories;

    for (size_t i = 0; i < directories->count; i++) {
        cleanup_free char *path = xasprintf("%s/%s", r->spec.directory, directories->items[i]);

        fn(r->containment, path);
    }
}

static int write_files(const struct role *r, struct bench_error *err)
{
    const struct role_spec *spec = &r->spec;
    const struct bench_process *process = spec->process;
    cleanup_close int at = open(spec->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (at < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open directory '%s'",
                           spec->directory);
    for (size_t i = 0; i < process->n_files; i++) {
        const struct process_file *file = &process->files[i];

        if (file_write(at, file->name, text_get(&file->content), file->content.length, err) < 0)
            return error_context(err, "in '%s'", spec->directory);
    }
    for_directories(r, containment_remember);
    for (size_t i = 0; i < process->directories.count; i++)
        if (directory_make(at, process->directories.items[i], err) < 0)
            return error_context(err, "in '%s'", spec->directory);
    return 0;
}

static void remove_directory(const struct containment *c, const char *path)
{
    if (directory_remove(AT_FDCWD, path, NULL) == 0)
        containment_forget(c, path);
}

static const char *const stream_names[] = {"stdout", "stderr"};

static int open_standard(struct role *r, int standard[3], struct bench_error *err)
{
    const struct role_spec *spec = &r->spec;

    standard[0] = spec->input ? fcntl(spec->input, F_DUPFD_CLOEXEC, 3)
                              : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (standard[0] < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open standard input");
    for (size_t i = 0; i < ARRAY_SIZE(stream_names); i++) {
        cleanup_free char *path = xasprintf("%s/%s", spec->directory, stream_names[i]);

        if (output_open(&r->outputs[i], path, i == 0 && spec->whole_stdout, &r->printed[i],
                        &standard[1 + i], err) < 0)
            return -1;
    }
    return 0;
}

static int map_shared(void **ret, size_t size, const char *what, struct bench_error *err)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot map %s", what);
    *ret = memory;
    return 0;
}

static int make_page(struct role *r, struct bench_error *err)
{
    void *page = NULL;

    if (map_shared(&page, sizeof(*r->page), "the shared counters", err) < 0)
        return -1;
    r->page = page;
    r->page->size = sizeof(*r->page);
    return 0;
}

static int make_outputs(struct role *r, struct init *in, struct bench_error *err)
{
    void *printed = NULL;

    if (map_shared(&printed, ARRAY_SIZE(r->outputs) * sizeof(*r->printed), "its outputs", err) < 0)
        return -1;
    r->printed = printed;
    return open_standard(r, in->standard, err);
}

static int fork_init(struct role *r, struct init *in, struct bench_error *err)
{
    r->init = init_fork(init_isolated(r->containment, &r->spec), cgroup_birth_fd(r->spec.cgroup));
    if (r->init == 0)
        init_run(in);
    if (r->init < 0) {
        int saved = errno;

        r->init = 0;
        error_errno(err, BENCH_ERROR_RUN, saved, "cannot start a process");
        error_hint(err, "a limit was reached: see 'ulimit -u', pids.max of the control group and "
                        "/proc/sys/user/max_pid_namespaces");
        return -1;
    }
    r->init_pidfd = pidfd_open(r->init, 0);
    if (r->init_pidfd < 0) {
        bool missing = errno == ENOSYS;

        error_errno(err, missing ? BENCH_ERROR_ENVIRONMENT : BENCH_ERROR_RUN, errno,
                    "cannot open a process descriptor");
        if (missing)
            error_hint(err, "this needs Linux 5.3 or later");
        kill(r->init, SIGKILL);
        waitpid(r->init, NULL, 0);
        r->init = 0;
        return -1;
    }
    containment_add_child(r->containment, r->init);
    return 0;
}

/* Everything that can fail before and during the fork; role_spawn() undoes. */
static int spawn(struct role *r, struct init *in, struct bench_error *err)
{
    int pair[2], exec_pipe[2], on = 1;

    if (write_files(r, err) < 0 || make_outputs(r, in, err) < 0 ||
        start_drainer(r, err) < 0)
        return -1;
    if (r->spec.process->main && make_page(r, err) < 0)
        return -1;
    in->page = r->page;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a socket pair");
    r->control = pair[0];
    in->control = pair[1];
    if (setsockopt(r->control, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot ask for credentials");
    if (pipe2(exec_pipe, O_CLOEXEC) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot make a pipe");
    r->exec_pipe = exec_pipe[0];
    in->exec_pipe = exec_pipe[1];
    return fork_init(r, in, err);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int role_spawn(struct role **ret, const struct containment *c, const struct role_spec *spec,
               struct bench_error *err)
{
    struct role *r = xcalloc(1, sizeof(*r));
    struct init in = {
        .containment = c, .spec = spec, .control = -1, .exec_pipe = -1, .standard = {-1, -1, -1}};
    int rc;

    r->containment = c;
    r->spec = *spec;
    if (spec->role) {
        r->role = *spec->role;
        r->spec.role = &r->role;
    }
    r->spec.cpus = NULL; /* the caller's may be gone after this call */
    r->status = -1;
    r->init_pidfd = r->component_pidfd = r->control = r->exec_pipe = -1;
    for (size_t i = 0; i < ARRAY_SIZE(r->outputs); i++)
        r->outputs[i] = (struct output){.pipe = -1, .file = -1};
    rc = spawn(r, &in, err);
    close_fd(&in.control);
    close_fd(&in.exec_pipe);
    for (int i = 0; i < 3; i++)
        close_fd(&in.standard[i]);
    for (size_t i = 0; i < ARRAY_SIZE(r->outputs); i++)
        output_leave_file(&r->outputs[i]); /* the drainer has it */
    if (rc < 0) {
        for_directories(r, remove_directory);
        role_free(r);
        return -1;
    }
    *ret = r;
    return 0;
}

/* ---- the gate ---- */

static int fail_with_reason(struct role *r, struct bench_error *err)
{
    if (r->failed) {
        if (err)
            *err = r->failure;
        return -1;
    }
    error_set(err, BENCH_ERROR_RUN, "its init was killed before the start");
    error_hint(err, "the kernel log tells whether memory ran out: 'dmesg | tail'");
    return -1;
}

int role_held(struct role *r, struct bench_error *err)
{
    enum role_state state = role_update(r);

    if (r->failed || state == ROLE_EXITED)
        return fail_with_reason(r, err);
    return state != ROLE_STARTING;
}

int role_wait_held(struct role *r, int64_t deadline_ns, struct bench_error *err)
{
    int held;

    while ((held = role_held(r, err)) == 0)
        if (!wait_readable(r->control, deadline_ns))
            return error_set(err, BENCH_ERROR_RUN, "it did not reach the gate in time");
    return held < 0 ? -1 : 0;
}

int role_let_go(struct role *r, struct bench_error *err)
{
    if (send(r->control, "go", 2, MSG_NOSIGNAL) < 0) {
        role_update(r);
        return fail_with_reason(r, err);
    }
    r->let_go = true;
    return 0;
}

int role_started(struct role *r, struct bench_error *err)
{
    if (!r->started && !wait_readable(r->exec_pipe, 0))
        return 0;
    r->started = true;
    role_update(r);
    if (r->failed || r->state == ROLE_HELD || r->init_gone)
        return fail_with_reason(r, err);
    return 1;
}

int role_release(struct role *r, struct bench_error *err)
{
    if (role_let_go(r, err) < 0)
        return -1;
    wait_readable(r->exec_pipe, clock_now() + PATIENCE_NS);
    switch (role_started(r, err)) {
    case 1:
        return 0;
    case 0:
        return error_set(err, BENCH_ERROR_RUN, "it did not start within %d s",
                         (int)(PATIENCE_NS / NS_PER_S));
    default:
        return -1;
    }
}

/* ---- looking at it ---- */

const char *role_name(const struct role *r)
{
    return r->spec.name;
}

pid_t role_pid(const struct role *r)
{
    return r->init;
}

void role_pause(struct role *r)
{
    if (r->component > 0 && r->state != ROLE_EXITED)
        kill(r->component, SIGSTOP);
}

void role_resume(struct role *r)
{
    if (r->component > 0 && r->state != ROLE_EXITED)
        kill(r->component, SIGCONT);
}

pid_t role_component_pid(const struct role *r)
{
    return r->component;
}

struct cgroup *role_cgroup(const struct role *r)
{
    return r->spec.cgroup;
}

struct bench_page *role_page(const struct role *r)
{
    return r->page;
}

size_t role_pids(const struct role *r, pid_t **ret_pids)
{
    size_t n, kept = 0;
    pid_t *pids;

    if (!r->init) {
        *ret_pids = NULL;
        return 0;
    }
    n = cgroup_pids(r->spec.cgroup, &pids);
    if (n == 0)
        return descendants_find(r->init, ret_pids);
    for (size_t i = 0; i < n; i++)
        if (pids[i] != r->init)
            pids[kept++] = pids[i];
    *ret_pids = pids;
    return kept;
}

int role_fd(const struct role *r)
{
    return r->let_go && !r->started ? r->exec_pipe : r->control;
}

enum role_state role_update(struct role *r)
{
    while (receive(r))
        ;
    return r->state;
}

enum role_state role_state(const struct role *r)
{
    return r->state;
}

int role_status(const struct role *r)
{
    return r->status;
}

/* ---- why it ended ---- */

/* What a process printed ends up on terminals and in JSON: control bytes and broken UTF-8 go. */
static void make_printable(char *s)
{
    while (*s) {
        size_t n = utf8_length(s);

        if (n == 0 || ((unsigned char)*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f) {
            *s = '?';
            n = 1;
        }
        s += n;
    }
}

char *role_last_lines(struct role *r, size_t limit)
{
    for (size_t i = ARRAY_SIZE(r->outputs); i-- > 0;) {
        cleanup_free char *tail =
            r->outputs[i].path ? output_tail(&r->outputs[i], LOOKED_AT) : NULL;
        cleanup_free char *lines = NULL;

        if (!tail || !*tail)
            continue;
        make_printable(tail);
        lines = text_collapse_lines(tail);
        return text_last_lines(lines, limit);
    }
    return NULL;
}

static void add_last_lines(struct role *r, struct bench_error *err)
{
    cleanup_free char *lines = role_last_lines(r, sizeof(err->detail) - 1);

    error_detail(err, lines);
}

void role_describe_output(const struct role *r, struct strings *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(r->outputs); i++) {
        const struct output *o = &r->outputs[i];
        uint64_t written = atomic_load(&r->printed[i].written);
        int error = atomic_load(&r->printed[i].error);

        if (error)
            strings_addf(ret, "what it wrote to %s could not be kept: '%s': %s", stream_names[i],
                         o->path, strerror(error));
        else if (written > 2 * (uint64_t)OUTPUT_KEPT)
            strings_addf(ret, "wrote %.1f MiB to %s, of which '%s' has the first and the last MiB",
                         (double)written / (1 << 20), stream_names[i], o->path);
    }
}

static const char *program_name(const struct role *r)
{
    const char *program = r->spec.process->program, *slash;

    if (!program)
        return r->spec.name;
    slash = strrchr(program, '/');
    return slash ? slash + 1 : program;
}

/* "'nginx'", or "main of plugin 'builtin' ('FILE')": what ended by itself. */
static const char *component_name(const struct role *r, char *out, size_t size)
{
    const struct bench_plugin *plugin = r->spec.process->main ? r->spec.process->plugin : NULL;
    const char *file = plugin ? plugin_file(plugin) : NULL;

    if (plugin)
        snprintf(out, size, "main of plugin '%s' ('%s')", plugin->name, file ? file : "unknown");
    else
        snprintf(out, size, "'%s'", program_name(r));
    return out;
}

/* A program that leaves its work to another process and ends: what only its parent can be waited
 * for, and stopped, bench has lost. */
static void describe_departure(const struct role *r, struct bench_error *err)
{
    const char *program = program_name(r);
    cleanup_free pid_t *pids = NULL;
    size_t left = role_pids(r, &pids);

    if (left)
        error_set(err, BENCH_ERROR_RUN,
                  "'%s' ended early with exit status 0 and left %zu process%s in the background",
                  program, left, left == 1 ? "" : "es");
    else
        error_set(err, BENCH_ERROR_RUN, "'%s' ended early with exit status 0", program);
    error_hint(err,
               "keep it in the foreground, without options such as --daemon: bench stops it at "
               "the end; what it printed is in '%s'",
               r->spec.directory);
}

static void describe_end(const struct role *r, struct bench_error *err)
{
    char name[768];

    component_name(r, name, sizeof(name));
    if (r->page && r->page->message[0])
        error_set(err, BENCH_ERROR_RUN, "'%s' failed: %.*s", program_name(r),
                  (int)sizeof(r->page->message), r->page->message);
    else if (WIFSIGNALED(r->status))
        error_set(err, BENCH_ERROR_RUN, "%s was killed by signal %d (%s)", name,
                  WTERMSIG(r->status), strsignal(WTERMSIG(r->status)));
    else
        error_set(err, BENCH_ERROR_RUN, "%s ended early with exit status %d", name,
                  WEXITSTATUS(r->status));
    if (WIFSIGNALED(r->status) && WTERMSIG(r->status) == SIGKILL)
        error_hint(err, "the OOM killer may have killed it: see 'dmesg | tail'");
    else
        error_hint(err, "everything that it printed is in '%s'", r->spec.directory);
}

int role_error(struct role *r, struct bench_error *err)
{
    if (!err)
        return -1;
    if (r->failed) {
        *err = r->failure;
        return -1;
    }
    if (r->status < 0)
        return error_set(err, BENCH_ERROR_RUN, "'%s' has not ended", program_name(r));
    if (r->status == 0 && !r->spec.process->main)
        describe_departure(r, err);
    else
        describe_end(r, err);
    add_last_lines(r, err);
    return -1;
}

/* ---- the end ---- */

void role_ask_to_stop(struct role *r)
{
    if (role_update(r) != ROLE_RUNNING || r->asked_ns)
        return;
    r->asked_ns = clock_now();
    if (r->component_pidfd >= 0)
        pidfd_send_signal(r->component_pidfd, r->spec.process->stop_signal, NULL, 0);
}

/* True when the component ended by itself within the grace. */
static bool wait_for_end(struct role *r, int64_t grace_ns)
{
    while (role_update(r) == ROLE_RUNNING)
        if (!wait_readable(r->control, r->asked_ns + grace_ns))
            return role_update(r) != ROLE_RUNNING;
    return true;
}

/* Ends the init and with it everything below. False when it did not go. */
static bool end_init(struct role *r)
{
    int64_t deadline = clock_now() + PATIENCE_NS;

    /* In a PID namespace the kernel kills the rest and lets wait() return after the last one. */
    if (init_isolated(r->containment, &r->spec))
        kill(r->init, SIGKILL);
    else
        shutdown(r->control, SHUT_WR);
    if (wait_readable(r->init_pidfd, deadline))
        return true;
    /* Only an init that was stopped or cannot run gets here. */
    while (descendants_kill(r->init) > 0 && clock_now() < deadline + NS_PER_S)
        wait_readable(r->init_pidfd, clock_now() + NS_PER_MS);
    kill(r->init, SIGKILL);
    return wait_readable(r->init_pidfd, clock_now() + PATIENCE_NS);
}

static int survivors(struct role *r, struct bench_error *err)
{
    cleanup_free pid_t *pids = NULL;
    size_t n;

    cgroup_kill(r->spec.cgroup);
    n = cgroup_pids(r->spec.cgroup, &pids);
    if (n == 0)
        return 0;
    error_set(err, BENCH_ERROR_RUN, "%zu processes survived SIGKILL, the first is %d", n,
              (int)pids[0]);
    error_hint(err, "'cat /proc/%d/stack' shows where the kernel holds it", (int)pids[0]);
    return -1;
}

int role_stop(struct role *r, int64_t grace_ns, bool *ret_forced, struct bench_error *err)
{
    bool forced;
    pid_t init = r->init;
    int rc, status = 0;

    if (!init) {
        if (ret_forced)
            *ret_forced = false;
        return 0;
    }
    role_ask_to_stop(r);
    forced = !wait_for_end(r, grace_ns);
    if (!end_init(r)) {
        error_set(err, BENCH_ERROR_RUN, "process %d survived SIGKILL", (int)init);
        error_hint(err, "'cat /proc/%d/stack' shows where the kernel holds it", (int)init);
        return -1;
    }
    role_update(r);
    if (r->state != ROLE_EXITED)
        component_ended(r, W_EXITCODE(0, SIGKILL));
    waitpid(init, &status, 0);
    containment_drop_child(r->containment, init);
    r->init = 0;
    rc = survivors(r, err);
    if (WIFSIGNALED(status) && !init_isolated(r->containment, &r->spec) &&
        containment_kill_adopted(r->containment) < 0)
        rc = error_set(err, BENCH_ERROR_RUN,
                       "what process %d left behind when it was killed survived SIGKILL",
                       (int)init);
    for (size_t i = 0; i < ARRAY_SIZE(r->outputs); i++)
        output_finish(&r->outputs[i]);
    for_directories(r, remove_directory);
    if (ret_forced)
        *ret_forced = forced;
    return rc;
}

void role_free(struct role *r)
{
    if (!r)
        return;
    role_stop(r, 0, NULL, NULL);
    stop_drainer(r); /* of one that was not spawned */
    close_fd(&r->control);
    close_fd(&r->exec_pipe);
    close_fd(&r->init_pidfd);
    close_fd(&r->component_pidfd);
    for (size_t i = 0; i < ARRAY_SIZE(r->outputs); i++)
        output_close(&r->outputs[i]);
    if (r->printed)
        munmap(r->printed, ARRAY_SIZE(r->outputs) * sizeof(*r->printed));
    if (r->page)
        munmap(r->page, sizeof(*r->page));
    free(r);
}
