/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "profile/chain.h"
#include "profile/fold.h"
#include "profile/folded.h"
#include "perf_file.h"

#define USER ((uint64_t)PERF_CONTEXT_USER)
#define KERNEL ((uint64_t)PERF_CONTEXT_KERNEL)

struct folding {
    struct fold_summary summary;
    struct text text;
};

static void fold(struct folding *f, const char *path, const struct fold_options *options)
{
    cleanup_stacks struct stacks *stacks = stacks_new();
    struct bench_error err = {0};

    *f = (struct folding){0};
    if (perf_fold(AT_FDCWD, path, options, stacks, &f->summary, &err) < 0)
        fail_msg("%s", err.message);
    folded_write(stacks, &f->text);
}

static void folding_release(struct folding *f)
{
    fold_summary_release(&f->summary);
    text_release(&f->text);
}

#define cleanup_folding __attribute__((cleanup(folding_release)))

/* Process 7 runs /nowhere/a at 0x1000; its thread 8 is called "worker". */
static void begin(struct perf_file *f)
{
    perf_file_begin(f);
    perf_file_comm(f, PERF_RECORD_MISC_COMM_EXEC, 7, 7, "relay", 1);
    perf_file_map(f, 7, 0x1000, 0x1000, 0, "/nowhere/a", 2);
    perf_file_map(f, 7, 0x3000, 0x1000, 0, "/nowhere/b.so", 3);
    perf_file_fork(f, 7, 7, 8, 7, 4);
    perf_file_comm(f, 0, 7, 8, "worker", 5);
}

static void stacks_from_the_root_with_the_kernel_on_top(void **state)
{
    const uint64_t chain[] = {KERNEL, 1, USER, 0x3010, 0x1020, 0x1010};
    const uint64_t corrupt[] = {USER, 0x1010, UINT64_MAX};
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding by_period, by_count;

    (void)state;
    begin(&f);
    perf_file_sample(&f, 7, 7, 10, 1000, chain, 6);
    perf_file_sample(&f, 7, 8, 11, 500, chain, 6);
    perf_file_sample(&f, 7, 8, 12, 600, chain, 6);
    perf_file_sample(&f, 9, 9, 13, 7, corrupt, 3);
    perf_file_end(&f);
    fold(&by_period, f.path, &(struct fold_options){0});
    assert_string_equal(text_get(&by_period.text), ":9;[unknown] 7\n"
                                                   "relay;[a];[a];[b.so];[kernel]_[k] 1000\n"
                                                   "worker;[a];[a];[b.so];[kernel]_[k] 1100\n");
    assert_string_equal(by_period.summary.event, "cpu-clock");
    assert_string_equal(by_period.summary.unit, "ns");
    assert_int_equal(by_period.summary.samples, 4);
    fold(&by_count, f.path, &(struct fold_options){.count = true, .no_comm = true});
    assert_string_equal(text_get(&by_count.text), "[a];[a];[b.so];[kernel]_[k] 3\n[unknown] 1\n");
    assert_string_equal(by_count.summary.unit, "samples");
}

/* --call-graph=lbr: the CPU's record takes the place of the user's frames that the kernel found. */
static void calls_that_the_cpu_recorded(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding got;
    struct text body = {0};

    (void)state;
    begin(&f);
    f.attrs[0].sample_type |= PERF_SAMPLE_BRANCH_STACK;
    f.attrs[0].branch_sample_type = PERF_SAMPLE_BRANCH_CALL_STACK | PERF_SAMPLE_BRANCH_HW_INDEX;
    perf_file_word(&body, 1);
    perf_file_pair(&body, 7, 7);
    perf_file_word(&body, 10);
    perf_file_word(&body, 1);
    perf_file_word(&body, 4); /* chain */
    perf_file_word(&body, KERNEL);
    perf_file_word(&body, 1);
    perf_file_word(&body, USER);
    perf_file_word(&body, 0x42);
    perf_file_word(&body, 2); /* branches, and where the CPU is in them */
    perf_file_word(&body, 0);
    perf_file_word(&body, 0x1500);
    perf_file_word(&body, 0x3010);
    perf_file_word(&body, 0);
    perf_file_word(&body, 0x3800);
    perf_file_word(&body, 0x1400);
    perf_file_word(&body, 0);
    perf_file_record(&f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL, &body);
    perf_file_end(&f);
    fold(&got, f.path, &(struct fold_options){0});
    assert_string_equal(text_get(&got.text), "relay;[b.so];[a];[b.so];[kernel]_[k] 1\n");
}

