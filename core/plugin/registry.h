/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins of this process: searched, loaded and checked once at start, never unloaded.
 *
 * Search order: each directory of BENCH_PLUGIN_PATH, then the built tree beside the program
 * (build/plugins), then PLUGINDIR. The first plugin of a kind and name wins. One that cannot be
 * used is kept as refused with its path and reason; the rest goes on.
 */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include <bench/plugin.h>
#include <bench/relay.h>
#include <bench/reporter.h>
#include <bench/workload.h>

#include "base/text.h"

struct plugin {
    char *path;
    const struct bench_plugin *info; /* NULL when refused */
    char *reason;                    /* why refused or shadowed, else NULL */
    bool same;                       /* shadowed by a file of the same contents: of no interest */
};

struct registry {
    struct plugin *plugins;
    size_t count, capacity;
    struct strings directories; /* searched, in order */
    struct strings unreadable;  /* "DIR: reason" */
};

/* Loads everything. Never fails as a whole: what is wrong stands in `refused` plugins. */
void registry_load(struct registry *r, const char *program_path);
void registry_release(struct registry *r);
/* The plugin, or NULL with an error that names the nearest, or the refusal of one by that name. */
const struct bench_plugin *registry_find(const struct registry *r, enum bench_plugin_kind kind,
                                         const char *name, struct bench_error *err);
const char *plugin_kind_name(enum bench_plugin_kind kind); /* "workload", … */

/* Loads one shared object and checks it; an error names what is wrong. Never unloaded. */
int plugin_load(const char *path, const struct bench_plugin **ret, struct bench_error *err);
/* The checks of one loaded struct: ABI, kind, name, hooks, options. */
int plugin_check(const struct bench_plugin *p, struct bench_error *err);

#endif
