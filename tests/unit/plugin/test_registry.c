/* SPDX-License-Identifier: Apache-2.0 */
/* The registry against fake plugins: what is accepted, what is refused and with which words. */
#include "plugin/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

/* A plugin directory of its own for each test. */
struct place {
    char directory[64];
    struct registry registry;
};

static int set_up(void **state)
{
    struct place *place = xcalloc(1, sizeof(*place));

    snprintf(place->directory, sizeof(place->directory), "/tmp/bench-test-registry-XXXXXX");
    if (!mkdtemp(place->directory))
        return -1;
    setenv("BENCH_PLUGIN_PATH", place->directory, 1);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    registry_release(&place->registry);
    directory_remove(AT_FDCWD, place->directory, NULL);
    unsetenv("BENCH_PLUGIN_PATH");
    free(place);
    return 0;
}

static void put(const struct place *place, const char *fake, const char *as)
{
    const char *build = getenv("BUILD");
    cleanup_free char *from = xasprintf("%s/tests/fakes/%s.so", build ? build : "build", fake);
    cleanup_free char *target = realpath(from, NULL);
    cleanup_free char *to = xasprintf("%s/%s", place->directory, as);
    cleanup_free char *folder = xstrdup(to);

    assert_non_null(target);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(directory_make(AT_FDCWD, folder, NULL), 0);
    assert_int_equal(symlink(target, to), 0);
}

static void load(struct place *place)
{
    registry_load(&place->registry, "/nonexistent/bench");
}

/* The plugin from the file `as` of this place. */
static const struct plugin *at(const struct place *place, const char *as)
{
    cleanup_free char *path = xasprintf("%s/%s", place->directory, as);

    for (size_t i = 0; i < place->registry.count; i++)
        if (strcmp(place->registry.plugins[i].path, path) == 0)
            return &place->registry.plugins[i];
    fail_msg("nothing was listed for '%s'", path);
    return NULL;
}

static void assert_refused(struct place *place, const char *fake, const char *reason)
{
    const struct plugin *p;

    put(place, fake, "relays/it.so");
    load(place);
    p = at(place, "relays/it.so");
    assert_null(p->info);
    assert_string_equal(p->reason, reason);
}

static void refuses_missing_hook(void **state)
{
    assert_refused(*state, "plugin_missing_hook", "hook 'describe' is missing");
}

static void refuses_statistics_that_nobody_reads(void **state)
{
    assert_refused(*state, "plugin_half_hook", "hook 'parse_statistics' is missing");
}

static void refuses_other_major(void **state)
{
    assert_refused(*state, "plugin_other_major", "has ABI 2.3, this bench has 1.1");
}

static void refuses_unknown_kind(void **state)
{
    assert_refused(*state, "plugin_unknown_kind", "has the unknown kind 9");
}

static void refuses_wrong_kind(void **state)
{
    assert_refused(*state, "plugin_wrong_kind", "is a reporter, but lies among the relays");
}

static void refuses_no_symbol(void **state)
{
    assert_refused(*state, "plugin_no_symbol", "does not export 'bench_plugin_get'");
}

static void refuses_who_declines(void **state)
{
    assert_refused(*state, "plugin_declines", "declined: 'bench_plugin_get' returned NULL");
}

static void refuses_bad_name(void **state)
{
    assert_refused(*state, "plugin_bad_name", "name 'Bad Name' does not match [a-z][a-z0-9-]*");
}

static void refuses_undefined_symbol(void **state)
{
    assert_refused(*state, "plugin_undefined",
                   "does not load: undefined symbol: bench_fake_nowhere");
}

static void refuses_bad_option_table(void **state)
{
    assert_refused(*state, "plugin_bad_option",
                   "option table: option 'workers': offset 4096 does not fit a state of 8 bytes");
}

static void refuses_garbage_and_goes_on(void **state)
{
    struct place *place = *state;
    cleanup_free char *garbage = xasprintf("%s/garbage.so", place->directory);
    cleanup_free char *other = xasprintf("%s/readme.txt", place->directory);
    cleanup_free char *expected = NULL;
    struct bench_error err;

    assert_int_equal(file_write(AT_FDCWD, garbage,
                                "not ELF at all, but long enough to be a header "
                                "of sixty-four bytes",
                                67, NULL),
                     0);
    assert_int_equal(file_write(AT_FDCWD, other, "no plugin", 9, NULL), 0);
    put(place, "plugin_newer_minor", "zz.so");
    load(place);
    assert_string_equal(at(place, "garbage.so")->reason, "does not load: invalid ELF header");
    assert_null(at(place, "garbage.so")->info);
    assert_non_null(at(place, "zz.so")->info);
    assert_non_null(registry_find(&place->registry, BENCH_RELAY, "newer-minor", &err));
    for (size_t i = 0; i < place->registry.count; i++)
        assert_null(strstr(place->registry.plugins[i].path, "readme"));

    assert_null(registry_find(&place->registry, BENCH_RELAY, "garbage", &err));
    expected =
        xasprintf("relay 'garbage' was refused: '%s': does not load: invalid ELF header", garbage);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message, expected);
    assert_string_equal(err.hint,
                        "'bench check' lists what was refused; rebuild it, or remove that file");
}

