/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/by_id.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void *by_id_at(const struct by_id *b, size_t i)
{
    return (char *)b->items + i * b->size;
}

static uint32_t id_at(const struct by_id *b, size_t i)
{
    return *(const uint32_t *)by_id_at(b, i);
}

/* Where it is, or where it has to be put. */
static size_t place(const struct by_id *b, uint32_t id)
{
    size_t low = 0, high = b->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (id_at(b, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void *by_id_find(const struct by_id *b, uint32_t id)
{
    size_t i = place(b, id);

    return i < b->n && id_at(b, i) == id ? by_id_at(b, i) : NULL;
}

void *by_id_get(struct by_id *b, uint32_t id)
{
    size_t i = place(b, id);

    if (i < b->n && id_at(b, i) == id)
        return by_id_at(b, i);
    b->items = grow(b->items, &b->capacity, b->n + 1, b->size);
    memmove(by_id_at(b, i + 1), by_id_at(b, i), (b->n - i) * b->size);
    memset(by_id_at(b, i), 0, b->size);
    memcpy(by_id_at(b, i), &id, sizeof(id));
    b->n++;
    return by_id_at(b, i);
}

void by_id_release(struct by_id *b)
{
    free(b->items);
    b->items = NULL;
    b->n = b->capacity = 0;
}
