/* SPDX-License-Identifier: Apache-2.0 */
#include "report/document_parts.h"

#include <string.h>

#include "store/disturbed.h"

const char *document_keep(struct document *d, const char *s)
{
    if (!s)
        return NULL;
    strings_add(&d->kept, s);
    return d->kept.items[d->kept.count - 1];
}

struct observations document_select(const struct document *d, const char *arm, const char *point,
                                    bool ok_only)
{
    struct observations found = {0};

    for (size_t i = 0; i < d->n_observed; i++) {
        const struct repetition_record *r = d->observed[i].record;

        if (record_measures(r) && strcmp(r->arm, arm) == 0 && strcmp(r->point, point) == 0 &&
            (r->ok || !ok_only))
            observations_add(&found, &d->observed[i]);
    }
    return found;
}

struct observations document_fit(const struct observations *all, const struct fitness *fitness)
{
    struct observations fit = {0};

    for (size_t i = 0; i < all->count; i++)
        if (!fitness_rejects(fitness, all->items[i]->record->block) &&
            !record_has_no_outcome(all->items[i]->record))
            observations_add(&fit, all->items[i]);
    return fit;
}
