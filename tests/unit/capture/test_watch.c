/* SPDX-License-Identifier: Apache-2.0 */
/* Real processes, to which is done what a look has to notice. Time is what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/watch.h"

#include "fake_process.h"

#define ALL_OLD ULLONG_MAX /* the client started after everything */
#define NONE_OLD 1

enum { MOST = 8 };

struct fixture {
    struct cgroup group;
    pid_t pids[MOST];
    struct role role;
    struct watch watch;
    struct disturbances found;
    int64_t now;
};

static void add(struct fixture *f)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    f->pids[f->role.n_pids++] = pid;
}

static void work_and_wait(int done)
{
    while (clock() < CLOCKS_PER_SEC / 20)
        ;
    close(done);
    for (;;)
        pause();
}

/* One that has used CPU time before this returns. */
static void add_worker(struct fixture *f)
{
    int ends[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        work_and_wait(ends[1]);
    }
    assert_true(pid > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    f->pids[f->role.n_pids++] = pid;
}

static void start(struct fixture *f, const char *name, size_t processes)
{
    *f = (struct fixture){.now = clock_now()};
    f->group.hold = (struct cgroup_hold){.cpus = 0.5, .period_us = 100000};
    f->role = (struct role){.name = name, .pids = f->pids, .cgroup = &f->group};
    for (size_t i = 0; i < processes; i++)
        add(f);
    watch_init(&f->watch, &f->role, &f->found);
    watch_look(&f->watch, f->now);
}

static void begin(struct fixture *f, unsigned long long client_start)
{
    f->now += NS_PER_S;
    watch_begin(&f->watch, client_start, f->now);
}

static void look(struct fixture *f)
{
    f->now += 300 * NS_PER_MS;
    watch_look(&f->watch, f->now);
}

static void end(struct fixture *f)
{
    f->now += 300 * NS_PER_MS;
    watch_end(&f->watch, f->now);
}

static void kill_process(struct fixture *f, size_t i)
{
    kill(f->pids[i], SIGKILL);
    waitpid(f->pids[i], NULL, 0);
    f->pids[i] = f->pids[--f->role.n_pids];
}

static void finish(struct fixture *f)
{
    while (f->role.n_pids)
        kill_process(f, f->role.n_pids - 1);
    watch_release(&f->watch);
    disturbances_release(&f->found);
}

/* Exactly one thing was found. */
static const struct disturbance *only(const struct fixture *f, enum disturbance_kind kind)
{
    assert_int_equal(f->found.count, 1);
    assert_string_equal(disturbance_name(f->found.items[0].kind), disturbance_name(kind));
    return &f->found.items[0];
}

static void stop(pid_t pid)
{
    int status;

    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    assert_true(WIFSTOPPED(status));
}

static void go_on(pid_t pid)
{
    int status;

    kill(pid, SIGCONT);
    waitpid(pid, &status, WCONTINUED);
}

static void test_stopped(void **state)
{
    const struct disturbance *d;
    cleanup_free char *text = NULL;
    struct fixture f;
    int64_t first, last;

    (void)state;
    start(&f, "server", 3);
    begin(&f, ALL_OLD);
    look(&f);
    stop(f.pids[1]);
    look(&f);
    first = f.now;
    look(&f);
    last = f.now;
    go_on(f.pids[1]);
    look(&f);
    end(&f);
    d = only(&f, DISTURBANCE_STOPPED);
    text = xasprintf("process %d 'test_watch' was stopped", (int)f.pids[1]);
    assert_string_equal(d->what, text);
    assert_string_equal(d->role, "server");
    assert_int_equal(d->begin_ns, first);
    assert_int_equal(d->end_ns, last);
    finish(&f);
}

static void test_frozen_and_limit(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "relay_1", 1);
    begin(&f, ALL_OLD);
    look(&f);
    f.group.hold.cpus = 0.05;
    look(&f);
    f.group.hold.frozen = true;
    look(&f);
    end(&f);
    assert_int_equal(f.found.count, 2);
    assert_int_equal(f.found.items[0].kind, DISTURBANCE_LIMIT);
    assert_string_equal(f.found.items[0].what,
                        "its CPU limit was changed from 0.5 CPUs of 100ms to 0.05 CPUs of 100ms");
    assert_int_equal(f.found.items[1].kind, DISTURBANCE_STOPPED);
    assert_string_equal(f.found.items[1].what, "its control group was frozen");
    finish(&f);
}

static void test_priority(void **state)
{
    cleanup_free char *text = NULL;
    struct fixture f;
    int nice;

    (void)state;
    start(&f, "relay_1", 2);
    nice = getpriority(PRIO_PROCESS, (id_t)f.pids[1]);
    begin(&f, ALL_OLD);
    assert_int_equal(setpriority(PRIO_PROCESS, (id_t)f.pids[1], 19), 0);
    look(&f);
    end(&f);
    text = xasprintf("process %d 'test_watch' was moved from nice %d to 19", (int)f.pids[1], nice);
    assert_string_equal(only(&f, DISTURBANCE_PRIORITY)->what, text);
    finish(&f);
}

