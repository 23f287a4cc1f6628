/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's loop, which runs as the role's `main`.
 *
 * Without a number of iterations or a result, the command runs again and again from the start to
 * the end of the window, and each run that ends is an operation. Otherwise the runs of the warm-up
 * and those of the window are kept apart: the former are stopped when the window begins, and only
 * then are the latter started.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "shared/signals.h"

extern char **environ;

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct run {
    pid_t pid; /* leader of its process group; 0: none */
    int64_t begin_ns;
    bool counts;  /* started in the window, or nothing is kept apart */
    bool stopped; /* by us */
};

struct client {
    const struct bench_child *child;
    const struct state *state;
    struct run *runs;
    int64_t n_runs;
    bool apart;             /* warm-up and window are kept apart */
    int output;             /* of the run whose result will be read, -1: none wanted */
    int nowhere;            /* /dev/null */
    int64_t started, ended; /* runs that count */
    bool asked;             /* to stop */
    bool failed;
};

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static enum bench_phase phase_of(const struct client *c)
{
    return atomic_load(&c->child->page->phase);
}

static struct bench_slot *slot_of(const struct client *c)
{
    return &c->child->page->slot[0];
}

/* The first reason counts. `invalid` is read also when this comes too late to end the window. */
static void BENCH_PRINTF(2, 3) fail(struct client *c, const char *fmt, ...)
{
    struct bench_page *page = c->child->page;
    va_list ap;

    if (c->failed)
        return;
    c->failed = true;
    va_start(ap, fmt);
    vsnprintf(page->message, sizeof(page->message), fmt, ap);
    va_end(ap);
    memcpy(page->invalid, page->message, sizeof(page->invalid));
}

/* --- one run ------------------------------------------------------------------------------- */

/* Where a run prints: what is not read afterwards is kept, except of a warm-up. */
static int output_of(const struct client *c, bool counts)
{
    if (!counts && c->apart)
        return c->nowhere;
    return c->output >= 0 ? c->output : STDOUT_FILENO;
}

static void start(struct client *c, struct run *run, bool counts)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int error;

    *run = (struct run){.counts = counts, .begin_ns = now()};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output_of(c, counts), STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    error =
        posix_spawn(&run->pid, c->child->program, &actions, &attributes, c->child->argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        run->pid = 0;
        fail(c, "cannot start '%s': %s", c->child->program, strerror(error));
    }
    c->started += !error && counts;
}

/* The last byte that a run has printed; a newline when it printed none. */
static char last_byte(const struct client *c, off_t size)
{
    char last = '\n';

    if (size > 0 && pread(c->output, &last, 1, size - 1) != 1)
        last = '\n';
    return last;
}

/* What a run has printed is kept when it is complete. One that was stopped at the end of the window
 * was cut short, and only counts when that is how the command ends. The last line of a complete one
 * gets its newline, so that a line without one is known to have been cut (result.c). */
static void keep_output(struct client *c, const struct run *run)
{
    struct stat st = {0};
    off_t at = 0;

    if (c->output < 0 || !run->counts)
        return;
    if (fstat(c->output, &st) < 0)
        fail(c, "cannot read what the client printed: %s", strerror(errno));
    if (!run->stopped || c->ended == 0)
        while (at < st.st_size) {
            char buffer[65536];
            ssize_t n = pread(c->output, buffer, sizeof(buffer), at);

            if (n <= 0 || write(STDOUT_FILENO, buffer, (size_t)n) != n) {
                fail(c, "cannot keep what the client printed: %s", strerror(errno));
                break;
            }
            at += n;
        }
    if (!run->stopped && last_byte(c, st.st_size) != '\n' && write(STDOUT_FILENO, "\n", 1) != 1)
        fail(c, "cannot keep what the client printed: %s", strerror(errno));
    if (ftruncate(c->output, 0) < 0)
        fail(c, "cannot empty the client's output: %s", strerror(errno));
}

static void check_end(struct client *c, const struct run *run, int status)
{
    if (run->stopped || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return;
    atomic_fetch_add_explicit(&slot_of(c)->errors, 1, memory_order_relaxed);
    if (WIFSIGNALED(status))
        fail(c, "a run of the client was killed by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
    else
        fail(c, "a run of the client ended with exit status %d", WEXITSTATUS(status));
}

static void end(struct client *c, struct run *run, int status, int64_t end_ns)
{
    bool done;

    check_end(c, run, status);
    keep_output(c, run);
    done = run->counts && !run->stopped && !c->failed;
    if (done && c->state->result == RESULT_NONE) {
        bench_histogram_record(&c->child->page->histogram[BENCH_LATENCY_SERVICE][0],
                               end_ns - run->begin_ns);
        atomic_fetch_add_explicit(&slot_of(c)->operations, 1, memory_order_relaxed);
    }
    /* For the check that something was measured, those before the window are none. */
    c->ended += done && (c->apart || phase_of(c) == BENCH_PHASE_WINDOW);
    run->pid = 0;
}

static void reap(struct client *c)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        int64_t end_ns = now();

        for (int64_t i = 0; i < c->n_runs; i++)
            if (c->runs[i].pid == pid)
                end(c, &c->runs[i], status, end_ns);
    }
}

