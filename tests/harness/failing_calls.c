/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: call number N of a class fails, once, in the bench or in what it forked.
 *
 *   FAIL_CLASS   malloc, open, write, fork, clone, mmap, pipe, epoll, rename, fsync
 *   FAIL_STATE   a file of two 32-bit numbers, which all processes share: how many calls are left until
 *                the one that fails (N at first; 0 or less: it failed), and the class in which it did
 *   FAIL_PROGRAM only a process whose program is that one counts, so that what bench starts is let be
 *
 * Written text that is buffered (a FILE) fails when it is flushed or closed, as it does on a full disk.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum class { NONE, MALLOC, OPEN, WRITE, FORK, CLONE, MMAP, PIPE, EPOLL, RENAME, FSYNC, CLASSES };

static const struct {
    const char *name;
    int error;
} classes[CLASSES] = {
    [MALLOC] = {"malloc", ENOMEM}, [OPEN] = {"open", EMFILE},     [WRITE] = {"write", ENOSPC},
    [FORK] = {"fork", EAGAIN},     [CLONE] = {"clone", EAGAIN},   [MMAP] = {"mmap", ENOMEM},
    [PIPE] = {"pipe", EMFILE},     [EPOLL] = {"epoll", ENOSPC},   [RENAME] = {"rename", EIO},
    [FSYNC] = {"fsync", EIO},
};

static enum class chosen; /* NONE: this process does not count */
static atomic_int *left;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

__attribute__((constructor)) static void set_up(void)
{
    const char *name = getenv("FAIL_CLASS"), *state = getenv("FAIL_STATE");
    const char *program = getenv("FAIL_PROGRAM");
    char self[4096] = "";
    int fd;

    if (!name || !state || !program || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
        strcmp(self, program) != 0)
        return;
    fd = (int)syscall(SYS_openat, AT_FDCWD, state, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        _exit(99);
    left = mmap(NULL, 2 * sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (left == MAP_FAILED)
        _exit(99);
    for (enum class c = MALLOC; c < CLASSES; c++)
        if (strcmp(name, classes[c].name) == 0)
            chosen = c;
    if (chosen == NONE)
        _exit(99);
}

/* Counts a call; true and errno when it is the one that fails. */
static bool fails(enum class c)
{
    if (c != chosen || atomic_fetch_sub(left, 1) != 1)
        return false;
    atomic_store(left + 1, c);
    errno = classes[c].error;
    return true;
}

#define NEXT(name)                                                                                 \
    ({                                                                                             \
        static __typeof__(name) *next;                                                             \
        if (!next)                                                                                 \
            next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                    \
        next;                                                                                      \
    })

/* name(parameters) → what the next one returns, or `failure`. */
#define CALL(type, class, failure, name, parameters, arguments)                                    \
    type name parameters                                                                           \
    {                                                                                              \
        return fails(class) ? failure : NEXT(name) arguments;                                      \
    }

void *malloc(size_t n)
{
    return fails(MALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails(MALLOC) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return size && fails(MALLOC) ? NULL : __libc_realloc(p, size);
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN_CALL(name)                                                                            \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list arguments;                                                                         \
        mode_t mode;                                                                               \
        va_start(arguments, flags);                                                                \
        mode = mode_of(flags, arguments);                                                          \
        va_end(arguments);                                                                         \
        return fails(OPEN) ? -1 : NEXT(name)(path, flags, mode);                                   \
    }
#define OPENAT_CALL(name)                                                                          \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list arguments;                                                                         \
        mode_t mode;                                                                               \
        va_start(arguments, flags);                                                                \
        mode = mode_of(flags, arguments);                                                          \
        va_end(arguments);                                                                         \
        return fails(OPEN) ? -1 : NEXT(name)(at, path, flags, mode);                               \
    }

OPEN_CALL(open)
OPEN_CALL(open64)
OPENAT_CALL(openat)
OPENAT_CALL(openat64)
CALL(FILE *, OPEN, NULL, fopen, (const char *path, const char *mode), (path, mode))
CALL(FILE *, OPEN, NULL, fopen64, (const char *path, const char *mode), (path, mode))
CALL(DIR *, OPEN, NULL, opendir, (const char *path), (path))

CALL(ssize_t, WRITE, -1, write, (int fd, const void *data, size_t n), (fd, data, n))
CALL(ssize_t, WRITE, -1, pwrite, (int fd, const void *data, size_t n, off_t at), (fd, data, n, at))
CALL(ssize_t, WRITE, -1, pwrite64, (int fd, const void *data, size_t n, off64_t at),
     (fd, data, n, at))
CALL(ssize_t, WRITE, -1, writev, (int fd, const struct iovec *v, int n), (fd, v, n))

int fflush(FILE *f)
{
    if (f && __fwritable(f) && __fpending(f) && fails(WRITE)) {
        f->_flags |= 0x20; /* the error that ferror() tells */
        __fpurge(f);
        errno = classes[WRITE].error;
        return EOF;
    }
    return NEXT(fflush)(f);
}

int fclose(FILE *f)
{
    bool bad = __fwritable(f) && __fpending(f) && fails(WRITE);

    if (bad)
        __fpurge(f);
    if (NEXT(fclose)(f) == 0 && !bad)
        return 0;
    if (bad)
        errno = classes[WRITE].error;
    return EOF;
}

CALL(pid_t, FORK, -1, fork, (void), ())
CALL(int, FORK, classes[FORK].error, posix_spawn,
     (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]),
     (pid, path, actions, attributes, argv, envp))

/* The system calls that are made without a function of their own. */
long syscall(long number, ...)
{
    va_list list;
    long a[6];

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if ((number == SYS_openat2 && fails(OPEN)) ||
        ((number == SYS_clone3 || number == SYS_clone) && fails(CLONE)))
        return -1;
    return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

CALL(void *, MMAP, MAP_FAILED, mmap, (void *at, size_t n, int p, int flags, int fd, off_t offset),
     (at, n, p, flags, fd, offset))
CALL(void *, MMAP, MAP_FAILED, mmap64,
     (void *at, size_t n, int p, int flags, int fd, off64_t offset), (at, n, p, flags, fd, offset))

CALL(int, PIPE, -1, pipe, (int ends[2]), (ends))
CALL(int, PIPE, -1, pipe2, (int ends[2], int flags), (ends, flags))
CALL(int, PIPE, -1, socketpair, (int domain, int type, int protocol, int ends[2]),
     (domain, type, protocol, ends))

CALL(int, EPOLL, -1, epoll_create1, (int flags), (flags))
CALL(int, EPOLL, -1, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event),
     (epoll, what, fd, event))

CALL(int, RENAME, -1, rename, (const char *from, const char *to), (from, to))
CALL(int, RENAME, -1, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))

CALL(int, FSYNC, -1, fsync, (int fd), (fd))
CALL(int, FSYNC, -1, fdatasync, (int fd), (fd))
