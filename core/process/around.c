/* SPDX-License-Identifier: Apache-2.0 */
#include "process/around.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

static int open_file(const struct cgroup_host *h, const char *group, const char *file)
{
    cleanup_free char *path = xasprintf("%s%s/%s", h->cpu_mount, group, file);

    return open(path, O_RDONLY | O_CLOEXEC);
}

static void add(struct cgroup_around *a, const struct cgroup_host *h, const char *group)
{
    bool v1 = a->version == CGROUP_V1;
    struct around_group g = {.quota = open_file(h, group, v1 ? "cpu.cfs_quota_us" : "cpu.max"),
                             .period = v1 ? open_file(h, group, "cpu.cfs_period_us") : -1,
                             .stat = -1};

    if (g.quota < 0) { /* the top of the host, or a group without the controller */
        cleanup_closep(&g.period);
        return;
    }
    g.stat = open_file(h, group, "cpu.stat");
    g.path = xstrdup(group);
    a->groups = grow(a->groups, &a->capacity, a->count + 1, sizeof(*a->groups));
    a->groups[a->count++] = g;
}

void cgroup_around_open(struct cgroup_around *a, const struct cgroup_host *h)
{
    cleanup_free char *group = xstrdup(h->around);
    char *slash;

    *a = (struct cgroup_around){.version = h->cpu};
    if (h->cpu == CGROUP_NONE)
        return;
    add(a, h, group);
    while ((slash = strrchr(group, '/'))) {
        *slash = '\0';
        add(a, h, group);
    }
}

/* The number after `key` at the start of a line; 0 without one. */
static int64_t keyed(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoll(line + length, NULL, 10);
    }
    return 0;
}

static void add_usage(const struct cgroup_around *a, const struct around_group *g,
                      struct around_usage *ret)
{
    char quota[64], period[64] = "", stat[1024];
    struct cgroup_hold hold = {0};

    if (file_again(g->quota, quota, sizeof(quota)) <= 0 ||
        (g->period >= 0 && file_again(g->period, period, sizeof(period)) <= 0))
        return;
    cgroup_read_limit(quota, g->period >= 0 ? period : NULL, &hold);
    if (hold.cpus <= 0)
        return;
    if (ret->cpus == 0 || hold.cpus < ret->cpus) {
        ret->cpus = hold.cpus;
        ret->period_us = hold.period_us;
        ret->path = g->path;
    }
    if (g->stat < 0 || file_again(g->stat, stat, sizeof(stat)) <= 0)
        return;
    ret->throttled_ns += a->version == CGROUP_V1 ? keyed(stat, "throttled_time")
                                                 : keyed(stat, "throttled_usec") * NS_PER_US;
    ret->periods += keyed(stat, "nr_periods");
    ret->throttled_periods += keyed(stat, "nr_throttled");
}

void cgroup_around_read(const struct cgroup_around *a, struct around_usage *ret)
{
    *ret = (struct around_usage){0};
    for (size_t i = 0; i < a->count; i++)
        add_usage(a, &a->groups[i], ret);
}

void cgroup_around_close(struct cgroup_around *a)
{
    for (size_t i = 0; i < a->count; i++) {
        cleanup_closep(&a->groups[i].quota);
        cleanup_closep(&a->groups[i].period);
        cleanup_closep(&a->groups[i].stat);
        free(a->groups[i].path);
    }
    free(a->groups);
    *a = (struct cgroup_around){0};
}
