/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <sys/stat.h>

#include "base/error.h"
#include "store/find.h"

/* A run of that directory and scenario, as far as finding looks at it. */
static void plant(const char *directory, const char *name)
{
    cleanup_free char *path = xasprintf("bench-results/%s", directory);
    cleanup_free char *file = xasprintf("%s/run.json", path);
    cleanup_free char *text = xasprintf("{\"name\": \"%s\"}", name);

    assert_int_equal(directory_make(AT_FDCWD, path, NULL), 0);
    assert_int_equal(file_write(AT_FDCWD, file, text, strlen(text), NULL), 0);
}

static void plant_all(void)
{
    plant("20261120-064944-smoke-3f9a", "smoke");
    plant("20261121-064944-smoke-c06f", "smoke");
    plant("20261122-064944-smoke-7a01", "Smoke"); /* the same slug, another scenario */
    plant("20261123-064944-two-relays-1c65", "two relays");
    plant("20261124-064944-two-relays-smoke-1c77", "two relays: smoke");
    plant("golden", "smoke");
    assert_int_equal(symlink("20261124-064944-two-relays-smoke-1c77", "bench-results/latest"), 0);
    assert_int_equal(mkdir("bench-results/20261125-064944-no-run-9999", 0755), 0);
}

static void finds(const char *word, const char *directory)
{
    struct bench_error err = {0};
    char link[64], target[256] = "";
    int fd = run_find(word, &err);

    if (fd < 0)
        fail_msg("%s", err.message);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    assert_true(readlink(link, target, sizeof(target) - 1) > 0);
    assert_string_equal(strrchr(target, '/') + 1, directory);
    close(fd);
}

static void refuses(const char *word, const char *message, const char *hint)
{
    struct bench_error err = {0};

    assert_int_equal(run_find(word, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void words_that_stand_for_one_run(void **state)
{
    (void)state;
    plant_all();
    finds("bench-results/golden", "golden");
    finds("golden", "golden");
    finds("20261120-064944-smoke-3f9a", "20261120-064944-smoke-3f9a");
    finds("latest", "20261124-064944-two-relays-smoke-1c77");
    finds("c06f", "20261121-064944-smoke-c06f");
    finds("20261123", "20261123-064944-two-relays-1c65");
    finds("smoke", "20261121-064944-smoke-c06f"); /* the newest of that name */
    finds("Smoke", "20261122-064944-smoke-7a01");
    finds("two relays", "20261123-064944-two-relays-1c65");
    finds("two relays: smoke", "20261124-064944-two-relays-smoke-1c77");
}

static void words_that_do_not(void **state)
{
    static const char no_run[] = "a run directory holds 'run.json'; 'bench run' makes one below "
                                 "'bench-results', 'bench list runs' names them";

    (void)state;
    refuses("c06f", "neither 'c06f' nor 'bench-results/c06f' is a run directory", no_run);
    plant_all();
    refuses("two-relays",
            "'two-relays' is part of the names of 2 runs: 20261123-064944-two-relays-1c65, "
            "20261124-064944-two-relays-smoke-1c77",
            "give more of the name: 'bench list runs two-relays' lists them");
    refuses("064944",
            "'064944' is part of the names of 5 runs: 20261120-064944-smoke-3f9a, "
            "20261121-064944-smoke-c06f, 20261122-064944-smoke-7a01, "
            "20261123-064944-two-relays-1c65, 20261124-064944-two-relays-smoke-1c77",
            "give more of the name: 'bench list runs 064944' lists them");
    plant("20261126-064944-more-0001", "more");
    refuses("064944",
            "'064944' is part of the names of 6 runs, the newest: 20261121-064944-smoke-c06f, "
            "20261122-064944-smoke-7a01, 20261123-064944-two-relays-1c65, "
            "20261124-064944-two-relays-smoke-1c77, 20261126-064944-more-0001",
            "give more of the name: 'bench list runs 064944' lists them");
    refuses("9999", "neither '9999' nor 'bench-results/9999' is a run directory", no_run);
    refuses("c0", "neither 'c0' nor 'bench-results/c0' is a run directory", no_run);
    refuses("./c06f", "'./c06f' is not a run directory", no_run);
}

/* Not "no such run": it may be the one. */
static void what_cannot_be_read_now(void **state)
{
    struct bench_error err = {0};
    uid_t user = geteuid();
    int result;

    (void)state;
    plant_all();
    assert_int_equal(chmod("bench-results/20261121-064944-smoke-c06f", 0), 0);
    assert_int_equal(user == 0 ? chmod(".", 0755) | seteuid(65534) : 0, 0);
    result = run_find("c06f", &err);
    assert_int_equal(user == 0 ? seteuid(0) : 0, 0);
    assert_int_equal(result, -1);
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    assert_string_equal(err.message, "cannot open '20261121-064944-smoke-c06f': Permission denied");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sample_enter, sample_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_that_stand_for_one_run),
        TEST(words_that_do_not),
        TEST(what_cannot_be_read_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
