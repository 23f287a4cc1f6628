/* SPDX-License-Identifier: Apache-2.0 */
/* Whose groups they are: the id that names them, and removing those of benches that are gone. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Of another PID namespace we cannot know: taken as alive. */
static bool lives(const struct owner *o)
{
    return o->namespace != own_namespace() || start_of(o->pid) == o->start;
}

/* The directories that hold our groups, one per hierarchy. */
static void parents(const struct cgroup_host *h, struct strings *out)
{
    if (h->v2_mount[0])
        strings_addf(out, "%s%s", h->v2_mount, h->parent);
    if (h->cpu == CGROUP_V1)
        strings_addf(out, "%s%s", h->cpu_mount, h->parent);
    if (h->accounting == CGROUP_V1)
        strings_addf(out, "%s%s", h->accounting_mount, h->parent);
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

/* Adds each stale id below `top` once. */
static void find_stale(const char *top, struct strings *ids)
{
    DIR *dir = opendir(top);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        cleanup_free char *leaf = xasprintf("%s/%s", top, entry->d_name);
        struct owner owner;
        const char *rest = parse(entry->d_name, &owner);

        if (!rest || lives(&owner))
            continue;
        if (!*rest && !strings_has(ids, entry->d_name))
            strings_add(ids, entry->d_name);
        else if (strcmp(rest, ".self") == 0)
            rmdir(leaf); /* its guardian may still be in it: then it is not ours to end */
    }
    if (dir)
        closedir(dir);
}

size_t cgroup_sweep_stale(const struct cgroup_host *h)
{
    cleanup_strings struct strings tops = {0}, ids = {0};
    size_t swept = 0;

    parents(h, &tops);
    for (size_t i = 0; i < tops.count; i++)
        find_stale(tops.items[i], &ids);
    for (size_t i = 0; i < ids.count; i++)
        if (cgroup_destroy_tree(h, ids.items[i]) == 0)
            swept++;
    return swept;
}
