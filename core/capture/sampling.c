/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/events.h"

/* Opened on this process and closed again: it has samples to take, but is never enabled. `branches`
 * as in attr.branch_sample_type, or 0. */
static int try_sampling(const char *event, uint64_t branches, bool *ret_user_only,
                        struct bench_error *err)
{
    enum bench_state state;
    struct perf_event_attr attr;
    bool kernel_missing;
    int fd;

    if (event_encode(event, &attr, err) < 0)
        return -1;
    attr.disabled = 1;
    attr.freq = 1;
    attr.sample_freq = 100;
    attr.sample_type = PERF_SAMPLE_IP | (branches ? PERF_SAMPLE_BRANCH_STACK : 0);
    attr.branch_sample_type = branches;
    fd = event_open(event, &attr, 0, &kernel_missing, &state, err);
    if (fd < 0)
        return -1;
    close(fd);
    /* Unlike its count, a clock's samples do come from one mode only. */
    *ret_user_only = attr.exclude_kernel;
    return 0;
}

static int try_open(const char *event, bool *ret_user_only, struct bench_error *err)
{
    if (strcmp(event, "cycles") == 0 && access(EVENT_DEVICES "/cpu_core", F_OK) == 0) {
        error_set(err, BENCH_ERROR_ENVIRONMENT,
                  "event 'cycles': this CPU has two kinds of cores, whose cycles are two events");
        error_hint(err, "pin every role to cores of one kind, and name theirs: 'event: "
                        "cpu_core/cycles/'");
        return -1;
    }
    return try_sampling(event, 0, ret_user_only, err);
}

static const char *unit_of(const char *event)
{
    size_t n = strcspn(event, ":/");

    if (strncmp(event, "cpu-clock", n) == 0 || strncmp(event, "task-clock", n) == 0)
        return "ns";
    return n == 6 && strncmp(event, "cycles", n) == 0 ? "cycles" : "events";
}

static void fill(struct sampling *ret, const char *event, bool user_only)
{
    *ret = (struct sampling){.unit = unit_of(event), .user_only = user_only};
    snprintf(ret->event, sizeof(ret->event), "%s%s", event,
             user_only && !strchr(event, ':') ? ":u" : "");
}

/* What is missing from it, and what would mend that. */
static void explain(struct sampling *s, const struct bench_error *refused)
{
    if (s->user_only) {
        s->instead = xasprintf("%s%sthe kernel's own code is not sampled, because "
                               "'/proc/sys/kernel/perf_event_paranoid' forbids it",
                               refused->message, *refused->message ? "; " : "");
        s->mend = xstrdup("run as root, or let every user: sysctl kernel.perf_event_paranoid=1");
    } else if (*refused->message) {
        s->instead = xstrdup(refused->message);
        s->mend = xstrdup(refused->hint);
    }
}

int sampling_choose_by(struct sampling *ret, sampling_open_fn open, struct bench_error *err)
{
    static const char *const ladder[] = {"cycles", "cpu-clock"};
    struct bench_error refused = {0};

    for (size_t i = 0; i < ARRAY_SIZE(ladder); i++) {
        struct bench_error *reason = i == 0 ? &refused : err;
        bool user_only = false;

        if (open(ladder[i], &user_only, reason) < 0)
            continue;
        fill(ret, ladder[i], user_only);
        explain(ret, &refused);
        return 0;
    }
    return -1;
}

int sampling_choose(struct sampling *ret, struct bench_error *err)
{
    return sampling_choose_by(ret, try_open, err);
}

int sampling_take(struct sampling *ret, const char *event, struct bench_error *err)
{
    static const struct bench_error nothing;
    bool user_only = false;

    if (!strchr(event, '/') && try_open(event, &user_only, err) < 0) {
        err->kind = BENCH_ERROR_ENVIRONMENT;
        return -1;
    }
    fill(ret, event, user_only);
    if (user_only && !strchr(event, ':'))
        explain(ret, &nothing);
    return 0;
}

int sampling_branches(const struct sampling *s, struct bench_error *err)
{
    bool user_only;

    if (try_sampling(s->event, PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_CALL_STACK, &user_only,
                     err) == 0)
        return 0;
    err->kind = BENCH_ERROR_ENVIRONMENT;
    error_context(err, "the CPU's branch records cannot be had");
    error_hint(err, "they need 'cycles' on an Intel CPU from Haswell on; use 'call_graph: fp' or "
                    "'dwarf'");
    return -1;
}

void sampling_release(struct sampling *s)
{
    free(s->instead);
    free(s->mend);
    *s = (struct sampling){0};
}
