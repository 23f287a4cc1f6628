/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the relay's hops count themselves. Each hop's reader (relay.h) is a short-lived process
 * beside the chain, contained as roles are; those of all hops run side by side. What they printed
 * stays in the hop's directory as statistics-begin.txt and statistics-end.txt.
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/parts.h"

#define PATIENCE (10 * NS_PER_S)
#define MOST_TEXT (1 << 20)

struct reading {
    struct member *member;
    char *name, *directory; /* "status-relay_1"; its own */
    struct cgroup *cgroup;
    struct role *role;
};

static int start(struct reading *r, struct repetition *p, struct bench_error *err)
{
    struct containment *c = p->session->containment;
    cleanup_free char *group = NULL;
    struct role_spec spec = {
        .process = &r->member->reader,
        .network = p->network,
        .state = p->step->point->relay_states[p->step->arm],
    };

    r->name = xasprintf("status-%s", r->member->name);
    r->directory = xasprintf("%s/%s", p->directory, r->name);
    group = xasprintf("r%u-%s", c->next_group, r->name);
    if (directory_make(AT_FDCWD, r->directory, err) < 0 ||
        cgroup_new(&r->cgroup, &c->host, c->id, group, 0, 100 * NS_PER_MS, err) < 0)
        return -1;
    spec.name = r->name;
    spec.directory = r->directory;
    spec.cgroup = r->cgroup;
    return role_spawn(&r->role, c, &spec, err);
}

static int await(struct reading *r, int64_t deadline, struct bench_error *err)
{
    int status;

    while (role_update(r->role) != ROLE_EXITED) {
        struct pollfd fd = {.fd = role_fd(r->role), .events = POLLIN};
        int64_t left = deadline - clock_now();
        struct timespec timeout = clock_timespec(left > 0 ? left : 0);

        if (left <= 0)
            return error_set(err, BENCH_ERROR_RUN, "no answer within %lld s",
                             (long long)(PATIENCE / NS_PER_S));
        ppoll(&fd, 1, &timeout, NULL);
    }
    status = role_status(r->role);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : role_error(r->role, err);
}

static int keep(const struct reading *r, const char *when, struct bench_error *err)
{
    cleanup_free char *from = xasprintf("%s/stdout", r->directory);
    cleanup_free char *to = xasprintf("%s/statistics-%s.txt", r->member->directory, when);

    if (rename(from, to) < 0)
        return error_set(err, BENCH_ERROR_RUN, "cannot keep '%s'", to);
    return directory_remove(AT_FDCWD, r->directory, err);
}

static int run(struct reading *readings, size_t n, struct repetition *p, const char *when,
               struct bench_error *err)
{
    int64_t deadline = clock_now() + PATIENCE;

    for (size_t i = 0; i < n; i++)
        if (start(&readings[i], p, err) < 0)
            return error_context(err, "%s: statistics", readings[i].member->title);
    for (size_t i = 0; i < n; i++)
        if (role_wait_held(readings[i].role, deadline, err) < 0 ||
            role_release(readings[i].role, err) < 0)
            return error_context(err, "%s: statistics", readings[i].member->title);
    for (size_t i = 0; i < n; i++)
        if (await(&readings[i], deadline, err) < 0 || keep(&readings[i], when, err) < 0)
            return error_context(err, "%s: statistics", readings[i].member->title);
    return 0;
}

static void release(struct reading *r)
{
    role_free(r->role);
    if (r->cgroup)
        cgroup_remove(r->cgroup, NULL);
    cgroup_close(r->cgroup);
    free(r->name);
    free(r->directory);
}

static int read_all(struct repetition *p, const char *when, struct bench_error *err)
{
    cleanup_free struct reading *readings = xcalloc(p->cast.count, sizeof(*readings));
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < p->cast.count; i++)
        if (member_has_reader(&p->cast.members[i]))
            readings[n++].member = &p->cast.members[i];
    rc = run(readings, n, p, when, err);
    for (size_t i = 0; i < n; i++)
        release(&readings[i]);
    return rc;
}

static int load(const struct member *m, const char *when, char **ret, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/statistics-%s.txt", m->directory, when);

    return file_read(AT_FDCWD, path, MOST_TEXT, ret, NULL, err);
}

static int add_total(struct repetition *p, const struct member *m, const struct result_total *t,
                     struct bench_error *err)
{
    cleanup_free char *name = xasprintf("statistic_%s_%s", t->metric, m->name);

    for (const char *c = t->metric; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
            return error_set(err, BENCH_ERROR_RUN, "mistake in the plugin: '%s' is no name",
                             t->metric);
    record_add_total(&p->record, name, t->value);
    return 0;
}

static int parse(struct repetition *p, const struct member *m, struct bench_error *err)
{
    const struct bench_relay *relay = p->step->point->relays[p->step->arm];
    cleanup_free char *begin = NULL, *end = NULL;
    struct bench_result result = {0};
    struct bench_statistics read = {.size = sizeof(read)};
    int rc;

    if (load(m, "begin", &begin, err) < 0 || load(m, "end", &end, err) < 0)
        return -1;
    read.begin = begin;
    read.end = end;
    rc = relay->parse_statistics(p->step->point->relay_states[p->step->arm], &read, &result, err);
    for (size_t i = 0; rc == 0 && i < result.n_totals; i++)
        rc = add_total(p, m, &result.totals[i], err);
    result_release(&result);
    return rc;
}

int statistics_begin(struct repetition *p, struct bench_error *err)
{
    return read_all(p, "begin", err);
}

int statistics_end(struct repetition *p, struct bench_error *err)
{
    if (read_all(p, "end", err) < 0)
        return -1;
    for (size_t i = 0; i < p->cast.count; i++) {
        const struct member *m = &p->cast.members[i];

        if (member_has_reader(m) && parse(p, m, err) < 0)
            return error_context(err, "%s: statistics", m->title);
    }
    return 0;
}
