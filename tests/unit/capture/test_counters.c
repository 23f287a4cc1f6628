/* SPDX-License-Identifier: Apache-2.0 */
/* The capture `stat` on a child of fixed work that is held at a gate, and beside `perf stat` on the
 * very same run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "capture/capture.h"
#include "capture/events.h"
#include "capture/tracefs.h"

#include "fake_process.h"

#define WRITES 1000

/* One share of the work: CPU time, page faults and exactly WRITES system calls. */
static void *work(void *unused)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = 500;
    char *memory =
        mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    volatile double x = 0;

    (void)unused;
    for (size_t i = 0; i < pages; i++)
        memory[i * page] = 1;
    for (int i = 0; i < WRITES; i++)
        if (write(null, memory, 1) != 1)
            _exit(1);
    for (int i = 0; i < 5000000; i++)
        x = x + i;
    for (int i = 0; i < 20; i++)
        usleep(100);
    return NULL;
}

/* Itself, a thread and a forked child do the work. */
static void component(int gate)
{
    pthread_t thread;
    pid_t child;
    char byte;

    if (read(gate, &byte, 1) != 1)
        _exit(1);
    child = fork();
    if (child == 0) {
        work(NULL);
        _exit(0);
    }
    if (pthread_create(&thread, NULL, work, NULL) != 0)
        _exit(1);
    work(NULL);
    pthread_join(thread, NULL);
    waitpid(child, NULL, 0);
    _exit(0);
}
#define SHARES 3

struct held {
    struct role role;
    struct role *roles[1];
    int gate;
    struct series series;
    struct capture_target target;
};

/* Until it sleeps at the gate: what it does before would be counted as well. */
static void await_sleep(pid_t pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/stat", (int)pid);

    for (int i = 0; i < 2000; i++) {
        cleanup_free char *stat = file_peek(path);
        const char *name_end = stat ? strrchr(stat, ')') : NULL;

        if (name_end && strncmp(name_end, ") S", 3) == 0)
            return;
        usleep(1000);
    }
    fail_msg("process %d does not come to rest", (int)pid);
}

static void hold(struct held *h, const char *name)
{
    int gate[2];

    *h = (struct held){.role = {.name = name}};
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    h->role.pid = fork();
    assert_true(h->role.pid >= 0);
    if (h->role.pid == 0) {
        close(gate[1]);
        component(gate[0]);
    }
    close(gate[0]);
    h->gate = gate[1];
    await_sleep(h->role.pid);
    h->roles[0] = &h->role;
    h->target = (struct capture_target){.roles = h->roles, .n_roles = 1, .series = &h->series};
}

