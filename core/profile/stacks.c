/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Open addressing; a slot holds an index + 1, 0 is free. The size is a power of two. */
struct table {
    uint32_t *slots;
    size_t size, used;
};

struct stacks {
    struct frame *frames;
    size_t n_frames, frames_capacity;
    struct table frame_table;
    /* 2^32 nodes would take 100 GB: memory ends before the numbers do. */
    struct stacks_node *nodes;
    size_t n_nodes, nodes_capacity;
    struct table node_table;
    bool sorted;
};

/* --- hashing --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t hash_frame(const char *name, enum frame_kind kind)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) + (uint64_t)kind; /* FNV-1a */

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return mix(h);
}

static uint64_t hash_node(uint32_t parent, uint32_t frame)
{
    return mix((uint64_t)parent << 32 | frame);
}

static uint64_t hash_of(const struct stacks *s, const struct table *t, uint32_t index)
{
    const struct frame *f;

    if (t == &s->node_table)
        return hash_node(s->nodes[index].parent, s->nodes[index].frame);
    f = &s->frames[index];
    return hash_frame(f->name, f->kind);
}

static void insert(struct table *t, uint64_t hash, uint32_t index)
{
    size_t i = hash & (t->size - 1);

    while (t->slots[i])
        i = (i + 1) & (t->size - 1);
    t->slots[i] = index + 1;
    t->used++;
}

/* Makes room for one more, so that at least half of the table stays free. */
static void make_room(const struct stacks *s, struct table *t)
{
    struct table old = *t;

    if (t->size > 0 && 2 * (t->used + 1) <= t->size)
        return;
    *t = (struct table){.size = old.size ? 2 * old.size : 64};
    t->slots = xcalloc(t->size, sizeof(*t->slots));
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i])
            insert(t, hash_of(s, t, old.slots[i] - 1), old.slots[i] - 1);
    free(old.slots);
}

/* --- frames and nodes ------------------------------------------------------------------------ */

/* A name that is too long, cut between characters so that it can say so. */
static char *cut_name(const char *name)
{
    size_t length = STACKS_NAME - strlen(STACKS_TRUNCATED);

    for (int back = 0; back < 3 && ((unsigned char)name[length] & 0xc0) == 0x80; back++)
        length--;
    return xasprintf("%.*s" STACKS_TRUNCATED, (int)length, name);
}

static uint32_t intern(struct stacks *s, const struct frame *f)
{
    const char *name = f->name && f->name[0] ? f->name : STACKS_UNKNOWN;
    size_t length = strnlen(name, STACKS_NAME + 1), i;
    cleanup_free char *cut = length > STACKS_NAME ? cut_name(name) : NULL;
    struct table *t = &s->frame_table;
    uint32_t index = (uint32_t)s->n_frames;
    uint64_t hash;

    name = cut ? cut : name;
    hash = hash_frame(name, f->kind);
    make_room(s, t);
    for (i = hash & (t->size - 1); t->slots[i]; i = (i + 1) & (t->size - 1)) {
        const struct frame *known = &s->frames[t->slots[i] - 1];

        if (known->kind == f->kind && strcmp(known->name, name) == 0)
            break;
    }
    if (t->slots[i]) {
        index = t->slots[i] - 1;
    } else {
        s->frames = grow(s->frames, &s->frames_capacity, s->n_frames + 1, sizeof(*s->frames));
        s->frames[s->n_frames++] = (struct frame){.name = xstrdup(name), .kind = f->kind};
        insert(t, hash, index);
    }
    if (!s->frames[index].module && f->module)
        s->frames[index].module = xstrdup(f->module);
    return index;
}

static uint32_t child(struct stacks *s, uint32_t parent, uint32_t frame)
{
    struct table *t = &s->node_table;
    uint64_t hash = hash_node(parent, frame);
    uint32_t index = (uint32_t)s->n_nodes;

    make_room(s, t);
    for (size_t i = hash & (t->size - 1); t->slots[i]; i = (i + 1) & (t->size - 1)) {
        const struct stacks_node *known = &s->nodes[t->slots[i] - 1];

        if (known->parent == parent && known->frame == frame)
            return t->slots[i] - 1;
    }
    s->nodes = grow(s->nodes, &s->nodes_capacity, s->n_nodes + 1, sizeof(*s->nodes));
    s->nodes[s->n_nodes++] =
        (struct stacks_node){.parent = parent, .frame = frame, .next = s->nodes[parent].first};
    s->nodes[parent].first = index;
    insert(t, hash, index);
    s->sorted = false;
    return index;
}

/* --- life ------------------------------------------------------------------------------------ */

struct stacks *stacks_new(void)
{
    struct stacks *s = xcalloc(1, sizeof(*s));

    s->nodes = grow(s->nodes, &s->nodes_capacity, 1, sizeof(*s->nodes));
    s->nodes[STACKS_ROOT] = (struct stacks_node){0};
    s->n_nodes = 1;
    s->sorted = true;
    return s;
}

