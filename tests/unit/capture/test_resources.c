/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "capture/capture.h"
#include "capture/tasks.h"

#include "fake_process.h"

#define OK(v)                           \
    {                                   \
        .value = (v), .state = BENCH_OK \
    }
#define NONE                         \
    {                                \
        .state = BENCH_NOT_SUPPORTED \
    }

static struct cgroup disabled = {.usage = {NONE, NONE, NONE, NONE, NONE, NONE}};
static struct network network = {.counters = {1, 2, 3, 4, 5, 6, 7, 8}};

struct fixture {
    struct series series;
    struct role *roles[4];
    struct capture_target target;
    struct capture *capture;
};

static void open_on(struct fixture *f, struct role *role)
{
    struct bench_error err = {0};

    *f = (struct fixture){.roles = {role}};
    f->target = (struct capture_target){
        .roles = f->roles, .n_roles = role ? 1 : 0, .network = &network, .series = &f->series};
    assert_int_equal(capture_new(&f->capture, &capture_resources, NULL, &err), 0);
    assert_int_equal(capture_open(f->capture, &f->target, &err), 0);
}

static void sample(struct fixture *f)
{
    capture_sample(f->capture, series_add_row(&f->series, clock_now()), true);
}

/* In the last row. */
static int64_t at(const struct fixture *f, const char *name)
{
    int column = series_find(&f->series, name);

    if (column < 0)
        fail_msg("no column '%s'", name);
    return series_at(&f->series, f->series.n_rows - 1, (size_t)column);
}

static const struct series_column *column(const struct fixture *f, const char *name)
{
    int i = series_find(&f->series, name);

    assert_true(i >= 0);
    return &f->series.columns[i];
}

static void finish(struct fixture *f)
{
    capture_free(f->capture);
    series_release(&f->series);
}

static void group_usage_fills_its_columns(void **state)
{
    struct cgroup group = {.usage = {OK(1000), OK(600), OK(400), OK(50), OK(7), OK(3)}};
    struct role role = {.name = "relay_1", .cgroup = &group};
    struct fixture f;

    (void)state;
    open_on(&f, &role);
    sample(&f);
    assert_int_equal(at(&f, "relay_1.cpu_ns"), 1000);
    assert_int_equal(at(&f, "relay_1.user_ns"), 600);
    assert_int_equal(at(&f, "relay_1.system_ns"), 400);
    assert_int_equal(at(&f, "relay_1.throttled_ns"), 50);
    assert_int_equal(at(&f, "relay_1.periods"), 7);
    assert_int_equal(at(&f, "relay_1.throttled_periods"), 3);
    assert_null(column(&f, "relay_1.cpu_ns")->reason);
    assert_int_equal(column(&f, "relay_1.cpu_ns")->kind, SERIES_COUNTER);
    assert_int_equal(column(&f, "relay_1.rss_bytes")->kind, SERIES_GAUGE);

    group.usage.cpu_ns.state = BENCH_FAILED; /* a read that fails is a gap, not 0 */
    sample(&f);
    assert_true(at(&f, "relay_1.cpu_ns") == SERIES_MISSING);
    assert_int_equal(at(&f, "relay_1.user_ns"), 600);
    finish(&f);
}

/* With a short tick most rows have no totals: they are missing there, never 0. */
static void a_row_without_totals_has_only_what_rates_are_made_of(void **state)
{
    static const char *const totals[] = {
        "relay_1.user_ns",     "relay_1.rss_bytes", "relay_1.throttled_ns", "relay_1.runqueue_ns",
        "relay_1.involuntary", "system.idle_ns",    "net.segments_out"};
    struct cgroup group = {.usage = {OK(1000), OK(600), OK(400), OK(50), OK(7), OK(3)}};
    pid_t self = getpid();
    struct role role = {.name = "relay_1", .cgroup = &group, .pids = &self, .n_pids = 1};
    struct fixture f;

    (void)state;
    open_on(&f, &role);
    capture_sample(f.capture, series_add_row(&f.series, clock_now()), false);
    assert_int_equal(at(&f, "relay_1.cpu_ns"), 1000);
    assert_true(at(&f, "bench.cpu_ns") > 0);
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
        if (at(&f, totals[i]) != SERIES_MISSING)
            fail_msg("'%s' is not missing", totals[i]);
    sample(&f);
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
        if (at(&f, totals[i]) == SERIES_MISSING)
            fail_msg("'%s' is missing", totals[i]);
    finish(&f);
}

