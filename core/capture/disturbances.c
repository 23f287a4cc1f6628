/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/disturbances.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const struct {
    const char *name;
    bool spoils, outside;
} kinds[DISTURBANCE_KINDS] = {
    [DISTURBANCE_STOPPED] = {"stopped", .spoils = true, .outside = true},
    [DISTURBANCE_REPLACED] = {"replaced", .spoils = true},
    [DISTURBANCE_LIMIT] = {"limit", .spoils = true, .outside = true},
    [DISTURBANCE_CPUS] = {"cpus", .outside = true},
    [DISTURBANCE_PRIORITY] = {"priority", .outside = true},
    [DISTURBANCE_ENDED] = {"ended", .spoils = false},
};

size_t disturbances_add(struct disturbances *d, const char *role, enum disturbance_kind kind,
                        char *what, int64_t begin_ns, int64_t end_ns)
{
    d->items = grow(d->items, &d->capacity, d->count + 1, sizeof(*d->items));
    d->items[d->count] =
        (struct disturbance){.role = xstrdup(role), .kind = kind, .what = what, begin_ns, end_ns};
    return d->count++;
}

void disturbances_remove(struct disturbances *d, size_t i)
{
    free(d->items[i].role);
    free(d->items[i].what);
    d->count--;
    memmove(&d->items[i], &d->items[i + 1], (d->count - i) * sizeof(*d->items));
}

void disturbances_release(struct disturbances *d)
{
    while (d->count)
        disturbances_remove(d, d->count - 1);
    free(d->items);
    *d = (struct disturbances){0};
}

const char *disturbance_name(enum disturbance_kind kind)
{
    return kinds[kind].name;
}

int disturbance_find(const char *name, enum disturbance_kind *ret)
{
    for (int i = 0; name && i < DISTURBANCE_KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *ret = (enum disturbance_kind)i;
            return 0;
        }
    return -1;
}

bool disturbance_spoils(enum disturbance_kind kind)
{
    return kinds[kind].spoils;
}

bool disturbance_is_outside(enum disturbance_kind kind)
{
    return kinds[kind].outside;
}