static void one_event_is_folded(void **state)
{
    const struct {
        const char *wanted, *chosen;
    } cases[] = {{NULL, "cycles:u"}, {"cycles", "cycles:u"}, {"cycles:u", "cycles:u"}};
    cleanup_perf_file struct perf_file f;
    cleanup_stacks struct stacks *stacks = stacks_new();
    struct fold_summary none;
    struct bench_error err = {0};

    (void)state;
    begin(&f);
    f.n_attrs = 2;
    f.attrs[0].sample_type |= PERF_SAMPLE_IDENTIFIER;
    f.attrs[1] = f.attrs[0];
    f.names[0] = "dummy:HG";
    f.attrs[0].config = PERF_COUNT_SW_DUMMY;
    f.names[1] = "cycles:u";
    f.attrs[1].type = PERF_TYPE_HARDWARE;
    text_release(&f.records); /* of one event */
    perf_file_round(&f);
    perf_file_end(&f);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_folding struct folding got;

        fold(&got, f.path, &(struct fold_options){.event = cases[i].wanted});
        assert_string_equal(got.summary.event, cases[i].chosen);
        assert_string_equal(got.summary.unit, "events");
    }
    assert_int_equal(
        perf_fold(AT_FDCWD, f.path, &(struct fold_options){.event = "cycle"}, stacks, &none, &err),
        -1);
    fold_summary_release(&none);
    assert_non_null(strstr(err.message, ": unknown event 'cycle'"));
    assert_string_equal(err.hint, "known: dummy:HG, cycles:u");
}

/* A sample of one event among several: its id comes first. */
static void sample_of(struct perf_file *f, size_t event, uint64_t time)
{
    struct text body = {0};

    perf_file_word(&body, FIRST_ID + event);
    perf_file_word(&body, 0x1010);
    perf_file_pair(&body, 7, 7);
    perf_file_word(&body, time);
    perf_file_word(&body, 10 + event);
    perf_file_word(&body, 0);
    perf_file_record(f, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, &body);
}

static void what_is_left_out_of_several_events_is_said(void **state)
{
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding first, second, last;

    (void)state;
    perf_file_begin(&f);
    f.n_attrs = 3;
    f.attrs[0].sample_type |= PERF_SAMPLE_IDENTIFIER;
    f.attrs[2] = f.attrs[1] = f.attrs[0];
    f.names[1] = "task-clock:u";
    f.attrs[1].config = PERF_COUNT_SW_TASK_CLOCK;
    f.names[2] = "cycles";
    f.attrs[2].type = PERF_TYPE_HARDWARE;
    for (uint64_t i = 0; i < 5; i++)
        sample_of(&f, i < 2 ? 0 : 1, 10 + i);
    perf_file_end(&f);
    fold(&first, f.path, &(struct fold_options){0});
    assert_string_equal(first.summary.event, "cpu-clock");
    assert_int_equal(first.summary.samples, 2);
    assert_int_equal(first.summary.others.count, 1);
    assert_string_equal(first.summary.others.items[0], "3 samples of 'task-clock:u'");
    fold(&second, f.path, &(struct fold_options){.event = "task-clock"});
    assert_int_equal(second.summary.samples, 3);
    assert_string_equal(second.summary.others.items[0], "2 samples of 'cpu-clock'");
    fold(&last, f.path, &(struct fold_options){.event = "cycles"});
    assert_int_equal(last.summary.samples, 0);
    assert_int_equal(last.summary.others.count, 2);
}

static void broken_stacks_are_said_to_be(void **state)
{
    const uint64_t good[] = {USER, 0x3010, 0x1020, 0x1010, 0x1018};
    const uint64_t leaf[] = {KERNEL, 1, USER, 0x3010}; /* in a library that keeps none */
    const uint64_t lost[] = {KERNEL, 1, USER, 0x3010, 0x1020, 0x1010, 0x42};
    const uint64_t only_kernel[] = {KERNEL, 1};
    cleanup_strings struct strings notes = {0};
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding got;
    struct text body = {0};

    (void)state;
    begin(&f);
    for (uint64_t i = 0; i < 10; i++) {
        perf_file_sample(&f, 7, 7, 10 + i, 1, good, 5);
        perf_file_sample(&f, 7, 7, 10 + i, 1, leaf, 4);
        perf_file_sample(&f, 7, 7, 10 + i, 1, leaf, 4);
        perf_file_sample(&f, 7, 7, 10 + i, 1, lost, 7);
        perf_file_sample(&f, 0, 0, 10 + i, 1, only_kernel, 2);
    }
    perf_file_word(&body, 0);
    perf_file_word(&body, 3);
    perf_file_trailer(&body, 7, 7, 30);
    perf_file_record(&f, PERF_RECORD_LOST, 0, &body);
    perf_file_end(&f);
    fold(&got, f.path, &(struct fold_options){0});
    assert_int_equal(got.summary.without_user, 10);
    assert_int_equal(got.summary.with_user, 40);
    assert_int_equal(got.summary.broken, 30);
    assert_int_equal(got.summary.lost, 3);
    fold_notes(&got.summary, &notes);
    assert_string_equal(notes.items[0],
                        "3 samples were lost: the kernel's buffer was full; sample less often");
    assert_string_equal(
        notes.items[1],
        "75% of the user stacks end too early, most of them in '/nowhere/b.so': it was built "
        "without frame pointers; use 'call_graph: dwarf'");
}

