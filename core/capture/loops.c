/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/loops.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

/* "NUMBER 0xFIRST 0x… …" of a thread that sleeps in a system call, "running", or "-1 …". */
static bool blocked_in(pid_t pid, pid_t tid, long *ret_call, long *ret_first)
{
    char path[64], text[256], *end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    *ret_call = strtol(text, &end, 10);
    if (end == text)
        *ret_call = -1;
    *ret_first = strtol(end, NULL, 16);
    return true;
}

static bool waits_for_events(long call)
{
    return call == SYS_epoll_pwait
#ifdef SYS_epoll_wait
           || call == SYS_epoll_wait
#endif
#ifdef SYS_epoll_pwait2
           || call == SYS_epoll_pwait2
#endif
        ;
}

static bool accepts(long call)
{
    return call == SYS_accept4
#ifdef SYS_accept
           || call == SYS_accept
#endif
        ;
}

bool loops_supported(void)
{
    long call, first;

    return blocked_in(getpid(), getpid(), &call, &first);
}

/* "tfd: 6 events: 2019 data: 6  pos:0 ino:3e5a sdev:8" for each descriptor in it. */
static bool has_listener(pid_t pid, int fd, const uint64_t *listeners, size_t n)
{
    cleanup_free char *path = xasprintf("/proc/%d/fdinfo/%d", (int)pid, fd);
    FILE *file = fopen(path, "re");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *number = strncmp(line, "tfd:", 4) == 0 ? strstr(line, " ino:") : NULL;
        uint64_t inode = number ? strtoull(number + 5, NULL, 16) : 0;

        for (size_t i = 0; i < n && number && !found; i++)
            found = listeners[i] == inode;
    }
    if (file)
        fclose(file);
    return found;
}

static bool loop_accepts(pid_t pid, int fd, struct network *network)
{
    cleanup_free uint64_t *listeners = NULL;
    size_t n = network_listeners(network, &listeners);

    return has_listener(pid, fd, listeners, n);
}

static const struct loop *find(const struct loops *l, pid_t pid, int fd)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].pid == pid && l->items[i].fd == fd)
            return &l->items[i];
    return NULL;
}

int loops_find(struct loops *l, pid_t pid, pid_t tid, struct network *network)
{
    long call, fd;
    const struct loop *known;

    if (!blocked_in(pid, tid, &call, &fd))
        return LOOP_UNKNOWN;
    if (accepts(call))
        return LOOP_ACCEPT;
    if (!waits_for_events(call))
        return LOOP_UNKNOWN;
    known = find(l, pid, (int)fd);
    if (known) {
        l->items[known - l->items].shared |= known->tid != tid;
        return (int)(known - l->items);
    }
    l->items = grow(l->items, &l->capacity, l->count + 1, sizeof(*l->items));
    l->items[l->count] = (struct loop){
        .pid = pid, .fd = (int)fd, .tid = tid, .accepts = loop_accepts(pid, (int)fd, network)};
    return (int)l->count++;
}

static bool is_epoll(int directory, const char *name)
{
    char target[64];
    ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

    target[n > 0 ? n : 0] = '\0';
    return strcmp(target, "anon_inode:[eventpoll]") == 0;
}

size_t loops_unseen(const struct loops *l, pid_t pid, struct network *network)
{
    cleanup_free char *path = xasprintf("/proc/%d/fd", (int)pid);
    cleanup_free uint64_t *listeners = NULL;
    size_t n = network_listeners(network, &listeners), unseen = 0;
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        if (is_epoll(dirfd(directory), entry->d_name) && !find(l, pid, atoi(entry->d_name)))
            unseen += has_listener(pid, atoi(entry->d_name), listeners, n);
    if (directory)
        closedir(directory);
    return unseen;
}

void loops_release(struct loops *l)
{
    free(l->items);
    *l = (struct loops){0};
}
