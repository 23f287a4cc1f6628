/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/watch.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"

#define LIST_AGE_NS NS_PER_S
/* Churn: each process of a kind was followed by another, and that one as well. */
#define CHURN 2
/* Below this share of the role's CPU time a process may end unsaid. */
#define SMALL_SHARE 0.1

/* --- one process --------------------------------------------------------------------------- */

struct stat_line {
    char name[16];
    char state;
    pid_t parent;
    unsigned long long ticks, start;
};

/* "12 (a name) S 1 …": utime and stime are the fields 14 and 15, starttime is the 22nd. */
static bool read_stat(int fd, struct stat_line *ret)
{
    char text[512], *name, *end;
    unsigned long long user, system;

    if (file_again(fd, text, sizeof(text)) <= 0)
        return false;
    name = strchr(text, '(');
    end = strrchr(text, ')'); /* the name may hold anything */
    if (!name || !end || end < name ||
        sscanf(end + 1,
               " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
               &ret->state, &ret->parent, &user, &system, &ret->start) != 5)
        return false;
    ret->ticks = user + system;
    *end = '\0';
    snprintf(ret->name, sizeof(ret->name), "%s", name + 1);
    return ret->state != 'Z' && ret->state != 'X';
}

static int open_stat(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

unsigned long long watch_start_of(pid_t pid)
{
    cleanup_close int fd = pid > 0 ? open_stat(pid) : -1;
    struct stat_line line;

    return fd >= 0 && read_stat(fd, &line) ? line.start : 0;
}

/* On CLOCK_MONOTONIC, within a clock tick. */
static int64_t start_time(unsigned long long start, int64_t now)
{
    struct timespec boot;
    int64_t ns;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    ns = (int64_t)start * (NS_PER_S / sysconf(_SC_CLK_TCK));
    return now - (boot.tv_sec * NS_PER_S + boot.tv_nsec - ns);
}

/* --- threads: where and how they may run ----------------------------------------------------- */

static bool look_at_thread(struct watch_thread *t)
{
    t->nice = getpriority(PRIO_PROCESS, (id_t)t->tid);
    t->policy = sched_getscheduler(t->tid);
    return t->policy >= 0 && sched_getaffinity(t->tid, sizeof(t->cpus), &t->cpus) == 0;
}

static void list_threads(struct watch_process *p)
{
    cleanup_free char *path = xasprintf("/proc/%d/task", (int)p->pid);
    DIR *dir = opendir(path);
    struct dirent *entry;
    size_t capacity = 0;

    free(p->threads);
    p->threads = NULL;
    p->n_threads = 0;
    while (dir && (entry = readdir(dir))) {
        struct watch_thread t = {.tid = (pid_t)atoi(entry->d_name)};

        if (!isdigit((unsigned char)entry->d_name[0]) || !look_at_thread(&t))
            continue;
        p->threads = grow(p->threads, &capacity, p->n_threads + 1, sizeof(*p->threads));
        p->threads[p->n_threads++] = t;
    }
    if (dir)
        closedir(dir);
}

/* "0-2,5" */
static char *cpus_text(const cpu_set_t *cpus)
{
    struct text t = {0};

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        int last = cpu;

        if (!CPU_ISSET(cpu, cpus))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
            last++;
        text_add(&t, last > cpu ? "%s%d-%d" : "%s%d", t.length ? "," : "", cpu, last);
        cpu = last;
    }
    return text_take(&t);
}

static const char *policy_name(int policy)
{
    static const char *const names[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",      "SCHED_BATCH",
                                        NULL,          "SCHED_IDLE", "SCHED_DEADLINE"};

    policy &= ~SCHED_RESET_ON_FORK;
    return policy >= 0 && (size_t)policy < ARRAY_SIZE(names) && names[policy] ? names[policy]
                                                                              : "another policy";
}

