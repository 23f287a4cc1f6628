/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

int file_read(int dirfd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
              struct bench_error *err)
{
    cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot open '%s'", path);
    return file_read_fd(fd, path, limit, ret_data, ret_length, err);
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
    cleanup_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
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
    if (start > 0) {
        char *line = strchr(data, '\n');

        if (line && line[1])
            return xstrdup(line + 1);
    }
    return xstrdup(data);
}

/* Says what to do about the failures that the user can mend. */
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

int file_write(int dirfd, const char *path, const char *data, size_t length,
               struct bench_error *err)
{
    cleanup_free char *temporary = xasprintf("%s.tmp.%d", path, (int)getpid());
    cleanup_close int fd = -1;
    struct stat st;

    if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode) &&
        !S_ISDIR(st.st_mode))
        return write_in_place(dirfd, path, data, length, err);
    fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return write_failed(err, errno, "cannot create", temporary);
    if (write_all(fd, data, length) < 0 || fsync(fd) < 0 ||
        renameat(dirfd, temporary, dirfd, path) < 0) {
        int saved = errno;

        unlinkat(dirfd, temporary, 0);
        return write_failed(err, saved, "cannot write", path);
    }
    return 0;
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

    if (!dir) {
        int saved = errno;

        if (fd >= 0)
            close(fd);
        errno = saved;
        return error_errno(err, BENCH_ERROR_RUN, saved, "cannot read directory '%s'", path);
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            strings_add(ret, entry->d_name);
    closedir(dir);
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
