/* SPDX-License-Identifier: Apache-2.0 */
#include "process/init.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/affinity.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/descendants.h"

/* ---- talking to the bench ---- */

static int report(const struct init *in, enum init_event event, int status,
                  const struct bench_error *error)
{
    struct init_message message = {.event = event, .status = status};

    if (error)
        message.error = *error;
    return send(in->control, &message, sizeof(message), MSG_NOSIGNAL) < 0 ? -1 : 0;
}

_Noreturn static void give_up(const struct init *in, const struct bench_error *error)
{
    report(in, INIT_FAILED, 0, error);
    _exit(127);
}

/* ---- the component ---- */

static void reset_signals(void)
{
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL); /* KILL, STOP and libc's own refuse, which is right */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The usual soft limit of 1024 is for programs that call select(); a relay of 1000 connections
 * needs more. Above the kernel's own default some programs would walk through all of them. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    const rlim_t most = 1 << 20;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= most)
        return;
    limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int component_set_up(const struct init *in, pid_t parent, struct bench_error *err)
{
    const struct strings *environment = &in->spec->process->environment;

    /* Its own group, so that a component that signals its group does not hit the init. */
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    if (affinity_set(in->spec->cpus, err) < 0)
        return -1;
    for (size_t i = 0; i < environment->count; i++)
        putenv(environment->items[i]);
    raise_descriptors();
    reset_signals();
    return 0;
}

static void set_name(const char *name)
{
    char comm[16];

    snprintf(comm, sizeof(comm), "bench-%s", name);
    prctl(PR_SET_NAME, comm);
}

_Noreturn static void run_main(const struct init *in)
{
    struct bench_child child = {
        .size = sizeof(child),
        .role = in->spec->role,
        .state = in->spec->state,
        .page = in->page,
        .program = in->spec->process->program,
        .argv = in->spec->process->argv.items,
    };

    set_name(in->spec->name);
    close_range(3, ~0U, 0);
    _exit(in->spec->process->main(&child) == 0 ? 0 : 1);
}

_Noreturn static void run_component(const struct init *in, pid_t parent)
{
    const struct bench_process *process = in->spec->process;
    struct bench_error err = {0};

    if (component_set_up(in, parent, &err) < 0)
        give_up(in, &err);
    if (report(in, INIT_STARTED, 0, NULL) < 0)
        _exit(127);
    if (process->main)
        run_main(in);
    execv(process->program, process->argv.items);
    error_errno(&err, BENCH_ERROR_ENVIRONMENT, errno, "cannot execute '%s'", process->program);
    give_up(in, &err);
}

/* ---- the init ---- */

bool init_isolated(const struct containment *c, const struct role_spec *spec)
{
    return c->pid_namespaces && !spec->host_pids;
}

/* Until nothing is left: whatever forks meanwhile becomes a child of this subreaper. */
static void kill_all_below(void)
{
    const struct timespec pause = {.tv_nsec = 1000 * 1000};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        pid_t pid;

        descendants_kill(getpid());
        do
            pid = waitpid(-1, NULL, WNOHANG);
        while (pid > 0);
        if (pid < 0 && errno == ECHILD)
            return;
        sigtimedwait(&child, NULL, &pause);
    }
}

_Noreturn static void end(const struct init *in)
{
    /* Process 1 of a namespace takes all others along by exiting. */
    if (!init_isolated(in->containment, in->spec))
        kill_all_below();
    _exit(0);
}

static void become_init(const struct init *in)
{
    sigset_t all;

    /* The guardian waits for the last copy of this descriptor to close. */
    close(in->containment->guardian_pipe);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_DFL); /* ignored, it would reap the component unseen */
    set_name("init");
    setsid();
    /* Without a PID namespace an init that is killed would leave its descendants behind: it must
     * live on, see end of file on `control`, and kill them. */
    if (init_isolated(in->containment, in->spec))
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    else
        prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* In a PID namespace /proc must show that namespace: with the host's, a component that looks for
 * its threads and children by their numbers finds others, or none. pthread_setname_np() of another
 * thread is one that does, so that threads kept the name of their program. Where a mount is not
 * allowed it stays as it was. It takes some milliseconds, so built-in roles go without. */
static void mount_proc(void)
{
    /* Never without the second: the mount would come back to where we are from. */
    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int settle(const struct init *in, struct bench_error *err)
{
    if (init_isolated(in->containment, in->spec) && !in->spec->process->main)
        mount_proc();
    for (int fd = 0; fd < 3; fd++)
        if (dup2(in->standard[fd], fd) < 0)
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot set up standard files");
    if (chdir(in->spec->directory) < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot enter '%s'", in->spec->directory);
    if (cgroup_attach_self(in->spec->cgroup, err) < 0)
        return -1;
    return network_enter_self(in->spec->network, err);
}

static void wait_at_gate(const struct init *in)
{
    char go;
    ssize_t n;

    do
        n = recv(in->control, &go, sizeof(go), 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        end(in);
}

static pid_t start_component(const struct init *in)
{
    struct bench_error err = {0};
    pid_t self = getpid(), pid = fork();

    if (pid == 0)
        run_component(in, self);
    if (pid < 0) {
        error_errno(&err, BENCH_ERROR_RUN, errno, "cannot fork");
        error_hint(&err, "a limit on processes was reached: see 'ulimit -u' and pids.max of the "
                         "control group");
        give_up(in, &err);
    }
    close(in->exec_pipe);
    return pid;
}

static void reap(const struct init *in, pid_t component)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != component)
            continue;
        if (report(in, INIT_EXITED, status, NULL) < 0)
            end(in);
    }
}

/* Blocks except when a child ends: no timer ticks, no CPU beside the component's. */
_Noreturn static void watch(const struct init *in, pid_t component, int children)
{
    struct pollfd fds[] = {{.fd = in->control, .events = POLLIN},
                           {.fd = children, .events = POLLIN}};
    struct signalfd_siginfo info;

    for (;;) {
        if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
            continue;
        if (fds[1].revents && read(children, &info, sizeof(info)) > 0)
            reap(in, component);
        if (fds[0].revents)
            end(in);
    }
}

/*
 * glibc has no fork() with flags. The bench is single-threaded, so the bare system call leaves
 * nothing locked; glibc's idea of the child's thread id is stale, which matters to robust and
 * error-checking mutexes only, and the component comes from a proper fork().
 */
pid_t init_fork(bool pid_namespace, int cgroup_fd)
{
    struct clone_args args = {.exit_signal = SIGCHLD};

    if (pid_namespace)
        args.flags |= CLONE_NEWPID;
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    return args.flags ? (pid_t)syscall(SYS_clone3, &args, sizeof(args)) : fork();
}

void init_run(const struct init *in)
{
    int keep[] = {in->control, in->exec_pipe};
    struct bench_error err = {0};
    sigset_t child;
    int children;

    become_init(in);
    if (settle(in, &err) < 0)
        give_up(in, &err);
    close_descriptors_but(keep, ARRAY_SIZE(keep));
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    children = signalfd(-1, &child, SFD_CLOEXEC);
    if (children < 0) {
        error_errno(&err, BENCH_ERROR_RUN, errno, "cannot watch children");
        give_up(in, &err);
    }
    if (report(in, INIT_HELD, 0, NULL) < 0)
        end(in);
    wait_at_gate(in);
    watch(in, start_component(in), children);
}
