/* SPDX-License-Identifier: Apache-2.0 */
#include "store/disturbed.h"

#include "base/memory.h"

/* How much of the window had passed. */
static double seconds_at(const struct repetition_record *r, int64_t time)
{
    int64_t passed = 0;

    if (r->n_slices < 2)
        return (double)(time - r->window_begin_ns) * 1e-9;
    for (size_t i = 0; i < r->n_slices && r->slices[i].begin_ns < time; i++)
        passed += (time < r->slices[i].end_ns ? time : r->slices[i].end_ns) - r->slices[i].begin_ns;
    return (double)passed * 1e-9;
}

static bool touches(const struct disturbance *d, int64_t begin, int64_t end)
{
    return d->end_ns >= begin && d->begin_ns <= end;
}

/* What was changed between two slices still is so in the next. */
static bool counts(const struct repetition_record *r, const struct disturbance *d)
{
    if (r->n_slices < 2 || d->kind != DISTURBANCE_STOPPED)
        return touches(d, r->window_begin_ns, r->window_end_ns);
    for (size_t i = 0; i < r->n_slices; i++)
        if (touches(d, r->slices[i].begin_ns, r->slices[i].end_ns))
            return true;
    return false;
}

void record_keep_disturbances(struct repetition_record *r)
{
    for (size_t i = r->disturbances.count; i-- > 0;)
        if (!counts(r, &r->disturbances.items[i]))
            disturbances_remove(&r->disturbances, i);
}

const struct disturbance *record_spoiled(const struct repetition_record *r)
{
    for (size_t i = 0; i < r->disturbances.count; i++)
        if (disturbance_spoils(r->disturbances.items[i].kind))
            return &r->disturbances.items[i];
    return NULL;
}

static const struct disturbance *first_outside(const struct repetition_record *r, bool spoils)
{
    for (size_t i = 0; i < r->disturbances.count; i++) {
        const struct disturbance *d = &r->disturbances.items[i];

        if (disturbance_is_outside(d->kind) && (!spoils || disturbance_spoils(d->kind)))
            return d;
    }
    return NULL;
}

const struct disturbance *record_unfit(const struct repetition_record *r)
{
    return first_outside(r, !r->ok);
}

bool record_has_no_outcome(const struct repetition_record *r)
{
    return !r->ok && record_unfit(r);
}

char *record_disturbance_text(const struct repetition_record *r, const struct disturbance *d)
{
    double begin = seconds_at(r, d->begin_ns), end = seconds_at(r, d->end_ns);

    if (begin < 0)
        begin = 0;
    if (d->end_ns > d->begin_ns)
        return xasprintf("%s: %s from %.2f s to %.2f s of the window", d->role, d->what, begin,
                         end);
    return xasprintf("%s: %s at %.2f s of the window", d->role, d->what, begin);
}
