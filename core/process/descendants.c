/* SPDX-License-Identifier: Apache-2.0 */
#include "process/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

struct pids {
    pid_t *items;
    size_t count, capacity;
};

static bool is_alive(pid_t pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/stat", (int)pid);
    cleanup_free char *stat = file_peek(path);
    char *end = stat ? strrchr(stat, ')') : NULL; /* the name before it may hold anything */

    return end && end[1] && !strchr("ZX", end[2]);
}

static void add_children_of_thread(struct pids *p, pid_t pid, const char *tid)
{
    cleanup_free char *path = xasprintf("/proc/%d/task/%s/children", (int)pid, tid);
    cleanup_free char *list = file_peek(path);
    char *next = list;

    while (next && *next) {
        char *end;
        long child = strtol(next, &end, 10);

        if (end == next)
            break;
        p->items = grow(p->items, &p->capacity, p->count + 1, sizeof(*p->items));
        p->items[p->count++] = (pid_t)child;
        next = end;
    }
}

/* Children hang on the thread that forked them. */
static void add_children(struct pids *p, pid_t pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    struct dirent *entry;

    if (!threads)
        return;
    while ((entry = readdir(threads)))
        if (isdigit((unsigned char)entry->d_name[0]))
            add_children_of_thread(p, pid, entry->d_name);
    closedir(threads);
}

size_t descendants_find(pid_t root, pid_t **ret_pids)
{
    struct pids found = {0};
    size_t alive = 0;

    add_children(&found, root);
    for (size_t i = 0; i < found.count; i++)
        add_children(&found, found.items[i]);
    for (size_t i = 0; i < found.count; i++)
        if (is_alive(found.items[i]))
            found.items[alive++] = found.items[i];
    *ret_pids = found.items;
    return alive;
}

size_t descendants_kill(pid_t root)
{
    cleanup_free pid_t *pids = NULL;
    size_t n = descendants_find(root, &pids);

    for (size_t i = 0; i < n; i++)
        kill(pids[i], SIGKILL);
    return n;
}

static bool is_among(pid_t pid, const pid_t *own, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (own[i] == pid)
            return true;
    return false;
}

int descendants_kill_adopted(const pid_t *own, size_t n, int64_t deadline_ns)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};

    for (;;) {
        struct pids children = {0};
        bool found = false;

        add_children(&children, getpid());
        for (size_t i = 0; i < children.count; i++) {
            pid_t pid = children.items[i];

            if (is_among(pid, own, n))
                continue;
            descendants_kill(pid);
            kill(pid, SIGKILL);
            waitpid(pid, NULL, WNOHANG);
            found = true; /* once more: its own children come to this process too */
        }
        free(children.items);
        if (!found)
            return 0;
        if (clock_now() > deadline_ns)
            return -1;
        nanosleep(&pause, NULL);
    }
}

static pid_t supervisor; /* of the process, as its parent is */

void supervisor_is(pid_t pid)
{
    supervisor = pid;
}

pid_t supervisor_pid(void)
{
    return supervisor;
}
