/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "environment/identity.h"

static int enter(void **state)
{
    char *path = xstrdup("/tmp/bench-test-identity-XXXXXX");

    *state = mkdtemp(path);
    return chdir(path);
}

static int leave(void **state)
{
    int r = chdir("/") | directory_remove(AT_FDCWD, *state, NULL);

    free(*state);
    return r;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), NULL), 0);
}

static const char *member(const json_t *identity, const char *name)
{
    return json_string_value(json_object_get(identity, name));
}

/* The first word that a shell command prints; $1 in it is `path`. Caller frees. */
static char *ask(const char *command, const char *path)
{
    char *full = xasprintf("set -- '%s'; %s", path, command), line[256] = "";
    FILE *pipe = popen(full, "re");

    assert_non_null(pipe);
    if (!fgets(line, sizeof(line), pipe))
        line[0] = '\0';
    pclose(pipe);
    free(full);
    return xstrndup(line, strcspn(line, " \n"));
}

static void a_file_is_known_by_its_sha256(void **state)
{
    struct identity_cache *c = identity_cache_new();
    json_t *id;

    (void)state;
    put("abc", "abc"); /* FIPS 180-2, B.1 */
    id = identity_file(c, "abc");
    assert_string_equal(member(id, "path"), "abc");
    assert_string_equal(member(id, "sha256"),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(json_integer_value(json_object_get(id, "size")), 3);
    assert_true(json_is_null(json_object_get(id, "build_id")));
    assert_true(json_is_null(json_object_get(id, "frame_pointers")));
    assert_true(json_is_null(json_object_get(id, "frame_pointer_share")));
    json_decref(id);
    identity_cache_free(c);
}

static void a_large_file_agrees_with_sha256sum(void **state)
{
    struct identity_cache *c = identity_cache_new();
    json_t *id = identity_file(c, "/proc/self/exe");
    char *exe = realpath("/proc/self/exe", NULL), *sum = ask("sha256sum \"$1\"", exe);

    (void)state;
    assert_string_equal(member(id, "sha256"), sum);
    free(sum);
    free(exe);
    json_decref(id);
    identity_cache_free(c);
}

static void a_changed_file_is_hashed_again(void **state)
{
    struct identity_cache *c = identity_cache_new();
    json_t *before, *same, *after;

    (void)state;
    put("file", "before");
    before = identity_file(c, "file");
    same = identity_file(c, "file");
    put("file", "after!");
    after = identity_file(c, "file");
    assert_true(json_equal(before, same));
    assert_string_not_equal(member(before, "sha256"), member(after, "sha256"));
    json_decref(before);
    json_decref(same);
    json_decref(after);
    identity_cache_free(c);
}

static void what_is_no_readable_file_has_nulls(void **state)
{
    static const char *const paths[] = {"missing", ".", "pipe", "caf\xe9"};
    struct identity_cache *c = identity_cache_new();

    (void)state;
    assert_int_equal(mkfifo("pipe", 0600), 0); /* must not block either */
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        json_t *id = identity_file(c, paths[i]);

        assert_true(json_is_null(json_object_get(id, "sha256")));
        assert_true(json_is_null(json_object_get(id, "size")));
        assert_non_null(member(id, "path"));
        json_decref(id);
    }
    identity_cache_free(c);
}

static void broken_elf_files_are_only_files(void **state)
{
    struct identity_cache *c = identity_cache_new();
    size_t length;
    char *exe;

    (void)state;
    assert_int_equal(file_read(AT_FDCWD, "/proc/self/exe", 64 << 20, &exe, &length, NULL), 0);
    for (size_t cut = 1; cut < length; cut = cut * 3 / 2 + 1) {
        json_t *id;

        assert_int_equal(file_write(AT_FDCWD, "cut", exe, cut, NULL), 0);
        id = identity_file(c, "cut");
        assert_non_null(member(id, "sha256"));
        json_decref(id);
    }
    for (size_t i = 16; i < 64; i++) { /* every byte of the header, wrong */
        json_t *id;

        exe[i] = (char)~exe[i];
        assert_int_equal(file_write(AT_FDCWD, "bent", exe, length, NULL), 0);
        exe[i] = (char)~exe[i];
        id = identity_file(c, "bent");
        assert_non_null(member(id, "sha256"));
        json_decref(id);
    }
    free(exe);
    identity_cache_free(c);
}

