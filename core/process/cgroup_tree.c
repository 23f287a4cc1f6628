/* SPDX-License-Identifier: Apache-2.0 */
#include "process/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#define LIST_LIMIT (4 << 20)

size_t tree_pids(int dirfd, pid_t **ret_pids)
{
    cleanup_free char *list = NULL;
    size_t count = 0, capacity = 0;
    pid_t *pids = NULL;

    *ret_pids = NULL;
    if (file_read(dirfd, "cgroup.procs", LIST_LIMIT, &list, NULL, NULL) < 0)
        return 0;
    for (char *p = list, *end; *p; p = *end ? end + 1 : end) {
        long pid = strtol(p, &end, 10);

        if (end == p)
            break;
        pids = grow(pids, &capacity, count + 1, sizeof(*pids));
        pids[count++] = (pid_t)pid;
    }
    *ret_pids = pids;
    return count;
}

/* Calls `visit` for each group directly below. */
static void each_child(int dirfd, void (*visit)(int dirfd, const char *name, void *data),
                       void *data)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(dir)))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            visit(dirfd, entry->d_name, data);
    closedir(dir);
}

static int open_group(int dirfd, const char *name)
{
    return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* cgroup.kill (Linux 5.14, version 2) reaches the whole tree and leaves no race with fork(). */
static bool kill_at_once(int dirfd)
{
    cleanup_close int fd = openat(dirfd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, "1", 1) == 1;
}

static void kill_child(int dirfd, const char *name, void *data)
{
    cleanup_close int fd = open_group(dirfd, name);

    if (fd >= 0)
        *(size_t *)data += tree_kill(fd);
}

size_t tree_kill(int dirfd)
{
    cleanup_free pid_t *pids = NULL;
    size_t count = tree_pids(dirfd, &pids), total = count;
    pid_t self = getpid();

    each_child(dirfd, kill_child, &total);
    if (kill_at_once(dirfd))
        return total;
    for (size_t i = 0; i < count; i++)
        if (pids[i] > 0 && pids[i] != self)
            kill(pids[i], SIGKILL);
    return total;
}

static void remove_child(int dirfd, const char *name, void *data)
{
    cleanup_close int fd = open_group(dirfd, name);

    (void)data;
    if (fd >= 0)
        tree_remove_below(fd);
    unlinkat(dirfd, name, AT_REMOVEDIR);
}

void tree_remove_below(int dirfd)
{
    each_child(dirfd, remove_child, NULL);
}

/* One attempt: 0 when the group is gone. */
static int destroy_now(const char *parent, const char *name)
{
    cleanup_close int dirfd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int fd = dirfd < 0 ? -1 : open_group(dirfd, name);

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    tree_kill(fd);
    tree_remove_below(fd);
    return unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

int tree_destroy(const char *parent, const char *name, int64_t patience_ns)
{
    int64_t deadline = clock_now() + patience_ns, pause_ns = 200 * NS_PER_US;

    /* Also a lack of descriptors passes. */
    while (destroy_now(parent, name) < 0) {
        struct timespec pause = clock_timespec(pause_ns);

        if (clock_now() > deadline)
            return -1;
        nanosleep(&pause, NULL);
        if (pause_ns < 5 * NS_PER_MS)
            pause_ns *= 2;
    }
    return 0;
}
