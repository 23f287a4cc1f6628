/* SPDX-License-Identifier: Apache-2.0 */
#include "process/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/around.h"
#include "process/cgroup_tree.h"
#include "process/controller.h"
#include "process/cpu_limit.h"

#define PATIENCE_NS NS_PER_S

/* The group's directory in one hierarchy. */
struct place {
    enum cgroup_version version; /* CGROUP_NONE: not used */
    const char *mount, *parent;  /* in `host` */
    const char *controller;      /* of version 1 */
    int dirfd;
};

enum { V2, CPU, CPUACCT, PLACES };

struct cgroup {
    struct cgroup_host host;
    char *name;   /* "ID/NAME", for people */
    char *path;   /* below a place's parent: "/ID/NAME" */
    size_t fixed; /* length of "/ID", which others share */
    bool limited;
    struct place places[PLACES];
    int usage, user, system; /* cpu.stat of version 2, or the three files of cpuacct */
    int throttling;          /* cpu.stat of the hierarchy with the limit */
    int quota, period;       /* cpu.max of version 2, or the two files of version 1 */
    int events;              /* cgroup.events of version 2 */
};

static char *directory_of(const struct cgroup *g, const struct place *p)
{
    return xasprintf("%s%s%s", p->mount, p->parent, g->path);
}

/* Below the mount. */
static char *group_of(const struct cgroup *g, const struct place *p)
{
    return xasprintf("%s%s", p->parent, g->path);
}

static int open_file(const struct place *p, const char *file)
{
    return openat(p->dirfd, file, O_RDONLY | O_CLOEXEC);
}

/* ---- life ---- */

/* Lets the groups inside `group` have the cpu controller. */
static int enable_cpu(const struct cgroup *g, const char *group, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s%s/cgroup.subtree_control", g->host.v2_mount, group);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "+cpu", 4) < 0) {
        error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot enable the cpu controller in '%s'",
                    path);
        if (errno == EBUSY)
            error_hint(err, "a control group with processes cannot limit its children: start bench "
                            "by itself in a group of its own");
        return -1;
    }
    return 0;
}

/* mkdir -p below the parent, with the controller enabled on the way down when there is a limit. */
static int make_v2(const struct cgroup *g, struct bench_error *err)
{
    cleanup_free char *group = group_of(g, &g->places[V2]);

    for (char *slash = group + strlen(g->host.parent); slash;) {
        cleanup_free char *directory = NULL;

        *slash = '\0';
        if (g->limited && g->host.cpu == CGROUP_V2 && enable_cpu(g, group, err) < 0)
            return -1;
        *slash = '/';
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        directory = xasprintf("%s%s", g->host.v2_mount, group);
        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
            return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno,
                               "cannot make control group '%s'", directory);
    }
    return 0;
}

static int make_place(struct cgroup *g, struct place *p, struct bench_error *err)
{
    cleanup_free char *directory = directory_of(g, p), *group = group_of(g, p);
    int made = p->version == CGROUP_V2 ? make_v2(g, err)
                                       : controller_create(p->controller, group, NULL, 0, err);

    if (made < 0)
        return -1;
    p->dirfd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->dirfd < 0)
        return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno, "cannot open control group '%s'",
                           directory);
    return 0;
}

static void choose_places(struct cgroup *g)
{
    const struct cgroup_host *h = &g->host;

    if (!h->can_group)
        return;
    if (h->v2_mount[0])
        g->places[V2] = (struct place){CGROUP_V2, h->v2_mount, h->parent, NULL, -1};
    if (g->limited && h->cpu == CGROUP_V1)
        g->places[CPU] = (struct place){CGROUP_V1, h->cpu_mount, h->cpu_parent, "cpu", -1};
    if (h->accounting == CGROUP_V1)
        g->places[CPUACCT] =
            (struct place){CGROUP_V1, h->accounting_mount, h->accounting_parent, "cpuacct", -1};
}

