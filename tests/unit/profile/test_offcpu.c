/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/folded.h"
#include "profile/offcpu.h"
#include "perf_file.h"

enum { RUNNING = 0, SLEEPING = 1, DEAD = 0x10, PREEMPTED = 0x100 };
#define US 1000

/* A tracepoint whose raw data is one word, 8 bytes in. */
static void begin(struct perf_file *f, const char *name, const char *short_name, const char *field)
{
    perf_file_begin(f);
    f->names[0] = name;
    f->attrs[0].type = PERF_TYPE_TRACEPOINT;
    f->attrs[0].freq = 0;
    f->attrs[0].sample_period = 1;
    f->attrs[0].sample_type |= PERF_SAMPLE_RAW;
    f->attrs[0].context_switch = 1;
    text_add(&f->tracing, "name: %s\n\tfield:long %s;\toffset:8;\nprint fmt: x", short_name, field);
    perf_file_comm(f, PERF_RECORD_MISC_COMM_EXEC, 7, 7, "relay", 0);
    perf_file_map(f, 7, 0x1000, 0x1000, 0, "/nowhere/a", 0);
    perf_file_map(f, 7, 0x3000, 0x1000, 0, "/nowhere/b.so", 0);
}

static void sample(struct perf_file *f, uint32_t tid, uint64_t time, uint64_t period,
                   uint64_t address, uint64_t value)
{
    struct text body = {0};

    perf_file_word(&body, 1);
    perf_file_pair(&body, 7, tid);
    perf_file_word(&body, time);
    perf_file_word(&body, period);
    perf_file_word(&body, 2);
    perf_file_word(&body, (uint64_t)PERF_CONTEXT_USER);
    perf_file_word(&body, address);
    perf_file_pair(&body, 20, 0);
    perf_file_pair(&body, 0, (uint32_t)value);
    perf_file_pair(&body, (uint32_t)(value >> 32), 0);
    perf_file_record(f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL, &body);
}

static void goes(struct perf_file *f, uint32_t tid, uint64_t us, uint64_t address, uint64_t state)
{
    sample(f, tid, us * US, 1, address, state);
}

static void comes(struct perf_file *f, uint32_t tid, uint64_t us)
{
    struct text body = {0};

    perf_file_trailer(&body, 7, tid, us * US);
    perf_file_record(f, PERF_RECORD_SWITCH, 0, &body);
}

static void leaves(struct perf_file *f, uint32_t tid, uint64_t us)
{
    struct text body = {0};

    perf_file_trailer(&body, 7, tid, us * US);
    perf_file_record(f, PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT, &body);
}

struct folding {
    struct stacks *blocked, *preempted;
    struct text blocked_text, preempted_text;
    struct offcpu_summary summary;
};

static void fold(struct folding *got, const struct perf_file *f, uint64_t end_us)
{
    const struct offcpu_options options = {.end_ns = end_us * US};
    struct bench_error err = {0};

    *got = (struct folding){.blocked = stacks_new(), .preempted = stacks_new()};
    if (perf_fold_offcpu(f->path, &options, got->blocked, got->preempted, &got->summary, &err) < 0)
        fail_msg("%s", err.message);
    folded_write(got->blocked, &got->blocked_text);
    folded_write(got->preempted, &got->preempted_text);
}

static void folding_release(struct folding *f)
{
    stacks_free(f->blocked);
    stacks_free(f->preempted);
    text_release(&f->blocked_text);
    text_release(&f->preempted_text);
    offcpu_summary_release(&f->summary);
}

#define cleanup_folding __attribute__((cleanup(folding_release)))

static void time_away_is_blocked_or_preempted(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding got;

    (void)state;
    begin(&f, "sched:sched_switch", "sched_switch", "prev_state");
    comes(&f, 7, 1); /* went before anybody looked */
    goes(&f, 7, 10, 0x1010, SLEEPING);
    leaves(&f, 7, 11); /* the same going */
    goes(&f, 8, 12, 0x3010, RUNNING);
    comes(&f, 7, 40);
    comes(&f, 7, 45); /* cannot be */
    goes(&f, 7, 50, 0x3010, PREEMPTED);
    comes(&f, 8, 52);
    perf_file_comm(&f, 0, 7, 8, "renamed", 53 * US);
    goes(&f, 8, 54, 0x3010, PREEMPTED);
    comes(&f, 8, 55);
    comes(&f, 7, 57);
    perf_file_end(&f);
    fold(&got, &f, 0);
    assert_string_equal(text_get(&got.blocked_text), "relay;[a] 30\n");
    assert_string_equal(text_get(&got.preempted_text),
                        ":8;[b.so] 40\nrelay;[b.so] 7\nrenamed;[b.so] 1\n");
    assert_int_equal(got.summary.switches, 4);
    assert_int_equal(got.summary.ended, 0);
    assert_int_equal(got.summary.unmatched, 0);
    assert_true(got.summary.blocked == 30 && got.summary.preempted == 48);
    assert_int_equal(got.summary.problems.count, 2);
}

static void the_window_ends_for_those_who_are_away(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding to_end, to_last;

    (void)state;
    begin(&f, "sched:sched_switch", "sched_switch", "prev_state");
    goes(&f, 7, 10, 0x1010, SLEEPING);
    goes(&f, 8, 20, 0x1010, SLEEPING); /* its return was lost */
    goes(&f, 8, 30, 0x1010, SLEEPING);
    goes(&f, 9, 35, 0x1010, DEAD);
    perf_file_end(&f);
    fold(&to_end, &f, 100);
    assert_string_equal(text_get(&to_end.blocked_text), ":8;[a] 70\nrelay;[a] 90\n");
    assert_int_equal(to_end.summary.switches, 2);
    assert_int_equal(to_end.summary.ended, 2);
    assert_int_equal(to_end.summary.unmatched, 1);
    fold(&to_last, &f, 0);
    assert_string_equal(text_get(&to_last.blocked_text), ":8;[a] 5\nrelay;[a] 25\n");
}

static void assert_refused(const struct perf_file *f, const char *expected)
{
    struct stacks *stacks = stacks_new();
    struct offcpu_summary summary;
    struct bench_error err = {0};

    assert_int_equal(
        perf_fold_offcpu(f->path, &(struct offcpu_options){0}, stacks, stacks, &summary, &err), -1);
    if (!strstr(err.message, expected))
        fail_msg("%s", err.message);
    offcpu_summary_release(&summary);
    stacks_free(stacks);
}

static void other_recordings_are_refused(void **state)
{
    cleanup_perf_file struct perf_file other, without, without_format;

    (void)state;
    begin(&other, "raw_syscalls:sys_enter", "sys_enter", "id");
    comes(&other, 7, 1);
    perf_file_end(&other);
    assert_refused(&other, "has no event 'sched:sched_switch'");
    begin(&without, "sched:sched_switch", "sched_switch", "prev_state");
    without.attrs[0].context_switch = 0;
    perf_file_end(&without);
    assert_refused(&without, "does not tell when threads come back");
    begin(&without_format, "sched:sched_switch", "sched_switch", "other_field");
    perf_file_end(&without_format);
    assert_refused(&without_format, "has no event 'sched:sched_switch'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_away_is_blocked_or_preempted),
        cmocka_unit_test(the_window_ends_for_those_who_are_away),
        cmocka_unit_test(other_recordings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
