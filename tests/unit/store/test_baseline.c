/* SPDX-License-Identifier: Apache-2.0 */
#include "written.h"

#include "store/baseline.h"

static void expect_found(const char *name, const char *expected)
{
    cleanup_free char *below = xasprintf("bench-results/%s", expected);
    struct bench_error err = {0};
    struct stored_run run;
    char *found;

    if (baseline_find(NULL, name, &found, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(found, *expected == '/' ? expected : below);
    must_read(&run, found);
    stored_run_release(&run);
    free(found);
}

static void a_baseline_is_a_name_for_a_run(void **state)
{
    cleanup_strings struct strings names = {0};
    struct bench_error err = {0};
    struct store_writer w, other, same;
    struct stored_run run;
    struct setup s;
    char *found;

    (void)state;
    setup_init(&s);
    assert_int_equal(baseline_list(NULL, &names, &err), 0);
    assert_int_equal(names.count, 0);
    create(&w, NULL, &s.plan);
    create(&other, "elsewhere", &s.plan);
    assert_int_equal(baseline_save(NULL, "main", "latest", &err), 0);
    expect_found("main", w.id); /* what `latest` stood for */
    assert_int_equal(baseline_save(NULL, "1.2-x_y", "./elsewhere", &err), 0);
    expect_found("1.2-x_y", other.path);
    assert_int_equal(baseline_save(NULL, "main", other.path, &err), 0);
    expect_found("main", other.path);
    assert_int_equal(baseline_save(NULL, "main", w.path, &err), 0);
    expect_found("main", w.id);
    create(&same, w.id, &s.plan); /* in the working directory; it is not the one that is meant */
    assert_int_equal(baseline_find(NULL, "main", &found, &err), 0);
    must_read(&run, found);
    assert_string_equal(run.path, w.path);
    stored_run_release(&run);
    free(found);
    /* As a bench leaves it that is killed while it writes. */
    assert_int_equal(file_write(AT_FDCWD, "bench-results/baselines/main.tmp.7", "x", 1, NULL), 0);
    assert_int_equal(baseline_list(NULL, &names, &err), 0);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "1.2-x_y");
    assert_string_equal(names.items[1], "main");

    assert_int_equal(baseline_find(NULL, "mian", &found, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "unknown baseline 'mian'");
    assert_string_equal(err.hint, "did you mean 'main'?");
    assert_int_equal(directory_remove(AT_FDCWD, other.path, NULL), 0);
    assert_int_equal(baseline_find(NULL, "1.2-x_y", &found, &err), -1);
    assert_non_null(strstr(err.message, "baseline '1.2-x_y': there is no run '"));
    store_writer_release(&w);
    store_writer_release(&other);
    store_writer_release(&same);
    setup_release(&s);
}

static void what_is_no_name_or_no_run_is_refused(void **state)
{
    static const char *const names[] = {"now", "",    ".",       "../x",    "a b",
                                        "-x",  "a/b", "x.tmp.1", "\xc3\xa9"};
    struct bench_error err = {0};
    struct store_writer w;
    struct setup s;
    char *found;

    (void)state;
    setup_init(&s);
    assert_int_equal(baseline_find(NULL, "main", &found, &err), -1);
    assert_string_equal(err.message, "there is no baseline 'main'");
    create(&w, NULL, &s.plan);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(baseline_save(NULL, names[i], "latest", &err), -1);
        assert_int_equal(err.kind, BENCH_ERROR_USAGE);
        assert_int_equal(baseline_find(NULL, names[i], &found, &err), -1);
    }
    assert_string_equal(err.message, "'\xc3\xa9' is no name for a baseline");
    assert_int_equal(baseline_save(NULL, "main", "nothing", &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "'nothing' is not a stored run");
    assert_int_equal(access("bench-results/baselines", F_OK), -1);
    store_writer_release(&w);
    setup_release(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sample_enter, sample_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_baseline_is_a_name_for_a_run),
        TEST(what_is_no_name_or_no_run_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