/* Adds it unless the same was said of this role: a cpuset that changes moves every thread. */
static void add_once(struct watch *w, enum disturbance_kind kind, char *what, int64_t now)
{
    for (size_t i = 0; i < w->out->count; i++) {
        const struct disturbance *d = &w->out->items[i];

        if (d->kind == kind && strcmp(d->role, w->name) == 0) {
            free(what);
            return;
        }
    }
    disturbances_add(w->out, w->name, kind, what, now, now);
}

static char *thread_name(const struct watch_process *p, const struct watch_thread *t)
{
    if (t->tid == p->pid)
        return xasprintf("process %d '%s'", (int)p->pid, p->name);
    return xasprintf("thread %d of process %d '%s'", (int)t->tid, (int)p->pid, p->name);
}

static void compare_thread(struct watch *w, const struct watch_process *p, struct watch_thread *t,
                           int64_t now)
{
    struct watch_thread is = {.tid = t->tid};
    cleanup_free char *name = NULL;

    if (!look_at_thread(&is))
        return;
    name = thread_name(p, t);
    if (!CPU_EQUAL(&is.cpus, &t->cpus)) {
        cleanup_free char *before = cpus_text(&t->cpus), *after = cpus_text(&is.cpus);

        add_once(w, DISTURBANCE_CPUS,
                 xasprintf("%s was moved from CPUs %s to %s", name, before, after), now);
    }
    if (is.policy != t->policy)
        add_once(w, DISTURBANCE_PRIORITY,
                 xasprintf("%s was moved from %s to %s", name, policy_name(t->policy),
                           policy_name(is.policy)),
                 now);
    else if (is.nice != t->nice)
        add_once(w, DISTURBANCE_PRIORITY,
                 xasprintf("%s was moved from nice %d to %d", name, t->nice, is.nice), now);
    *t = is;
}

/* Some of them, those that follow the last ones. */
static void compare_threads(struct watch *w, size_t most, int64_t now)
{
    size_t all = 0, done = 0;

    for (size_t i = 0; i < w->count; i++)
        all += w->items[i].n_threads;
    if (most > all)
        most = all;
    for (size_t i = 0, at = 0, turn = all ? w->next_thread % all : 0; done < most;
         i = (i + 1) % w->count) {
        struct watch_process *p = &w->items[i];

        for (size_t k = 0; k < p->n_threads && done < most; k++, at++)
            if (at >= turn) {
                compare_thread(w, p, &p->threads[k], now);
                done++;
            }
    }
    w->next_thread = all ? (w->next_thread + done) % all : 0;
}

/* --- the list of processes ------------------------------------------------------------------- */

/* Those that do the same are numbered: "worker-1", "worker-2". */
static size_t kind_of(struct watch *w, pid_t parent, const char *name)
{
    size_t length = strlen(name);
    char stem[16];

    while (length > 0 && strchr("0123456789-_:/# ", name[length - 1]))
        length--;
    snprintf(stem, sizeof(stem), "%.*s", (int)length, name);
    for (size_t i = 0; i < w->n_kinds; i++)
        if (w->kinds[i].parent == parent && strcmp(w->kinds[i].name, stem) == 0)
            return i;
    w->kinds = grow(w->kinds, &w->kinds_capacity, w->n_kinds + 1, sizeof(*w->kinds));
    w->kinds[w->n_kinds] = (struct watch_kind){.parent = parent};
    strcpy(w->kinds[w->n_kinds].name, stem);
    return w->n_kinds++;
}

static size_t members_of(const struct watch *w, size_t kind)
{
    size_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += w->items[i].kind == kind;
    return n;
}

static void process_came(struct watch *w, const struct watch_process *p, int64_t now)
{
    struct watch_kind *k = &w->kinds[p->kind];

    if (!w->measuring) {
        k->growing |= now - w->first_ns >= WATCH_LASTING_NS && members_of(w, p->kind) > 0;
        return;
    }
    k->began++;
    if (k->come)
        return;
    k->come = p->pid;
    k->come_ns = start_time(p->start, now);
}

