/* SPDX-License-Identifier: Apache-2.0 */
/* Whose groups they are: the id that names them, and removing those of benches that are gone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "process/cgroup.h"
#include "process/cgroup_tree.h"
#include "process/descendants.h"

#define PATIENCE_NS (2 * NS_PER_S)

enum { DEEPEST = 16 };

struct owner {
    unsigned long long namespace, start;
    int pid;
};

static unsigned long long own_namespace(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) < 0 ? 0 : (unsigned long long)st.st_ino;
}

/* Field 22 of /proc/PID/stat, in clock ticks after boot; 0 when there is no such live process. */
static unsigned long long start_of(int pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/stat", pid);
    cleanup_free char *stat = file_peek(path);
    char *p = stat ? strrchr(stat, ')') : NULL; /* the name before it may hold anything */

    if (!p || !p[1] || strchr("ZX", p[2]))
        return 0;
    for (int field = 2; field < 22 && p; field++)
        p = strchr(p + 1, ' ');
    return p ? strtoull(p, NULL, 10) : 0;
}

const char *cgroup_owner_id(char *out, size_t size)
{
    pid_t supervisor = supervisor_pid();
    int pid = (int)(supervisor ? supervisor : getpid()); /* the one that the user has started */

    snprintf(out, size, "bench-%llu-%d-%llu", own_namespace(), pid, start_of(pid));
    return out;
}

/* Reads "bench-PIDNS-PID-STARTTIME"; returns what follows, or NULL when it is something else. */
static const char *parse(const char *name, struct owner *ret)
{
    int end = 0;

    if (sscanf(name, "bench-%llu-%d-%llu%n", &ret->namespace, &ret->pid, &ret->start, &end) < 3)
        return NULL;
    return name + end;
}

/* The directories that hold our groups, one per hierarchy. */
static void parents(const struct cgroup_host *h, struct strings *out)
{
    if (h->v2_mount[0])
        strings_addf(out, "%s%s", h->v2_mount, h->parent);
    if (h->cpu == CGROUP_V1)
        strings_addf(out, "%s%s", h->cpu_mount, h->cpu_parent);
    if (h->accounting == CGROUP_V1)
        strings_addf(out, "%s%s", h->accounting_mount, h->accounting_parent);
}

/* ---- claims ---- */

/* Another bench may sweep the new group before it is locked: then it is made again. */
static int claim(const char *path)
{
    for (int tries = 0; tries < 10; tries++) {
        struct stat locked, there;
        int fd;

        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -1;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX) == 0 && fstat(fd, &locked) == 0 && stat(path, &there) == 0 &&
            locked.st_ino == there.st_ino)
            return fd;
        close(fd);
    }
    return -1;
}

void cgroup_claim(const struct cgroup_host *h, const char *id, struct cgroup_claim *ret)
{
    cleanup_strings struct strings tops = {0};

    for (size_t i = 0; i < ARRAY_SIZE(ret->fds); i++)
        ret->fds[i] = -1;
    if (h->can_group)
        parents(h, &tops);
    for (size_t i = 0; i < tops.count; i++) {
        cleanup_free char *path = xasprintf("%s/%s", tops.items[i], id);

        ret->fds[i] = claim(path);
    }
}

void cgroup_claim_release(struct cgroup_claim *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(c->fds); i++)
        cleanup_closep(&c->fds[i]);
}

/* Only a lock that can be had says that there is no owner. As long as it is held, no other bench can
 * claim the group. Returns its descriptor, or -1. */
static int lock_unclaimed(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The process itself shows where there are no locks. */
static bool runs(const struct owner *o)
{
    return o->namespace == own_namespace() && start_of(o->pid) == o->start;
}

int cgroup_destroy_tree(const struct cgroup_host *h, const char *id)
{
    cleanup_strings struct strings tops = {0};
    int result = 0;

    parents(h, &tops);
    for (size_t i = 0; i < tops.count; i++)
        if (tree_destroy(tops.items[i], id, PATIENCE_NS) < 0)
            result = -1;
    return result;
}

/* ---- stale groups ---- */

/* Groups that are gone before they are looked at, or that are not ours to remove, are passed over.
 */
static bool may_remove(const char *directory, const char *path)
{
    return faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) == 0 &&
           faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* "ID" is claimed for "ID.self" as well. The guardian of a bench that is gone may still be in it:
 * then it cannot be removed, and is not ours to end. */
static void judge_leaf(const char *path)
{
    cleanup_free char *group = xstrndup(path, strlen(path) - strlen(".self"));
    cleanup_close int lock = lock_unclaimed(group);

    if (lock >= 0 || access(group, F_OK) < 0)
        rmdir(path);
}

static void judge(const char *directory, const char *name, struct strings *swept)
{
    cleanup_free char *path = xasprintf("%s/%s", directory, name);
    cleanup_close int lock = -1;
    struct owner owner;
    const char *rest = parse(name, &owner);

    if (runs(&owner) || !may_remove(directory, path))
        return;
    if (strcmp(rest, ".self") == 0) {
        judge_leaf(path);
        return;
    }
    lock = *rest ? -1 : lock_unclaimed(path); /* until it is gone: it might be claimed meanwhile */
    if (lock >= 0 && tree_destroy(directory, name, PATIENCE_NS) == 0 && !strings_has(swept, name))
        strings_add(swept, name);
}

/* A bench makes its groups below its own, which may be anywhere. A directory of control groups has
 * as many links as children, and two: most have none and need not be read. */
static void sweep_below(const char *directory, int depth, struct strings *swept)
{
    struct stat st;
    DIR *dir = stat(directory, &st) < 0 || st.st_nlink == 2 ? NULL : opendir(directory);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        cleanup_free char *path = NULL;
        struct owner owner;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        path = xasprintf("%s/%s", directory, entry->d_name);
        if (parse(entry->d_name, &owner))
            judge(directory, entry->d_name, swept);
        else if (depth > 0)
            sweep_below(path, depth - 1, swept);
    }
    if (dir)
        closedir(dir);
}

size_t cgroup_sweep_stale(const struct cgroup_host *h)
{
    cleanup_strings struct strings swept = {0};

    if (h->v2_mount[0])
        sweep_below(h->v2_mount, DEEPEST, &swept);
    if (h->cpu == CGROUP_V1)
        sweep_below(h->cpu_mount, DEEPEST, &swept);
    if (h->accounting == CGROUP_V1)
        sweep_below(h->accounting_mount, DEEPEST, &swept);
    return swept.count;
}
