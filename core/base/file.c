/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

/* Only a regular file never makes its reader wait for somebody. Takes the descriptor. */
static int check_regular(int fd, const char *path, struct bench_error *err)
{
    cleanup_close int own = fd;
    struct stat st;

    /* A socket, and a device without its driver, do not even open. */
    bool none = fd < 0 && (errno == ENXIO || errno == ENODEV);

    if (!none && (fd < 0 || fstat(fd, &st) < 0))
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", path);
    if (none || !S_ISREG(st.st_mode))
        return error_set(err, BENCH_ERROR_RUN, "'%s' is not a regular file", path);
    own = -1;
    return fd;
}

enum { READING = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

int file_open(int dirfd, const char *path, struct bench_error *err)
{
    return check_regular(openat(dirfd, path, READING), path, err);
}

bool path_is_beneath(const char *path)
{
    if (!*path || *path == '/')
        return false;
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");

        if (n == 2 && p[0] == '.' && p[1] == '.')
            return false;
        p += n + (p[n] == '/');
    }
    return true;
}

/* One component at a time, where the kernel is older than openat2() (5.6) or a sandbox forbids it.
 */
static int walk_beneath(int dirfd, const char *path)
{
    cleanup_close int at = -1;
    cleanup_free char *copy = xstrdup(path);
    char *name = copy, *slash;

    while ((slash = strchr(name, '/'))) {
        int next;

        *slash = '\0';
        next = openat(at < 0 ? dirfd : at, *name ? name : ".",
                      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return -1;
        if (at >= 0)
            close(at);
        at = next;
        name = slash + 1;
    }
    return openat(at < 0 ? dirfd : at, name, READING | O_NOFOLLOW);
}

static int open_beneath(int dirfd, const char *path)
{
    struct open_how how = {.flags = READING, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    long fd;

    do
        fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? walk_beneath(dirfd, path) : (int)fd;
}

int file_open_beneath(int dirfd, const char *path, struct bench_error *err)
{
    int fd;

    if (!path_is_beneath(path))
        return error_set(err, BENCH_ERROR_RUN, "'%s' leads out of its directory", path);
    fd = open_beneath(dirfd, path);
    if (fd < 0 && errno == ELOOP)
        return error_set(err, BENCH_ERROR_RUN, "'%s' leads through a symbolic link", path);
    return check_regular(fd, path, err);
}

int file_read(int dirfd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
              struct bench_error *err)
{
    cleanup_close int fd = file_open(dirfd, path, err);

    return fd < 0 ? -1 : file_read_fd(fd, path, limit, ret_data, ret_length, err);
}

int file_read_beneath(int dirfd, const char *path, size_t limit, char **ret_data,
                      size_t *ret_length, struct bench_error *err)
{
    cleanup_close int fd = file_open_beneath(dirfd, path, err);

    return fd < 0 ? -1 : file_read_fd(fd, path, limit, ret_data, ret_length, err);
}

int file_read_fd(int fd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
                 struct bench_error *err)
{
    cleanup_free char *data = NULL;
    size_t length = 0, capacity = 0;

    for (;;) {
        ssize_t n;

        data = grow(data, &capacity, length + 4096, 1);
        n = read(fd, data + length, capacity - length - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read '%s'", path);
        if (n == 0)
            break;
        length += (size_t)n;
        if (length > limit)
            return error_set(err, BENCH_ERROR_RUN, "'%s' is larger than %zu bytes", path, limit);
    }
    data[length] = '\0';
    *ret_data = data;
    data = NULL;
    if (ret_length)
        *ret_length = length;
    return 0;
}

char *file_peek(const char *path)
{
    char *data;
    size_t length;

    if (file_read(AT_FDCWD, path, 1 << 20, &data, &length, NULL) < 0)
        return NULL;
    if (length && data[length - 1] == '\n')
        data[length - 1] = '\0';
    return data;
}

ssize_t file_again(int fd, char *buffer, size_t size)
{
    ssize_t n;

    do
        n = pread(fd, buffer, size - 1, 0);
    while (n < 0 && errno == EINTR);
    buffer[n > 0 ? n : 0] = '\0';
    return n;
}

char *file_tail(int dirfd, const char *path, size_t limit)
{
    cleanup_close int fd = file_open(dirfd, path, NULL);
    cleanup_free char *data = NULL;
    struct stat st;
    off_t start;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return NULL;
    start = st.st_size > (off_t)limit ? st.st_size - (off_t)limit : 0;
    data = xcalloc(limit + 1, 1);
    n = pread(fd, data, limit, start);
    if (n < 0)
        return NULL;
    data[n] = '\0';
    for (char *nul = data; (nul = memchr(nul, '\0', (size_t)(data + n - nul)));)
        *nul = '?';
    if (start > 0) {
        char *line = strchr(data, '\n');

        if (line && line[1])
            return xstrdup(line + 1);
    }
    return xstrdup(data);
}

/* Says what to do about the failures that the user can fix. */
static int write_failed(struct bench_error *err, int errnum, const char *what, const char *path)
{
    error_errno(err, BENCH_ERROR_RUN, errnum, "%s '%s'", what, path);
    if (errnum == ENOSPC || errnum == EDQUOT)
        error_hint(err, "the disk or the quota is full: free some space, or use another directory");
    if (errnum == EFBIG)
        error_hint(err, "a limit on the size of files is in force, see 'ulimit -f'");
    return -1;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

/* A device, a pipe or what a link points to: renaming a file over it would take its place. */
static int write_in_place(int dirfd, const char *path, const char *data, size_t length,
                          struct bench_error *err)
{
    cleanup_close int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write_all(fd, data, length) < 0)
        return write_failed(err, errno, "cannot write", path);
    return 0;
}

/* A name that none can have prepared: the file is new, whatever others put beside it. */
static int make_temporary(int dirfd, const char *path, char **ret_name, struct bench_error *err)
{
    enum { TRIES = 8 };
    cleanup_free char *name = NULL;
    int fd = -1;

    for (int i = 0; i < TRIES && fd < 0; i++) {
        free(name);
        name = xasprintf("%s.tmp.%08x", path, (unsigned)random_seed());
        fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        return write_failed(err, errno, "cannot create", name);
    *ret_name = name;
    name = NULL;
    return fd;
}

static int replace(int dirfd, const char *path, const char *data, size_t length,
                   struct bench_error *err)
{
    cleanup_free char *temporary = NULL;
    cleanup_close int fd = make_temporary(dirfd, path, &temporary, err);

    if (fd < 0)
        return -1;
    if (write_all(fd, data, length) < 0 || fsync(fd) < 0 ||
        renameat(dirfd, temporary, dirfd, path) < 0) {
        int saved = errno;

        unlinkat(dirfd, temporary, 0);
        return write_failed(err, saved, "cannot write", path);
    }
    return 0;
}

/* Something is there that a file must not take the place of. */
static bool is_special(int dirfd, const char *path)
{
    struct stat st;

    return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode) &&
           !S_ISDIR(st.st_mode);
}

int file_write(int dirfd, const char *path, const char *data, size_t length,
               struct bench_error *err)
{
    if (is_special(dirfd, path)) {
        error_set(err, BENCH_ERROR_RUN, "cannot write '%s': it is not a regular file", path);
        error_hint(err, "remove it: a link or a device has no place there");
        return -1;
    }
    return replace(dirfd, path, data, length, err);
}

int file_write_out(int dirfd, const char *path, const char *data, size_t length,
                   struct bench_error *err)
{
    return is_special(dirfd, path) ? write_in_place(dirfd, path, data, length, err)
                                   : replace(dirfd, path, data, length, err);
}

int directory_make(int dirfd, const char *path, struct bench_error *err)
{
    cleanup_free char *copy = xstrdup(path);
    struct stat st;

    for (char *p = copy + 1; *copy; p++) {
        char c = *p;

        if (c && c != '/')
            continue;
        *p = '\0';
        if (mkdirat(dirfd, copy, 0755) < 0 && errno != EEXIST)
            return write_failed(err, errno, "cannot create directory", copy);
        *p = c;
        if (!c)
            break;
    }
    if (fstatat(dirfd, path, &st, 0) < 0 || !S_ISDIR(st.st_mode))
        return error_set(err, BENCH_ERROR_RUN, "'%s' is not a directory", path);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int directory_list(int dirfd, const char *path, struct strings *ret, struct bench_error *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int saved = errno;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", path);
    }
    while (errno = 0, (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            strings_add(ret, entry->d_name);
    saved = errno;
    closedir(dir);
    if (saved)
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", path);
    if (ret->count)
        qsort(ret->items, ret->count, sizeof(*ret->items), by_name);
    return 0;
}

int directory_remove(int dirfd, const char *path, struct bench_error *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct dirent *entry;
    DIR *dir;

    if (fd < 0) {
        if (errno == ENOENT)
            return 0;
        if ((errno == ENOTDIR || errno == ELOOP) && unlinkat(dirfd, path, 0) == 0)
            return 0;
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot remove '%s'", path);
    }
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return error_errno(err, BENCH_ERROR_RUN, ENOMEM, "cannot remove '%s'", path);
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) < 0 && directory_remove(fd, entry->d_name, err) < 0) {
            closedir(dir);
            return -1;
        }
    }
    closedir(dir);
    if (unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot remove '%s'", path);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void close_descriptors_but(int *keep, size_t n)
{
    unsigned next = 3;

    qsort(keep, n, sizeof(*keep), by_number);
    for (size_t i = 0; i < n; i++) {
        if (keep[i] < 3)
            continue;
        if ((unsigned)keep[i] > next)
            close_range(next, (unsigned)keep[i] - 1, 0);
        next = (unsigned)keep[i] + 1;
    }
    close_range(next, ~0U, 0);
}
