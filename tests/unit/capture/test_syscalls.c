/* SPDX-License-Identifier: Apache-2.0 */
/* The capture `syscalls` on a program that makes a known number of calls, beside the kernel's own
 * tracepoints. */
#include "../../harness/stage.h"

#include <errno.h>

#include "capture/capture.h"
#include "capture/syscall_counts.h"
#include "capture/tracefs.h"

struct watched {
    struct stage stage;
    struct actor actor;
    struct role *roles[1];
    struct series series;
    struct capture_target target;
};

static int setup(void **state)
{
    struct watched *w = xcalloc(1, sizeof(*w));

    stage_open(&w->stage);
    actor_fake(&w->stage, &w->actor, "fixed_calls", NULL, NULL);
    actor_spawn(&w->stage, &w->actor, (struct role_spec){.name = "relay_1"});
    actor_hold(&w->actor);
    w->roles[0] = w->actor.role;
    w->target = (struct capture_target){.roles = w->roles, .n_roles = 1, .series = &w->series};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct watched *w = *state;

    actor_gone(&w->actor);
    series_release(&w->series);
    stage_close(&w->stage);
    free(w);
    return 0;
}

static void need_bpf(const struct watched *w)
{
    struct bench_error err = {0};

    if (w->stage.containment.pid_namespaces && syscall_counts_possible(&err) == 0)
        return;
    print_message("# SKIP %s\n", *err.message ? err.message : "no PID namespaces");
    skip();
}

static struct capture *open_capture(struct watched *w, const struct capture_ops *ops,
                                    const struct settings *options)
{
    struct bench_error err = {0};
    struct capture *c;

    stage_expect_ok(capture_new(&c, ops, options, &err), &err);
    stage_expect_ok(capture_open(c, &w->target, &err), &err);
    return c;
}

/* Until it waits at the FIFO: it sleeps nowhere else once it has said "done". */
static void await_sleep(const struct watched *w)
{
    cleanup_free char *path = xasprintf("/proc/%d/stat", (int)role_component_pid(w->actor.role));

    for (int i = 0; i < 2000; i++) {
        cleanup_free char *stat = file_peek(path);
        const char *name_end = stat ? strrchr(stat, ')') : NULL;

        if (name_end && strncmp(name_end, ") S", 3) == 0)
            return;
        usleep(1000);
    }
    fail_msg("the program does not come to rest");
}

static void round_trip(struct watched *w)
{
    cleanup_free char *go = xasprintf("%s/go", w->actor.directory);
    cleanup_close int fd = open(go, O_WRONLY | O_CLOEXEC);
    cleanup_free char *before = actor_output(&w->actor, "stdout");

    assert_int_equal(write(fd, "g", 1), 1);
    for (int i = 0; i < 2000; i++) {
        cleanup_free char *now = actor_output(&w->actor, "stdout");

        if (strlen(now) > strlen(before))
            break;
        usleep(1000);
    }
    await_sleep(w);
}

static void take(struct watched *w, struct capture *const *all, size_t n)
{
    int64_t *row = series_add_row(&w->series, clock_now());

    for (size_t i = 0; i < n; i++)
        capture_sample(all[i], row, true);
}

/* A sample before the window, one round that does not count, then two rounds in the window. */
static void measure(struct watched *w, struct capture *const *all, size_t n)
{
    struct bench_error err = {0};

    actor_release(&w->actor);
    actor_await_output(&w->actor, "ready");
    await_sleep(w);
    take(w, all, n);
    round_trip(w);
    for (size_t i = 0; i < n; i++)
        stage_expect_ok(capture_begin(all[i], &err), &err);
    take(w, all, n);
    round_trip(w);
    take(w, all, n);
    round_trip(w);
    take(w, all, n);
    for (size_t i = 0; i < n; i++)
        stage_expect_ok(capture_end(all[i], &err), &err);
    for (size_t i = 0; i < n; i++)
        stage_expect_ok(capture_finish(all[i], &err), &err);
}

static int64_t delta(const struct watched *w, const char *column)
{
    struct bench_value v = series_delta(&w->series, column, 1, 3);

    if (v.state != BENCH_OK)
        fail_msg("no column '%s'", column);
    return (int64_t)v.value;
}

