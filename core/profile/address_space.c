/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/address_space.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The first area that ends behind `address`. */
static size_t first_behind(const struct address_space *s, uint64_t address)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->areas[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void address_space_map(struct address_space *s, const struct area *area)
{
    size_t from = first_behind(s, area->start), to = from, n = 0;
    struct area kept[3]; /* what is left of the first, the new one, what is left of the last */

    while (to < s->n && s->areas[to].start < area->end)
        to++;
    if (from < to && s->areas[from].start < area->start) {
        kept[n] = s->areas[from];
        kept[n++].end = area->start;
    }
    kept[n++] = *area;
    if (from < to && s->areas[to - 1].end > area->end) {
        kept[n] = s->areas[to - 1];
        kept[n].offset += area->end - kept[n].start;
        kept[n++].start = area->end;
    }
    s->changes += from < to;
    s->areas = grow(s->areas, &s->capacity, s->n + n, sizeof(*s->areas));
    memmove(s->areas + from + n, s->areas + to, (s->n - to) * sizeof(*s->areas));
    memcpy(s->areas + from, kept, n * sizeof(*kept));
    s->n += n - (to - from);
}

void address_space_copy(struct address_space *s, const struct address_space *from)
{
    s->areas = grow(s->areas, &s->capacity, from->n, sizeof(*s->areas));
    if (from->n)
        memcpy(s->areas, from->areas, from->n * sizeof(*s->areas));
    s->n = from->n;
    s->changes++;
}

const struct area *address_space_find(const struct address_space *s, uint64_t address)
{
    size_t i = first_behind(s, address);

    return i < s->n && s->areas[i].start <= address ? &s->areas[i] : NULL;
}

void address_space_release(struct address_space *s)
{
    free(s->areas);
    *s = (struct address_space){0};
}