static void only_a_shared_page_makes_workload_columns(void **state)
{
    static struct bench_page page;
    struct role with = {.name = "server", .cgroup = &disabled, .page = &page};
    struct role without = {.name = "server", .cgroup = &disabled};
    struct fixture f;

    (void)state;
    atomic_store(&page.slots, 2);
    atomic_store(&page.slot[0].bytes_sent, 10);
    atomic_store(&page.slot[1].bytes_sent, 5);
    atomic_store(&page.slot[2].bytes_sent, 1000); /* not in use */
    atomic_store(&page.slot[1].bytes_received, 6);
    atomic_store(&page.slot[0].operations, 7);
    atomic_store(&page.slot[0].connections, 8);
    atomic_store(&page.slot[1].errors, 9);
    open_on(&f, &with);
    sample(&f);
    assert_int_equal(at(&f, "server.bytes_sent"), 15);
    assert_int_equal(at(&f, "server.bytes_received"), 6);
    assert_int_equal(at(&f, "server.operations"), 7);
    assert_int_equal(at(&f, "server.connections"), 8);
    assert_int_equal(at(&f, "server.errors"), 9);
    atomic_store(&page.slots, BENCH_SLOTS + 100); /* threads beyond share slots */
    sample(&f);
    assert_int_equal(at(&f, "server.bytes_sent"), 1015);
    finish(&f);

    open_on(&f, &without);
    assert_int_equal(series_find(&f.series, "server.bytes_sent"), -1);
    finish(&f);
}

static void the_network_is_read(void **state)
{
    struct fixture f;

    (void)state;
    open_on(&f, NULL);
    sample(&f);
    assert_int_equal(at(&f, "net.segments_out"), 1);
    assert_int_equal(at(&f, "net.segments_in"), 2);
    assert_int_equal(at(&f, "net.retransmits"), 3);
    assert_int_equal(at(&f, "net.active_opens"), 4);
    assert_int_equal(at(&f, "net.passive_opens"), 5);
    assert_int_equal(at(&f, "net.listen_overflows"), 6);
    assert_int_equal(at(&f, "net.listen_drops"), 7);
    assert_int_equal(at(&f, "net.resets_out"), 8);
    finish(&f);

    network.broken = true;
    open_on(&f, NULL);
    sample(&f);
    assert_int_equal(column(&f, "net.retransmits")->state, BENCH_FAILED);
    assert_string_equal(column(&f, "net.retransmits")->reason,
                        "cannot read the TCP statistics of '/proc/net'");
    assert_true(at(&f, "net.retransmits") == SERIES_MISSING);
    finish(&f);
    network.broken = false;
}

/* The kernel's ticks are 10 ms: all CPUs together spend about CPUs × time. */
static void system_states_sum_up_to_time(void **state)
{
    static const char *const names[] = {"user_ns",   "nice_ns", "system_ns",  "idle_ns",
                                        "iowait_ns", "irq_ns",  "softirq_ns", "steal_ns"};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    double sum = 0, wall;
    struct fixture f;

    (void)state;
    open_on(&f, NULL);
    sample(&f);
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    sample(&f);
    for (size_t i = 0; i < 8; i++) {
        cleanup_free char *name = xasprintf("system.%s", names[i]);
        struct bench_value v = series_delta(&f.series, name, 0, 1);

        assert_int_equal(v.state, BENCH_OK);
        sum += v.value;
    }
    wall = (double)(f.series.times[1] - f.series.times[0]) * (double)cpus;
    if (sum < .7 * wall || sum > 1.3 * wall)
        fail_msg("%.0f ns of %.0f ns", sum, wall);
    assert_true(series_delta(&f.series, "bench.cpu_ns", 0, 1).value > 0);
    assert_true(series_delta(&f.series, "bench.cpu_ns", 0, 1).value < wall);
    finish(&f);
}

#define MEMORY (32 << 20)

/* Uses `MEMORY` bytes and `cpu_ns` of CPU time, says so, and waits for its end. */
static pid_t spawn_user(int64_t cpu_ns, int *ret_pipe)
{
    int ready[2];
    pid_t pid;
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct timespec t = {0};
        char *memory =
            mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing */
        memset(memory, 1, MEMORY);
        while (t.tv_sec * NS_PER_S + t.tv_nsec < cpu_ns)
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    *ret_pipe = ready[0];
    return pid;
}