/* This very program, which the build gives frame pointers and a symbol table. */
static void this_process_is_identified(void **state)
{
    struct identity_cache *c = identity_cache_new();
    json_t *all = identity_process(c, getpid()), *id;
    char *exe = realpath("/proc/self/exe", NULL);
    const char *last = "";
    bool libc = false;
    size_t i;

    (void)state;
    assert_string_equal(member(json_array_get(all, 0), "path"), exe);
    assert_int_equal(strlen(member(json_array_get(all, 0), "build_id")), 40);
    assert_true(json_is_true(json_object_get(json_array_get(all, 0), "frame_pointers")));
    json_array_foreach(all, i, id)
    {
        const char *path = member(id, "path");

        assert_int_equal(path[0], '/'); /* no [vdso] */
        assert_int_equal(strlen(member(id, "sha256")), 64);
        libc |= strstr(path, "/libc.so.6") != NULL;
        if (i > 0) {
            assert_string_not_equal(path, exe);
            assert_true(strcmp(last, path) < 0); /* sorted, each once */
            last = path;
        }
    }
    assert_true(libc);
    free(exe);
    json_decref(all);
    identity_cache_free(c);
}

static void a_deleted_program_is_still_read(void **state)
{
    struct identity_cache *c = identity_cache_new();
    json_t *all, *id, *original;
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(system("cp /bin/sleep ./gone"), 0);
    original = identity_file(c, "gone");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("./gone", "gone", "60", NULL);
        _exit(127);
    }
    do { /* until it has become the program */
        usleep(1000);
        all = identity_process(c, pid);
        id = json_array_get(all, 0);
        if (id && strstr(member(id, "path"), "/gone"))
            break;
        json_decref(all);
    } while (waitpid(pid, &status, WNOHANG) == 0);
    json_decref(all);
    assert_int_equal(unlink("gone"), 0);
    all = identity_process(c, pid);
    id = json_array_get(all, 0);
    assert_string_equal(strrchr(member(id, "path"), '/'), "/gone");
    assert_string_equal(member(id, "sha256"), member(original, "sha256"));
    assert_true(json_is_true(json_object_get(id, "deleted")));
    json_decref(all);
    json_decref(original);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    assert_int_equal(json_array_size(all = identity_process(c, pid)), 0); /* gone, too */
    json_decref(all);
    identity_cache_free(c);
}

static void build_ids_agree_with_readelf(void **state)
{
    struct identity_cache *c = identity_cache_new();
    json_t *all = identity_process(c, getpid()), *id;
    size_t i;

    (void)state;
    if (system("readelf --version >/dev/null 2>&1") != 0) {
        print_message("# SKIP no readelf\n");
        skip();
    }
    json_array_foreach(all, i, id)
    {
        char *theirs = ask("readelf -nW \"$1\" | sed -n 's/.*Build ID: //p'", member(id, "path"));
        const char *ours = member(id, "build_id");

        assert_string_equal(ours ? ours : "", theirs);
        free(theirs);
    }
    json_decref(all);
    identity_cache_free(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_known_by_its_sha256),   TEST(a_large_file_agrees_with_sha256sum),
        TEST(a_changed_file_is_hashed_again),  TEST(what_is_no_readable_file_has_nulls),
        TEST(broken_elf_files_are_only_files), TEST(this_process_is_identified),
        TEST(a_deleted_program_is_still_read), TEST(build_ids_agree_with_readelf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
