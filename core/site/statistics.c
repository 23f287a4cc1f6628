/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the relay's hops count themselves. Each hop's reader (relay.h) is a short-lived process
 * beside the chain, contained as roles are; those of all hops run side by side. What they printed
 * stays in the hop's directory as statistics-begin.txt and statistics-end.txt.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "plugin/hooks.h"
#include "site/local_site.h"

#define PATIENCE (10 * NS_PER_S)
#define MOST_TEXT (1 << 20)

struct reading {
    struct chain_role *hop;
    char *name, *directory; /* "status-relay_1"; its own */
    struct cgroup *cgroup;
    struct role *role;
    bool released, executing;
};

struct statistics {
    enum site_moment moment;
    int64_t deadline_ns;
    struct reading *readings;
    size_t n;
};

static int start(struct reading *r, struct local_site *l, struct bench_error *err)
{
    struct containment *c = l->host->containment;
    cleanup_free char *group = NULL;
    struct role_spec spec = {
        .process = &r->hop->reader,
        .network = l->network,
        .state = l->step->point->relay_states[l->step->arm],
    };

    r->name = xasprintf("status-%s", r->hop->name);
    r->directory = xasprintf("%s/%s", l->directory, r->name);
    group = xasprintf("r%u-%s", c->next_group, r->name);
    if (directory_make(AT_FDCWD, r->directory, err) < 0 ||
        cgroup_new(&r->cgroup, &c->host, c->id, group, 0, 100 * NS_PER_MS, err) < 0)
        return -1;
    spec.name = r->name;
    spec.directory = r->directory;
    spec.cgroup = r->cgroup;
    return role_spawn(&r->role, c, &spec, err);
}

/* 1: it has ended well; 0: not yet. */
static int go_on(struct reading *r, struct bench_error *err)
{
    int status;

    if (!r->released) {
        int held = role_held(r->role, err);

        if (held <= 0 || role_let_go(r->role, err) < 0)
            return held > 0 ? -1 : held;
        r->released = true;
    }
    if (!r->executing) {
        int started = role_started(r->role, err);

        if (started <= 0)
            return started;
        r->executing = true;
    }
    if (role_update(r->role) != ROLE_EXITED)
        return 0;
    status = role_status(r->role);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : role_error(r->role, err);
}

static const char *suffix_of(enum site_moment moment)
{
    return moment == SITE_BEFORE_WINDOW ? "begin" : "end";
}

static int keep(const struct reading *r, enum site_moment moment, struct bench_error *err)
{
    cleanup_free char *from = xasprintf("%s/stdout", r->directory);
    cleanup_free char *to = xasprintf("%s/statistics-%s.txt", r->hop->directory, suffix_of(moment));

    if (rename(from, to) < 0)
        return error_set(err, BENCH_ERROR_RUN, "cannot keep '%s'", to);
    return directory_remove(AT_FDCWD, r->directory, err);
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

void statistics_free(struct statistics *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        release(&t->readings[i]);
    free(t->readings);
    free(t);
}

nfds_t statistics_descriptors(const struct statistics *t, struct pollfd *fds)
{
    nfds_t n = 0;

    for (size_t i = 0; t && i < t->n; i++) {
        struct role *r = t->readings[i].role;

        if (r && role_update(r) != ROLE_EXITED)
            fds[n++] = (struct pollfd){.fd = role_fd(r), .events = POLLIN};
    }
    return n;
}

static int load(const struct chain_role *hop, enum site_moment moment, char **ret,
                struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/statistics-%s.txt", hop->directory, suffix_of(moment));

    return file_read(AT_FDCWD, path, MOST_TEXT, ret, NULL, err);
}

static void add_total(struct local_site *l, const struct chain_role *hop,
                      const struct result_total *t)
{
    cleanup_free char *name = xasprintf("statistic_%s_%s", t->metric, hop->name);

    record_add_total(l->record, name, t->value);
}

static int parse(struct local_site *l, const struct chain_role *hop, struct bench_error *err)
{
    const struct bench_relay *relay = l->step->point->relays[l->step->arm];
    cleanup_free char *begin = NULL, *end = NULL;
    struct bench_result result = {0};
    struct bench_statistics read = {.size = sizeof(read)};
    int rc;

    if (load(hop, SITE_BEFORE_WINDOW, &begin, err) < 0 ||
        load(hop, SITE_AFTER_WINDOW, &end, err) < 0)
        return -1;
    read.begin = begin;
    read.end = end;
    rc = hook_parse_statistics(relay, l->step->point->relay_states[l->step->arm], &read, &result,
                               err);
    for (size_t i = 0; rc == 0 && i < result.n_totals; i++)
        add_total(l, hop, &result.totals[i]);
    result_release(&result);
    return rc;
}

static int start_all(struct local_site *l, struct statistics *t, struct bench_error *err)
{
    for (size_t i = 0; i < l->chain->count; i++)
        if (chain_role_has_reader(&l->chain->roles[i]))
            t->readings[t->n++].hop = &l->chain->roles[i];
    for (size_t i = 0; i < t->n; i++)
        if (start(&t->readings[i], l, err) < 0)
            return error_context(err, "%s: statistics", t->readings[i].hop->title);
    return 0;
}

int local_read_statistics(struct site *s, enum site_moment moment, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;

    l->statistics = xcalloc(1, sizeof(*l->statistics));
    *l->statistics = (struct statistics){
        .moment = moment,
        .deadline_ns = clock_now() + PATIENCE,
        .readings = xcalloc(l->chain->count, sizeof(*l->statistics->readings)),
    };
    return start_all(l, l->statistics, err);
}

static int take(struct local_site *l, const struct reading *r, enum site_moment moment,
                struct bench_error *err)
{
    if (keep(r, moment, err) < 0)
        return -1;
    return moment == SITE_AFTER_WINDOW ? parse(l, r->hop, err) : 0;
}

int local_statistics_ready(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;
    struct statistics *t = l->statistics;
    bool late = clock_now() >= t->deadline_ns;

    for (size_t i = 0; i < t->n; i++) {
        struct reading *r = &t->readings[i];
        int done = go_on(r, err);

        if (done == 0 && late)
            done = error_set(err, BENCH_ERROR_RUN, "no answer within %lld s",
                             (long long)(PATIENCE / NS_PER_S));
        if (done < 0)
            return error_context(err, "%s: statistics", r->hop->title);
        if (done == 0)
            return 0;
    }
    for (size_t i = 0; i < t->n; i++)
        if (take(l, &t->readings[i], t->moment, err) < 0)
            return error_context(err, "%s: statistics", t->readings[i].hop->title);
    statistics_free(t);
    l->statistics = NULL;
    return 1;
}
