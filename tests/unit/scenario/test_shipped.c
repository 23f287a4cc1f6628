/* SPDX-License-Identifier: Apache-2.0 */
/* Every file in scenarios/ is valid with the plugins of this tree, and says its question first. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/file.h"
#include "built.h"
#include "capture/capture.h"
#include "plan/plan.h"

static void check_one(const char *path, const struct registry *r)
{
    cleanup_free char *text = NULL;
    struct bench_error err = {0};
    struct scenario s;
    struct plan plan;

    assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, NULL, &err), 0);
    if (text[0] != '#' || !memchr(text, '?', strcspn(text, "\n")))
        fail_msg("%s: its first line is not a question", path);
    scenario_init(&s);
    if (scenario_read(&s, path, &err) < 0 || scenario_check(&s, r, capture_known, &err) < 0 ||
        plan_make(&plan, &s, r, &err) < 0)
        fail_msg("%s", err.message);
    plan_release(&plan);
    scenario_release(&s);
}

static void scenarios_are_valid(void **state)
{
    DIR *directory = opendir("scenarios");
    struct dirent *entry;
    struct registry r;
    size_t n = 0;

    (void)state;
    assert_non_null(directory);
    built_registry(&r);
    while ((entry = readdir(directory))) {
        cleanup_free char *path = xasprintf("scenarios/%s", entry->d_name);

        if (entry->d_name[0] == '.')
            continue;
        check_one(path, &r);
        n++;
    }
    closedir(directory);
    registry_release(&r);
    assert_true(n >= 7);
}

/* What can run anywhere: no privilege, no other program. */
static void smoke_needs_nothing(void **state)
{
    struct bench_error err = {0};
    struct registry r;
    struct scenario s;

    (void)state;
    built_registry(&r);
    scenario_init(&s);
    assert_int_equal(scenario_read(&s, "scenarios/smoke.yaml", &err), 0);
    assert_int_equal(scenario_check(&s, &r, capture_known, &err), 0);
    assert_true(s.cpu_limit == 0);
    assert_int_equal(s.network, NETWORK_AUTO);
    assert_int_equal(s.n_arms, 1);
    assert_string_equal(s.arms[0].plugin, "none");
    assert_string_equal(s.workload, "builtin");
    scenario_release(&s);
    registry_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenarios_are_valid),
        cmocka_unit_test(smoke_needs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