static void test_cpus(void **state)
{
    struct fixture f;
    cpu_set_t cpus;

    (void)state;
    sched_getaffinity(0, sizeof(cpus), &cpus);
    if (CPU_COUNT(&cpus) < 2) {
        print_message("one CPU only: nothing to move a process from\n");
        skip();
    }
    start(&f, "relay_1", 1);
    begin(&f, ALL_OLD);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &cpus)) {
            CPU_CLR(cpu, &cpus);
            break;
        }
    assert_int_equal(sched_setaffinity(f.pids[0], sizeof(cpus), &cpus), 0);
    end(&f); /* the last look sees it at the latest */
    assert_non_null(strstr(only(&f, DISTURBANCE_CPUS)->what, "was moved from CPUs 0"));
    finish(&f);
}

static void test_replaced(void **state)
{
    cleanup_free char *text = NULL;
    struct fixture f;
    pid_t gone;

    (void)state;
    start(&f, "relay_1", 1);
    add_worker(&f);
    gone = f.pids[1];
    look(&f);
    begin(&f, ALL_OLD);
    look(&f);
    kill_process(&f, 1);
    add(&f);
    look(&f);
    end(&f);
    text =
        xasprintf("process %d 'test_watch' ended and %d took its place", (int)gone, (int)f.pids[1]);
    assert_string_equal(only(&f, DISTURBANCE_REPLACED)->what, text);
    finish(&f);
}

/* The sleep in a loop of a shell is followed by the next. */
static void test_idle_is_not_missed(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "relay_1", 1);
    add_worker(&f);
    look(&f);
    begin(&f, ALL_OLD);
    look(&f);
    kill_process(&f, 0);
    add(&f);
    look(&f);
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

/* The old workers stay as long as they have connections. */
static void test_reloaded(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "relay_1", 2);
    begin(&f, ALL_OLD);
    add(&f);
    add(&f);
    end(&f);
    assert_non_null(strstr(only(&f, DISTURBANCE_REPLACED)->what, "was started beside"));
    finish(&f);
}

/* One more of many: a pool that grows under load. */
static void test_grown(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "server", 3);
    begin(&f, ALL_OLD);
    add(&f);
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

/* A pool that had not its number yet when the window began goes on growing in it. */
static void test_growing(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "server", 1);
    add(&f);
    begin(&f, ALL_OLD);
    for (int i = 0; i < 3; i++)
        add(&f);
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

/* A process per connection, of which some come late. */
static void test_late_connections(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "server", 1);
    begin(&f, NONE_OLD);
    add(&f);
    look(&f);
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

/* A process per connection: some ended in the warm-up, or each lives for a moment only. */
static void test_passing(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "server", 3);
    kill_process(&f, 0);
    look(&f);
    begin(&f, ALL_OLD);
    kill_process(&f, 0);
    add(&f);
    look(&f);
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);

    start(&f, "server", 1);
    begin(&f, NONE_OLD);
    add(&f);
    look(&f);
    kill_process(&f, 1);
    f.now += NS_PER_MS;
    watch_look(&f.watch, f.now);
    kill_process(&f, 0);
    add(&f);
    look(&f);
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

/* Each was followed by another, and that one too: connections of a third of the window. */
static void test_churn(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "server", 1);
    begin(&f, ALL_OLD);
    for (int i = 0; i < 3; i++) {
        look(&f);
        kill_process(&f, 0);
        add(&f);
        look(&f);
    }
    end(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

/* A process per job is the client's business; being stopped is not. */
static void test_client(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "client", 2);
    begin(&f, ALL_OLD);
    kill_process(&f, 0);
    add(&f);
    look(&f);
    stop(f.pids[0]);
    look(&f);
    end(&f);
    only(&f, DISTURBANCE_STOPPED);
    finish(&f);
}

static void test_outside_of_the_window(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, "relay_1", 1);
    setpriority(PRIO_PROCESS, (id_t)f.pids[0], 19);
    f.group.hold.cpus = 1;
    look(&f);
    begin(&f, ALL_OLD);
    look(&f);
    end(&f);
    f.group.hold.cpus = 0.1;
    look(&f);
    assert_int_equal(f.found.count, 0);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped),  cmocka_unit_test(test_frozen_and_limit),
        cmocka_unit_test(test_priority), cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_replaced), cmocka_unit_test(test_reloaded),
        cmocka_unit_test(test_idle_is_not_missed),
        cmocka_unit_test(test_grown),    cmocka_unit_test(test_growing),
        cmocka_unit_test(test_late_connections),
        cmocka_unit_test(test_passing),  cmocka_unit_test(test_churn),
        cmocka_unit_test(test_client),   cmocka_unit_test(test_outside_of_the_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