void stacks_free(struct stacks *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_frames; i++) {
        free((char *)s->frames[i].name);
        free((char *)s->frames[i].module);
    }
    free(s->frames);
    free(s->frame_table.slots);
    free(s->nodes);
    free(s->node_table.slots);
    free(s);
}

void stacks_freep(struct stacks **s)
{
    stacks_free(*s);
}

/* --- filling --------------------------------------------------------------------------------- */

void stacks_add(struct stacks *s, const struct frame *frames, size_t n, double weight)
{
    static const struct frame unknown = {.name = STACKS_UNKNOWN};
    static const struct frame truncated = {.name = STACKS_TRUNCATED};
    uint32_t node = STACKS_ROOT;

    if (!(weight > 0))
        return;
    for (size_t i = 0; i < n && i < STACKS_DEPTH; i++) {
        bool cut = i == STACKS_DEPTH - 1 && n > STACKS_DEPTH;

        node = child(s, node, intern(s, cut ? &truncated : &frames[i]));
    }
    if (n == 0)
        node = child(s, node, intern(s, &unknown));
    s->nodes[node].self += weight;
}

void stacks_merge(struct stacks *s, const struct stacks *from, double factor, uint32_t **ret_map)
{
    uint32_t *frames = xcalloc(from->n_frames, sizeof(*frames));
    uint32_t *map = xcalloc(from->n_nodes, sizeof(*map));

    for (size_t i = 0; i < from->n_frames; i++)
        frames[i] = intern(s, &from->frames[i]);
    for (size_t i = 1; i < from->n_nodes; i++) {
        const struct stacks_node *node = &from->nodes[i];

        map[i] = child(s, map[node->parent], frames[node->frame]);
        s->nodes[map[i]].self += node->self * factor;
    }
    free(frames);
    if (ret_map)
        *ret_map = map;
    else
        free(map);
}

/* --- reading --------------------------------------------------------------------------------- */

double stacks_total(const struct stacks *s)
{
    double sum = 0;

    for (size_t i = 1; i < s->n_nodes; i++)
        sum += s->nodes[i].self;
    return sum;
}

size_t stacks_count(const struct stacks *s)
{
    size_t count = 0;

    for (size_t i = 1; i < s->n_nodes; i++)
        count += s->nodes[i].self > 0;
    return count;
}

size_t stacks_nodes(const struct stacks *s)
{
    return s->n_nodes;
}

size_t stacks_frames(const struct stacks *s)
{
    return s->n_frames;
}

const struct stacks_node *stacks_node(const struct stacks *s, uint32_t node)
{
    return &s->nodes[node];
}

const struct frame *stacks_frame(const struct stacks *s, uint32_t node)
{
    return &s->frames[s->nodes[node].frame];
}

double *stacks_totals(const struct stacks *s)
{
    double *totals = xcalloc(s->n_nodes, sizeof(*totals));

    for (size_t i = s->n_nodes; i-- > 1;) {
        totals[i] += s->nodes[i].self;
        totals[s->nodes[i].parent] += totals[i];
    }
    return totals;
}

static int by_frame(const void *a, const void *b, void *context)
{
    const struct stacks *s = context;
    const struct frame *x = stacks_frame(s, *(const uint32_t *)a);
    const struct frame *y = stacks_frame(s, *(const uint32_t *)b);
    int order = strcmp(x->name, y->name);

    return order ? order : (int)x->kind - (int)y->kind;
}

void stacks_sort(struct stacks *s)
{
    cleanup_free uint32_t *children = NULL;
    size_t capacity = 0;

    for (size_t i = 0; !s->sorted && i < s->n_nodes; i++) {
        uint32_t *link = &s->nodes[i].first;
        size_t n = 0;

        for (uint32_t c = *link; c; c = s->nodes[c].next) {
            children = grow(children, &capacity, n + 1, sizeof(*children));
            children[n++] = c;
        }
        if (n < 2)
            continue;
        qsort_r(children, n, sizeof(*children), by_frame, s);
        for (size_t k = 0; k < n; k++) {
            *link = children[k];
            link = &s->nodes[children[k]].next;
        }
        *link = 0;
    }
    s->sorted = true;
}

uint32_t stacks_next(const struct stacks *s, uint32_t node, bool into, size_t *depth)
{
    if (into && s->nodes[node].first) {
        ++*depth;
        return s->nodes[node].first;
    }
    while (node != STACKS_ROOT && !s->nodes[node].next) {
        node = s->nodes[node].parent;
        --*depth;
    }
    return node == STACKS_ROOT ? STACKS_ROOT : s->nodes[node].next;
}

int stacks_each(struct stacks *s, stacks_visit *visit, void *context)
{
    const struct frame *frames[STACKS_DEPTH];
    size_t depth = 0;

    stacks_sort(s);
    for (uint32_t i = STACKS_ROOT; (i = stacks_next(s, i, true, &depth)) != STACKS_ROOT;) {
        int result;

        frames[depth - 1] = stacks_frame(s, i);
        if (s->nodes[i].self > 0 && (result = visit(context, frames, depth, s->nodes[i].self)))
            return result;
    }
    return 0;
}
