/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/folded.h"
#include "profile/offcpu.h"
#include "perf_file.h"

#define US 1000

static void begin(struct perf_file *f, const char *name)
{
    perf_file_begin(f);
    f->names[0] = name;
    f->attrs[0].type = PERF_TYPE_SOFTWARE;
    f->attrs[0].freq = 0;
    f->attrs[0].sample_period = 1;
    f->attrs[0].context_switch = 1;
    perf_file_comm(f, PERF_RECORD_MISC_COMM_EXEC, 7, 7, "relay", 0);
    perf_file_map(f, 7, 0x1000, 0x1000, 0, "/nowhere/a", 0);
    perf_file_map(f, 7, 0x3000, 0x1000, 0, "/nowhere/b.so", 0);
}

static void sample(struct perf_file *f, uint32_t tid, uint64_t us, uint64_t address)
{
    struct text body = {0};

    perf_file_word(&body, 1);
    perf_file_pair(&body, 7, tid);
    perf_file_word(&body, us * US);
    perf_file_word(&body, 1);
    perf_file_word(&body, 2);
    perf_file_word(&body, (uint64_t)PERF_CONTEXT_USER);
    perf_file_word(&body, address);
    perf_file_record(f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL, &body);
}

static void comes(struct perf_file *f, uint32_t tid, uint64_t us)
{
    struct text body = {0};

    perf_file_trailer(&body, 7, tid, us * US);
    perf_file_record(f, PERF_RECORD_SWITCH, 0, &body);
}

static void leaves(struct perf_file *f, uint32_t tid, uint64_t us, bool preempted)
{
    struct text body = {0};

    perf_file_trailer(&body, 7, tid, us * US);
    perf_file_record(
        f, PERF_RECORD_SWITCH,
        PERF_RECORD_MISC_SWITCH_OUT | (preempted ? PERF_RECORD_MISC_SWITCH_OUT_PREEMPT : 0), &body);
}

/* Both records of it. */
static void goes(struct perf_file *f, uint32_t tid, uint64_t us, uint64_t address, bool preempted)
{
    sample(f, tid, us, address);
    leaves(f, tid, us, preempted);
}

static void ends(struct perf_file *f, uint32_t tid, uint64_t us)
{
    struct text body = {0};

    perf_file_pair(&body, 7, 1);
    perf_file_pair(&body, tid, 1);
    perf_file_word(&body, us * US);
    perf_file_trailer(&body, 7, tid, us * US);
    perf_file_record(f, PERF_RECORD_EXIT, 0, &body);
}

struct folding {
    struct stacks *stacks;
    struct text text, visits;
    struct offcpu_summary summary;
};

static void visit(void *context, bool preempted, uint64_t from_ns, uint64_t to_ns)
{
    struct folding *got = context;

    text_add(&got->visits, "%c%d-%d ", preempted ? 'p' : 'b', (int)(from_ns / US),
             (int)(to_ns / US));
}

static void fold(struct folding *got, const struct perf_file *f, uint64_t end_us)
{
    const struct offcpu_options options = {.end_ns = end_us * US, .visit = visit, .context = got};
    struct bench_error err = {0};

    *got = (struct folding){.stacks = stacks_new()};
    if (perf_fold_offcpu(AT_FDCWD, f->path, &options, got->stacks, &got->summary, &err) < 0)
        fail_msg("%s", err.message);
    folded_write(got->stacks, &got->text);
}

static void folding_release(struct folding *f)
{
    stacks_free(f->stacks);
    text_release(&f->text);
    text_release(&f->visits);
    offcpu_summary_release(&f->summary);
}

#define cleanup_folding __attribute__((cleanup(folding_release)))

