/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/processes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "capture/series.h"

#define LIST_AGE_NS NS_PER_S

void processes_init(struct processes *p, const struct role *role)
{
    *p = (struct processes){.role = role};
}

static bool watching(const struct processes *p, pid_t pid)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i].pid == pid)
            return true;
    return false;
}

static void watch(struct processes *p, pid_t pid)
{
    struct watched w = {.pid = pid};
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    w.statm = open(path, O_RDONLY | O_CLOEXEC);
    if (w.statm < 0)
        return;
    if (clock_getcpuclockid(pid, &w.clock) != 0) {
        close(w.statm);
        return;
    }
    p->items = grow(p->items, &p->capacity, p->count + 1, sizeof(*p->items));
    p->items[p->count++] = w;
}

static void forget(struct processes *p, size_t i)
{
    p->ended_cpu_ns += p->items[i].cpu_ns;
    close(p->items[i].statm);
    p->items[i] = p->items[--p->count];
}

static void list(struct processes *p, int64_t now)
{
    cleanup_free pid_t *pids = NULL;
    size_t n = role_pids(p->role, &pids);

    for (size_t i = 0; i < n; i++)
        if (!watching(p, pids[i]))
            watch(p, pids[i]);
    p->listed_ns = now;
}

/* The open file stays bound to its process, so a reused pid cannot be mistaken for it. Resident
 * pages are the second number: "size resident shared text lib data dt". */
static bool resident_pages(const struct watched *w, int64_t *ret)
{
    char line[128];
    char *first, *second;

    if (file_again(w->statm, line, sizeof(line)) <= 0)
        return false;
    strtoll(line, &first, 10);
    *ret = strtoll(first, &second, 10);
    return second > first;
}

/* The pages of all that live; those that ended are forgotten, and *ret_ended is set. */
static int64_t sum_pages(struct processes *p, bool clocks, bool *ret_ended)
{
    int64_t sum = 0, pages;
    size_t i = 0;

    *ret_ended = false;
    while (i < p->count) {
        struct watched *w = &p->items[i];
        struct timespec t;

        if (!resident_pages(w, &pages)) {
            forget(p, i);
            *ret_ended = true;
            continue;
        }
        sum += pages;
        if (clocks && clock_gettime(w->clock, &t) == 0)
            w->cpu_ns = t.tv_sec * NS_PER_S + t.tv_nsec;
        i++;
    }
    return sum;
}

void processes_sample(struct processes *p, int64_t *ret_rss_bytes, int64_t *ret_cpu_ns)
{
    int64_t now = clock_now(), pages;
    bool ended;

    if (p->count == 0 || now - p->listed_ns >= LIST_AGE_NS)
        list(p, now);
    pages = sum_pages(p, ret_cpu_ns, &ended);
    if (ended) { /* its successor may have started: a worker that was replaced */
        list(p, now);
        pages = sum_pages(p, ret_cpu_ns, &ended);
    }
    *ret_rss_bytes = p->count ? pages * sysconf(_SC_PAGESIZE) : SERIES_MISSING;
    if (!ret_cpu_ns)
        return;
    *ret_cpu_ns = p->ended_cpu_ns;
    for (size_t i = 0; i < p->count; i++)
        *ret_cpu_ns += p->items[i].cpu_ns;
}

void processes_release(struct processes *p)
{
    for (size_t i = 0; i < p->count; i++)
        close(p->items[i].statm);
    free(p->items);
    *p = (struct processes){0};
}
