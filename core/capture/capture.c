/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/option.h"

/* What every capture has beside its own options. */
struct common {
    int64_t repeat;
};

const struct bench_option capture_common_options[] = {
    {
        .name = "repeat",
        .type = BENCH_OPTION_INTEGER,
        .offset = BENCH_OFFSET(struct common, repeat),
        .minimum = 1,
        .maximum = 1000,
        .help = "repetitions for this capture alone, of one that perturbs (default 1)",
    },
    {0},
};

struct capture {
    const struct capture_ops *ops;
    void *state;
    struct common common;
};

static int unknown_option(const struct capture_ops *ops, const char *name, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (const struct bench_option *o = ops->options; o && o->name; o++)
        strings_add(&names, o->name);
    for (const struct bench_option *o = capture_common_options; ops->perturbs && o->name; o++)
        strings_add(&names, o->name);
    return error_unknown(err, "option", name, (const char *const *)names.items);
}

static int set_option(struct capture *c, const struct setting *setting, struct bench_error *err)
{
    const struct bench_option *row = option_find(c->ops->options, setting->key);
    const struct bench_option *common = option_find(capture_common_options, setting->key);

    if (row)
        return option_set(row, c->state, setting->text, err);
    if (common)
        return option_set(common, &c->common, setting->text, err);
    return unknown_option(c->ops, setting->key, err);
}

static int check_repeat(const struct capture *c, struct bench_error *err)
{
    if (!c->common.repeat || capture_perturbs(c))
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "option 'repeat': it runs in every ordinary repetition");
    error_hint(err, "leave it out; the scenario's own 'repeat' counts");
    return -1;
}

int capture_new(struct capture **ret, const struct capture_ops *ops, const struct settings *options,
                struct bench_error *err)
{
    struct capture *c = xcalloc(1, sizeof(*c));

    c->ops = ops;
    c->state = xcalloc(1, ops->state_size);
    option_defaults(ops->options, c->state);
    for (size_t i = 0; options && i < options->count; i++)
        if (set_option(c, &options->items[i], err) < 0)
            goto fail;
    if ((ops->check && ops->check(c->state, err) < 0) || check_repeat(c, err) < 0)
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

void capture_sample(struct capture *c, int64_t *row, bool totals)
{
    if (c->ops->sample)
        c->ops->sample(c->state, row);
    if (totals && c->ops->sample_totals)
        c->ops->sample_totals(c->state, row);
}

int capture_end(struct capture *c, struct bench_error *err)
{
    if (c->ops->end && c->ops->end(c->state, err) < 0)
        return error_context(err, "capture '%s'", c->ops->name);
    return 0;
}

int capture_finish(struct capture *c, struct bench_error *err)
{
    if (c->ops->finish && c->ops->finish(c->state, err) < 0)
        return error_context(err, "capture '%s'", c->ops->name);
    return 0;
}

int capture_probe(struct capture *c, struct bench_error *err)
{
    if (c->ops->probe && c->ops->probe(c->state, err) < 0)
        return error_context(err, "capture '%s'", c->ops->name);
    return 0;
}

const char *capture_perturbs(const struct capture *c)
{
    return c->ops->perturbs ? c->ops->perturbs(c->state) : NULL;
}

int64_t capture_repetitions(const struct capture *c)
{
    if (!capture_perturbs(c))
        return 0;
    return c->common.repeat ? c->common.repeat : 1;
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
