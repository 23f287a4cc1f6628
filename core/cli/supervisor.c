/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/cli.h"
#include "plugin/hook.h"
#include "process/descendants.h"

/* A hook returns within milliseconds. */
#define HOOK_PATIENCE_NS (3 * NS_PER_S)
/* Less than that between two signals is one wish to stop: timeout(1) signals a process and its
 * group. */
#define SECOND_SIGNAL_NS (300 * NS_PER_MS)
#define TICK_NS (50 * NS_PER_MS)
/* The guardian and the inits need less. */
#define LEFTOVERS_PATIENCE_NS (5 * NS_PER_S)

struct report {
    struct hook_mark mark;
    atomic_bool finished;
    int status; /* once it has finished */
};

struct supervisor {
    struct report *report; /* shared with the child */
    pid_t child;
    sigset_t watched;
    int wait_status;
    int asked;         /* the first signal that asked to end, 0: none */
    int64_t asked_ns;  /* the last one */
    uint64_t sequence; /* of the mark as it was last seen */
    int64_t since_ns;  /* it has been that */
    bool hung;         /* killed in a hook that did not return */
};

/* ---- the child ---- */

_Noreturn static void be_the_child(struct report *report, pid_t parent, const sigset_t *old,
                                   int (*work)(void *), void *context)
{
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(BENCH_ERROR_RUN);
    sigprocmask(SIG_SETMASK, old, NULL);
    hook_mark_use(&report->mark);
    supervisor_is(parent);
    status = work(context);
    report->status = status;
    atomic_store(&report->finished, true);
    exit(status);
}

/* ---- watching it ---- */

static bool is_ignored(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void block_signals(struct supervisor *s, sigset_t *ret_old)
{
    static const int asking[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    sigemptyset(&s->watched);
    sigaddset(&s->watched, SIGCHLD);
    for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
        if (!is_ignored(asking[i]))
            sigaddset(&s->watched, asking[i]);
    sigprocmask(SIG_BLOCK, &s->watched, ret_old);
}

/* Also takes what became ours because its parent has ended. True once the child has. */
static bool reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == s->child) {
            s->wait_status = status;
            return true;
        }
    return false;
}

static bool in_hook(uint64_t sequence)
{
    return sequence & 1;
}

/* How long the hook that runs now has been seen to run; 0 outside of a hook. */
static int64_t hook_age(struct supervisor *s, int64_t now)
{
    uint64_t sequence = atomic_load(&s->report->mark.sequence);

    if (sequence != s->sequence) {
        s->sequence = sequence;
        s->since_ns = now;
    }
    return in_hook(sequence) ? now - s->since_ns : 0;
}

static void end_hung_hook(struct supervisor *s)
{
    s->hung = true;
    kill(s->child, SIGKILL);
}

static void pass_on(struct supervisor *s, const siginfo_t *info)
{
    int64_t now = clock_now(), age = hook_age(s, now);

    if (s->asked && now - s->asked_ns >= SECOND_SIGNAL_NS && age >= SECOND_SIGNAL_NS)
        end_hung_hook(s);
    s->asked = s->asked ? s->asked : info->si_signo;
    s->asked_ns = now;
    if (info->si_code <= 0) /* not of the terminal, which signals the whole group */
        kill(s->child, info->si_signo);
}

/* Until the child has ended. Sleeps as long as it is not asked to end. */
static void watch(struct supervisor *s)
{
    const struct timespec tick = clock_timespec(TICK_NS);

    while (!reap(s)) {
        siginfo_t info;
        int signal =
            s->asked ? sigtimedwait(&s->watched, &info, &tick) : sigwaitinfo(&s->watched, &info);

        if (signal > 0 && signal != SIGCHLD)
            pass_on(s, &info);
        else if (s->asked && !s->hung && hook_age(s, clock_now()) >= HOOK_PATIENCE_NS)
            end_hung_hook(s);
    }
}

/* What a child that did not clean up has left: the guardian and the inits, which do it now, are
 * ours since it is gone. */
