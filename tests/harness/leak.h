/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is anything left? For tests that kill the bench at any moment.
 *
 * A program to be watched is exec'ed with LEAK_MARKER=<something unique> in its environment; every
 * process that it forks, or that these exec, carries it in /proc/PID/environ. Its control groups
 * are known by their id, its network namespace by the inode number.
 *
 * Zombies do not count: they hold nothing but a number, and process 1 reaps as slowly as it likes.
 */
#ifndef HARNESS_LEAK_H
#define HARNESS_LEAK_H

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <mntent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEAK_MARKER "BENCH_LEAK_MARKER"

/* "LEAK_MARKER=<unique>", for putenv() or envp. */
static inline void leak_marker(char *out, size_t size)
{
    static int count;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(out, size, LEAK_MARKER "=%d-%d-%lld", (int)getpid(), count++,
             (long long)now.tv_sec * 1000000000 + now.tv_nsec);
}

static inline bool leak_file_holds(const char *path, const char *needle)
{
    static char buffer[1 << 20];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n, length = 0;

    if (fd < 0)
        return false;
    while ((n = read(fd, buffer + length, sizeof(buffer) - (size_t)length)) > 0)
        length += n;
    close(fd);
    return length > 0 && memmem(buffer, (size_t)length, needle, strlen(needle));
}

/* Calls `fn` for every process; stops when it returns true. */
static inline bool leak_any_process(bool (*fn)(const char *pid, void *context), void *context)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    bool found = false;

    while (!found && (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            found = fn(entry->d_name, context);
    closedir(proc);
    return found;
}

struct leak_search {
    const char *wanted;
    char *out; /* what was found */
    size_t size;
};

static inline bool leak_has_marker(const char *pid, void *context)
{
    struct leak_search *s = context;
    char path[300], comm[64] = "";
    int fd;

    snprintf(path, sizeof(path), "/proc/%s/environ", pid);
    if (atoi(pid) == getpid() || !leak_file_holds(path, s->wanted))
        return false;
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, comm, sizeof(comm) - 1);

        comm[n > 0 ? n - 1 : 0] = '\0';
        close(fd);
    }
    snprintf(s->out, s->size, "process %s (%s)", pid, comm);
    return true;
}

/* True when a live process other than this one carries the marker; `out` names it. */
static inline bool leak_process(const char *marker, char *out, size_t size)
{
    struct leak_search s = {.wanted = marker, .out = out, .size = size};

    return leak_any_process(leak_has_marker, &s);
}

static inline bool leak_links_to(const char *directory, const char *target)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir))) {
        char link[64];
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

        found = n > 0 && (size_t)n == strlen(target) && strncmp(link, target, (size_t)n) == 0;
    }
    if (dir)
        closedir(dir);
    return found;
}

static inline bool leak_holds_namespace(const char *pid, void *context)
{
    struct leak_search *s = context;
    char path[300];
    bool found;

    snprintf(path, sizeof(path), "/proc/%s/ns", pid);
    found = leak_links_to(path, s->wanted);
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    found = found || leak_links_to(path, s->wanted);
    if (found)
        snprintf(s->out, s->size, "process %s holds %s", pid, s->wanted);
    return found;
}

/* `name` as readlink shows it: "net:[4026532219]". */
static inline bool leak_namespace(const char *name, char *out, size_t size)
{
    struct leak_search s = {.wanted = name, .out = out, .size = size};

    return leak_any_process(leak_holds_namespace, &s);
}

/* nftw() takes no context. */
static struct leak_search leak_group_search;

static inline int leak_visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    if (type != FTW_D ||
        strncmp(path + at->base, leak_group_search.wanted, strlen(leak_group_search.wanted)) != 0)
        return 0;
    snprintf(leak_group_search.out, leak_group_search.size, "control group %s", path);
    return 1;
}

/* True when any hierarchy has a group whose name begins with `id`. */
static inline bool leak_group(const char *id, char *out, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent *m;
    bool found = false;

    leak_group_search = (struct leak_search){.wanted = id, .out = out, .size = size};
    while (!found && (m = getmntent(mounts)))
        if (strncmp(m->mnt_type, "cgroup", 6) == 0)
            found = nftw(m->mnt_dir, leak_visit, 16, FTW_PHYS) == 1;
    endmntent(mounts);
    return found;
}

/* Waits until nothing is left, at most `seconds`. `id` and `namespace` may be "": not checked. True
 * when something stayed; `out` says what. */
static inline bool leak_anything(const char *marker, const char *id, const char *namespace,
                                 int seconds, char *out, size_t size)
{
    struct timespec now;
    time_t deadline;

    clock_gettime(CLOCK_MONOTONIC, &now);
    deadline = now.tv_sec + seconds + 1;
    for (;;) {
        if (!leak_process(marker, out, size) && !(*id && leak_group(id, out, size)) &&
            !(*namespace && leak_namespace(namespace, out, size)))
            return false;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= deadline)
            return true;
        poll(NULL, 0, 5);
    }
}

#endif