/* Two frames are a whole stack where the outer one starts a thread. */
static void a_short_stack_may_be_whole(void **state)
{
    struct chain c = {.user = 2, .complete = true};

    (void)state;
    assert_false(chain_is_broken(&c));
    c.complete = false;
    assert_true(chain_is_broken(&c));
}

/* A few are no reason to say so. */
static void some_broken_stacks_are_not_said(void **state)
{
    const uint64_t good[] = {USER, 0x3010, 0x1020, 0x1010, 0x1018};
    const uint64_t shallow[] = {USER, 0x3010, 0x1020};
    cleanup_perf_file struct perf_file f;
    cleanup_folding struct folding got;

    (void)state;
    begin(&f);
    for (uint64_t i = 0; i < 30; i++)
        perf_file_sample(&f, 7, 7, 10 + i, 1, i % 3 ? good : shallow, i % 3 ? 5 : 3);
    perf_file_end(&f);
    fold(&got, f.path, &(struct fold_options){0});
    assert_int_equal(got.summary.broken, 10);
    assert_null(got.summary.broken_file);
}

/* Returns the exit status; what was printed is in `log`. */
static int shell(const char *directory, const char *command)
{
    cleanup_free char *line = xasprintf("cd '%s' && { %s; } >log 2>&1", directory, command);
    int status = system(line);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool record(const char *directory, const char *call_graph, const char *program,
                   const char *argument)
{
    static const char *const events[] = {"cpu-clock", "cpu-clock:u"};

    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        cleanup_free char *command =
            xasprintf("perf record -q -N -e %s -F 997 --call-graph %s -o perf.data '%s' %s",
                      events[i], call_graph, program, argument);

        if (shell(directory, command) == 0)
            return true;
    }
    return false;
}

/* What differs from what perf script gives; NULL when nothing does, or `share` is the same. */
static char *compare(const char *directory, const char *share)
{
    cleanup_free char *data = xasprintf("%s/perf.data", directory), *command = NULL;
    cleanup_free char *script = realpath("tests/unit/profile/fold_script.py", NULL);
    cleanup_free char *folded = xasprintf("%s/folded", directory);
    cleanup_free char *log = xasprintf("%s/log", directory);
    cleanup_folding struct folding got;
    struct bench_error err = {0};

    fold(&got, data, &(struct fold_options){0});
    if (file_write(AT_FDCWD, folded, text_get(&got.text), got.text.length, &err) < 0)
        return xstrdup(err.message);
    command = xasprintf("perf script -i perf.data --no-inline "
                        "-F comm,pid,tid,period,event,ip,sym,dso 2>/dev/null | "
                        "python3 '%s' folded %s",
                        script, share);
    return shell(directory, command) == 0 ? NULL : file_peek(log);
}

static void record_and_compare(const char *call_graph, const char *argument, const char *share)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    cleanup_free char *relative = xasprintf("%s/tests/fakes/deep", build);
    cleanup_free char *program = realpath(relative, NULL), *differs = NULL;
    char directory[] = "/tmp/bench-test-fold-XXXXXX";
    bool recorded;

    assert_non_null(program);
    assert_non_null(mkdtemp(directory));
    recorded = record(directory, call_graph, program, argument);
    if (recorded)
        differs = compare(directory, share);
    directory_remove(AT_FDCWD, directory, NULL);
    if (differs)
        fail_msg("%s", differs);
    if (!recorded) {
        print_message("# SKIP perf is missing, or may not record here\n");
        skip();
    }
}

static void folded_is_what_perf_script_gives(void **state)
{
    (void)state;
    record_and_compare("fp", "", "");
}

/* perf unwinds with another library, which does not always find the root. Without exec: perf 6.1
 * goes on to believe that a program is mapped where it was first. */
static void so_are_stacks_that_were_copied(void **state)
{
    (void)state;
    record_and_compare("dwarf", "once", "0.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_from_the_root_with_the_kernel_on_top),
        cmocka_unit_test(calls_that_the_cpu_recorded),
        cmocka_unit_test(one_event_is_folded),
        cmocka_unit_test(what_is_left_out_of_several_events_is_said),
        cmocka_unit_test(broken_stacks_are_said_to_be),
        cmocka_unit_test(a_short_stack_may_be_whole),
        cmocka_unit_test(some_broken_stacks_are_not_said),
        cmocka_unit_test(folded_is_what_perf_script_gives),
        cmocka_unit_test(so_are_stacks_that_were_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
