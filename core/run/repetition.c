/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stages.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "environment/facts.h"

/* How long news that poll did not tell may be unknown. */
#define CHECK_EVERY_NS (50 * NS_PER_MS)
#define QUOTED_BYTES 800 /* of a relay's last words */

struct repetition *repetition_new(struct session *session, const struct step *step,
                                  const char *directory)
{
    struct repetition *p = xcalloc(1, sizeof(*p));
    const struct point *point = step->point;
    const struct arm *arm = &point->scenario.arms[step->arm];
    struct repetition_record *record = &p->record;

    p->session = session;
    p->clock = session->clock;
    p->step = step;
    p->scenario = &point->scenario;
    p->directory = xstrdup(directory);
    p->title = xasprintf("%s: %s%s%s", p->scenario->name, arm->name, point->label[0] ? ", " : "",
                         point->label);
    p->started_ns = p->clock->now(p->clock);
    if (p->clock->stood_still)
        p->clock->stood_still(p->clock); /* before it */
    record->captures = json_array();
    record->index = step->index;
    record->block = step->block;
    record->arm = xstrdup(arm->name);
    record->relay = xstrdup(arm->plugin);
    record->point = xstrdup(point->label);
    record->purpose = xstrdup(step->purpose);
    record->hops = point->hops[step->arm];
    record->seed = step->seed;
    record->clocksource = facts_clocksource();
    record->wall_minus_monotonic_ns = p->clock->offset(p->clock);
    record->started_wall_ns = p->started_ns + record->wall_minus_monotonic_ns;
    role_chain_init(&p->chain, point, step->arm, directory, step->seed);
    p->site = session->host->ops->open(session->host, &(struct site_spec){
                                                          .step = step,
                                                          .chain = &p->chain,
                                                          .record = record,
                                                          .directory = p->directory,
                                                          .title = p->title,
                                                      });
    p->ops = p->site->ops;
    return p;
}

const struct step *repetition_step(const struct repetition *p)
{
    return p->step;
}

const char *repetition_directory(const struct repetition *p)
{
    return p->directory;
}

struct repetition_record *repetition_record(struct repetition *p)
{
    return &p->record;
}

const struct bench_error *repetition_failure(const struct repetition *p)
{
    return p->failed ? &p->failure : NULL;
}

bool repetition_interrupted(const struct repetition *p)
{
    return p->interrupted;
}

int repetition_note(struct repetition *p, int result)
{
    p->failed = p->failed || result < 0;
    return result;
}

/* A role ended before it was asked to. Fine only for the client of a wrapper that has succeeded. */
static int check_role(struct repetition *p, size_t i, struct bench_error *err)
{
    p->states[i] = p->ops->state(p->site, i);
    if (p->states[i] != SITE_EXITED)
        return 0;
    if (i == p->chain.client && p->step->point->workload->parse &&
        p->ops->status(p->site, i) == 0) {
        if (!p->client_done)
            p->client_end_ns = p->clock->now(p->clock);
        p->client_done = true;
        return 0;
    }
    p->ended = &p->chain.roles[i];
    return p->ops->error(p->site, i, err);
}

int repetition_context(const struct repetition *p, const char *phase,
                       const struct chain_role *awaited, struct bench_error *err)
{
    const struct chain_role *role = p->ended ? p->ended : awaited;

    return role ? error_context(err, "%s: %s", role->title, phase)
                : error_context(err, "%s", phase);
}

int repetition_check_watched(struct repetition *p, struct bench_error *err)
{
    if (p->clock->stood_still && p->clock->stood_still(p->clock))
        p->stood_still = true;
    if (!p->stood_still)
        return 0;
    error_set(err, BENCH_ERROR_RUN,
              "bench itself was stopped (Ctrl-Z, SIGSTOP) and went on, while its roles ran without "
              "being watched");
    error_hint(err, "the next repetition is not affected");
    return -1;
}

static int check_roles(struct repetition *p, struct bench_error *err)
{
    p->news = false;
    p->checked_ns = p->clock->now(p->clock);
    for (size_t i = 0; i < p->chain.count; i++)
        if (check_role(p, i, err) < 0)
            return -1;
    return 0;
}

/* Until `until_ns`, or until there may be news: 1 when the time has come, else 0. */
static int sleep_until(struct repetition *p, int64_t until_ns, struct bench_error *err)
{
    struct pollfd fds[1 + SITE_MAX_DESCRIPTORS] = {
        {.fd = p->session->interrupt_fd, .events = POLLIN},
    };
    nfds_t n = 1 + p->ops->descriptors(p->site, fds + 1);
    int ready = p->clock->poll(p->clock, fds, n, until_ns);

    if (ready < 0 && errno != EINTR)
        return error_errno(err, BENCH_ERROR_RUN, errno, "poll");
    p->news = p->news || ready != 0;
    if (ready > 0 && fds[0].revents) {
        p->interrupted = true;
        return error_set(err, BENCH_ERROR_RUN, "interrupted");
    }
    return ready == 0 && p->clock->now(p->clock) >= until_ns;
}

/* Everything that may have happened. */
static int check_all(struct repetition *p, struct bench_error *err)
{
    return check_roles(p, err) < 0 ? -1 : repetition_check_watched(p, err);
}

int repetition_wait(struct repetition *p, int64_t until_ns, struct bench_error *err)
{
    if (check_all(p, err) < 0 || sleep_until(p, until_ns, err) < 0)
        return -1;
    return repetition_check_watched(p, err);
}

/* Not only when poll says so: other calls may have read the news. But short ticks must not cost a
 * look at every role each. */
static bool is_time_to_check(const struct repetition *p)
{
    return p->news || p->clock->now(p->clock) - p->checked_ns >= CHECK_EVERY_NS;
}

int repetition_watch(struct repetition *p, int64_t until_ns, struct bench_error *err)
{
    int result = 0;

    while (result == 0) {
        if (is_time_to_check(p) && check_all(p, err) < 0)
            return -1;
        if (p->client_done)
            return 0;
        result = sleep_until(p, until_ns, err);
    }
    return result < 0 ? -1 : 0;
}

void repetition_quote_relays(struct repetition *p, struct bench_error *err)
{
    cleanup_text struct text quoted = {0};

    for (size_t i = 0; i < p->chain.count; i++) {
        const struct chain_role *role = &p->chain.roles[i];
        cleanup_free char *lines = role->hop ? p->ops->last_lines(p->site, i, QUOTED_BYTES) : NULL;

        if (lines && *lines)
            text_add(&quoted, "%s printed last:\n%s", role->title, lines);
    }
    if (err && !err->detail[0])
        error_detail(err, text_get(&quoted));
}

void repetition_free(struct repetition *p)
{
    if (!p)
        return;
    p->ops->free(p->site);
    role_chain_release(&p->chain);
    free(p->directory);
    free(p->title);
    record_release(&p->record);
    free(p);
}