static void add_process(struct watch *w, pid_t pid, int64_t now)
{
    struct watch_process p = {.pid = pid, .stat = open_stat(pid), .seen_ns = now};
    struct stat_line line;

    if (p.stat < 0)
        return;
    if (!read_stat(p.stat, &line)) {
        close(p.stat);
        return;
    }
    p.parent = line.parent;
    p.start = line.start;
    p.ticks = line.ticks;
    strcpy(p.name, line.name);
    p.kind = kind_of(w, p.parent, p.name);
    process_came(w, &p, now);
    if (w->measuring && !w->kinds[p.kind].passing)
        list_threads(&p);
    w->items = grow(w->items, &w->capacity, w->count + 1, sizeof(*w->items));
    w->items[w->count++] = p;
}

static bool watching(const struct watch *w, pid_t pid)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].pid == pid)
            return true;
    return false;
}

static void list(struct watch *w, int64_t now)
{
    cleanup_free pid_t *pids = NULL;
    size_t n = role_pids(w->role, &pids);

    if (!w->first_ns)
        w->first_ns = now;
    for (size_t i = 0; i < n; i++)
        if (!watching(w, pids[i]))
            add_process(w, pids[i], now);
    w->listed_ns = now;
}

static void release_process(struct watch_process *p)
{
    close(p->stat);
    free(p->threads);
}

/* False for one of those that come and go anyway. */
static bool process_gone(struct watch *w, size_t i, int64_t now)
{
    struct watch_process *p = &w->items[i];
    struct watch_kind *k = &w->kinds[p->kind];
    bool old = w->client_start && p->start <= w->client_start;

    if (!w->measuring || (!old && now - p->seen_ns < WATCH_LASTING_NS)) {
        k->passing = true;
    } else {
        k->ended++;
        if (p->there && !k->gone) {
            k->gone = p->pid;
            k->gone_old = old;
            k->gone_ns = now;
            k->gone_ticks = p->ticks;
            strcpy(k->gone_name, p->name);
        }
    }
    release_process(p);
    w->items[i] = w->items[--w->count];
    return !k->passing;
}

/* --- looking ------------------------------------------------------------------------------- */

/* Seen at `now` as well: goes on, or begins. */
static void mark(struct watch *w, size_t *at, bool is, const struct watch_process *p, int64_t now)
{
    if (!is) {
        *at = 0;
    } else if (*at) {
        w->out->items[*at - 1].end_ns = now;
    } else {
        char *what = p ? xasprintf("process %d '%s' was stopped", (int)p->pid, p->name)
                       : xstrdup("its control group was frozen");

        *at = 1 + disturbances_add(w->out, w->name, DISTURBANCE_STOPPED, what, now, now);
    }
}

/* True when it has ended. */
static bool look_at_process(struct watch *w, struct watch_process *p, int64_t now)
{
    struct stat_line line;

    if (!read_stat(p->stat, &line))
        return true;
    p->ticks = line.ticks;
    mark(w, &p->stopped, line.state == 'T', p, now);
    return false;
}

/* True when one has ended that another may replace. */
static bool look_at_processes(struct watch *w, int64_t now)
{
    size_t n = w->count < WATCH_MOST ? w->count : WATCH_MOST;
    bool ended = false;

    for (size_t done = 0; done < n && w->count; done++) {
        size_t i = w->next_process % w->count;

        if (look_at_process(w, &w->items[i], now)) {
            ended |= process_gone(w, i, now);
        } else {
            w->next_process = i + 1;
        }
    }
    return ended;
}

/* "0.5 CPUs of 100ms", "none" */
static const char *limit_text(const struct cgroup_hold *hold, char *out, size_t size)
{
    char period[32];

    if (hold->cpus > 0)
        snprintf(out, size, "%.3g CPUs of %s", hold->cpus,
                 format_duration(hold->period_us * NS_PER_US, period, sizeof(period)));
    else
        snprintf(out, size, "none");
    return out;
}

