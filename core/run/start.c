/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stages.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

/* How often a starting role is looked at: often while it is young, because most are ready within
 * milliseconds, then rarely. */
#define READY_POLL_MIN (500 * NS_PER_US)
#define READY_POLL_MAX (10 * NS_PER_MS)

/* Until the role is where it is wanted. */
static int await(struct repetition *p, size_t i, enum site_state wanted, int64_t deadline,
                 struct bench_error *err)
{
    const struct chain_role *role = &p->chain.roles[i];
    int64_t pause = READY_POLL_MIN;

    for (;;) {
        int64_t now = p->clock->now(p->clock), until = now + pause;
        enum site_state state = p->ops->state(p->site, i);

        if (state >= wanted && state != SITE_EXITED)
            return 0;
        if (i == p->chain.client && p->client_done)
            return 0; /* quicker than this was to look */
        if (now >= deadline) {
            p->ops->error(p->site, i, err);
            return repetition_context(p, "start", role, err);
        }
        if (repetition_wait(p, until < deadline ? until : deadline, err) < 0)
            return repetition_context(p, "start", role, err);
        if (pause < READY_POLL_MAX)
            pause += pause / 4;
    }
}

static int hold(struct repetition *p, struct bench_error *err)
{
    int64_t deadline = p->clock->now(p->clock) + p->scenario->start_timeout_ns;

    p->held = true;
    if (p->ops->hold(p->site, err) < 0)
        return -1;
    for (size_t i = 0; i < p->chain.count; i++)
        if (await(p, i, SITE_HELD, deadline, err) < 0)
            return -1;
    return 0;
}

static int release(struct repetition *p, size_t i, struct bench_error *err)
{
    int64_t now = p->clock->now(p->clock);

    if (i == p->chain.client)
        p->client_begin_ns = now;
    if (p->ops->release(p->site, i, err) < 0)
        return error_context(err, "%s: start", p->chain.roles[i].title);
    if (await(p, i, SITE_READY, now + p->scenario->start_timeout_ns, err) < 0)
        return -1;
    /* A wrapped client's clock runs from its start: nothing else may delay the warm-up. */
    p->ops->identify(p->site, i);
    return 0;
}

static int start(struct repetition *p, struct bench_error *err)
{
    if (p->ops->prepare(p->site, err) < 0 || role_chain_compose(&p->chain, err) < 0)
        return -1;
    p->record.delivered = xstrdup(p->chain.delivered == BENCH_CLIENT ? "client" : "server");
    if (hold(p, err) < 0 || p->ops->open_captures(p->site, err) < 0)
        return -1;
    /* Server first, then the chain from its far end, so that no role meets a closed port. */
    for (size_t i = 0; i < p->chain.count; i++)
        if (release(p, role_chain_start_order(&p->chain, i), err) < 0)
            return -1;
    return 0;
}

int repetition_start(struct repetition *p)
{
    return repetition_note(p, start(p, &p->failure));
}