static void end(pid_t pid, int ready)
{
    close(ready);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int64_t status_rss(pid_t pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/status", (int)pid), *text = file_peek(path);
    const char *line = strstr(text, "VmRSS:");
    long long kilobytes = 0;

    assert_non_null(line);
    assert_int_equal(sscanf(line, "VmRSS: %lld", &kilobytes), 1);
    return kilobytes * 1024;
}

static void without_a_group_processes_tell(void **state)
{
    int64_t spent = 50 * NS_PER_MS, both, rss;
    pid_t pids[2];
    int ready[2];
    struct role role = {.name = "client", .cgroup = &disabled, .pids = pids, .n_pids = 2};
    struct fixture f;

    (void)state;
    pids[0] = spawn_user(spent, &ready[0]);
    pids[1] = spawn_user(spent, &ready[1]);
    open_on(&f, &role);
    assert_int_equal(column(&f, "client.cpu_ns")->state, BENCH_OK);
    assert_string_equal(column(&f, "client.cpu_ns")->reason,
                        "no control group: the sum of the process clocks, looked up once per "
                        "second, so processes that live shorter may be missing");
    assert_int_equal(column(&f, "client.throttled_ns")->state, BENCH_NOT_SUPPORTED);
    assert_string_equal(column(&f, "client.throttled_ns")->reason,
                        "no control group counts it here; 'bench check' says why");
    sample(&f);
    both = at(&f, "client.cpu_ns");
    rss = at(&f, "client.rss_bytes");
    assert_true(both >= 2 * spent);
    assert_true(both < 2 * spent + 500 * NS_PER_MS);
    assert_true(at(&f, "client.throttled_ns") == SERIES_MISSING);
    /* The kernel keeps these counts per CPU and sums them up roughly. */
    assert_true(rss > 2 * MEMORY);
    assert_true(labs((long)(rss - status_rss(pids[0]) - status_rss(pids[1]))) < 2 << 20);

    /* What a process used stays when it ends; its memory goes. */
    end(pids[0], ready[0]);
    role.pids = &pids[1];
    role.n_pids = 1;
    sample(&f);
    assert_true(at(&f, "client.cpu_ns") >= both);
    assert_true(at(&f, "client.cpu_ns") < both + 100 * NS_PER_MS);
    assert_true(at(&f, "client.rss_bytes") > MEMORY);
    assert_true(at(&f, "client.rss_bytes") < rss - MEMORY);

    end(pids[1], ready[1]);
    role.n_pids = 0;
    sample(&f);
    assert_true(at(&f, "client.cpu_ns") >= both);
    assert_true(at(&f, "client.rss_bytes") == SERIES_MISSING); /* nobody is not 0 bytes */
    finish(&f);
}

static void *sleeper(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* What is not looked at is not called a gap in the samples. */
static void too_many_threads_are_the_reason(void **state)
{
    struct role role = {.name = "server", .cgroup = &disabled, .n_pids = 1};
    struct fixture f;
    int ready[2];
    char byte;
    pid_t pid;

    (void)state;
    if (!tasks_supported()) {
        print_message("# SKIP this kernel has no '/proc/PID/schedstat'\n");
        skip();
    }
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        pthread_t thread;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 0; i < TASKS_MOST; i++)
            if (pthread_create(&thread, NULL, sleeper, NULL) != 0)
                _exit(1);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        sleeper(NULL);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[1]);
    role.pids = &pid;
    open_on(&f, &role);
    assert_int_equal(column(&f, "server.workers")->state, BENCH_OK);
    sample(&f);
    sample(&f);
    assert_int_equal(series_maximum(&f.series, "server.workers", 0, 1).state, BENCH_NOT_COUNTED);
    assert_int_equal(series_delta(&f.series, "server.runqueue_ns", 0, 1).state, BENCH_NOT_COUNTED);
    assert_string_equal(column(&f, "server.workers")->reason,
                        "the role has more than 64 threads, too many to look at each with every "
                        "sample");
    assert_int_equal(column(&f, "server.rss_bytes")->state, BENCH_OK);
    end(pid, ready[0]);
    finish(&f);
}

static void the_list_of_processes_is_kept(void **state)
{
    pid_t pid;
    int ready;
    struct role role = {.name = "server", .cgroup = &disabled, .pids = &pid, .n_pids = 1};
    struct fixture f;

    (void)state;
    pid = spawn_user(0, &ready);
    open_on(&f, &role);
    for (int i = 0; i < 5; i++)
        sample(&f);
    assert_true(role.lists <= 2); /* 1, or 2 when a second went by */
    end(pid, ready);
    role.n_pids = 0;
    sample(&f);
    assert_true(role.lists >= 2); /* its end was seen */
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_usage_fills_its_columns),
        cmocka_unit_test(a_row_without_totals_has_only_what_rates_are_made_of),
        cmocka_unit_test(only_a_shared_page_makes_workload_columns),
        cmocka_unit_test(the_network_is_read),
        cmocka_unit_test(system_states_sum_up_to_time),
        cmocka_unit_test(without_a_group_processes_tell),
        cmocka_unit_test(too_many_threads_are_the_reason),
        cmocka_unit_test(the_list_of_processes_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
