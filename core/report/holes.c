/* SPDX-License-Identifier: Apache-2.0 */
#include "report/holes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/steady.h"
#include "report/window.h"
#include "stats/hole.h"

#define LEAST_SECONDS 0.2
#define LEAST_PERIODS 2 /* of a CPU limit: throttled, a relay stands still for most of one */
/* What a stream moves in one piece: buffers, bursts. */
#define STREAM_PIECE (64 << 10)
/* Without a sample; beside the length of a tick. */
#define LEAST_BLIND 0.3
#define BLIND_TICKS 4

struct found {
    bool any;
    double at, seconds; /* in the window */
};

static double least_of(const struct repetition_record *r)
{
    double least = LEAST_SECONDS;

    for (size_t i = 0; i < r->n_roles; i++) {
        double periods = LEAST_PERIODS * (double)r->roles[i].cpu_period_ns * 1e-9;

        if (r->roles[i].cpu_limit > 0 && periods > least)
            least = periods;
    }
    return least;
}

static double seconds_between(const struct repetition_record *r, size_t from, size_t to)
{
    return (double)(r->series.times[to] - r->series.times[from]) * 1e-9;
}

static struct found find_still(const struct repetition_record *r)
{
    size_t n, first = metric_window(r).first;
    cleanup_free double *amounts = steadiness_rates(r, &n);
    cleanup_free double *seconds = xcalloc(n + 1, sizeof(*seconds));
    bool requests = series_find(&r->series, "client.operations") >= 0 &&
                    series_delta(&r->series, "client.operations", first, first + n).value > 0;
    struct hole hole;

    if (!amounts)
        return (struct found){0};
    for (size_t i = 0; i < n; i++) {
        seconds[i] = seconds_between(r, first + i, first + i + 1);
        amounts[i] *= seconds[i];
    }
    if (!stats_hole(amounts, seconds, n, requests ? 1 : STREAM_PIECE, least_of(r), &hole))
        return (struct found){0};
    return (struct found){true, seconds_between(r, first, first + hole.first), hole.seconds};
}

/* The longest time without a sample. */
static struct found find_blind(const struct repetition_record *r)
{
    struct metric_window w = metric_window(r);
    struct found longest = {0};
    size_t n = w.last - w.first;

    for (size_t i = w.first; w.seconds > 0 && i < w.last; i++) {
        double seconds = seconds_between(r, i, i + 1);

        if (seconds > longest.seconds)
            longest = (struct found){true, seconds_between(r, w.first, i), seconds};
    }
    /* Against the other ticks: a window may have few, and long ones. */
    if (n < 3 || longest.seconds < LEAST_BLIND ||
        longest.seconds < BLIND_TICKS * (w.seconds - longest.seconds) / (double)(n - 1))
        return (struct found){0};
    return longest;
}

static void warn(const struct bench_arm *arm, const char *label, const struct observations *all,
                 struct found (*find)(const struct repetition_record *), const char *what,
                 struct strings *ret)
{
    struct found first = {0};
    size_t times = 0, n = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct repetition_record *r = all->items[i]->record;
        struct found f;

        if (!r->ok || strcmp(r->arm, arm->name) != 0 || strcmp(r->point, arm->point) != 0)
            continue;
        n++;
        f = find(r);
        if (!f.any)
            continue;
        if (times++ == 0)
            first = f;
    }
    if (times)
        strings_addf(ret,
                     "%s: in %zu of %zu repetition%s %s, first for %.2f s at %.2f s of the window",
                     label, times, n, plural(n), what, first.seconds, first.at);
}

void holes_warn(const struct bench_arm *arm, const char *label, const struct observations *all,
                struct strings *ret)
{
    warn(arm, label, all, find_still,
         "nothing at all moved for a while, which is part of every number: a process or the "
         "machine stood still",
         ret);
    warn(arm, label, all, find_blind,
         "no sample was taken for a while: the bench itself was stopped, or found no CPU", ret);
}
