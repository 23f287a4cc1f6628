/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/speedscope.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static const char *unit_of(const char *unit)
{
    static const struct {
        const char *ours, *theirs;
    } units[] = {
        {"ns", "nanoseconds"}, {"us", "microseconds"}, {"ms", "milliseconds"},
        {"s", "seconds"},      {"bytes", "bytes"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcmp(unit, units[i].ours) == 0)
            return units[i].theirs;
    return "none";
}

static json_t *frame_json(const struct frame *f)
{
    static const char *const marks[] = {
        [FRAME_USER] = "", [FRAME_INLINED] = "_[i]", [FRAME_KERNEL] = "_[k]"};
    cleanup_free char *name = xasprintf("%s%s", f->name, marks[f->kind]);
    json_t *json = json_object();

    json_object_set_new(json, "name", json_text(name));
    if (f->module)
        json_object_set_new(json, "file", json_text(f->module));
    return json;
}

struct lists {
    json_t *frames, *samples, *weights;
    json_t **numbers; /* of interned frames: their position in `frames`, shared by all samples */
};

static json_t *number_of(struct lists *l, const struct stacks *s, uint32_t node)
{
    uint32_t frame = stacks_node(s, node)->frame;

    if (!l->numbers[frame]) {
        l->numbers[frame] = json_integer((json_int_t)json_array_size(l->frames));
        json_array_append_new(l->frames, frame_json(stacks_frame(s, node)));
    }
    return l->numbers[frame];
}

static void add_sample(struct lists *l, json_t *const *path, size_t depth, double weight)
{
    json_t *sample = json_array();

    for (size_t i = 0; i < depth; i++)
        json_array_append(sample, path[i]);
    json_array_append_new(l->samples, sample);
    json_array_append_new(l->weights, json_real(weight));
}

static void fill(struct lists *l, struct stacks *s)
{
    json_t *path[STACKS_DEPTH];
    size_t depth = 0;

    l->frames = json_array();
    l->samples = json_array();
    l->weights = json_array();
    l->numbers = xcalloc(stacks_frames(s), sizeof(*l->numbers));
    stacks_sort(s);
    for (uint32_t i = STACKS_ROOT; (i = stacks_next(s, i, true, &depth)) != STACKS_ROOT;) {
        path[depth - 1] = number_of(l, s, i);
        if (stacks_node(s, i)->self > 0)
            add_sample(l, path, depth, stacks_node(s, i)->self);
    }
    for (size_t i = 0; i < stacks_frames(s); i++)
        json_decref(l->numbers[i]);
    free(l->numbers);
}

json_t *speedscope_json(struct stacks *s, const char *title, const char *unit)
{
    struct lists l;

    fill(&l, s);
    return json_pack("{s:s, s:s, s:o, s:{s:o}, s:[{s:s, s:o, s:s, s:i, s:f, s:o, s:o}]}", "$schema",
                     "https://www.speedscope.app/file-format-schema.json", "exporter",
                     "bench@" BENCH_VERSION, "name", json_text(title), "shared", "frames", l.frames,
                     "profiles", "type", "sampled", "name", json_text(title), "unit", unit_of(unit),
                     "startValue", 0, "endValue", stacks_total(s), "samples", l.samples, "weights",
                     l.weights);
}

void speedscope_write(struct stacks *s, const char *title, const char *unit, struct text *out)
{
    json_t *json = speedscope_json(s, title, unit);
    cleanup_free char *dump = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

    text_add_bytes(out, dump, strlen(dump));
    text_add_bytes(out, "\n", 1);
    json_decref(json);
}