static void release_and_wait(struct held *h)
{
    int status;

    assert_int_equal(write(h->gate, "g", 1), 1);
    close(h->gate);
    assert_int_equal(waitpid(h->role.pid, &status, 0), h->role.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static struct capture *make(const char *events, const char *roles)
{
    struct setting items[2] = {{.key = (char *)"events", .text = (char *)events},
                               {.key = (char *)"roles", .text = (char *)roles}};
    struct settings settings = {.items = items, .count = roles ? 2 : 1};
    struct bench_error err = {0};
    struct capture *c;

    if (capture_new(&c, &capture_stat, &settings, &err) < 0)
        fail_msg("%s", err.message);
    return c;
}

static void open_and_begin(struct capture *c, struct held *h)
{
    struct bench_error err = {0};

    assert_int_equal(capture_open(c, &h->target, &err), 0);
    capture_sample(c, series_add_row(&h->series, 0), true);
    assert_int_equal(capture_begin(c, &err), 0);
}

static void finish(struct capture *c, struct held *h)
{
    struct bench_error err = {0};

    capture_sample(c, series_add_row(&h->series, 1), true);
    assert_int_equal(capture_end(c, &err), 0);
    capture_free(c);
}

static double counted(const struct held *h, const char *column)
{
    struct bench_value v = series_delta(&h->series, column, 0, 1);

    if (v.state != BENCH_OK)
        fail_msg("%s: state %d", column, v.state);
    return v.value;
}

static const struct series_column *column(const struct held *h, const char *name)
{
    int i = series_find(&h->series, name);

    assert_true(i >= 0);
    return &h->series.columns[i];
}

static void threads_and_children_are_counted(void **state)
{
    struct capture *c;
    struct held h;
    double clock;

    (void)state;
    c = make("task-clock,page-faults,context-switches", NULL);
    hold(&h, "relay_1");
    open_and_begin(c, &h);
    release_and_wait(&h);
    finish(c, &h);
    clock = counted(&h, "relay_1.event:task-clock");
    assert_true(counted(&h, "relay_1.event:page-faults") >= SHARES * 500);
    if (geteuid() == 0 || event_paranoid() <= 1) {
        assert_true(counted(&h, "relay_1.event:context-switches") >= SHARES * 20);
        assert_null(column(&h, "relay_1.event:page-faults")->reason);
    } else {
        assert_int_equal(column(&h, "relay_1.event:context-switches")->state, BENCH_NOT_SUPPORTED);
        assert_string_equal(column(&h, "relay_1.event:page-faults")->reason,
                            "user only: kernel mode is not counted, because "
                            "'/proc/sys/kernel/perf_event_paranoid' forbids it");
        assert_null(column(&h, "relay_1.event:task-clock")->reason);
    }
    assert_true(clock > 0);
    /* A software event always runs, and a task's clock is the time for which it runs. */
    assert_true(counted(&h, "relay_1.event:task-clock.enabled_ns") ==
                counted(&h, "relay_1.event:task-clock.running_ns"));
    assert_true(fabs(counted(&h, "relay_1.event:task-clock.running_ns") / clock - 1) < .1);
    series_release(&h.series);
}

static bool no_tracepoints(void)
{
    if (tracefs_access() == TRACEFS_READABLE && geteuid() == 0)
        return false;
    print_message("# SKIP tracepoints need root\n");
    return true;
}

static void tracepoints_are_counted_exactly(void **state)
{
    struct capture *c;
    struct held h;

    (void)state;
    if (no_tracepoints())
        skip();
    c = make("syscalls:sys_enter_write,syscalls:sys_exit_write", NULL);
    assert_string_equal(capture_perturbs(c),
                        "syscall tracepoints cost 3 to 12 % of the CPU time per operation");
    hold(&h, "relay_1");
    open_and_begin(c, &h);
    release_and_wait(&h);
    finish(c, &h);
    assert_true(counted(&h, "relay_1.event:syscalls:sys_enter_write") == SHARES * WRITES);
    assert_true(counted(&h, "relay_1.event:syscalls:sys_exit_write") == SHARES * WRITES);
    series_release(&h.series);
}

static void nothing_counts_outside_begin_and_end(void **state)
{
    struct bench_error err = {0};
    struct capture *c;
    struct held h;

    (void)state;
    c = make("task-clock,page-faults", NULL);
    hold(&h, "relay_1");
    assert_int_equal(capture_open(c, &h.target, &err), 0);
    capture_sample(c, series_add_row(&h.series, 0), true);
    assert_int_equal(capture_begin(c, &err), 0);
    assert_int_equal(capture_end(c, &err), 0);
    release_and_wait(&h);
    capture_sample(c, series_add_row(&h.series, 1), true);
    assert_true(counted(&h, "relay_1.event:task-clock") == 0);
    assert_true(counted(&h, "relay_1.event:page-faults") == 0);
    capture_free(c);
    series_release(&h.series);
}

static void what_cannot_be_counted_is_a_state_with_a_reason(void **state)
{
    struct capture *c;
    struct held h;
    int cycles, foreign;

    (void)state;
    c = make("cycles,skl::INST_RETIRED:ANY_P,task-clock", NULL);
    assert_null(capture_perturbs(c));
    hold(&h, "client");
    open_and_begin(c, &h);
    release_and_wait(&h);
    finish(c, &h);
    cycles = series_find(&h.series, "client.event:cycles");
    foreign = series_find(&h.series, "client.event:skl::INST_RETIRED:ANY_P");
    assert_int_equal(cycles, 0);
    assert_true(foreign > 0);
    if (!event_have_pmu()) {
        assert_int_equal(h.series.columns[cycles].state, BENCH_NOT_SUPPORTED);
        assert_string_equal(h.series.columns[cycles].reason,
                            "event 'cycles': this machine has no hardware performance counters "
                            "(no 'cpu' PMU in '/sys/bus/event_source/devices'); hint: run on bare "
                            "metal, or give the virtual machine a PMU (KVM: '-cpu host,pmu=on')");
        assert_int_equal(series_find(&h.series, "client.event:cycles.running_ns"), -1);
        assert_int_equal(series_delta(&h.series, "client.event:cycles", 0, 1).state,
                         BENCH_NOT_SUPPORTED);
        assert_true(series_at(&h.series, 1, (size_t)cycles) == SERIES_MISSING);
        assert_string_equal(h.series.columns[foreign].reason,
                            "event 'skl::INST_RETIRED:ANY_P' is of another CPU: Intel Skylake; "
                            "hint: 'bench list events' shows what this one counts");
    }
    assert_true(counted(&h, "client.event:task-clock") > 0);
    series_release(&h.series);
}

static void roles_select_who_is_counted(void **state)
{
    static const struct {
        const char *option, *role;
        bool counted;
    } rows[] = {
        {"all", "server", true},    {"client", "server", false},
        {"relay", "relay_2", true}, {"relay_1", "relay_2", false},
        {"server", "server", true}, {"client, relay_2", "relay_2", true},
        {"relay", "client", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct role role = {.name = rows[i].role, .pid = getpid()}, *roles[] = {&role};
        struct series series = {0};
        struct capture_target t = {.roles = roles, .n_roles = 1, .series = &series};
        struct capture *c = make("task-clock", rows[i].option);
        struct bench_error err = {0};

        assert_int_equal(capture_open(c, &t, &err), 0);
        assert_int_equal(series.n_columns, rows[i].counted ? 3 : 0);
        capture_free(c);
        series_release(&series);
    }
}

static void expect_refused(const char *key, const char *text, const char *message, const char *hint)
{
    struct setting item = {.key = (char *)key, .text = (char *)text};
    struct settings options = {.items = &item, .count = 1};
    struct bench_error err = {0};
    struct capture *c;

    assert_int_equal(capture_new(&c, &capture_stat, &options, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void wrong_options_are_usage_errors(void **state)
{
    (void)state;
    expect_refused("events", "task-clock,cycels", "capture 'stat': unknown event 'cycels'",
                   "did you mean 'cycles'?");
    expect_refused("events", " , ", "capture 'stat': option 'events' is empty",
                   "leave it out for the default");
    expect_refused("events", "cycles,cs,cycles", "capture 'stat': event 'cycles' is named twice",
                   "");
    expect_refused("roles", "clinet", "capture 'stat': option 'roles': unknown role 'clinet'",
                   "did you mean 'client'?");
    expect_refused("roles", "relay_0", "capture 'stat': option 'roles': unknown role 'relay_0'",
                   "roles are 'relay' (all hops), 'relay_1', …, 'client', 'server' and 'all'");
    expect_refused("roles", "7", "capture 'stat': option 'roles': unknown role '7'",
                   "roles are 'relay' (all hops), 'relay_1', …, 'client', 'server' and 'all'");
}

/* Beside perf */

static const char perf_events[] =
    "task-clock,context-switches,page-faults,syscalls:sys_enter_write";

struct perf {
    pid_t pid;
    int control, ack;
    char output[64];
};

/* Starts `perf stat` on `target` and waits until it counts. */
static bool perf_start(struct perf *p, pid_t target)
{
    int control[2], ack[2];
    char text[32], fds[64], answer[16] = "";

    snprintf(p->output, sizeof(p->output), "/tmp/bench-test-perf-XXXXXX");
    close(mkstemp(p->output));
    assert_int_equal(pipe(control), 0);
    assert_int_equal(pipe(ack), 0);
    snprintf(text, sizeof(text), "%d", (int)target);
    snprintf(fds, sizeof(fds), "--control=fd:%d,%d", control[0], ack[1]);
    p->pid = fork();
    if (p->pid == 0) {
        close(control[1]);
        close(ack[0]);
        setenv("LC_ALL", "C", 1);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        execlp("perf", "perf", "stat", "-x", ";", "-o", p->output, "-D", "-1", fds, "-e",
               perf_events, "-p", text, (char *)NULL);
        _exit(127);
    }
    close(control[0]);
    close(ack[1]);
    p->control = control[1];
    p->ack = ack[0];
    return write(p->control, "enable\n", 7) == 7 && read(p->ack, answer, sizeof(answer) - 1) >= 4 &&
           strncmp(answer, "ack\n", 4) == 0;
}

/* It ends with its target. */
static char *perf_finish(struct perf *p)
{
    char *text;

    waitpid(p->pid, NULL, 0);
    close(p->control);
    close(p->ack);
    text = file_peek(p->output);
    unlink(p->output);
    return text;
}

/* "12.34;msec;task-clock;…" and "3000;;syscalls:sys_enter_write;…" */
static double perf_value(const char *text, const char *event)
{
    for (const char *line = text; line && *line;) {
        const char *end = strchr(line, '\n'), *name = strstr(line, event);

        if (name && (!end || name < end))
            return strtod(line, NULL);
        line = end ? end + 1 : NULL;
    }
    fail_msg("perf does not report %s:\n%s", event, text);
    return NAN;
}

static void expect_near(const char *what, double ours, double theirs, double share, double extra)
{
    print_message("%s: %.7g, perf %.7g\n", what, ours, theirs);
    if (fabs(ours - theirs) > share * theirs + extra)
        fail_msg("%s: %f, perf stat says %f", what, ours, theirs);
}

/* BENCH_TRUTH: alone on the machine. */
static void agrees_with_perf_stat(void **state)
{
    double clock_share = getenv("BENCH_TRUTH") ? .01 : .03;
    cleanup_free char *text = NULL;
    struct capture *c;
    struct perf perf;
    struct held h;
    bool ready;

    (void)state;
    if (no_tracepoints())
        skip();
    if (system("perf --version >/dev/null 2>&1") != 0) {
        print_message("# SKIP no perf here\n");
        skip();
    }
    alarm(60);
    c = make(perf_events, NULL);
    hold(&h, "relay_1");
    ready = perf_start(&perf, h.role.pid);
    open_and_begin(c, &h);
    release_and_wait(&h);
    finish(c, &h);
    text = perf_finish(&perf);
    alarm(0);
    if (!ready)
        fail_msg("perf stat does not start:\n%s", text);
    expect_near("task-clock", counted(&h, "relay_1.event:task-clock") / 1e6,
                perf_value(text, "task-clock"), clock_share, 0);
    expect_near("context-switches", counted(&h, "relay_1.event:context-switches"),
                perf_value(text, "context-switches"), 0, 3);
    expect_near("page-faults", counted(&h, "relay_1.event:page-faults"),
                perf_value(text, "page-faults"), 0, 3);
    expect_near("writes", counted(&h, "relay_1.event:syscalls:sys_enter_write"),
                perf_value(text, "syscalls:sys_enter_write"), 0, 0);
    series_release(&h.series);
}

/* perf wants tracefs mounted: in a mount namespace of this program's own nobody else sees it. */
static int mount_tracefs(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (geteuid() == 0 && access("/sys/kernel/tracing/events", F_OK) < 0 &&
        unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) < 0)
        print_message("cannot mount tracefs: %s\n", strerror(errno));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_children_are_counted),
        cmocka_unit_test(tracepoints_are_counted_exactly),
        cmocka_unit_test(nothing_counts_outside_begin_and_end),
        cmocka_unit_test(what_cannot_be_counted_is_a_state_with_a_reason),
        cmocka_unit_test(roles_select_who_is_counted),
        cmocka_unit_test(wrong_options_are_usage_errors),
        cmocka_unit_test(agrees_with_perf_stat),
    };

    return cmocka_run_group_tests(tests, mount_tracefs, NULL);
}
