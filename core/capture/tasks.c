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
    t->schedstat = t->status = -1;
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
    if (second == first)
        return false;
    /* What has not run has lost no CPU; the kernel makes a long text of a status. */
    if (t->looks > 0 && cpu == t->cpu_ns) {
        t->runqueue_ns = runqueue;
        return true;
    }
    if (file_again(t->status, text, sizeof(text)) <= 0)
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

static bool watching(const struct tasks *t, pid_t pid, pid_t tid)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].schedstat >= 0 && t->items[i].pid == pid && t->items[i].tid == tid)
            return true;
    return false;
}

static void watch(struct tasks *t, pid_t pid, pid_t tid)
{
    struct task new = {.pid = pid, .tid = tid, .loop = LOOP_UNKNOWN, .first_look = t->looks};

    if (watching(t, pid, tid))
        return;
    if (t->count == TASKS_MOST) {
        t->too_many = true;
        return;
    }
    if (!open_task(&new)) {
        close_task(&new);
        return;
    }
    t->items = grow(t->items, &t->capacity, t->count + 1, sizeof(*t->items));
    t->items[t->count++] = new;
}

static void watch_process(struct tasks *t, pid_t pid)
{
    char path[64];
    struct dirent *entry;
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    directory = opendir(path);
    while (directory && !t->too_many && (entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            watch(t, pid, (pid_t)atoi(entry->d_name));
    if (directory)
        closedir(directory);
}

static void list(struct tasks *t, const struct processes *p)
{
    for (size_t i = 0; i < p->count && !t->too_many; i++)
        watch_process(t, p->items[i].pid);
    t->listed_ns = p->listed_ns;
}

/* --- looks --------------------------------------------------------------------------------- */

static bool accepts(const struct tasks *t, const struct task *task)
{
    const struct loop *loop = task->loop >= 0 ? &t->loops.items[task->loop] : NULL;

    return loop ? loop->accepts && !loop->shared : task->loop == LOOP_ACCEPT;
}

/* One that may be a worker stays, with what it had. */
static void forget(struct tasks *t, size_t i)
{
    struct task *gone = &t->items[i];

    close_task(gone);
    t->ended_runqueue_ns += gone->runqueue_ns;
    t->ended_involuntary += gone->involuntary;
    gone->runqueue_ns = gone->involuntary = 0;
    if (accepts(t, gone))
        return;
    free(gone->cpu_at);
    *gone = t->items[--t->count];
}

static void keep(struct task *task)
{
    task->cpu_at = grow(task->cpu_at, &task->capacity, task->looks + 1, sizeof(*task->cpu_at));
    task->cpu_at[task->looks++] = task->cpu_ns;
}

static size_t look_at_all(struct tasks *t, struct network *network)
{
    size_t alive = 0;

    for (size_t i = 0; i < t->count;) {
        struct task *task = &t->items[i];
        size_t before = t->count;

        if (task->schedstat >= 0 && !look(task)) {
            forget(t, i);
            i += t->count == before;
            continue;
        }
        if (task->schedstat >= 0) {
            keep(task);
            alive++;
            if (task->loop == LOOP_UNKNOWN)
                task->loop = loops_find(&t->loops, task->pid, task->tid, network);
        }
        i++;
    }
    return alive;
}

static void sum_up(const struct tasks *t, struct tasks_sums *ret)
{
    *ret = (struct tasks_sums){.runqueue_ns = t->ended_runqueue_ns,
                               .involuntary = t->ended_involuntary};
    for (size_t i = 0; i < t->count; i++) {
        ret->runqueue_ns += t->items[i].runqueue_ns;
        ret->involuntary += t->items[i].involuntary;
    }
}

bool tasks_look(struct tasks *t, const struct processes *p, struct network *network,
                struct tasks_sums *ret)
{
    if (!t->too_many && t->listed_ns != p->listed_ns)
        list(t, p);
    if (t->too_many || look_at_all(t, network) == 0)
        return false;
    t->looks++;
    sum_up(t, ret);
    return true;
}

/* --- workers ------------------------------------------------------------------------------- */

/* Since the first look: what it took to start says nothing. */
static int64_t used(const struct task *task)
{
    return task->cpu_ns - (task->first_look == 0 && task->looks > 0 ? task->cpu_at[0] : 0);
}

/* Of which nothing is known, and which has used so much that it matters. */
static bool is_busy_unknown(const struct tasks *t, const struct task *task)
{
    int64_t most = 0;

    for (size_t i = 0; i < t->count; i++)
        if (used(&t->items[i]) > most)
            most = used(&t->items[i]);
    return task->schedstat >= 0 && task->loop == LOOP_UNKNOWN && !task->worker &&
           used(task) > most / 10;
}

static struct task *busiest_unknown(const struct tasks *t, pid_t pid)
{
    struct task *busiest = NULL;

    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].pid == pid && is_busy_unknown(t, &t->items[i]) &&
            (!busiest || used(&t->items[i]) > used(busiest)))
            busiest = &t->items[i];
    return busiest;
}

static bool is_first_of_process(const struct tasks *t, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (t->items[k].pid == t->items[i].pid)
            return false;
    return true;
}

/* Nothing is known of how they share the work. */
static void dismiss(struct tasks *t, pid_t pid)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].pid == pid)
            t->items[i].worker = false;
}

/* A thread that is always busy is never seen to wait. What it would wait for is in its process, and
 * of no other thread; where there is no such thing, it may be one of a pool. */
static void add_busy(struct tasks *t, pid_t pid, struct network *network)
{
    size_t unseen = loops_unseen(&t->loops, pid, network);

    for (struct task *task; unseen > 0 && (task = busiest_unknown(t, pid)); unseen--)
        task->worker = true;
    if (busiest_unknown(t, pid))
        dismiss(t, pid);
}

size_t tasks_choose_workers(struct tasks *t, struct network *network)
{
    size_t n = 0;

    for (size_t i = 0; i < t->count; i++)
        t->items[i].worker = accepts(t, &t->items[i]);
    for (size_t i = 0; i < t->count; i++)
        if (is_first_of_process(t, i) && busiest_unknown(t, t->items[i].pid))
            add_busy(t, t->items[i].pid, network);
    for (size_t i = 0; i < t->count; i++)
        n += t->items[i].worker;
    return n;
}

static int64_t cpu_at(const struct task *task, size_t look)
{
    if (look < task->first_look)
        return 0;
    look -= task->first_look;
    return task->cpu_at[look < task->looks ? look : task->looks - 1];
}

void tasks_workers(const struct tasks *t, size_t look, struct workers *ret)
{
    const struct task *busiest = NULL;

    *ret = (struct workers){0};
    for (size_t i = 0; i < t->count; i++) {
        const struct task *task = &t->items[i];

        if (!task->worker)
            continue;
        ret->alive += look >= task->first_look && look < task->first_look + task->looks;
        ret->cpu_ns += cpu_at(task, look);
        if (!busiest || used(task) > used(busiest))
            busiest = task;
    }
    ret->busiest_ns = busiest ? cpu_at(busiest, look) : 0;
}

void tasks_release(struct tasks *t)
{
    for (size_t i = 0; i < t->count; i++) {
        close_task(&t->items[i]);
        free(t->items[i].cpu_at);
    }
    free(t->items);
    loops_release(&t->loops);
    *t = (struct tasks){0};
}
