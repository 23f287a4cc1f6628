/* SPDX-License-Identifier: Apache-2.0 */
#include "report/point_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/run_facts.h"

static void add_once(struct strings *s, const char *name)
{
    if (!strings_has(s, name))
        strings_add(s, name);
}

/* "jobs" and "workload" of "jobs=2 workload.mode=echo": members of the scenario. */
static void keys_of_label(const char *label, struct strings *ret)
{
    cleanup_strings struct strings words = {0};

    strings_split(&words, label, " ");
    for (size_t i = 0; i < words.count; i++) {
        size_t n = strcspn(words.items[i], ".=");
        cleanup_free char *key = xstrndup(words.items[i], n);

        if (strchr(words.items[i], '='))
            add_once(ret, strcmp(key, "relay") == 0 ? "relays" : key);
    }
}

/* What the run swept, as members of the scenario. */
static void swept_keys(const struct stored_run *run, struct strings *ret)
{
    json_t *point, *value;
    const char *key;
    size_t i;

    json_array_foreach(json_object_get(run->run, "points"), i, point)
    {
        keys_of_label(json_text_or(json_object_get(point, "label"), ""), ret);
        json_object_foreach(json_object_get(point, "settings"), key, value) add_once(ret, key);
    }
}

/* The settings of the arms that are compared, whatever these are called. New reference. */
static json_t *arms_at(const json_t *relays, const struct strings *arms)
{
    json_t *ret = json_array(), *arm;
    size_t i;

    for (size_t k = 0; k < arms->count; k++)
        json_array_foreach(relays, i, arm)
        {
            json_t *settings;

            if (strcmp(json_text_or(json_object_get(arm, "name"), ""), arms->items[k]) != 0)
                continue;
            settings = json_copy(arm);
            json_object_del(settings, "name");
            json_array_append_new(ret, settings);
        }
    return ret;
}

/* The values of the keys at a point, without those that nothing tells. New reference. */
static json_t *values_at(const struct stored_run *run, const char *label,
                         const struct strings *keys, const struct strings *arms)
{
    json_t *values = json_object();

    for (size_t i = 0; i < keys->count; i++) {
        json_t *value = run_setting(run, label, keys->items[i]);

        if (strcmp(keys->items[i], "relays") == 0)
            json_object_set_new(values, keys->items[i], arms_at(value, arms));
        else
            json_object_set(values, keys->items[i], value);
    }
    return values;
}

static bool is_matched(const struct point_matches *m, size_t side, const char *label)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].labels[side], label) == 0)
            return true;
    return false;
}

static void add(struct point_matches *m, const char *first, const char *second)
{
    struct point_match *new;

    m->items = grow(m->items, &m->capacity, m->count + 1, sizeof(*m->items));
    new = &m->items[m->count++];
    *new = (struct point_match){.labels = {xstrdup(first), xstrdup(second)}};
    new->joined = new->labels[*first ? 0 : 1];
}

void point_matches_find(const struct stored_run *const runs[2], const struct strings *const arms[2],
                        struct point_matches *ret)
{
    cleanup_strings struct strings keys = {0}, a = {0}, b = {0};

    run_points(runs[0], &a);
    run_points(runs[1], &b);
    for (size_t i = 0; i < a.count; i++)
        if (strings_has(&b, a.items[i]))
            add(ret, a.items[i], a.items[i]);
    for (size_t s = 0; s < 2; s++)
        swept_keys(runs[s], &keys);
    for (size_t i = 0; i < a.count; i++)
        for (size_t k = 0; k < b.count; k++) {
            json_t *x, *y;

            if (is_matched(ret, 0, a.items[i]) || is_matched(ret, 1, b.items[k]))
                continue;
            x = values_at(runs[0], a.items[i], &keys, arms[0]);
            y = values_at(runs[1], b.items[k], &keys, arms[1]);
            if (json_object_size(x) == keys.count && json_equal(x, y))
                add(ret, a.items[i], b.items[k]);
            json_decref(x);
            json_decref(y);
        }
}

const char *point_matches_joined(const struct point_matches *m, size_t side, const char *label)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].labels[side], label) == 0)
            return m->items[i].joined;
    return label;
}

void point_matches_release(struct point_matches *m)
{
    for (size_t i = 0; i < m->count; i++)
        for (size_t s = 0; s < 2; s++)
            free(m->items[i].labels[s]);
    free(m->items);
    *m = (struct point_matches){0};
}
