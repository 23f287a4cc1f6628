/* SPDX-License-Identifier: Apache-2.0 */
#include "report/limit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/around.h"
#include "report/run_facts.h"
#include "report/thresholds.h"

/* What is known of one role. */
struct usage {
    char name[32];
    double cpus; /* used; NaN when unknown */
    double may;  /* CPUs it may use: quota, affinity, threads, machine; INFINITY when unknown */
    const char *what; /* where `may` comes from */
    double throttled; /* share of periods; NaN without limit */
};

static double metric(const struct metric_set *m, const char *name)
{
    const struct metric_value *v = metric_set_find(m, name);

    return v && bench_is_number(v->value.state) ? v->value.value : NAN;
}

static double limit_of(const struct repetition_record *r, const char *role)
{
    for (size_t i = 0; i < r->n_roles; i++)
        if (strcmp(r->roles[i].name, role) == 0)
            return r->roles[i].cpu_limit;
    return 0;
}

bool limit_by_task_clock(const struct repetition_record *r, const struct metric_set *m,
                         const char *role)
{
    char name[64];
    const struct metric_value *clock;

    snprintf(name, sizeof(name), "task_clock_%s", role);
    clock = metric_set_find(m, name);
    /* A reason says that it is not the whole: user space only. */
    return clock && clock->value.state == BENCH_OK && !clock->reason && limit_of(r, role) <= 0 &&
           metric_window(r).seconds > 0;
}

double limit_cpus(const struct repetition_record *r, const struct metric_set *m, const char *role)
{
    char name[64];

    if (limit_by_task_clock(r, m, role)) {
        snprintf(name, sizeof(name), "task_clock_%s", role);
        return metric(m, name) / metric_window(r).seconds;
    }
    snprintf(name, sizeof(name), "cpus_%s", role);
    return metric(m, name);
}

static void at_most(struct usage *u, double cpus, const char *what)
{
    if (cpus > 0 && cpus < u->may) {
        u->may = cpus;
        u->what = what;
    }
}

static bool pinned(const struct repetition_record *r, const char *name)
{
    for (size_t i = 0; i < r->n_roles; i++)
        if (strcmp(r->roles[i].name, name) == 0)
            return r->roles[i].cpus != NULL;
    return false;
}

static struct usage usage_of(const struct repetition_record *r, const struct metric_set *m,
                             const struct limit_context *context, const char *name)
{
    struct usage u = {.may = INFINITY, .what = ""};
    char metric_name[64];
    bool relay = strncmp(name, "relay_", 6) == 0;

    snprintf(u.name, sizeof(u.name), "%s", name);
    u.cpus = limit_cpus(r, m, name);
    snprintf(metric_name, sizeof(metric_name), "throttled_share_%s", name);
    u.throttled = metric(m, metric_name);
    at_most(&u, context->cpus, "of the machine");
    if (!pinned(r, name))
        at_most(&u, context->allowed, "that the bench may use");
    if (!relay)
        at_most(&u, context->jobs, "that its jobs can use");
    for (size_t i = 0; i < r->n_roles; i++) {
        if (strcmp(r->roles[i].name, name) != 0)
            continue;
        at_most(&u, cpus_in_list(r->roles[i].cpus), "that it is pinned to");
        at_most(&u, r->roles[i].cpu_limit, "of its limit");
    }
    return u;
}

static void conclude(struct limit *ret, const char *role, bool relay)
{
    snprintf(ret->role, sizeof(ret->role), "%s", role);
    ret->relay = relay;
}

/* The role is at the end of what it may use, or of its one thread while CPUs are idle. */
static bool is_limit(const struct usage *u, bool machine_busy, struct limit *ret)
{
    bool relay = strncmp(u->name, "relay_", 6) == 0;
    double share = u->cpus / u->may;
    int n = snprintf(ret->why, sizeof(ret->why), "%s used %.3g CPU", u->name, u->cpus);
    size_t left = n > 0 && (size_t)n < sizeof(ret->why) ? sizeof(ret->why) - (size_t)n : 0;
    char *end = ret->why + sizeof(ret->why) - left;

    if (share >= threshold(SATURATED))
        snprintf(end, left, ", %.0f%% of the %.3g %s", share * 100, u->may, u->what);
    else if (relay && u->throttled > threshold(THROTTLED))
        snprintf(end, left, " and was throttled in %.0f%% of the periods", u->throttled * 100);
    else if (!machine_busy && u->cpus >= threshold(THREAD_LOW) && u->cpus <= threshold(THREAD_HIGH))
        snprintf(end, left, ": one busy thread");
    else
        return false;
    conclude(ret, u->name, relay);
    return true;
}