static void time_away_is_blocked_or_preempted(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding got;

    (void)state;
    begin(&f, "context-switches");
    comes(&f, 7, 1); /* went before anybody looked */
    goes(&f, 7, 10, 0x1010, false);
    goes(&f, 8, 12, 0x3010, true);
    comes(&f, 7, 40);
    comes(&f, 7, 45); /* cannot be */
    goes(&f, 7, 50, 0x3010, true);
    comes(&f, 8, 52);
    perf_file_comm(&f, 0, 7, 8, "renamed", 53 * US);
    goes(&f, 8, 54, 0x3010, true);
    comes(&f, 8, 55);
    leaves(&f, 8, 56, false); /* the window is over: no sample */
    comes(&f, 7, 57);
    comes(&f, 8, 60);
    perf_file_end(&f);
    fold(&got, &f, 0);
    assert_string_equal(text_get(&got.text), "[blocked];relay;[a] 30\n"
                                             "[preempted];:8;[b.so] 40\n"
                                             "[preempted];relay;[b.so] 7\n"
                                             "[preempted];renamed;[b.so] 1\n");
    assert_string_equal(text_get(&got.visits), "b10-40 p12-52 p54-55 p50-57 ");
    assert_int_equal(got.summary.switches, 4);
    assert_int_equal(got.summary.ended, 0);
    assert_int_equal(got.summary.unmatched, 0);
    assert_true(got.summary.blocked == 30 && got.summary.preempted == 48);
    assert_int_equal(got.summary.problems.count, 2);
}

static void the_window_ends_for_those_who_are_away(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding to_end, to_last, cut;

    (void)state;
    begin(&f, "context-switches");
    goes(&f, 7, 10, 0x1010, false);
    goes(&f, 8, 20, 0x1010, false); /* its return was lost */
    goes(&f, 8, 30, 0x1010, false);
    goes(&f, 9, 34, 0x1010, false);
    ends(&f, 9, 35); /* and that it came back for it */
    goes(&f, 10, 40, 0x1010, false);
    comes(&f, 10, 45);
    perf_file_end(&f);
    fold(&to_end, &f, 100);
    assert_string_equal(text_get(&to_end.text),
                        "[blocked];:10;[a] 5\n[blocked];:8;[a] 70\n[blocked];relay;[a] 90\n");
    assert_int_equal(to_end.summary.switches, 3);
    assert_int_equal(to_end.summary.ended, 2);
    assert_int_equal(to_end.summary.unmatched, 1);
    fold(&to_last, &f, 0);
    assert_string_equal(text_get(&to_last.text),
                        "[blocked];:10;[a] 5\n[blocked];:8;[a] 15\n[blocked];relay;[a] 35\n");
    fold(&cut, &f, 42); /* one comes back after it */
    assert_string_equal(text_get(&cut.text),
                        "[blocked];:10;[a] 2\n[blocked];:8;[a] 12\n[blocked];relay;[a] 32\n");
    assert_int_equal(cut.summary.ended, 2);
}

/* One frame of the program, and none of what called it. */
static void short_stacks_are_counted(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding got;

    (void)state;
    begin(&f, "context-switches");
    for (unsigned i = 0; i < 20; i++) {
        goes(&f, 7, 100 + 10 * i, 0x1010, false);
        comes(&f, 7, 105 + 10 * i);
    }
    perf_file_end(&f);
    fold(&got, &f, 500);
    assert_int_equal(got.summary.with_user, 20);
    assert_int_equal(got.summary.broken, 20);
}

static void assert_refused(const struct perf_file *f, const char *expected)
{
    cleanup_stacks struct stacks *stacks = stacks_new();
    struct offcpu_summary summary;
    struct bench_error err = {0};

    assert_int_equal(
        perf_fold_offcpu(AT_FDCWD, f->path, &(struct offcpu_options){0}, stacks, &summary, &err),
        -1);
    if (!strstr(err.message, expected))
        fail_msg("%s", err.message);
    offcpu_summary_release(&summary);
}

static void other_recordings_are_refused(void **state)
{
    cleanup_perf_file struct perf_file other, without;

    (void)state;
    begin(&other, "cpu-clock");
    comes(&other, 7, 1);
    perf_file_end(&other);
    assert_refused(&other, "has no event 'context-switches'");
    begin(&without, "context-switches");
    without.attrs[0].context_switch = 0;
    perf_file_end(&without);
    assert_refused(&without, "does not tell when threads come back");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_away_is_blocked_or_preempted),
        cmocka_unit_test(the_window_ends_for_those_who_are_away),
        cmocka_unit_test(short_stacks_are_counted),
        cmocka_unit_test(other_recordings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
