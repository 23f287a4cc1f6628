/* SPDX-License-Identifier: Apache-2.0 */
/* Real threads and processes: what they used is not asserted, only whose it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/tasks.h"

#include "fake_process.h"

#define WORK_NS (60 * NS_PER_S / 1000)

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

/* --- what threads do ----------------------------------------------------------------------- */

static int listener = -1;

static int listening_loop(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = epoll_create1(0);

    if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, listener, &event) < 0)
        _exit(1);
    return fd;
}

static _Noreturn void wait_for_events(int loop)
{
    struct epoll_event event;

    for (;;)
        epoll_wait(loop, &event, 1, -1);
}

/* One thread: what it uses, and then waits for. */
struct job {
    enum { OWN_LOOP, SHARED_LOOP, ACCEPT, NOTHING, NO_END } what;
    int64_t cpu_ns;
};

static int shared_loop;
static sem_t started;
static int go[2]; /* the process begins when it is told to, after the first look at it */

static void wait_for_go(void)
{
    char byte;

    if (read(go[0], &byte, 1) != 1)
        _exit(1);
}

static void *work(void *context)
{
    const struct job *job = context;

    burn(job->cpu_ns);
    if (job->what == NO_END)
        listening_loop();
    sem_post(&started);
    switch (job->what) {
    case OWN_LOOP:
        wait_for_events(listening_loop());
    case SHARED_LOOP:
        wait_for_events(shared_loop);
    case ACCEPT:
        accept(listener, NULL, NULL);
        break;
    case NO_END:
        burn(INT64_MAX);
        break;
    default:
        break;
    }
    rest();
}

static _Noreturn void threads_of(const struct job *jobs, int n, int ready)
{
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    wait_for_go();
    sem_init(&started, 0, 0);
    shared_loop = listening_loop();
    for (int i = 0; i < n; i++)
        if (pthread_create(&thread, NULL, work, (void *)&jobs[i]) != 0)
            _exit(1);
    for (int i = 0; i < n; i++)
        while (sem_wait(&started) < 0)
            ;
    say(ready, "", 1);
    rest();
}

/* A master with two workers, of which the second does all the work; their pids come first. */
static _Noreturn void master(int ready)
{
    pid_t pids[2];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    wait_for_go();
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            burn(i ? WORK_NS : 0);
            say(ready, "", 1);
            wait_for_events(listening_loop());
        }
    }
    /* Workers write one byte each; the pids go through a second pipe that the test made. */
    say(ready + 2, pids, sizeof(pids));
    for (;;)
        if (wait(NULL) < 0)
            rest();
}

/* --- looking at them ----------------------------------------------------------------------- */

struct fixture {
    pid_t pids[3];
    size_t n;
    struct role role;
    struct processes processes;
    struct network network;
    uint64_t inode;
    struct tasks tasks;
    struct tasks_sums sums;
};

static void look_at(struct fixture *f)
{
    f->role = (struct role){.name = "relay_1", .pids = f->pids, .n_pids = f->n};
    processes_init(&f->processes, &f->role);
}

static bool look(struct fixture *f)
{
    int64_t rss;

    processes_sample(&f->processes, &rss, NULL);
    return tasks_look(&f->tasks, &f->processes, &f->network, &f->sums);
}

/* After the first look, at the process alone; the next one finds what it has then. */
static void tell_to_go(struct fixture *f)
{
    f->role.n_pids = 1;
    look(f);
    f->processes.listed_ns = 0;
    assert_int_equal(write(go[1], "", 1), 1);
    close(go[0]), close(go[1]);
}

static void make_listener(struct fixture *f)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct stat st;

    if (!tasks_supported() || !loops_supported()) {
        print_message("# SKIP this kernel does not show what threads use and wait for\n");
        skip();
    }
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(fstat(listener, &st), 0);
    f->inode = st.st_ino;
    f->network = (struct network){.listeners = &f->inode, .n_listeners = 1};
}

/* A process with these threads, each of which has done its work. */
static void start(struct fixture *f, const struct job *jobs, int n)
{
    int ready[2];
    char byte;

    f->n = 1;
    make_listener(f);
    assert_int_equal(pipe(ready) || pipe(go), 0);
    f->pids[0] = fork();
    if (f->pids[0] == 0)
        threads_of(jobs, n, ready[1]);
    look_at(f);
    tell_to_go(f);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]), close(ready[1]);
}

static void finish(struct fixture *f)
{
    tasks_release(&f->tasks);
    processes_release(&f->processes);
    kill(f->pids[0], SIGKILL);
    waitpid(f->pids[0], NULL, 0);
    close(listener);
}

