/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void add_cell(struct text *out, const char *text)
{
    for (; *text; text++)
        text_add(out, *text == '|' ? "\\%c" : "%c", *text);
    text_add(out, " | ");
}

static void add_row(struct text *out, const char *name, const char *values, const char *help)
{
    text_add(out, "| `%s` | ", name);
    add_cell(out, values);
    add_cell(out, help);
    out->data[--out->length] = '\0'; /* the blank after the last cell */
    text_add(out, "\n");
}

static void add_table(struct text *out, const struct bench_option *options)
{
    text_add(out, "| name | value | meaning |\n|---|---|---|\n");
    for (; options->name; options++) {
        cleanup_free char *values = option_describe(options);

        add_row(out, options->name, values, options->help);
    }
}

void scenario_document_options(const char *owner, const char *description,
                               const struct bench_option *options, struct text *out)
{
    text_add(out, "\n### Options of %s\n\n*%s*\n\n", owner, description);
    if (options && options->name)
        add_table(out, options);
    else
        text_add(out, "None.\n");
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct bench_plugin *x = *(const struct bench_plugin *const *)a;
    const struct bench_plugin *y = *(const struct bench_plugin *const *)b;

    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static void add_plugins(const struct registry *r, struct text *out)
{
    cleanup_free const struct bench_plugin **plugins = xcalloc(r->count, sizeof(*plugins));
    size_t n = 0;

    for (size_t i = 0; i < r->count; i++)
        if (!r->plugins[i].reason && r->plugins[i].info->kind != BENCH_REPORTER)
            plugins[n++] = r->plugins[i].info;
    qsort(plugins, n, sizeof(*plugins), by_kind_and_name);
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *owner =
            xasprintf("%s `%s`", plugin_kind_name(plugins[i]->kind), plugins[i]->name);

        scenario_document_options(owner, plugins[i]->description, plugins[i]->options, out);
    }
}

void scenario_document(const struct registry *r, struct text *out)
{
    text_add(out, "### Keys with one value\n\n");
    add_table(out, scenario_keys);
    text_add(out, "\n### Keys with structure\n\n| name | value | meaning |\n|---|---|---|\n");
    for (const struct scenario_structure *row = scenario_structures; row->name; row++)
        add_row(out, row->name, row->shape, row->help);
    if (r)
        add_plugins(r, out);
}