static void open_counters(struct cgroup *g)
{
    if (g->places[V2].version) {
        g->usage = open_file(&g->places[V2], "cpu.stat");
    } else if (g->places[CPUACCT].version) {
        g->usage = open_file(&g->places[CPUACCT], "cpuacct.usage");
        g->user = open_file(&g->places[CPUACCT], "cpuacct.usage_user");
        g->system = open_file(&g->places[CPUACCT], "cpuacct.usage_sys");
    }
    if (g->places[CPU].version) {
        g->throttling = open_file(&g->places[CPU], "cpu.stat");
        g->quota = open_file(&g->places[CPU], "cpu.cfs_quota_us");
        g->period = open_file(&g->places[CPU], "cpu.cfs_period_us");
    }
    if (g->places[V2].version)
        g->events = open_file(&g->places[V2], "cgroup.events");
}

static int refuse_limit(const struct cgroup_host *h, double cpus, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_ENVIRONMENT, "a CPU limit of '%g' cannot be set: %s", cpus,
              h->why_not);
    error_hint(err, "%s; or measure without a limit: cpu_limit: 0", h->remedy);
    return -1;
}

/* Version 1 refuses a quota that is larger than one around it. */
static int explain_quota(const struct cgroup_host *h, double cpus, struct bench_error *err)
{
    struct cgroup_around around;
    struct around_usage usage;

    cgroup_around_open(&around, h);
    cgroup_around_read(&around, &usage);
    if (usage.cpus > 0 && usage.cpus < cpus) {
        error_set(
            err, BENCH_ERROR_ENVIRONMENT,
            "a CPU limit of '%g' cannot be set: the control group '%s' around bench has a CPU "
            "quota of %.3g CPUs",
            cpus, *usage.path ? usage.path : "/", usage.cpus);
        error_hint(err, "start bench where there is no quota, or raise it; or measure with a lower "
                        "'cpu_limit'");
    }
    cgroup_around_close(&around);
    return -1;
}

static int make(struct cgroup *g, double cpus, int64_t period_ns, struct bench_error *err)
{
    for (size_t i = 0; i < PLACES; i++)
        if (g->places[i].version && make_place(g, &g->places[i], err) < 0)
            return -1;
    if (g->limited) {
        cleanup_free char *group = group_of(g, &g->places[g->host.cpu == CGROUP_V1 ? CPU : V2]);

        if (cpu_limit_set(g->host.cpu, group, cpus, period_ns, err) < 0)
            return explain_quota(&g->host, cpus, err);
    }
    open_counters(g);
    return 0;
}

int cgroup_new(struct cgroup **ret, const struct cgroup_host *h, const char *id, const char *name,
               double cpu_limit, int64_t period_ns, struct bench_error *err)
{
    struct cgroup *g;

    if (cpu_limit_check(cpu_limit, period_ns, err) < 0)
        return -1;
    if (cpu_limit > 0 && !h->can_limit)
        return refuse_limit(h, cpu_limit, err);
    g = xcalloc(1, sizeof(*g));
    *g = (struct cgroup){
        .host = *h,
        .name = xasprintf("%s/%s", id, name),
        .path = xasprintf("/%s/%s", id, name),
        .fixed = 1 + strlen(id),
        .limited = cpu_limit > 0,
        .usage = -1,
        .user = -1,
        .system = -1,
        .throttling = -1,
        .quota = -1,
        .period = -1,
        .events = -1,
    };
    for (size_t i = 0; i < PLACES; i++)
        g->places[i].dirfd = -1;
    choose_places(g);
    if (make(g, cpu_limit, period_ns, err) < 0) {
        cgroup_remove(g, NULL);
        cgroup_close(g);
        return error_context(err, "control group '%s/%s'", id, name);
    }
    *ret = g;
    return 0;
}

int cgroup_birth_fd(const struct cgroup *g)
{
    return g->places[V2].dirfd;
}

/* Whether this process is in the version 2 group already. */
static bool born_inside(const struct cgroup *g)
{
    cleanup_free char *table = file_peek("/proc/self/cgroup");
    cleanup_free char *line = xasprintf("0::%s%s", g->places[V2].parent, g->path);
    char *at = table ? strstr(table, line) : NULL;

    return at && (at == table || at[-1] == '\n') && strchr("\n", at[strlen(line)]);
}

/*
 * By hand: "0" written to version 1's "tasks" moves the calling thread without waiting, 0.1 ms.
 * libcgroup writes a thread id, for which the kernel takes the lock that stops every fork on the
 * host, after an RCU grace period: 7.5 to 14 ms. Version 2's cgroup.procs always pays that.
 */
