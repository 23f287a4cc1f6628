/* SPDX-License-Identifier: Apache-2.0 */
/* The capture, part of every repetition, that watches the roles for what is done to them from
 * outside. It has no columns: what it finds goes to the repetition's list. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/watch.h"

/* Between two looks at least, however short the ticks are. */
#define PACE_NS (45 * NS_PER_MS)

struct disturbed {
    struct watch *watches;
    size_t count;
    int64_t looked_ns;
};

static int open_disturbed(void *state, const struct capture_target *t, struct bench_error *err)
{
    struct disturbed *d = state;

    (void)err;
    d->watches = xcalloc(t->n_roles, sizeof(*d->watches));
    d->count = t->n_roles;
    for (size_t i = 0; i < t->n_roles; i++)
        watch_init(&d->watches[i], t->roles[i], t->disturbances);
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

static int end_disturbed(void *state, struct bench_error *err)
{
    struct disturbed *d = state;
    int64_t now = clock_now();

    (void)err;
    for (size_t i = 0; i < d->count; i++)
        watch_end(&d->watches[i], now);
    return 0;
}

static void close_disturbed(void *state)
{
    struct disturbed *d = state;

    for (size_t i = 0; i < d->count; i++)
        watch_release(&d->watches[i]);
    free(d->watches);
}

const struct capture_ops capture_disturbed = {
    .name = "disturbed",
    .help = "what is done to the roles from outside: stopped, replaced, moved, limits changed",
    .state_size = sizeof(struct disturbed),
    .always = true,
    .open = open_disturbed,
    .begin = begin_disturbed,
    .sample = sample_disturbed,
    .end = end_disturbed,
    .close = close_disturbed,
};