static void look_at_group(struct watch *w, int64_t now)
{
    struct cgroup_hold hold;

    cgroup_hold(role_cgroup(w->role), &hold);
    mark(w, &w->frozen, hold.frozen, NULL, now);
    if (w->measuring && (hold.cpus != w->hold.cpus || hold.period_us != w->hold.period_us)) {
        char before[64], after[64];

        disturbances_add(w->out, w->name, DISTURBANCE_LIMIT,
                         xasprintf("its CPU limit was changed from %s to %s",
                                   limit_text(&w->hold, before, sizeof(before)),
                                   limit_text(&hold, after, sizeof(after))),
                         now, now);
    }
    w->hold = hold;
}

void watch_look(struct watch *w, int64_t now)
{
    bool ended = look_at_processes(w, now);

    if (ended || w->count == 0 || now - w->listed_ns >= LIST_AGE_NS)
        list(w, now);
    look_at_group(w, now);
    if (w->measuring)
        compare_threads(w, WATCH_THREADS, now);
}

/* --- life ---------------------------------------------------------------------------------- */

void watch_init(struct watch *w, struct role *role, struct disturbances *out)
{
    *w = (struct watch){.role = role, .name = role_name(role), .out = out};
    w->client = strcmp(w->name, "client") == 0;
}

void watch_begin(struct watch *w, unsigned long long client_start, int64_t now)
{
    look_at_processes(w, now);
    list(w, now);
    look_at_group(w, now);
    w->client_start = client_start;
    w->measuring = true;
    for (size_t i = 0; i < w->count; i++) {
        struct watch_process *p = &w->items[i];

        p->there = true;
        w->kinds[p->kind].there++;
        w->kinds[p->kind].growing |= client_start && p->start > client_start;
        list_threads(p);
    }
}

/* All that the role has used by now, of which a process is to have a share. */
static unsigned long long all_ticks(const struct watch *w)
{
    unsigned long long sum = 0;

    for (size_t i = 0; i < w->count; i++)
        sum += w->items[i].ticks;
    for (size_t i = 0; i < w->n_kinds; i++)
        sum += w->kinds[i].gone_ticks;
    return sum;
}

static void judge_kind(struct watch *w, const struct watch_kind *k)
{
    /* One that has done nothing is not missed: a shell's "sleep", say. */
    const bool worked = (double)k->gone_ticks >= SMALL_SHARE * (double)(all_ticks(w) + 1);

    if (k->passing || k->ended >= CHURN * k->there)
        return;
    if (k->gone && k->gone_old && k->come && worked)
        disturbances_add(w->out, w->name, DISTURBANCE_REPLACED,
                         xasprintf("process %d '%s' ended and %d took its place", (int)k->gone,
                                   k->gone_name, (int)k->come),
                         k->gone_ns, k->gone_ns);
    else if (!k->ended && k->began >= k->there && !k->growing)
        disturbances_add(w->out, w->name, DISTURBANCE_REPLACED,
                         xasprintf("process %d '%s' was started beside those that were there, as "
                                   "by a reload",
                                   (int)k->come, k->name),
                         k->come_ns, k->come_ns);
    else if (k->gone && k->gone_old && worked)
        disturbances_add(w->out, w->name, DISTURBANCE_ENDED,
                         xasprintf("process %d '%s' ended", (int)k->gone, k->gone_name), k->gone_ns,
                         k->gone_ns);
}

void watch_end(struct watch *w, int64_t now)
{
    look_at_processes(w, now);
    list(w, now);
    look_at_group(w, now);
    compare_threads(w, SIZE_MAX, now);
    w->measuring = false;
    for (size_t i = 0; i < w->n_kinds && !w->client; i++)
        if (w->kinds[i].there)
            judge_kind(w, &w->kinds[i]);
}

void watch_release(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        release_process(&w->items[i]);
    free(w->items);
    free(w->kinds);
    *w = (struct watch){0};
}
