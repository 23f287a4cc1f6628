/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

static char directory[] = "/tmp/bench-test-file.XXXXXX";
static int dir;

static int enter(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -1 : 0;
}

static int leave(void **state)
{
    (void)state;
    close(dir);
    return directory_remove(AT_FDCWD, directory, NULL);
}

static size_t entries(void)
{
    DIR *d = opendir(directory);
    size_t n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void write_and_read(void **state)
{
    struct bench_error err = {0};
    char *data = NULL;
    size_t length = 0;

    (void)state;
    assert_int_equal(file_write(dir, "f", "one\0two", 7, &err), 0);
    assert_int_equal(file_read(dir, "f", 100, &data, &length, &err), 0);
    assert_int_equal(length, 7);
    assert_memory_equal(data, "one\0two", 8);
    free(data);
    assert_int_equal(file_read(dir, "f", 7, &data, NULL, &err), 0);
    free(data);
    data = NULL;
    assert_int_equal(file_read(dir, "f", 6, &data, &length, &err), -1);
    assert_string_equal(err.message, "'f' is larger than 6 bytes");
    assert_null(data);
    assert_int_equal(file_read(dir, "missing", 6, &data, &length, &err), -1);
    assert_string_equal(err.message, "cannot open 'missing': No such file or directory");
    assert_int_equal(unlinkat(dir, "f", 0), 0);
}

static void large_files(void **state)
{
    cleanup_free char *big = xcalloc(1 << 20, 1), *data = NULL;
    size_t length = 0;

    (void)state;
    memset(big, 'x', 1 << 20);
    assert_int_equal(file_write(dir, "big", big, 1 << 20, NULL), 0);
    assert_int_equal(file_read(dir, "big", 1 << 20, &data, &length, NULL), 0);
    assert_int_equal(length, 1 << 20);
    assert_memory_equal(data, big, 1 << 20);
    assert_int_equal(unlinkat(dir, "big", 0), 0);
}

/* A reader that opened the file before sees the old content whole; a failed write leaves the old
 * file and no temporary one. */
static void writes_are_atomic(void **state)
{
    struct bench_error err = {0};
    char buffer[16];
    int before;

    (void)state;
    assert_int_equal(file_write(dir, "f", "old", 3, &err), 0);
    before = openat(dir, "f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_write(dir, "f", "newer", 5, &err), 0);
    assert_int_equal(read(before, buffer, sizeof(buffer)), 3);
    assert_memory_equal(buffer, "old", 3);
    close(before);
    assert_int_equal(entries(), 1);
    assert_int_equal(mkdirat(dir, "d", 0755), 0);
    assert_int_equal(mkdirat(dir, "d/x", 0755), 0);
    assert_int_equal(file_write(dir, "d", "x", 1, &err), -1); /* rename onto a directory */
    assert_string_equal(err.message, "cannot write 'd': Is a directory");
    assert_int_equal(entries(), 2);
    assert_int_equal(directory_remove(dir, "d", &err), 0);
    assert_int_equal(unlinkat(dir, "f", 0), 0);
}

/* What stood at the path and is no file is still there, and got the data. */
static void pipes_and_links_stay(void **state)
{
    struct bench_error err;
    struct stat st;
    char got[8] = {0};
    int fd;

    (void)state;
    assert_int_equal(mkfifoat(dir, "pipe", 0600), 0);
    fd = openat(dir, "pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(file_write_out(dir, "pipe", "data", 4, &err), 0);
    assert_int_equal(read(fd, got, sizeof(got)), 4);
    assert_string_equal(got, "data");
    close(fd);
    assert_int_equal(fstatat(dir, "pipe", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(unlinkat(dir, "pipe", 0), 0);

    assert_int_equal(file_write(dir, "target", "longer", 6, &err), 0);
    assert_int_equal(symlinkat("target", dir, "link"), 0);
    assert_int_equal(file_write_out(dir, "link", "new", 3, &err), 0);
    assert_int_equal(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(fstatat(dir, "target", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(unlinkat(dir, "link", 0), 0);
    assert_int_equal(unlinkat(dir, "target", 0), 0);
}

/* Into a store nothing is written through a link, nor into what another put in the file's place. */
static void a_store_has_regular_files_only(void **state)
{
    struct bench_error err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(file_write(dir, "target", "mine", 4, &err), 0);
    assert_int_equal(symlinkat("target", dir, "link") | mkfifoat(dir, "pipe", 0600), 0);
    assert_int_equal(file_write(dir, "link", "new", 3, &err), -1);
    assert_string_equal(err.message, "cannot write 'link': it is not a regular file");
    assert_string_equal(err.hint, "remove it: a link or a device has no place there");
    assert_int_equal(file_write(dir, "pipe", "new", 3, &err), -1);
    assert_string_equal(err.message, "cannot write 'pipe': it is not a regular file");
    assert_int_equal(fstatat(dir, "target", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(entries(), 3);
    assert_int_equal(
        unlinkat(dir, "target", 0) | unlinkat(dir, "link", 0) | unlinkat(dir, "pipe", 0), 0);
}

/* None of them is waited for. */
static void only_regular_files_are_read(void **state)
{
    static const char *const others[] = {"pipe", "socket", "sub", "/dev/zero"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct bench_error err = {0};
    char *data = NULL;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    alarm(20);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
    assert_int_equal(bind(s, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(mkfifoat(dir, "pipe", 0600) | mkdirat(dir, "sub", 0755), 0);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_int_equal(file_read(dir, others[i], 100, &data, NULL, &err), -1);
        assert_non_null(strstr(err.message, "' is not a regular file"));
        assert_false(error_is_passing(&err));
    }
    assert_null(file_tail(dir, "pipe", 10));
    alarm(0);
    close(s);
    assert_int_equal(unlinkat(dir, "pipe", 0) | unlinkat(dir, "socket", 0) |
                         unlinkat(dir, "sub", AT_REMOVEDIR),
                     0);
}

static void refuses_to_leave(const char *path, const char *message)
{
    struct bench_error err = {0};
    int fd = file_open_beneath(dir, path, &err);

    if (fd >= 0)
        fail_msg("'%s' was opened", path);
    assert_string_equal(err.message, message);
    assert_false(error_is_passing(&err));
}

static void takes_beneath(const char *path)
{
    struct bench_error err = {0};
    char *data = NULL;

    if (file_read_beneath(dir, path, 10, &data, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(data, "x");
    free(data);
}

/* What both ways to open beneath have in common. */
static void beneath(void)
{
    takes_beneath("a/b/f");
    takes_beneath("./a//b/f");
    refuses_to_leave("a/../a/b/f", "'a/../a/b/f' leads out of its directory");
    refuses_to_leave("..", "'..' leads out of its directory");
    refuses_to_leave("/etc/passwd", "'/etc/passwd' leads out of its directory");
    refuses_to_leave("", "'' leads out of its directory");
    refuses_to_leave("file", "'file' leads through a symbolic link");
    refuses_to_leave("a/b", "'a/b' is not a regular file");
    refuses_to_leave("a/missing", "cannot open 'a/missing': No such file or directory");
}

static void paths_of_others_lead_down(void **state)
{
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(directory_make(dir, "a/b", NULL), 0);
    assert_int_equal(file_write(dir, "a/b/f", "x", 1, NULL), 0);
    assert_int_equal(symlinkat("a/b/f", dir, "file") | symlinkat("a", dir, "d"), 0);
    beneath();
    refuses_to_leave("d/b/f", "'d/b/f' leads through a symbolic link");
    child = fork();
    if (child == 0) { /* where the kernel has no openat2() */
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0) < 0 ||
            seccomp_load(filter) < 0)
            _exit(2);
        beneath();
        refuses_to_leave("d/b/f", "cannot open 'd/b/f': Not a directory");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(unlinkat(dir, "file", 0) | unlinkat(dir, "d", 0), 0);
    assert_int_equal(directory_remove(dir, "a", NULL), 0);
}

static void tails(void **state)
{
    char *tail;

    (void)state;
    assert_null(file_tail(dir, "missing", 10));
    assert_int_equal(file_write(dir, "f", "one\ntwo\nthree\n", 14, NULL), 0);
    tail = file_tail(dir, "f", 100);
    assert_string_equal(tail, "one\ntwo\nthree\n");
    free(tail);
    tail = file_tail(dir, "f", 14);
    assert_string_equal(tail, "one\ntwo\nthree\n");
    free(tail);
    tail = file_tail(dir, "f", 12); /* within "one": starts at the next line */
    assert_string_equal(tail, "two\nthree\n");
    free(tail);
    tail = file_tail(dir, "f", 3); /* one line, longer than the limit: its end */
    assert_string_equal(tail, "ee\n");
    free(tail);
    assert_int_equal(file_write(dir, "f", "", 0, NULL), 0);
    tail = file_tail(dir, "f", 10);
    assert_string_equal(tail, "");
    free(tail);
    assert_int_equal(unlinkat(dir, "f", 0), 0);
}

static void proc_files(void **state)
{
    cleanup_close int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    cleanup_free char *peeked = file_peek("/proc/self/comm");
    char buffer[64], small[4];

    (void)state;
    assert_non_null(peeked);
    assert_null(strchr(peeked, '\n'));
    assert_null(file_peek("/proc/self/no-such"));
    for (int i = 0; i < 3; i++) { /* each time from the start */
        assert_int_equal(file_again(fd, buffer, sizeof(buffer)), strlen(peeked) + 1);
        assert_memory_equal(buffer, peeked, strlen(peeked));
    }
    assert_int_equal(file_again(fd, small, sizeof(small)), 3);
    assert_int_equal(small[3], '\0');
    assert_int_equal(file_again(-1, small, sizeof(small)), -1);
    assert_string_equal(small, "");
}

static void directories(void **state)
{
    struct bench_error err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(directory_make(dir, "a/b/c", &err), 0);
    assert_int_equal(directory_make(dir, "a/b/c", &err), 0);
    assert_int_equal(fstatat(dir, "a/b/c", &st, 0), 0);
    assert_int_equal(file_write(dir, "a/b/f", "x", 1, &err), 0);
    assert_int_equal(directory_make(dir, "a/b/f", &err), -1);
    assert_string_equal(err.message, "'a/b/f' is not a directory");
    assert_int_equal(directory_make(dir, "a/b/f/g", &err), -1);
    assert_string_equal(err.message, "cannot create directory 'a/b/f/g': Not a directory");
}

static void removal_does_not_follow_links(void **state)
{
    struct bench_error err = {0};
    struct stat st;

    (void)state;
    assert_int_equal(directory_make(dir, "keep", &err), 0);
    assert_int_equal(file_write(dir, "keep/f", "x", 1, &err), 0);
    assert_int_equal(directory_make(dir, "r/s", &err), 0);
    assert_int_equal(symlinkat("../../keep", dir, "r/s/link"), 0);
    assert_int_equal(directory_remove(dir, "r", &err), 0);
    assert_int_equal(fstatat(dir, "r", &st, 0), -1);
    assert_int_equal(fstatat(dir, "keep/f", &st, 0), 0);
    assert_int_equal(symlinkat("keep", dir, "link"), 0);
    assert_int_equal(directory_remove(dir, "link", &err), 0);
    assert_int_equal(fstatat(dir, "keep/f", &st, 0), 0);
    assert_int_equal(directory_remove(dir, "missing", &err), 0);
    assert_int_equal(directory_remove(dir, "keep/f", &err), 0); /* a file is removed as well */
    assert_int_equal(fstatat(dir, "keep/f", &st, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(large_files),
        cmocka_unit_test(writes_are_atomic),
        cmocka_unit_test(pipes_and_links_stay),
        cmocka_unit_test(a_store_has_regular_files_only),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(paths_of_others_lead_down),
        cmocka_unit_test(tails),
        cmocka_unit_test(proc_files),
        cmocka_unit_test(directories),
        cmocka_unit_test(removal_does_not_follow_links),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
