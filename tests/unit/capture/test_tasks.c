/* SPDX-License-Identifier: Apache-2.0 */
/* Real threads and processes: what they used is not asserted, only whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/tasks.h"

#include "fake_process.h"

static void burn(int64_t ns)
{
    struct timespec t = {0};

    while (t.tv_sec * NS_PER_S + t.tv_nsec < ns)
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
}

static void say(int fd, const void *what, size_t n)
{
    if (write(fd, what, n) != (ssize_t)n)
        _exit(1);
}

static _Noreturn void rest(void)
{
    for (;;)
        pause();
}

static _Noreturn void idle_worker(int64_t cpu_ns, int ready)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    burn(cpu_ns);
    say(ready, "", 1);
    rest();
}

/* A master with two workers, of which the second does all the work; their pids come first. */
static _Noreturn void master(int ready)
{
    pid_t pids[2];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            idle_worker(i ? 60 * NS_PER_S / 1000 : 0, ready);
    }
    /* Workers write one byte each; the pids go through a second pipe that the test made. */
    say(ready + 2, pids, sizeof(pids));
    for (;;)
        if (wait(NULL) < 0)
            rest();
}

static void *sleeper(void *unused)
{
    (void)unused;
    rest();
}

static _Noreturn void threads_of(int ready)
{
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < TASKS_MOST; i++)
        if (pthread_create(&thread, NULL, sleeper, NULL) != 0)
            _exit(1);
    say(ready, "", 1);
    rest();
}

struct fixture {
    pid_t pids[3];
    size_t n;
    struct role role;
    struct processes processes;
    struct tasks tasks;
    struct tasks_sums sums;
};

static void look_at(struct fixture *f)
{
    f->role = (struct role){.name = "relay_1", .pids = f->pids, .n_pids = f->n};
    processes_init(&f->processes, &f->role);
}

static bool sample(struct fixture *f)
{
    int64_t rss;

    processes_sample(&f->processes, &rss, NULL);
    return tasks_sample(&f->tasks, &f->processes, &f->sums);
}

static void finish(struct fixture *f)
{
    tasks_release(&f->tasks);
    processes_release(&f->processes);
    kill(f->pids[0], SIGKILL);
    waitpid(f->pids[0], NULL, 0);
}

/* Pipes with the ends of the second two above those of the first. */
static void two_pipes(int ready[2], int numbers[2])
{
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(numbers), 0);
    assert_int_equal(numbers[1], ready[1] + 2);
}

static void one_worker_does_it_all(void **state)
{
    int ready[2], numbers[2];
    struct fixture f = {.n = 3};
    struct tasks_sums before; /* what the busiest had stays in the sums when it is gone */
    char bytes[2];

    (void)state;
    if (!tasks_supported()) {
        print_message("# SKIP this kernel has no '/proc/PID/schedstat'\n");
        skip();
    }
    two_pipes(ready, numbers);
    f.pids[0] = fork();
    if (f.pids[0] == 0)
        master(ready[1]);
    assert_int_equal(read(numbers[0], &f.pids[1], 2 * sizeof(pid_t)), 2 * sizeof(pid_t));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(read(ready[0], &bytes[i], 1), 1);
    look_at(&f);
    assert_true(sample(&f));
    assert_int_equal(f.sums.workers, 2); /* the master is none of them */
    assert_true(f.sums.busiest_ns >= 60 * NS_PER_S / 1000);
    assert_true(f.sums.workers_ns >= f.sums.busiest_ns);
    assert_true(f.sums.workers_ns < 2 * f.sums.busiest_ns);
    assert_true(f.sums.runqueue_ns >= 0 && f.sums.involuntary >= 0);

    before = f.sums;
    kill(f.pids[2], SIGKILL);
    for (int i = 0; i < 2000 && f.sums.workers == 2; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        assert_true(sample(&f));
    }
    assert_int_equal(f.sums.workers, 1);
    assert_true(f.sums.runqueue_ns >= before.runqueue_ns);
    assert_true(f.sums.involuntary >= before.involuntary);
    finish(&f);
    close(ready[0]), close(ready[1]), close(numbers[0]), close(numbers[1]);
}

static void too_many_are_not_watched(void **state)
{
    int ready[2];
    struct fixture f = {.n = 1};
    char byte;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    f.pids[0] = fork();
    if (f.pids[0] == 0)
        threads_of(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    look_at(&f);
    assert_false(sample(&f));
    assert_true(f.tasks.too_many);
    assert_false(sample(&f));
    finish(&f);
    close(ready[0]), close(ready[1]);
}

static void nobody_is_there(void **state)
{
    struct fixture f = {0};

    (void)state;
    look_at(&f);
    assert_false(sample(&f));
    tasks_release(&f.tasks);
    processes_release(&f.processes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_does_it_all),
        cmocka_unit_test(too_many_are_not_watched),
        cmocka_unit_test(nobody_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
