/* SPDX-License-Identifier: Apache-2.0 */
/* Machines of other makers, as trees of sysfs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "capture/memory_events.h"

/* `files`: paths in the tree, separated by blanks. Caller removes and frees. */
static char *make_tree(const char *files)
{
    const char *tmp = getenv("TMPDIR");
    char *root = xasprintf("%s/bench-devices-XXXXXX", tmp ? tmp : "/tmp");
    cleanup_strings struct strings names = {0};

    assert_non_null(mkdtemp(root));
    strings_split(&names, files, " ");
    for (size_t i = 0; i < names.count; i++) {
        cleanup_free char *path = xasprintf("%s/%s", root, names.items[i]);

        *strrchr(path, '/') = '\0';
        assert_int_equal(directory_make(AT_FDCWD, path, NULL), 0);
        path[strlen(path)] = '/';
        assert_int_equal(file_write(AT_FDCWD, path, "x", 1, NULL), 0);
    }
    return root;
}

static void remove_tree(char *root)
{
    assert_int_equal(directory_remove(AT_FDCWD, root, NULL), 0);
    free(root);
}

static char *joined(const struct strings *s)
{
    struct text t = {0};

    for (size_t i = 0; i < s->count; i++)
        text_add(&t, "%s%s", i ? " " : "", s->items[i]);
    return text_take(&t);
}

static void expect(const char *files, int64_t latency, const char *kind, const char *events,
                   const char *names)
{
    char *root = make_tree(files);
    cleanup_free char *all = NULL, *switched = NULL;
    struct bench_error err = {0};
    struct memory_events m;

    if (memory_events_find(&m, root, latency, &err) < 0)
        fail_msg("%s", err.message);
    all = joined(&m.events);
    switched = joined(&m.names);
    assert_string_equal(m.kind, kind);
    assert_string_equal(all, events);
    assert_string_equal(switched, names);
    memory_events_release(&m);
    remove_tree(root);
}

static void skylake(void **state)
{
    (void)state;
    expect("cpu/type cpu/events/mem-loads cpu/events/mem-stores", 0, "PEBS",
           "cpu/mem-loads,ldlat=30,name=cpu-loads/P cpu/mem-stores,name=cpu-stores/P",
           "cpu-loads cpu-stores");
    expect("cpu/type cpu/events/mem-loads", 120, "PEBS", "cpu/mem-loads,ldlat=120,name=cpu-loads/P",
           "cpu-loads");
}

/* Its loads are sampled in a group behind an auxiliary event, which is what is switched. */
static void sapphire_rapids(void **state)
{
    (void)state;
    expect("cpu/events/mem-loads cpu/events/mem-loads-aux cpu/events/mem-stores", 0, "PEBS",
           "{cpu/mem-loads-aux,name=cpu-aux/,cpu/mem-loads,ldlat=30,name=cpu-loads/}:P "
           "cpu/mem-stores,name=cpu-stores/P",
           "cpu-aux cpu-stores");
}

static void alder_lake(void **state)
{
    (void)state;
    expect("cpu_core/events/mem-loads cpu_core/events/mem-loads-aux cpu_core/events/mem-stores "
           "cpu_atom/events/mem-loads cpu_atom/events/mem-stores",
           0, "PEBS",
           "{cpu_core/mem-loads-aux,name=cpu_core-aux/,"
           "cpu_core/mem-loads,ldlat=30,name=cpu_core-loads/}:P "
           "cpu_core/mem-stores,name=cpu_core-stores/P "
           "cpu_atom/mem-loads,ldlat=30,name=cpu_atom-loads/P "
           "cpu_atom/mem-stores,name=cpu_atom-stores/P",
           "cpu_core-aux cpu_core-stores cpu_atom-loads cpu_atom-stores");
}

static void amd(void **state)
{
    (void)state;
    expect("cpu/type cpu/events/cpu-cycles ibs_op/type ibs_fetch/type", 0, "IBS", "ibs_op//",
           "ibs_op//");
}

static void arm(void **state)
{
    (void)state;
    expect("armv8_pmuv3_0/type arm_spe_0/type", 50, "SPE",
           "arm_spe_0/ts_enable=1,pa_enable=1,load_filter=1,store_filter=1,min_latency=50,"
           "name=arm_spe/",
           "arm_spe");
}

static void a_virtual_machine(void **state)
{
    /* A PMU without precise sampling is not enough. */
    char *root = make_tree("cpu/type cpu/events/cpu-cycles software/type");
    cleanup_free char *expected = NULL;
    struct bench_error err = {0};
    struct memory_events m;

    (void)state;
    expected = xasprintf("this machine does not sample memory accesses: '%s' has neither "
                         "'cpu/events/mem-loads' (Intel PEBS) nor 'ibs_op' (AMD IBS) nor "
                         "'arm_spe_0' (ARM SPE)",
                         root);
    assert_int_equal(memory_events_find(&m, root, 0, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message, expected);
    assert_non_null(strstr(err.hint, "bare metal"));
    assert_non_null(strstr(err.hint, "'bench record' shows where time goes"));
    remove_tree(root);
}

static void an_option_is_not_ignored(void **state)
{
    char *root = make_tree("ibs_op/type");
    struct bench_error err = {0};
    struct memory_events m;

    (void)state;
    assert_int_equal(memory_events_find(&m, root, 40, &err), -1);
    assert_string_equal(err.message, "option 'ldlat': AMD IBS samples accesses of every latency");
    remove_tree(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skylake),
        cmocka_unit_test(sapphire_rapids),
        cmocka_unit_test(alder_lake),
        cmocka_unit_test(amd),
        cmocka_unit_test(arm),
        cmocka_unit_test(a_virtual_machine),
        cmocka_unit_test(an_option_is_not_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
