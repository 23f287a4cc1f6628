/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile_set.h"

#include <stdlib.h>

#include "base/memory.h"

struct profile *profile_set_add(struct profile_set *set)
{
    set->items = grow(set->items, &set->capacity, set->count + 1, sizeof(*set->items));
    set->items[set->count] = (struct profile){.stacks = stacks_new(), .divisor = 1};
    return &set->items[set->count++];
}

struct stacks *profile_set_merge(const struct profile_set *set)
{
    struct stacks *all = stacks_new();

    for (size_t i = 0; i < set->count; i++)
        stacks_merge(all, set->items[i].stacks, 1, NULL);
    return all;
}

double profile_set_samples(const struct profile_set *set)
{
    double sum = 0;

    for (size_t i = 0; i < set->count; i++) {
        if (!(set->items[i].samples > 0))
            return 0;
        sum += set->items[i].samples;
    }
    return sum;
}

void profile_set_release(struct profile_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        stacks_free(set->items[i].stacks);
    free(set->items);
    free(set->event);
    free(set->unit);
    *set = (struct profile_set){0};
}
