/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"

const struct capture_ops *const captures[] = {&capture_resources, &capture_stat, NULL};

struct capture {
    const struct capture_ops *ops;
    void *state;
};

const struct capture_ops *capture_find(const char *name)
{
    for (size_t i = 0; captures[i]; i++)
        if (strcmp(captures[i]->name, name) == 0)
            return captures[i];
    return NULL;
}

static int unknown_capture(const char *name, struct bench_error *err)
{
    const char *names[ARRAY_SIZE(captures)] = {NULL}, *near;
    cleanup_text struct text all = {0};
    size_t n = 0;

    for (size_t i = 0; captures[i]; i++) {
        if (captures[i]->always)
            continue;
        text_add(&all, "%s'%s'", n ? ", " : "", captures[i]->name);
        names[n++] = captures[i]->name;
    }
    error_set(err, BENCH_ERROR_USAGE, "unknown capture '%s'", name);
    near = nearest(name, names);
    if (near)
        error_hint(err, "did you mean '%s'?", near);
    else
        error_hint(err, "captures are %s", text_get(&all));
    return -1;
}

int capture_known(const struct capture_request *request, struct bench_error *err)
{
    const struct capture_ops *ops = capture_find(request->name);
    struct capture *capture;

    if (!ops)
        return unknown_capture(request->name, err);
    if (ops->always) {
        error_set(err, BENCH_ERROR_USAGE, "capture '%s' is part of every repetition", ops->name);
        error_hint(err, "leave it out");
        return -1;
    }
    if (capture_new(&capture, ops, &request->options, err) < 0)
        return -1;
    capture_free(capture);
    return 0;
}

static int set_option(const struct capture_ops *ops, void *state, const struct setting *setting,
                      struct bench_error *err)
{
    const struct bench_option *row = option_find(ops->options, setting->key);

    if (!row)
        return option_unknown(ops->options, "option", setting->key, err);
    return option_set(row, state, setting->text, err);
}

int capture_new(struct capture **ret, const struct capture_ops *ops, const struct settings *options,
                struct bench_error *err)
{
    struct capture *c = xcalloc(1, sizeof(*c));

    c->ops = ops;
    c->state = xcalloc(1, ops->state_size);
    option_defaults(ops->options, c->state);
    for (size_t i = 0; options && i < options->count; i++)
        if (set_option(ops, c->state, &options->items[i], err) < 0)
            goto fail;
    if (ops->check && ops->check(c->state, err) < 0)
        goto fail;
    *ret = c;
    return 0;
fail:
    capture_free(c);
    return error_context(err, "capture '%s'", ops->name);
}

int capture_open(struct capture *c, const struct capture_target *t, struct bench_error *err)
{
    if (c->ops->open && c->ops->open(c->state, t, err) < 0)
        return error_context(err, "capture '%s'", c->ops->name);
    return 0;
}

int capture_begin(struct capture *c, struct bench_error *err)
{
    if (c->ops->begin && c->ops->begin(c->state, err) < 0)
        return error_context(err, "capture '%s'", c->ops->name);
    return 0;
}

void capture_sample(struct capture *c, int64_t *row)
{
    if (c->ops->sample)
        c->ops->sample(c->state, row);
}

int capture_end(struct capture *c, struct bench_error *err)
{
    if (c->ops->end && c->ops->end(c->state, err) < 0)
        return error_context(err, "capture '%s'", c->ops->name);
    return 0;
}

const char *capture_perturbs(const struct capture *c)
{
    return c->ops->perturbs ? c->ops->perturbs(c->state) : NULL;
}

void capture_free(struct capture *c)
{
    if (!c)
        return;
    if (c->ops->close)
        c->ops->close(c->state);
    option_release(c->ops->options, c->state);
    free(c->state);
    free(c);
}