static void accepts_newer_minor(void **state)
{
    struct place *place = *state;
    const struct plugin *p;

    put(place, "plugin_newer_minor", "relays/it.so");
    load(place);
    p = at(place, "relays/it.so");
    assert_null(p->reason);
    assert_int_equal(p->info->abi_minor, BENCH_ABI_MINOR + 7);
    assert_string_equal(p->info->name, "newer-minor");
}

static void first_of_a_name_wins(void **state)
{
    struct place *place = *state;
    cleanup_free char *expected = xasprintf("shadowed by '%s/relays/a.so'", place->directory);
    struct bench_error err;

    put(place, "plugin_newer_minor", "relays/a.so");
    put(place, "plugin_newer_minor", "relays/b.so");
    load(place);
    assert_null(at(place, "relays/a.so")->reason);
    assert_string_equal(at(place, "relays/b.so")->reason, expected);
    assert_non_null(at(place, "relays/b.so")->info);
    assert_true(at(place, "relays/b.so")->same); /* so no word is lost on it */
    assert_ptr_equal(registry_find(&place->registry, BENCH_RELAY, "newer-minor", &err),
                     at(place, "relays/a.so")->info);
}

static void kinds_have_names_of_their_own(void **state)
{
    struct place *place = *state;
    struct bench_error err;

    put(place, "plugin_newer_minor", "relays/a.so");
    load(place);
    assert_null(registry_find(&place->registry, BENCH_WORKLOAD, "newer-minor", &err));
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "unknown workload 'newer-minor'");
}

static void unknown_names_the_nearest(void **state)
{
    struct place *place = *state;
    struct bench_error err;

    put(place, "plugin_newer_minor", "relays/a.so");
    load(place);
    assert_null(registry_find(&place->registry, BENCH_RELAY, "newr-minor", &err));
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "unknown relay 'newr-minor'");
    assert_string_equal(err.hint, "did you mean 'newer-minor'?");
}

static void notes_unreadable_directories(void **state)
{
    struct place *place = *state;
    cleanup_free char *file = xasprintf("%s/file", place->directory);
    cleanup_free char *path =
        xasprintf("%s/missing:%s:%s", place->directory, file, place->directory);
    cleanup_free char *missing =
        xasprintf("%s/missing: No such file or directory", place->directory);
    cleanup_free char *not_one = xasprintf("%s: Not a directory", file);

    assert_int_equal(file_write(AT_FDCWD, file, "x", 1, NULL), 0);
    put(place, "plugin_newer_minor", "it.so");
    setenv("BENCH_PLUGIN_PATH", path, 1);
    load(place);
    assert_int_equal(place->registry.unreadable.count, 2);
    assert_string_equal(place->registry.unreadable.items[0], missing);
    assert_string_equal(place->registry.unreadable.items[1], not_one);
    assert_null(at(place, "it.so")->reason);
}

static void searches_a_directory_once(void **state)
{
    struct place *place = *state;
    cleanup_free char *twice = xasprintf("%s:%s/.", place->directory, place->directory);

    put(place, "plugin_newer_minor", "it.so");
    setenv("BENCH_PLUGIN_PATH", twice, 1);
    load(place);
    assert_null(at(place, "it.so")->reason);
    for (size_t i = 0; i < place->registry.count; i++)
        assert_null(strstr(place->registry.plugins[i].path, "/./"));
}

static void searches_beside_the_program(void **state)
{
    struct place *place = *state;
    cleanup_free char *program = xasprintf("%s/bench", place->directory);

    unsetenv("BENCH_PLUGIN_PATH");
    put(place, "plugin_newer_minor", "plugins/relays/it.so");
    registry_load(&place->registry, program);
    assert_null(at(place, "plugins/relays/it.so")->reason);
    assert_int_equal(place->registry.unreadable.count, 0);
}

static void names_kinds(void **state)
{
    (void)state;
    assert_string_equal(plugin_kind_name(BENCH_WORKLOAD), "workload");
    assert_string_equal(plugin_kind_name(BENCH_RELAY), "relay");
    assert_string_equal(plugin_kind_name(BENCH_REPORTER), "reporter");
}

/* Struct checks that need no library. */

static int nothing(void *state, const struct bench_role *role, struct bench_process *process,
                   struct bench_error *err)
{
    (void)state, (void)role, (void)process, (void)err;
    return 0;
}

