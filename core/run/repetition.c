/* SPDX-License-Identifier: Apache-2.0 */
#include "run/parts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "environment/facts.h"

struct repetition *repetition_new(struct session *session, const struct step *step,
                                  const char *directory)
{
    struct repetition *p = xcalloc(1, sizeof(*p));
    const struct point *point = step->point;
    struct repetition_record *record = &p->record;

    p->session = session;
    p->step = step;
    p->scenario = &point->scenario;
    p->arm = &p->scenario->arms[step->arm];
    p->directory = xstrdup(directory);
    p->title = xasprintf("%s: %s%s%s", p->scenario->name, p->arm->name, point->label[0] ? ", " : "",
                         point->label);
    p->started_ns = clock_now();
    record->captures = json_array();
    record->index = step->index;
    record->block = step->block;
    record->arm = xstrdup(p->arm->name);
    record->relay = xstrdup(p->arm->plugin);
    record->point = xstrdup(point->label);
    record->purpose = xstrdup(step->purpose);
    record->hops = point->hops[step->arm];
    record->seed = step->seed;
    record->clocksource = facts_clocksource();
    record->wall_minus_monotonic_ns = clock_offset();
    record->started_wall_ns = p->started_ns + record->wall_minus_monotonic_ns;
    return p;
}

struct repetition_record *repetition_record(struct repetition *p)
{
    return &p->record;
}

bool repetition_interrupted(const struct repetition *p)
{
    return p->interrupted;
}

/* A role ended although nobody asked. Fine only for the client of a wrapper that has succeeded. */
static int check_role(struct repetition *p, size_t i, struct bench_error *err)
{
    struct role *role = p->roles[i];

    if (role_update(role) != ROLE_EXITED)
        return 0;
    if (i == p->cast.client && p->step->point->workload->parse && role_status(role) == 0) {
        if (!p->client_done)
            p->client_end_ns = clock_now();
        p->client_done = true;
        return 0;
    }
    return role_error(role, err);
}

static int check_roles(struct repetition *p, struct bench_error *err)
{
    for (size_t i = 0; i < p->cast.count; i++)
        if (p->roles[i] && check_role(p, i, err) < 0) {
            p->ended = &p->cast.members[i];
            return -1;
        }
    return 0;
}

int repetition_context(const struct repetition *p, const char *phase, const struct member *awaited,
                       struct bench_error *err)
{
    const struct member *m = p->ended ? p->ended : awaited;

    return m ? error_context(err, "%s: %s", m->title, phase) : error_context(err, "%s", phase);
}

/* Roles that live can bring news; one that has ended has said its last. */
static nfds_t poll_set(const struct repetition *p, struct pollfd fds[MAX_MEMBERS + 1])
{
    nfds_t n = 0;

    fds[n++] = (struct pollfd){.fd = p->session->interrupt_fd, .events = POLLIN};
    for (size_t i = 0; i < p->cast.count; i++)
        if (p->roles[i] && role_status(p->roles[i]) == -1)
            fds[n++] = (struct pollfd){.fd = role_fd(p->roles[i]), .events = POLLIN};
    return n;
}

int repetition_watch(struct repetition *p, int64_t until_ns, struct bench_error *err)
{
    struct pollfd fds[MAX_MEMBERS + 1];

    for (;;) {
        struct timespec left = clock_timespec(until_ns - clock_now());
        int ready;

        /* First, not only when poll says so: other calls may have read the news. */
        if (check_roles(p, err) < 0)
            return -1;
        if (p->client_done)
            return 0;
        ready = ppoll(fds, poll_set(p, fds), &left, NULL);
        if (ready < 0 && errno != EINTR)
            return error_errno(err, BENCH_ERROR_RUN, errno, "poll");
        if (ready > 0 && fds[0].revents) {
            p->interrupted = true;
            return error_set(err, BENCH_ERROR_RUN, "interrupted");
        }
        if (ready == 0 && clock_now() >= until_ns)
            return 0;
    }
}

void repetition_free(struct repetition *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_captures; i++)
        capture_free(p->captures[i]);
    free(p->captures);
    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        free(p->before[kind]);
        free(p->latencies[kind]);
    }
    for (size_t i = 0; i < p->cast.count; i++) {
        if (p->roles)
            role_free(p->roles[i]);
        if (p->cgroups)
            cgroup_close(p->cgroups[i]);
    }
    free(p->roles);
    free(p->cgroups);
    network_free(p->network);
    cast_release(&p->cast);
    free(p->directory);
    free(p->title);
    record_release(&p->record);
    free(p);
}