enum { MAX_ROLES = 66 };

/* The roles whose CPU is known: hops first, then client and server. */
static size_t usages(const struct repetition_record *r, const struct metric_set *m,
                     const struct limit_context *context, struct usage ret[MAX_ROLES])
{
    size_t n = 0;
    char name[32];

    for (uint32_t i = 1; i <= r->hops && n < MAX_ROLES - 2; i++) {
        snprintf(name, sizeof(name), "relay_%u", i);
        ret[n++] = usage_of(r, m, context, name);
    }
    ret[n++] = usage_of(r, m, context, "client");
    ret[n++] = usage_of(r, m, context, "server");
    for (size_t i = 0; i < n;) {
        if (isnan(ret[i].cpus))
            memmove(&ret[i], &ret[i + 1], (--n - i) * sizeof(*ret));
        else
            i++;
    }
    return n;
}

/* The most loaded that is a limit, among the hops or among the ends. */
static bool find_among(const struct usage *u, size_t n, bool relays, bool machine_busy,
                       struct limit *ret)
{
    double most = -1;
    struct limit candidate = {0};

    for (size_t i = 0; i < n; i++) {
        double share = isinf(u[i].may) ? u[i].cpus : u[i].cpus / u[i].may;

        if ((strncmp(u[i].name, "relay_", 6) == 0) != relays || share <= most ||
            !is_limit(&u[i], machine_busy, &candidate))
            continue;
        most = share;
        *ret = candidate;
    }
    return most >= 0;
}

/* The CPUs on which the bench may run are full, however idle the others of the machine are. */
static bool is_crowded(const struct repetition_record *r, const struct usage *u, size_t n,
                       const struct limit_context *context)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (pinned(r, u[i].name))
            return false;
        sum += u[i].cpus;
    }
    return context->allowed > 0 && context->allowed < context->cpus &&
           sum >= (1 - threshold(MACHINE_IDLE)) * context->allowed;
}

void limit_find(const struct repetition_record *r, const struct metric_set *m,
                const struct limit_context *context, struct limit *ret)
{
    struct usage u[MAX_ROLES];
    const struct usage *largest = u;
    const struct usage others = {.name = "other processes", .cpus = metric(m, "others_cpus")};
    size_t n = usages(r, m, context, u);
    double idle = metric(m, "system_idle_share") + metric(m, "system_iowait_share");
    bool busy = idle < threshold(MACHINE_IDLE); /* false when unknown */
    bool crowded = is_crowded(r, u, n, context);
    double around = around_throttled(r);

    *ret = (struct limit){0};
    if (around > threshold(THROTTLED)) {
        conclude(ret, "quota", false);
        snprintf(ret->why, sizeof(ret->why),
                 "the CPU quota around bench: throttled in %.0f%% of its periods", around * 100);
        return;
    }
    if (n == 0) {
        conclude(ret, "unknown", false);
        snprintf(ret->why, sizeof(ret->why), "the CPU of no role is known");
        return;
    }
    if (find_among(u, n, true, busy || crowded, ret) ||
        find_among(u, n, false, busy || crowded, ret))
        return;
    for (size_t i = 1; i < n; i++)
        if (u[i].cpus > largest->cpus)
            largest = &u[i];
    if (busy && others.cpus > largest->cpus)
        largest = &others;
    conclude(ret, busy || crowded ? "cpu" : "nothing", false);
    if (crowded)
        snprintf(ret->why, sizeof(ret->why),
                 "all of the %.3g CPU that the bench may use busy; most by %s: %.3g",
                 context->allowed, largest->name, largest->cpus);
    else if (busy)
        snprintf(ret->why, sizeof(ret->why),
                 "all CPUs of the machine busy, %.1f%% idle; most by %s: %.3g", idle * 100,
                 largest->name, largest->cpus);
    else if (isnan(idle))
        snprintf(ret->why, sizeof(ret->why), "no role was at its end; most CPU used %s: %.3g",
                 largest->name, largest->cpus);
    else
        snprintf(ret->why, sizeof(ret->why),
                 "every role waited: CPUs %.0f%% idle; most CPU used %s: %.3g", idle * 100,
                 largest->name, largest->cpus);
}