static int no_report(void *state, const struct bench_document *document,
                     const struct bench_style *style, struct bench_output *out,
                     struct bench_error *err)
{
    (void)state, (void)document, (void)style, (void)out, (void)err;
    return 0;
}

static const char *const tcp[] = {"tcp", NULL};

static struct bench_workload workload(void)
{
    return (struct bench_workload){
        .plugin = {.size = sizeof(struct bench_workload),
                   .abi_major = BENCH_ABI_MAJOR,
                   .kind = BENCH_WORKLOAD,
                   .name = "w",
                   .description = "a workload"},
        .protocols = tcp,
        .server = nothing,
        .client = nothing,
    };
}

static void assert_check(const struct bench_plugin *p, const char *message)
{
    struct bench_error err = {0};

    assert_int_equal(plugin_check(p, &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
}

static void checks_workloads(void **state)
{
    struct bench_workload w = workload();
    cleanup_free char *too_small =
        xasprintf("is %zu bytes, a workload needs at least %zu",
                  offsetof(struct bench_workload, delivered),
                  offsetof(struct bench_workload, delivered) + sizeof(w.delivered));
    struct bench_error err;

    (void)state;
    assert_int_equal(plugin_check(&w.plugin, &err), 0);
    w.plugin.size += 8; /* a newer minor's */
    assert_int_equal(plugin_check(&w.plugin, &err), 0);
    w.plugin.size = offsetof(struct bench_workload, delivered);
    assert_check(&w.plugin, too_small);
    w = workload();
    w.server = NULL;
    assert_check(&w.plugin, "hook 'server' is missing");
    w = workload();
    w.client = NULL;
    assert_check(&w.plugin, "hook 'client' is missing");
    w = workload();
    w.protocols = NULL;
    assert_check(&w.plugin, "names no protocol");
    w = workload();
    w.plugin.size = 4;
    assert_check(&w.plugin, "is 4 bytes: too small for any plugin");
    w = workload();
    w.plugin.size = 16;
    assert_check(&w.plugin, "is 16 bytes: too small for any plugin");
    w = workload();
    w.plugin.description = "two\nlines";
    assert_check(&w.plugin, "description is not one line");
    w = workload();
    w.plugin.name = NULL;
    assert_check(&w.plugin, "name '' does not match [a-z][a-z0-9-]*");
    w = workload();
    w.plugin.name = "9lives";
    assert_check(&w.plugin, "name '9lives' does not match [a-z][a-z0-9-]*");
}

static void checks_reporters(void **state)
{
    struct bench_reporter r = {
        .plugin = {.size = sizeof(r),
                   .abi_major = BENCH_ABI_MAJOR,
                   .kind = BENCH_REPORTER,
                   .name = "r",
                   .description = "a reporter"},
        .extension = "txt",
        .report = no_report,
    };
    struct bench_error err;

    (void)state;
    assert_int_equal(plugin_check(&r.plugin, &err), 0);
    r.extension = "";
    assert_check(&r.plugin, "names no file extension");
    r.extension = "txt";
    r.report = NULL;
    assert_check(&r.plugin, "hook 'report' is missing");
}

static void a_relay_without_hops_needs_no_hook(void **state)
{
    struct bench_relay r = {
        .plugin = {.size = sizeof(r),
                   .abi_major = BENCH_ABI_MAJOR,
                   .kind = BENCH_RELAY,
                   .name = "direct",
                   .description = "no relay"},
        .protocols = tcp,
    };
    struct bench_error err;

    (void)state;
    assert_int_equal(plugin_check(&r.plugin, &err), 0);
    r.max_hops = 1;
    assert_check(&r.plugin, "hook 'describe' is missing");
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PLACE(refuses_missing_hook),
        PLACE(refuses_statistics_that_nobody_reads),
        PLACE(refuses_other_major),
        PLACE(refuses_unknown_kind),
        PLACE(refuses_wrong_kind),
        PLACE(refuses_no_symbol),
        PLACE(refuses_who_declines),
        PLACE(refuses_bad_name),
        PLACE(refuses_undefined_symbol),
        PLACE(refuses_bad_option_table),
        PLACE(refuses_garbage_and_goes_on),
        PLACE(accepts_newer_minor),
        PLACE(first_of_a_name_wins),
        PLACE(kinds_have_names_of_their_own),
        PLACE(unknown_names_the_nearest),
        PLACE(notes_unreadable_directories),
        PLACE(searches_a_directory_once),
        PLACE(searches_beside_the_program),
        cmocka_unit_test(names_kinds),
        cmocka_unit_test(checks_workloads),
        cmocka_unit_test(checks_reporters),
        cmocka_unit_test(a_relay_without_hops_needs_no_hook),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
