/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* --- files of a thread --------------------------------------------------------------------- */

static int open_file(pid_t pid, pid_t tid, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* False when the thread is gone. */
static bool open_task(struct task *t)
{
    t->schedstat = open_file(t->pid, t->tid, "schedstat");
    t->status = open_file(t->pid, t->tid, "status");
    return t->schedstat >= 0 && t->status >= 0;
}

static void close_task(struct task *t)
{
    if (t->schedstat >= 0)
        close(t->schedstat);
    if (t->status >= 0)
        close(t->status);
}

/* The number in the line of `status` that starts with `key`; -1 without one. */
static long long status_number(const char *status, const char *key)
{
    const char *line = strstr(status, key);

    return line ? strtoll(line + strlen(key), NULL, 10) : -1;
}

/* "cpu_ns runqueue_ns timeslices", then the status; false when the thread is gone. */
static bool look(struct task *t)
{
    char text[4096], *first, *second;
    long long cpu, runqueue, involuntary;

    if (file_again(t->schedstat, text, sizeof(text)) <= 0)
        return false;
    cpu = strtoll(text, &first, 10);
    runqueue = strtoll(first, &second, 10);
    if (second == first || file_again(t->status, text, sizeof(text)) <= 0)
        return false;
    involuntary = status_number(text, "\nnonvoluntary_ctxt_switches:");
    if (involuntary < 0)
        return false;
    t->cpu_ns = cpu;
    t->runqueue_ns = runqueue;
    t->involuntary = involuntary;
    return true;
}

bool tasks_supported(void)
{
    struct task self = {.pid = getpid(), .tid = getpid()};
    bool supported = open_task(&self) && look(&self);

    close_task(&self);
    return supported;
}

/* --- the list ------------------------------------------------------------------------------ */

static size_t group_of(struct tasks *t, const char *key)
{
    for (size_t i = 0; i < t->n_groups; i++)
        if (strcmp(t->groups[i].key, key) == 0)
            return i;
    t->groups = grow(t->groups, &t->groups_capacity, t->n_groups + 1, sizeof(*t->groups));
    t->groups[t->n_groups] = (struct task_group){.key = xstrdup(key)};
    return t->n_groups++;
}

/* Who is like this thread: named by what they have in common. */
static char *key_of(pid_t pid, pid_t tid, const char *status, const struct processes *p)
{
    const char *name = strncmp(status, "Name:\t", 6) == 0 ? status + 6 : "";
    int length = (int)strcspn(name, "\n");
    pid_t parent = (pid_t)status_number(status, "\nPPid:");

    while (length > 0 && strchr("0123456789-_:/# ", name[length - 1]))
        length--;
    if (tid != pid)
        return xasprintf("threads of %d: %.*s", (int)pid, length, name);
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].pid == parent)
            return xasprintf("children of %d: %.*s", (int)parent, length, name);
    return xasprintf("process %d", (int)pid);
}

static bool watching(const struct tasks *t, pid_t pid, pid_t tid)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].pid == pid && t->items[i].tid == tid)
            return true;
    return false;
}

static void watch(struct tasks *t, pid_t pid, pid_t tid, const struct processes *p)
{
    struct task new = {.pid = pid, .tid = tid};
    char status[4096];
    cleanup_free char *key = NULL;

    if (watching(t, pid, tid))
        return;
    if (t->count == TASKS_MOST) {
        t->too_many = true;
        return;
    }
    if (!open_task(&new) || file_again(new.status, status, sizeof(status)) <= 0) {
        close_task(&new);
        return;
    }
    key = key_of(pid, tid, status, p);
    new.group = group_of(t, key);
    t->items = grow(t->items, &t->capacity, t->count + 1, sizeof(*t->items));
    t->items[t->count++] = new;
}

static void watch_process(struct tasks *t, pid_t pid, const struct processes *p)
{
    char path[64];
    struct dirent *entry;
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    directory = opendir(path);
    while (directory && !t->too_many && (entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            watch(t, pid, (pid_t)atoi(entry->d_name), p);
    if (directory)
        closedir(directory);
}

static void list(struct tasks *t, const struct processes *p)
{
    for (size_t i = 0; i < p->count && !t->too_many; i++)
        watch_process(t, p->items[i].pid, p);
    t->listed_ns = p->listed_ns;
}

/* --- sampling ------------------------------------------------------------------------------ */

static void forget(struct tasks *t, size_t i)
{
    struct task *gone = &t->items[i];

    close_task(gone);

    t->ended_runqueue_ns += gone->runqueue_ns;
    t->ended_involuntary += gone->involuntary;
    t->groups[gone->group].ended_cpu_ns += gone->cpu_ns;
    t->items[i] = t->items[--t->count];
}

static void look_at_all(struct tasks *t)
{
    for (size_t i = 0; i < t->count;) {
        if (look(&t->items[i]))
            i++;
        else
            forget(t, i);
    }
}

static void sum_up(const struct tasks *t, struct tasks_sums *ret)
{
    const struct task *busiest = &t->items[0];

    *ret = (struct tasks_sums){.runqueue_ns = t->ended_runqueue_ns,
                               .involuntary = t->ended_involuntary};
    for (size_t i = 0; i < t->count; i++) {
        ret->runqueue_ns += t->items[i].runqueue_ns;
        ret->involuntary += t->items[i].involuntary;
        if (t->items[i].cpu_ns > busiest->cpu_ns)
            busiest = &t->items[i];
    }
    ret->busiest_ns = busiest->cpu_ns;
    ret->workers_ns = t->groups[busiest->group].ended_cpu_ns;
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].group != busiest->group)
            continue;
        ret->workers++;
        ret->workers_ns += t->items[i].cpu_ns;
    }
}

bool tasks_sample(struct tasks *t, const struct processes *p, struct tasks_sums *ret)
{
    if (!t->too_many && t->listed_ns != p->listed_ns)
        list(t, p);
    if (t->too_many)
        return false;
    look_at_all(t);
    if (t->count == 0)
        return false;
    sum_up(t, ret);
    return true;
}

void tasks_release(struct tasks *t)
{
    for (size_t i = 0; i < t->count; i++)
        close_task(&t->items[i]);
    for (size_t i = 0; i < t->n_groups; i++)
        free(t->groups[i].key);
    free(t->groups);
    free(t->items);
    *t = (struct tasks){0};
}
