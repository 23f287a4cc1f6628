/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capture, part of every repetition, that watches the roles for what is done to them from
 * outside: what it finds goes to the repetition's list. Its columns, which are totals and only
 * there when a control group around the bench has a CPU quota:
 *
 *   around.throttled_ns, .periods, .throttled_periods
 *                      of all groups around that have one, see process/around.h
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/watch.h"
#include "process/around.h"

/* Between two looks at least, however short the ticks are. Shorter than what a client is given to
 * settle after a pause (run/runner.c): the look at a slice's begin tells one pause from the next. */
#define PACE_NS (45 * NS_PER_MS)

struct disturbed {
    struct watch *watches;
    size_t count;
    int64_t looked_ns;
    struct cgroup_around around;
    struct around_usage usage; /* at the last look */
    size_t column;             /* first of three; SIZE_MAX: there are none */
    struct disturbances *out;  /* not owned */
    bool measuring;
};

static const struct {
    const char *name;
    size_t offset;
} columns[] = {
    {"around.throttled_ns", offsetof(struct around_usage, throttled_ns)},
    {"around.periods", offsetof(struct around_usage, periods)},
    {"around.throttled_periods", offsetof(struct around_usage, throttled_periods)},
};

static void open_around(struct disturbed *d, const struct capture_target *t)
{
    d->column = SIZE_MAX;
    if (!t->containment)
        return;
    cgroup_around_open(&d->around, &t->containment->host);
    cgroup_around_read(&d->around, &d->usage);
    if (d->usage.cpus == 0) { /* nothing to read on each tick */
        cgroup_around_close(&d->around);
        return;
    }
    d->column = t->series->n_columns;
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        series_add_column(t->series, columns[i].name, SERIES_COUNTER, BENCH_OK, NULL);
}

static void look_around(struct disturbed *d, int64_t now)
{
    double before = d->usage.cpus;

    if (d->column == SIZE_MAX)
        return;
    cgroup_around_read(&d->around, &d->usage);
    if (d->measuring && d->usage.cpus != before)
        disturbances_add(d->out, "bench", DISTURBANCE_LIMIT,
                         xasprintf("the CPU quota around it was changed from %.3g to %.3g CPUs",
                                   before, d->usage.cpus),
                         now, now);
}

static int open_disturbed(void *state, const struct capture_target *t, struct bench_error *err)
{
    struct disturbed *d = state;

    (void)err;
    d->watches = xcalloc(t->n_roles, sizeof(*d->watches));
    d->count = t->n_roles;
    for (size_t i = 0; i < t->n_roles; i++)
        watch_init(&d->watches[i], t->roles[i], t->disturbances);
    d->out = t->disturbances;
    open_around(d, t);
    return 0;
}

static unsigned long long client_start(const struct disturbed *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->watches[i].client)
            return watch_start_of(role_component_pid(d->watches[i].role));
    return 0;
}

static int begin_disturbed(void *state, struct bench_error *err)
{
    struct disturbed *d = state;
    unsigned long long start = client_start(d);

    (void)err;
    d->looked_ns = clock_now();
    for (size_t i = 0; i < d->count; i++)
        watch_begin(&d->watches[i], start, d->looked_ns);
    look_around(d, d->looked_ns);
    d->measuring = true;
    return 0;
}

static void sample_disturbed(void *state, int64_t *row)
{
    struct disturbed *d = state;
    int64_t now = clock_now();

    (void)row;
    if (now - d->looked_ns < PACE_NS)
        return;
    d->looked_ns = now;
    for (size_t i = 0; i < d->count; i++)
        watch_look(&d->watches[i], now);
}

static void sample_around(void *state, int64_t *row)
{
    struct disturbed *d = state;

    look_around(d, clock_now());
    for (size_t i = 0; d->column != SIZE_MAX && i < ARRAY_SIZE(columns); i++)
        memcpy(&row[d->column + i], (const char *)&d->usage + columns[i].offset, sizeof(*row));
}

static int end_disturbed(void *state, struct bench_error *err)
{
    struct disturbed *d = state;
    int64_t now = clock_now();

    (void)err;
    for (size_t i = 0; i < d->count; i++)
        watch_end(&d->watches[i], now);
    look_around(d, now);
    d->measuring = false;
    return 0;
}

static void close_disturbed(void *state)
{
    struct disturbed *d = state;

    for (size_t i = 0; i < d->count; i++)
        watch_release(&d->watches[i]);
    free(d->watches);
    cgroup_around_close(&d->around);
}

const struct capture_ops capture_disturbed = {
    .name = "disturbed",
    .help = "what is done to the roles from outside: stopped, replaced, moved, limits changed",
    .state_size = sizeof(struct disturbed),
    .always = true,
    .open = open_disturbed,
    .begin = begin_disturbed,
    .sample = sample_disturbed,
    .sample_totals = sample_around,
    .end = end_disturbed,
    .close = close_disturbed,
};