static void every_call_is_counted_once(void **state)
{
    struct watched *w = *state;
    struct capture *c;
    int64_t sum = 0;

    need_bpf(w);
    c = open_capture(w, &capture_syscalls, NULL);
    measure(w, &c, 1);
    assert_int_equal(delta(w, "relay_1.event:syscall:read"), 2 * 1001);
    assert_int_equal(delta(w, "relay_1.event:syscall:write"), 2 * 501);
    assert_int_equal(delta(w, "relay_1.event:syscall:close"), 2 * 100);
    assert_int_equal(delta(w, "relay_1.event:syscall:fsync"), 2 * 7);
    assert_int_equal(delta(w, "relay_1.event:syscall:connect"), 2 * 3);
    /* Calls of the time before the window alone have no column, and all add up. */
    assert_int_equal(series_find(&w->series, "relay_1.event:syscall:execve"), -1);
    for (size_t i = 0; i < w->series.n_columns; i++)
        if (strstr(w->series.columns[i].name, "syscall:"))
            sum += delta(w, w->series.columns[i].name);
    assert_int_equal(delta(w, "relay_1.event:syscalls"), sum);
    /* Cumulative at each tick. */
    assert_int_equal(series_delta(&w->series, "relay_1.event:syscall:fsync", 1, 2).value, 7);
    capture_free(c);
}

static void the_kernels_own_counters_agree(void **state)
{
    struct watched *w = *state;
    struct setting items[] = {
        {.key = (char *)"events",
         .text = (char *)"raw_syscalls:sys_enter,syscalls:sys_enter_read,syscalls:sys_enter_write,"
                         "syscalls:sys_enter_close,syscalls:sys_enter_exit_group"}};
    struct settings settings = {.items = items, .count = 1};
    struct capture *both[2];

    need_bpf(w);
    if (!tracefs_has_system("syscalls")) {
        print_message("# SKIP this kernel has no tracepoints of single system calls\n");
        skip();
    }
    both[0] = open_capture(w, &capture_stat, &settings);
    both[1] = open_capture(w, &capture_syscalls, NULL);
    measure(w, both, 2);
    assert_int_equal(delta(w, "relay_1.event:syscalls"),
                     delta(w, "relay_1.event:raw_syscalls:sys_enter"));
    assert_int_equal(delta(w, "relay_1.event:syscall:read"),
                     delta(w, "relay_1.event:syscalls:sys_enter_read"));
    assert_int_equal(delta(w, "relay_1.event:syscall:write"),
                     delta(w, "relay_1.event:syscalls:sys_enter_write"));
    assert_int_equal(delta(w, "relay_1.event:syscall:close"),
                     delta(w, "relay_1.event:syscalls:sys_enter_close"));
    assert_int_equal(delta(w, "relay_1.event:syscall:exit_group"),
                     delta(w, "relay_1.event:syscalls:sys_enter_exit_group"));
    capture_free(both[0]);
    capture_free(both[1]);
}

static void roles_are_chosen(void **state)
{
    struct watched *w = *state;
    struct setting items[] = {{.key = (char *)"roles", .text = (char *)"client"}};
    struct settings settings = {.items = items, .count = 1};
    struct capture *c;

    need_bpf(w);
    c = open_capture(w, &capture_syscalls, &settings);
    measure(w, &c, 1);
    assert_int_equal(w->series.n_columns, 0);
    capture_free(c);
}

/* The bench's own calls are not for counting: everything on the machine would be. */
static void a_role_in_our_own_namespace_is_refused(void **state)
{
    struct syscall_counts *counts = NULL;
    struct bench_error err = {0};
    pid_t self = getpid();

    (void)state;
    assert_int_equal(syscall_counts_open(&counts, &self, 1, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message,
                        "roles cannot be told apart without PID namespaces of their own");
}

static void an_ordinary_user_is_told_what_is_missing(void **state)
{
    struct bench_error err = {0};

    (void)state;
    if (geteuid() != 0) {
        print_message("# SKIP needs root, to become somebody else\n");
        skip();
    }
    assert_int_equal(seteuid(65534), 0);
    assert_int_equal(syscall_counts_possible(&err), -1);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message,
                        "counting system calls takes CAP_BPF and CAP_PERFMON, which this user "
                        "lacks");
    assert_string_equal(err.hint,
                        "run as root, or with both; 'stat' with 'events: raw_syscalls:sys_enter' "
                        "counts them without names where perf_event_paranoid allows it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_is_counted_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_kernels_own_counters_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(roles_are_chosen, setup, teardown),
        cmocka_unit_test(a_role_in_our_own_namespace_is_refused),
        cmocka_unit_test(an_ordinary_user_is_told_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
