/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/symbol_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/demangle.h"

#define PAGE 4096
#define FAR (16 << 20)
#define ENCLOSING_MAX 16 /* symbols that are looked at before the nearest, for one around it */

void symbol_table_add(struct symbol_table *t, uint64_t start, uint64_t size,
                      enum symbol_binding binding, const char *name)
{
    t->items = grow(t->items, &t->capacity, t->n + 1, sizeof(*t->items));
    t->items[t->n] = (struct symbol){.start = start,
                                     .end = start + size,
                                     .name = t->names.length,
                                     .binding = binding,
                                     .order = (uint32_t)t->n};
    t->n++;
    text_add_bytes(&t->names, name, strlen(name) + 1);
}

static const char *name_of(struct symbol_table *t, struct symbol *s)
{
    const char *plain = t->names.data + s->name;

    if (!s->asked && t->mangled)
        s->demangled = demangle(plain);
    s->asked = true;
    return s->demangled ? s->demangled : plain;
}

static size_t underscores(const char *name)
{
    return strspn(name, "_");
}

/* Whether `b`, which was added later, is the better name of the two. */
static bool is_better(struct symbol_table *t, struct symbol *b, struct symbol *a)
{
    const char *name_a, *name_b;

    if ((a->end > a->start) != (b->end > b->start))
        return b->end > b->start;
    if ((a->binding == SYMBOL_WEAK) != (b->binding == SYMBOL_WEAK))
        return a->binding == SYMBOL_WEAK;
    if ((a->binding == SYMBOL_GLOBAL) != (b->binding == SYMBOL_GLOBAL))
        return b->binding == SYMBOL_GLOBAL;
    name_a = name_of(t, a);
    name_b = name_of(t, b);
    if (underscores(name_a) != underscores(name_b))
        return underscores(name_b) < underscores(name_a);
    if (strlen(name_a) != strlen(name_b))
        return strlen(name_b) > strlen(name_a);
    return strncmp(name_a, "SyS", 3) == 0 || strncmp(name_a, "compat_SyS", 10) == 0;
}

static int compare(const void *a, const void *b)
{
    const struct symbol *one = a, *two = b;

    if (one->start != two->start)
        return one->start < two->start ? -1 : 1;
    return one->order < two->order ? -1 : one->order > two->order;
}

/* A symbol without a size ends where the next one starts, or with its page when that is somewhere
 * else: the last of the kernel itself before its modules. */
static void fix_ends(struct symbol_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct symbol *s = &t->items[i];

        if (s->end > s->start)
            continue;
        s->end = i + 1 < t->n && s[1].start - s->start < FAR
                     ? s[1].start
                     : (s->start + PAGE - 1) / PAGE * PAGE + PAGE;
    }
}

static void choose_among_aliases(struct symbol_table *t)
{
    size_t kept = 0;

    for (size_t i = 1; i < t->n; i++) {
        struct symbol *best = &t->items[kept], *other = &t->items[i];

        if (best->start != other->start) {
            t->items[++kept] = *other;
        } else if (is_better(t, other, best)) {
            free(best->demangled);
            *best = *other;
        } else {
            free(other->demangled);
        }
    }
    t->n = t->n ? kept + 1 : 0;
}

/* As /proc/kallsyms is, which is long. */
static bool is_sorted(const struct symbol_table *t)
{
    for (size_t i = 1; i < t->n; i++)
        if (t->items[i].start < t->items[i - 1].start)
            return false;
    return true;
}

void symbol_table_finish(struct symbol_table *t)
{
    if (!is_sorted(t))
        qsort(t->items, t->n, sizeof(*t->items), compare);
    fix_ends(t);
    choose_among_aliases(t);
}

/* How many symbols start at `address` or before. */
static size_t started(const struct symbol_table *t, uint64_t address)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->items[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *symbol_table_find(struct symbol_table *t, uint64_t address)
{
    size_t n = started(t, address);

    for (size_t i = n; i > 0 && n - i < ENCLOSING_MAX; i--)
        if (address < t->items[i - 1].end)
            return name_of(t, &t->items[i - 1]);
    return NULL;
}

void symbol_table_release(struct symbol_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->items[i].demangled);
    free(t->items);
    text_release(&t->names);
    *t = (struct symbol_table){0};
}
