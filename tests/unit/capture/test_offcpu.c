/* SPDX-License-Identifier: Apache-2.0 */
/* The capture `offcpu` on programs that are off the CPU in a known way. */
#include "../../harness/stage.h"

#include <jansson.h>

#include "base/units.h"
#include "capture/capture.h"
#include "profile/folded.h"
#include "profile/offcpu.h"

#define CLOCK_SLACK 0.9 /* of a sleep: it begins with the timer, not when the CPU is left */

struct watched {
    struct stage stage;
    struct actor actor;
    struct role *roles[1];
    struct series series;
    struct capture_target target;
    struct capture *capture;
};

static int setup(void **state)
{
    struct watched *w = xcalloc(1, sizeof(*w));

    stage_open(&w->stage);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct watched *w = *state;

    capture_free(w->capture);
    if (w->actor.role)
        actor_gone(&w->actor);
    json_decref(w->target.facts);
    series_release(&w->series);
    stage_close(&w->stage);
    free(w);
    return 0;
}

static void take(struct watched *w)
{
    capture_sample(w->capture, series_add_row(&w->series, clock_now()), true);
}

/* The program `away` in a role, with the capture on, up to its window's begin. */
static void begin(struct watched *w, const char *what, const uint64_t *cpus)
{
    struct bench_error err = {0};

    stage_expect_ok(capture_new(&w->capture, &capture_offcpu, NULL, &err), &err);
    if (capture_probe(w->capture, &err) < 0) {
        print_message("# SKIP %s\n", err.message);
        skip();
    }
    actor_fake(&w->stage, &w->actor, "away", what, NULL);
    actor_spawn(&w->stage, &w->actor, (struct role_spec){.name = "relay_1", .cpus = cpus});
    actor_hold(&w->actor);
    w->roles[0] = w->actor.role;
    w->target = (struct capture_target){
        .containment = &w->stage.containment,
        .roles = w->roles,
        .n_roles = 1,
        .network = w->stage.network,
        .series = &w->series,
        .directory = w->stage.directory,
        .facts = json_array(),
        .title = "away",
    };
    stage_expect_ok(capture_open(w->capture, &w->target, &err), &err);
    actor_release(&w->actor);
    actor_await_output(&w->actor, "ready");
    take(w);
    usleep(50000);
    stage_expect_ok(capture_begin(w->capture, &err), &err);
    take(w);
}

static void end(struct watched *w)
{
    struct bench_error err = {0};
    bool forced;

    take(w);
    stage_expect_ok(capture_end(w->capture, &err), &err);
    stage_expect_ok(role_stop(w->actor.role, 0, &forced, &err), &err);
    stage_expect_ok(capture_finish(w->capture, &err), &err);
}

/* Of the whole window, in ns. */
static double total(const struct watched *w, const char *column)
{
    cleanup_free char *name = xasprintf("relay_1.event:%s", column);
    struct bench_value v = series_delta(&w->series, name, 1, w->series.n_rows - 1);

    assert_int_equal(v.state, BENCH_OK);
    return v.value;
}

struct wanted {
    const char *frame;
    double us;
};

static int add_if_in(void *context, const struct frame *const *frames, size_t n, double weight)
{
    struct wanted *wanted = context;

    for (size_t i = 0; i < n; i++)
        if (strstr(frames[i]->name, wanted->frame)) {
            wanted->us += weight;
            return 0;
        }
    return 0;
}

/* Microseconds of the stacks in which a frame is called so. */
static double folded(const struct watched *w, const char *frame)
{
    cleanup_free char *path = xasprintf("%s/offcpu-relay_1.folded", w->stage.directory);
    cleanup_stacks struct stacks *stacks = stacks_new();
    struct wanted wanted = {.frame = frame};
    struct bench_error err = {0};

    stage_expect_ok(folded_read_file(stacks, NULL, AT_FDCWD, path, &err), &err);
    stacks_each(stacks, add_if_in, &wanted);
    return wanted.us;
}

static void sleeps_are_blocked(void **state)
{
    struct watched *w = *state;
    cleanup_free char *go = NULL, *said = NULL;
    cleanup_close int fd = -1;
    double slept_us, passed_us;

    begin(w, "sleep", NULL);
    go = xasprintf("%s/go", w->actor.directory);
    fd = open(go, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "g", 1), 1);
    actor_await_output(&w->actor, "slept");
    take(w);
    usleep(50000); /* it waits in read() then */
    said = actor_output(&w->actor, "stdout");
    end(w);
    passed_us = strtod(strstr(said, "slept ") + 6, NULL) / 1000;
    slept_us = folded(w, "nanosleep");
    if (slept_us < CLOCK_SLACK * 200000 || slept_us > passed_us)
        fail_msg("%.0f µs in nanosleep, which took %.0f", slept_us, passed_us);
    /* All that it did was to wait, there and at the FIFO; the columns say so tick by tick. */
    assert_true(folded(w, OFFCPU_BLOCKED) >= slept_us);
    assert_true(total(w, "offcpu-blocked") / 1000 > CLOCK_SLACK * (slept_us + 50000));
    assert_true(total(w, "offcpu-blocked") / 1000 <= folded(w, OFFCPU_BLOCKED) + 1);
    assert_true(series_delta(&w->series, "relay_1.event:offcpu-blocked", 0, 1).value == 0);
    assert_true(series_delta(&w->series, "relay_1.event:offcpu-blocked", 1, 2).value / 1000 >
                CLOCK_SLACK * 200000);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(w->target.facts, 0), "unit")), "us");
}

/* Two that never wait on one CPU: at any time one of them at least could run on and does not. */
static void spinners_preempt_each_other(void **state)
{
    const uint64_t cpu[UNITS_CPU_WORDS] = {1};
    struct watched *w = *state;
    double window, preempted;

    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        print_message("# SKIP perf needs another CPU\n");
        skip();
    }
    begin(w, "spin", cpu);
    usleep(700000);
    end(w);
    window = (double)(w->series.times[w->series.n_rows - 1] - w->series.times[1]);
    preempted = total(w, "offcpu-preempted");
    if (preempted < 0.7 * window || preempted > 2 * window)
        fail_msg("preempted for %.0f ns of %.0f", preempted, window);
    assert_true(total(w, "offcpu-blocked") < 0.01 * preempted);
    assert_true(folded(w, OFFCPU_PREEMPTED) * 1000 > preempted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sleeps_are_blocked, setup, teardown),
        cmocka_unit_test_setup_teardown(spinners_preempt_each_other, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