/* --- all runs ------------------------------------------------------------------------------ */

static bool any_running(const struct client *c)
{
    for (int64_t i = 0; i < c->n_runs; i++)
        if (c->runs[i].pid)
            return true;
    return false;
}

static void stop(struct client *c, struct run *run)
{
    if (run->pid && !run->stopped)
        kill(-run->pid, signal_number(c->state->client_stop_signal));
    run->stopped = true;
}

static bool all_started(const struct client *c)
{
    return c->state->iterations > 0 && c->started >= c->state->iterations;
}

/* Whether the loop is to begin no more runs at all. */
static bool closing(const struct client *c)
{
    return c->asked || c->failed || phase_of(c) == BENCH_PHASE_END;
}

static void stop_due(struct client *c)
{
    enum bench_phase phase = phase_of(c);
    /* Iterations that were started are given the time to end. */
    bool wait = all_started(c) && !c->asked && !c->failed;

    for (int64_t i = 0; i < c->n_runs; i++)
        if (c->runs[i].counts ? closing(c) && !wait : closing(c) || phase >= BENCH_PHASE_WINDOW)
            stop(c, &c->runs[i]);
}

static void start_due(struct client *c)
{
    enum bench_phase phase = phase_of(c);
    bool in_window = phase == BENCH_PHASE_WINDOW;

    if (closing(c) || all_started(c) || (c->apart && !in_window && c->child->role->warmup_ns == 0))
        return;
    for (int64_t i = 0; i < c->n_runs && !c->failed && !all_started(c); i++)
        if (!c->runs[i].pid)
            start(c, &c->runs[i], !c->apart || in_window);
}

static void wait_for_news(struct client *c, const sigset_t *signals)
{
    bool soon = c->apart && phase_of(c) < BENCH_PHASE_WINDOW;
    struct timespec patience = {.tv_nsec = (soon ? 1 : 10) * NS_PER_MS};
    int signal = sigtimedwait(signals, NULL, &patience);

    if (signal == SIGTERM || signal == SIGINT)
        c->asked = true;
}

static void run_all(struct client *c)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    for (;;) {
        reap(c);
        stop_due(c);
        start_due(c);
        if (!any_running(c) && (closing(c) || all_started(c)))
            return;
        wait_for_news(c, &signals);
    }
}

/* --- the role ------------------------------------------------------------------------------ */

/* A window that ended with too little in it must not pass for a measurement. */
static void check_enough(struct client *c)
{
    int64_t iterations = c->state->iterations;

    if (c->failed || phase_of(c) < BENCH_PHASE_WINDOW)
        return;
    if (iterations > 0 && c->ended < iterations)
        fail(c,
             "%lld of %lld runs of the client ended in time: give 'duration' more time, or fewer "
             "'iterations'",
             (long long)c->ended, (long long)iterations);
    else if (c->ended == 0 && c->state->result == RESULT_NONE)
        fail(c, "no run of the client ended in the window: it needs longer than 'duration'");
}

static int prepare(struct client *c)
{
    struct bench_page *page = c->child->page;

    c->n_runs = command_loops(c->state, c->child->role->jobs);
    c->runs = calloc((size_t)c->n_runs, sizeof(*c->runs));
    c->apart = c->state->iterations > 0 || c->state->result != RESULT_NONE;
    c->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    c->output = -1;
    if (c->state->result != RESULT_NONE) {
        char name[] = "output-XXXXXX";

        c->output = mkostemp(name, O_CLOEXEC | O_APPEND);
        if (c->output >= 0)
            unlink(name);
    } else {
        atomic_store(&page->latencies, 1u << BENCH_LATENCY_SERVICE);
    }
    atomic_store(&page->slots, 1);
    if (c->runs && c->nowhere >= 0 && (c->output >= 0 || c->state->result == RESULT_NONE))
        return 0;
    fail(c, "cannot prepare the client's runs: %s", strerror(errno));
    return -1;
}

int client_main(const struct bench_child *child)
{
    struct client c = {.child = child, .state = child->state};

    if (prepare(&c) == 0) {
        run_all(&c);
        check_enough(&c);
    }
    free(c.runs);
    return c.failed ? 1 : 0;
}
