/* SPDX-License-Identifier: Apache-2.0 */
/* Captures on real roles: the init, its PID namespace, groups and network stand between. */
#include "../../harness/stage.h"

#include "base/clock.h"
#include "capture/capture.h"
#include "capture/tracefs.h"

struct watched_stage {
    struct stage stage;
    struct actor actor;
    struct series series;
    struct capture *resources, *stat;
};

static int set_up(void **state)
{
    struct watched_stage *w = xcalloc(1, sizeof(*w));

    stage_open(&w->stage);
    *state = w;
    return 0;
}

static int set_up_without_namespaces(void **state)
{
    set_up(state);
    ((struct watched_stage *)*state)->stage.containment.pid_namespaces = false;
    return 0;
}

static int take_down(void **state)
{
    struct watched_stage *w = *state;

    actor_gone(&w->actor);
    stage_close(&w->stage);
    series_release(&w->series);
    free(w);
    return 0;
}

static void open_captures(struct watched_stage *w, const char *events)
{
    struct setting setting = {.key = (char *)"events", .text = (char *)events};
    struct settings settings = {.items = &setting, .count = 1};
    struct role *roles[] = {w->actor.role};
    struct capture_target t = {
        .roles = roles, .n_roles = 1, .network = w->stage.network, .series = &w->series};
    struct bench_error err = {0};

    stage_expect_ok(capture_new(&w->resources, &capture_resources, NULL, &err), &err);
    stage_expect_ok(capture_new(&w->stat, &capture_stat, &settings, &err), &err);
    stage_expect_ok(capture_open(w->resources, &t, &err), &err);
    stage_expect_ok(capture_open(w->stat, &t, &err), &err);
}

static void sample(struct watched_stage *w)
{
    int64_t *row = series_add_row(&w->series, clock_now());

    capture_sample(w->resources, row, true);
    capture_sample(w->stat, row, true);
}

static double delta(const struct watched_stage *w, const char *column)
{
    struct bench_value v = series_delta(&w->series, column, 0, w->series.n_rows - 1);

    if (v.state != BENCH_OK)
        fail_msg("%s: state %d", column, v.state);
    return v.value;
}

/* What interrupts and the hypervisor took of all CPUs: the counter's clock runs on in it, the
 * group's need not (CONFIG_IRQ_TIME_ACCOUNTING, CONFIG_PARAVIRT_TIME_ACCOUNTING). */
static double interrupted(const struct watched_stage *w)
{
    return delta(w, "system.irq_ns") + delta(w, "system.softirq_ns") + delta(w, "system.steal_ns");
}

/* Runs `script` from the first sample to the last. */
static void run(struct watched_stage *w, const char *script, const char *events)
{
    struct bench_error err = {0};

    actor_argv(&w->actor, "/bin/sh", "-c", script, NULL);
    actor_spawn(&w->stage, &w->actor, (struct role_spec){.name = "relay_1"});
    actor_hold(&w->actor);
    open_captures(w, events);
    stage_expect_ok(capture_begin(w->stat, &err), &err);
    sample(w);
    actor_release(&w->actor);
    while (role_update(w->actor.role) != ROLE_EXITED) {
        usleep(50000);
        sample(w);
    }
    sample(w);
    stage_expect_ok(capture_end(w->stat, &err), &err);
    capture_free(w->resources);
    capture_free(w->stat);
}

/*
 * They are two clocks: the scheduler charges the time of a process that stays in the kernel after
 * it woke another to that other one ("Whose CPU time is it", docs/measurement.md). A shell that
 * counts wakes nobody and hardly enters the kernel; whoever wakes beside it switches at once.
 */
static void the_group_and_the_counter_agree(void **state)
{
    struct watched_stage *w = *state;
    double clock, group;
    struct bench_value rss;

    run(w, "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done & wait", "task-clock,page-faults");
    clock = delta(w, "relay_1.event:task-clock");
    assert_true(clock > 50e6);
    assert_true(delta(w, "relay_1.event:page-faults") > 0);
    rss = series_maximum(&w->series, "relay_1.rss_bytes", 0, w->series.n_rows - 1);
    assert_int_equal(rss.state, BENCH_OK);
    assert_true(rss.value > 100e3);
    assert_true(delta(w, "net.segments_out") >= 0);
    assert_true(delta(w, "bench.cpu_ns") > 0);
    if (!w->stage.containment.host.can_group) {
        print_message("# SKIP no control groups here\n");
        skip();
    }
    group = delta(w, "relay_1.cpu_ns");
    if (group < .9 * clock - interrupted(w) || group > 1.1 * clock + 5e6)
        fail_msg("group %.0f, counter %.0f, interrupted %.0f", group, clock, interrupted(w));
}

static void system_calls_are_counted_through_the_init(void **state)
{
    struct watched_stage *w = *state;

    if (tracefs_access() != TRACEFS_READABLE || geteuid() != 0) {
        actor_argv(&w->actor, "/bin/true", NULL); /* for take_down */
        actor_start(&w->stage, &w->actor);
        print_message("# SKIP tracepoints need root\n");
        skip();
    }
    run(w, "exec dd if=/dev/zero of=/dev/null bs=1 count=1000 status=none",
        "syscalls:sys_enter_write");
    /* dd's, and those of the init: at most a word to the bench about each state. */
    assert_in_range((uint64_t)delta(w, "relay_1.event:syscalls:sys_enter_write"), 1000, 1004);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_group_and_the_counter_agree, set_up, take_down),
        cmocka_unit_test_setup_teardown(the_group_and_the_counter_agree, set_up_without_namespaces,
                                        take_down),
        cmocka_unit_test_setup_teardown(system_calls_are_counted_through_the_init, set_up,
                                        take_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