int cgroup_attach_self(struct cgroup *g, struct bench_error *err)
{
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *p = &g->places[i];
        const char *file = p->version == CGROUP_V2 ? "cgroup.procs" : "tasks";
        cleanup_close int fd = -1;

        if (!p->version || (p->version == CGROUP_V2 && born_inside(g)))
            continue;
        fd = openat(p->dirfd, file, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
            return error_errno(err, BENCH_ERROR_ENVIRONMENT, errno,
                               "cannot enter control group '%s%s%s'", p->mount, p->parent, g->path);
    }
    return 0;
}

/* ---- counters ---- */

static struct bench_value scaled(bool found, uint64_t value, double factor)
{
    if (!found)
        return (struct bench_value){.state = BENCH_FAILED};
    return (struct bench_value){.value = (double)value * factor, .state = BENCH_OK};
}

/* The number after `key` at the start of a line. */
static struct bench_value keyed(const char *stat, const char *key, double factor)
{
    size_t length = strlen(key);

    for (const char *line = stat; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return scaled(true, strtoull(line + length, NULL, 10), factor);
    }
    return scaled(false, 0, factor);
}

static struct bench_value whole(int fd)
{
    char text[64];
    bool found = file_again(fd, text, sizeof(text)) > 0;

    return scaled(found, strtoull(text, NULL, 10), 1);
}

static void read_throttling(const char *stat, enum cgroup_version version, struct cgroup_usage *u)
{
    u->throttled_ns = version == CGROUP_V2 ? keyed(stat, "throttled_usec", 1e3)
                                           : keyed(stat, "throttled_time", 1);
    u->periods = keyed(stat, "nr_periods", 1);
    u->throttled_periods = keyed(stat, "nr_throttled", 1);
}

static void read_cpu(const struct cgroup *g, struct cgroup_usage *u)
{
    char stat[4096];

    if (g->places[V2].version) {
        file_again(g->usage, stat, sizeof(stat));
        u->cpu_ns = keyed(stat, "usage_usec", 1e3);
        u->user_ns = keyed(stat, "user_usec", 1e3);
        u->system_ns = keyed(stat, "system_usec", 1e3);
        if (g->limited && g->host.cpu == CGROUP_V2)
            read_throttling(stat, CGROUP_V2, u);
    } else if (g->places[CPUACCT].version) {
        u->cpu_ns = whole(g->usage);
        u->user_ns = whole(g->user);
        u->system_ns = whole(g->system);
    }
    if (g->throttling >= 0) {
        file_again(g->throttling, stat, sizeof(stat));
        read_throttling(stat, CGROUP_V1, u);
    }
}

double cgroup_cpu_ns(const struct cgroup *g)
{
    char stat[4096];
    struct bench_value v = {.state = BENCH_NOT_SUPPORTED};

    if (g->places[V2].version) {
        file_again(g->usage, stat, sizeof(stat));
        v = keyed(stat, "usage_usec", 1e3);
    } else if (g->places[CPUACCT].version) {
        v = whole(g->usage);
    }
    return v.state == BENCH_OK ? v.value : NAN;
}

void cgroup_read(struct cgroup *g, struct cgroup_usage *ret)
{
    const struct bench_value unknown = {.state = BENCH_NOT_SUPPORTED};
    /* Without a quota nothing throttles: that is a fact, not a gap. */
    const struct bench_value idle =
        g->host.can_group ? (struct bench_value){.state = BENCH_OK} : unknown;

    *ret = (struct cgroup_usage){unknown, unknown, unknown, idle, idle, idle};
    read_cpu(g, ret);
}

/* "max 100000" and -1 are no limit. */
void cgroup_read_limit(const char *quota, const char *period, struct cgroup_hold *ret)
{
    char *end;
    double us = strtod(quota, &end);

    if (end == quota || us <= 0)
        return;
    ret->period_us = strtoll(period ? period : end, NULL, 10);
    if (ret->period_us > 0)
        ret->cpus = us / (double)ret->period_us;
}

