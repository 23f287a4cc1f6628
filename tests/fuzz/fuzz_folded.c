/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target of folded text. What is read must be written and read again to the same; and a
 * picture of it holds no character that XML forbids, and no more markup than its own.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/flamegraph.h"
#include "profile/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_text(struct stacks *s, const void *data, size_t size, struct bench_error *err)
{
    cleanup_stacks struct stacks *before = stacks_new();
    cleanup_file FILE *in = fmemopen((void *)data, size, "r");

    return folded_read(s, before, in, "fuzz", err);
}

static void draw(struct stacks *s)
{
    const struct flamegraph graph = {.title = "fuzz", .unit = "samples"};
    cleanup_text struct text out = {0};
    size_t scripts = 0;

    flamegraph_write(s, &graph, &out);
    for (size_t i = 0; i < out.length; i++)
        if ((unsigned char)out.data[i] < 0x20 && out.data[i] != '\n')
            abort();
    for (const char *at = out.data; (at = strstr(at, "<script")); at++)
        scripts++;
    if (scripts != 2)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_stacks struct stacks *s = stacks_new(), *again = stacks_new();
    cleanup_text struct text first = {0}, second = {0};
    struct bench_error err = {0};

    if (size == 0)
        return 0;
    if (read_text(s, data, size, &err) < 0 && !err.message[0])
        abort();
    folded_write(s, &first);
    if (first.length == 0)
        return 0;
    if (read_text(again, first.data, first.length, &err) != 0) /* no difference either */
        abort();
    folded_write(again, &second);
    if (strcmp(first.data, second.data) != 0)
        abort();
    draw(again);
    return 0;
}