/* Looks until so many threads were seen to wait: they say that they are ready a little earlier. */
static void look_until_waiting(struct fixture *f, size_t n)
{
    size_t waiting = 0;

    for (int i = 0; i < 5000 && waiting < n; i++) {
        waiting = 0;
        assert_true(look(f));
        for (size_t k = 0; k < f->tasks.count; k++)
            waiting += f->tasks.items[k].loop != LOOP_UNKNOWN;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(waiting, n);
}

static struct workers workers_now(struct fixture *f)
{
    struct workers w;

    tasks_workers(&f->tasks, f->tasks.looks - 1, &w);
    return w;
}

/* --- tests --------------------------------------------------------------------------------- */

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
    struct workers w;
    size_t looks;
    char bytes[2];

    (void)state;
    make_listener(&f);
    two_pipes(ready, numbers);
    assert_int_equal(pipe(go), 0);
    f.pids[0] = fork();
    if (f.pids[0] == 0)
        master(ready[1]);
    look_at(&f);
    tell_to_go(&f);
    assert_int_equal(read(numbers[0], &f.pids[1], 2 * sizeof(pid_t)), 2 * sizeof(pid_t));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(read(ready[0], &bytes[i], 1), 1);
    f.role.n_pids = 3;
    f.processes.listed_ns = 0;
    look_until_waiting(&f, 2);
    assert_true(f.sums.runqueue_ns >= 0 && f.sums.involuntary >= 0);

    looks = f.tasks.looks;
    before = f.sums;
    kill(f.pids[2], SIGKILL);
    for (int i = 0; i < 2000 && f.processes.count == 3; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        assert_true(look(&f));
    }
    assert_true(f.sums.runqueue_ns >= before.runqueue_ns);
    assert_true(f.sums.involuntary >= before.involuntary);

    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 2); /* the master is none */
    w = workers_now(&f);
    assert_int_equal(w.alive, 1);
    assert_true(w.busiest_ns >= WORK_NS);
    tasks_workers(&f.tasks, looks - 1, &w);
    assert_int_equal(w.alive, 2);
    assert_true(w.busiest_ns >= WORK_NS);
    assert_true(w.cpu_ns >= w.busiest_ns && w.cpu_ns < 2 * w.busiest_ns);
    finish(&f);
    close(ready[0]), close(ready[1]), close(numbers[0]), close(numbers[1]);
}

/* All have one name. One thread beside the workers has more to do than one of them, and is none. */
static void threads_are_told_by_what_they_wait_for(void **state)
{
    static const struct job jobs[] = {
        {OWN_LOOP, WORK_NS}, {OWN_LOOP, 0}, {NOTHING, WORK_NS / 20}, {NOTHING, 0}};
    struct fixture f = {0};
    struct workers w;

    (void)state;
    start(&f, jobs, 4);
    look_until_waiting(&f, 2);
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 2);
    w = workers_now(&f);
    assert_int_equal(w.alive, 2);
    assert_true(w.busiest_ns >= WORK_NS);
    finish(&f);
}

/* As skrouterd: which of them takes an event says nothing about connections. */
static void threads_that_share_a_loop_are_no_workers(void **state)
{
    static const struct job jobs[] = {
        {SHARED_LOOP, WORK_NS}, {SHARED_LOOP, 0}, {NOTHING, WORK_NS / 20}, {NOTHING, 0}};
    struct fixture f = {0};

    (void)state;
    start(&f, jobs, 4);
    look_until_waiting(&f, 2);
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 0);
    finish(&f);
}

/* One that is busy now may be the second of such a pool. */
static void a_busy_thread_without_a_loop_leaves_it_open(void **state)
{
    static const struct job jobs[] = {{SHARED_LOOP, WORK_NS}, {NOTHING, WORK_NS}};
    struct fixture f = {0};

    (void)state;
    start(&f, jobs, 2);
    look_until_waiting(&f, 1);
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 0);
    finish(&f);
}

static void threads_in_accept_are_workers(void **state)
{
    static const struct job jobs[] = {{ACCEPT, WORK_NS}, {ACCEPT, 0}, {NOTHING, 0}};
    struct fixture f = {0};

    (void)state;
    start(&f, jobs, 3);
    look_until_waiting(&f, 2);
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 2);
    finish(&f);
}

/* It was never seen to wait, but has a loop that nothing waits for. The main thread made one, too:
 * it rests. */
static void a_worker_without_a_pause_is_found(void **state)
{
    static const struct job jobs[] = {{NO_END, WORK_NS}, {OWN_LOOP, 0}};
    struct fixture f = {0};
    struct workers w;

    (void)state;
    start(&f, jobs, 2);
    look_until_waiting(&f, 1);
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 2);
    w = workers_now(&f);
    assert_int_equal(w.alive, 2);
    assert_true(w.busiest_ns >= WORK_NS);
    finish(&f);
}

/* What waits for other events than connections accepts none. */
static void a_loop_without_a_listener_does_not_count(void **state)
{
    static const struct job jobs[] = {{OWN_LOOP, WORK_NS}, {OWN_LOOP, 0}};
    struct fixture f = {0};

    (void)state;
    start(&f, jobs, 2);
    f.inode = 0;
    look_until_waiting(&f, 2);
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 0);
    finish(&f);
}

static void too_many_are_not_watched(void **state)
{
    struct job jobs[TASKS_MOST];
    struct fixture f = {0};

    (void)state;
    for (int i = 0; i < TASKS_MOST; i++)
        jobs[i] = (struct job){NOTHING, 0};
    start(&f, jobs, TASKS_MOST);
    assert_false(look(&f));
    assert_true(f.tasks.too_many);
    assert_false(look(&f));
    finish(&f);
}

static void nobody_is_there(void **state)
{
    struct fixture f = {0};

    (void)state;
    look_at(&f);
    assert_false(look(&f));
    assert_int_equal(tasks_choose_workers(&f.tasks, &f.network), 0);
    tasks_release(&f.tasks);
    processes_release(&f.processes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_does_it_all),
        cmocka_unit_test(threads_are_told_by_what_they_wait_for),
        cmocka_unit_test(threads_that_share_a_loop_are_no_workers),
        cmocka_unit_test(a_busy_thread_without_a_loop_leaves_it_open),
        cmocka_unit_test(threads_in_accept_are_workers),
        cmocka_unit_test(a_worker_without_a_pause_is_found),
        cmocka_unit_test(a_loop_without_a_listener_does_not_count),
        cmocka_unit_test(too_many_are_not_watched),
        cmocka_unit_test(nobody_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
