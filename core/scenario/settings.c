/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"

struct setting *settings_find(const struct settings *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].key, key) == 0)
            return &s->items[i];
    return NULL;
}

const char *settings_get(const struct settings *s, const char *key)
{
    const struct setting *found = settings_find(s, key);

    return found ? found->text : NULL;
}

void settings_put(struct settings *s, const char *key, const char *text, const char *where)
{
    struct setting *found = settings_find(s, key);

    if (!found) {
        s->items = grow(s->items, &s->capacity, s->count + 1, sizeof(*s->items));
        found = &s->items[s->count++];
        *found = (struct setting){.key = xstrdup(key)};
    }
    xreplace(&found->text, text);
    xreplace(&found->where, where);
}

void settings_release(struct settings *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i].key);
        free(s->items[i].text);
        free(s->items[i].where);
    }
    free(s->items);
    *s = (struct settings){0};
}

void settings_copy(struct settings *to, const struct settings *from)
{
    *to = (struct settings){0};
    if (!from->count)
        return;
    to->items = grow(NULL, &to->capacity, from->count, sizeof(*to->items));
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        to->items[i] = (struct setting){.key = xstrdup(from->items[i].key),
                                        .text = xstrdup(from->items[i].text),
                                        .where = xstrdup(from->items[i].where)};
}

int settings_apply(const struct settings *s, const struct bench_option *table, void *state,
                   const char *owner, struct bench_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct setting *setting = &s->items[i];
        const struct bench_option *row = option_find(table, setting->key);

        if ((!row && option_unknown(table, "option", setting->key, err) < 0) ||
            option_set(row, state, setting->text, err) < 0)
            return error_context(err, "%s: %s", setting->where, owner);
    }
    return 0;
}