static void await_leftovers(void)
{
    int64_t deadline = clock_now() + LEFTOVERS_PATIENCE_NS;
    const struct timespec pause = clock_timespec(2 * NS_PER_MS);
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 || errno != ECHILD) {
        if (clock_now() >= deadline) {
            descendants_kill(getpid());
            return;
        }
        if (pid <= 0)
            nanosleep(&pause, NULL);
    }
}

/* ---- what is said of its end ---- */

static const char *name_of(int signal)
{
    const char *name = sigabbrev_np(signal);

    return name ? name : "?";
}

static void add_hint(struct bench_error *err, const struct supervisor *s, int signal)
{
    if (signal == SIGKILL)
        error_hint(err, "the kernel kills for want of memory: 'dmesg | tail' says so");
    else if (in_hook(s->sequence))
        error_hint(err,
                   "this is a mistake in the plugin: docs/plugin-api.md says what a hook may do");
    else if (signal)
        error_hint(err, "this is a mistake in bench, or in a plugin's thread or handler");
}

static void describe_end(const struct supervisor *s, int signal, struct bench_error *err)
{
    const struct hook_mark *mark = &s->report->mark;
    char hook[768] = "bench";

    if (in_hook(s->sequence))
        hook_mark_text(mark, hook, sizeof(hook));
    if (mark->misdeed[0])
        error_set(err, BENCH_ERROR_RUN, "%s %s", hook, mark->misdeed);
    else if (s->hung)
        error_set(err, BENCH_ERROR_RUN, "%s did not return after SIG%s", hook, name_of(s->asked));
    else if (signal)
        error_set(err, BENCH_ERROR_RUN, "%s was ended by signal %d (SIG%s, %s)", hook, signal,
                  name_of(signal), strsignal(signal));
    else
        error_set(err, BENCH_ERROR_RUN, "%s ended bench with exit status %d", hook,
                  WEXITSTATUS(s->wait_status));
    add_hint(err, s, s->hung ? 0 : signal);
}

/* So that a shell sees what happened; without a second core file. */
static int die_by(int signal)
{
    const struct rlimit none = {0, 0};
    sigset_t set;

    setrlimit(RLIMIT_CORE, &none);
    fflush(stdout);
    sigaction(signal, &(const struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(signal);
    return 128 + signal; /* process 1 of a container does not die by it */
}

/* Signals that are sent to end a program need no explanation. */
static bool is_plain_end(int signal)
{
    return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT ||
           signal == SIGPIPE;
}

static int conclude(struct supervisor *s)
{
    int signal = WIFSIGNALED(s->wait_status) ? WTERMSIG(s->wait_status) : 0;
    int status = signal ? 0 : WEXITSTATUS(s->wait_status);
    struct bench_error err = {0};

    s->sequence = atomic_load(&s->report->mark.sequence);
    if (atomic_load(&s->report->finished) && !signal)
        return status ? status : s->report->status;
    await_leftovers();
    if (signal && !s->hung && is_plain_end(signal))
        return die_by(signal);
    /* One that ends with a status outside of a hook has said why. */
    if (signal || status == 0 || in_hook(s->sequence)) {
        describe_end(s, signal, &err);
        cli_error(&err);
    }
    if (s->hung)
        return 128 + s->asked;
    if (in_hook(s->sequence) || !signal)
        return BENCH_ERROR_RUN;
    return die_by(signal);
}

int supervise(int (*work)(void *), void *context)
{
    struct supervisor s = {0};
    struct bench_error err = {0};
    pid_t self = getpid();
    sigset_t old;

    s.report =
        mmap(NULL, sizeof(*s.report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s.report == MAP_FAILED) {
        error_errno(&err, BENCH_ERROR_RUN, errno, "cannot map shared memory");
        return cli_error(&err);
    }
    signal(SIGCHLD, SIG_DFL); /* a parent may have it ignored: then children reap themselves */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    block_signals(&s, &old);
    s.child = fork();
    if (s.child == 0)
        be_the_child(s.report, self, &old, work, context);
    if (s.child < 0) {
        error_errno(&err, BENCH_ERROR_RUN, errno, "cannot start a process");
        error_hint(&err, "a limit was reached: see 'ulimit -u' and pids.max of the control group");
        return cli_error(&err);
    }
    watch(&s);
    return conclude(&s);
}
