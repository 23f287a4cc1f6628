/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"

struct capture {
    const struct capture_ops *ops;
    void *state;
};

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
