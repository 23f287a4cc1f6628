/* SPDX-License-Identifier: Apache-2.0 */
/* The captures that there are, and finding one by what a scenario says. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "scenario/document.h"

const struct capture_ops *const captures[] = {
    &capture_resources, &capture_disturbed, &capture_stat,     &capture_record, &capture_c2c,
    &capture_mem,       &capture_offcpu,    &capture_syscalls, NULL,
};

const struct capture_ops *capture_find(const char *name)
{
    for (size_t i = 0; captures[i]; i++)
        if (strcmp(captures[i]->name, name) == 0)
            return captures[i];
    return NULL;
}

void captures_document(struct text *out)
{
    for (size_t i = 0; captures[i]; i++) {
        cleanup_free char *owner = xasprintf("capture `%s`", captures[i]->name);

        if (!captures[i]->always)
            scenario_document_options(owner, captures[i]->help, captures[i]->options, out);
    }
    scenario_document_options("every capture that may perturb", "beside its own",
                              capture_common_options, out);
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

int capture_known(struct capture_request *request, struct bench_error *err)
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
    request->repetitions = capture_repetitions(capture);
    capture_free(capture);
    return 0;
}

int capture_possible(const struct capture_request *request, struct bench_error *err)
{
    struct capture *capture;
    int rc;

    if (capture_new(&capture, capture_find(request->name), &request->options, err) < 0)
        return -1;
    rc = capture_probe(capture, err);
    capture_free(capture);
    return rc;
}