void cgroup_hold(struct cgroup *g, struct cgroup_hold *ret)
{
    char quota[64], period[64], events[128];

    *ret = (struct cgroup_hold){0};
    /* The group got the controller after it was made, for the limit of another one beside it. */
    if (g->quota < 0 && g->host.cpu == CGROUP_V2 && g->places[V2].version)
        g->quota = open_file(&g->places[V2], "cpu.max");
    if (g->period < 0 && g->quota >= 0 && file_again(g->quota, quota, sizeof(quota)) > 0)
        cgroup_read_limit(quota, NULL, ret);
    else if (g->quota >= 0 && file_again(g->quota, quota, sizeof(quota)) > 0 &&
             file_again(g->period, period, sizeof(period)) > 0)
        cgroup_read_limit(quota, period, ret);
    if (g->events >= 0 && file_again(g->events, events, sizeof(events)) > 0)
        ret->frozen = keyed(events, "frozen", 1).value > 0;
}

/* ---- processes ---- */

/* Any hierarchy that we use shows the same processes; version 2 can kill them at once. */
static int members_fd(const struct cgroup *g)
{
    static const int order[] = {V2, CPUACCT, CPU};

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (g->places[order[i]].dirfd >= 0)
            return g->places[order[i]].dirfd;
    return -1;
}

size_t cgroup_pids(struct cgroup *g, pid_t **ret_pids)
{
    int fd = members_fd(g);

    *ret_pids = NULL;
    return fd < 0 ? 0 : tree_pids(fd, ret_pids);
}

void cgroup_kill(struct cgroup *g)
{
    int64_t deadline = clock_now() + PATIENCE_NS;
    const struct timespec pause = clock_timespec(NS_PER_MS);
    int fd = members_fd(g);

    while (fd >= 0 && tree_kill(fd) > 0 && clock_now() < deadline)
        nanosleep(&pause, NULL);
}

/* One attempt; true when the directory is gone. */
static bool remove_place(const struct cgroup *g, const struct place *p)
{
    cleanup_free char *directory = directory_of(g, p);
    struct stat st;

    if (p->dirfd >= 0)
        tree_remove_below(p->dirfd);
    if (p->version == CGROUP_V1) {
        cleanup_free char *group = group_of(g, p);

        controller_remove(p->controller, group);
    } else {
        rmdir(directory);
    }
    return stat(directory, &st) < 0 && errno == ENOENT;
}

/* The directories between "ID" and the group, if nobody else needs them. */
static void remove_above(const struct cgroup *g, const struct place *p)
{
    cleanup_free char *directory = directory_of(g, p);
    size_t stop = strlen(p->mount) + strlen(p->parent) + g->fixed;

    for (char *slash; (slash = strrchr(directory, '/')) && slash > directory + stop;) {
        *slash = '\0';
        if (rmdir(directory) < 0)
            return;
    }
}

static int still_there(const struct cgroup *g, struct bench_error *err)
{
    cleanup_free pid_t *pids = NULL;
    int fd = members_fd(g);
    size_t count = fd < 0 ? 0 : tree_pids(fd, &pids);

    if (count)
        return error_set(err, BENCH_ERROR_RUN,
                         "control group '%s' cannot be removed: process '%d'%s is in it", g->name,
                         (int)pids[0], count > 1 ? " (and others)" : "");
    return error_set(err, BENCH_ERROR_RUN, "control group '%s' cannot be removed", g->name);
}

int cgroup_remove(struct cgroup *g, struct bench_error *err)
{
    int64_t deadline = clock_now() + PATIENCE_NS, pause_ns = 100 * NS_PER_US;

    for (size_t i = 0; i < PLACES; i++) {
        struct place *p = &g->places[i];

        if (!p->version)
            continue;
        while (!remove_place(g, p)) {
            struct timespec pause = clock_timespec(pause_ns);

            if (clock_now() > deadline)
                return still_there(g, err);
            nanosleep(&pause, NULL);
            pause_ns = pause_ns < 5 * NS_PER_MS ? pause_ns * 2 : pause_ns;
        }
        remove_above(g, p);
    }
    return 0;
}

void cgroup_close(struct cgroup *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < PLACES; i++)
        cleanup_closep(&g->places[i].dirfd);
    cleanup_closep(&g->usage);
    cleanup_closep(&g->user);
    cleanup_closep(&g->system);
    cleanup_closep(&g->throttling);
    cleanup_closep(&g->quota);
    cleanup_closep(&g->period);
    cleanup_closep(&g->events);
    free(g->name);
    free(g->path);
    free(g);
}
