/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins of this tree, and no installed ones. */
#ifndef TESTS_SCENARIO_BUILT_H
#define TESTS_SCENARIO_BUILT_H

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plugin/registry.h"

static inline void keep_below(struct registry *r, const char *directory)
{
    size_t n = 0;

    for (size_t i = 0; i < r->count; i++) {
        if (strncmp(r->plugins[i].path, directory, strlen(directory)) == 0) {
            r->plugins[n++] = r->plugins[i];
            continue;
        }
        free(r->plugins[i].path);
        free(r->plugins[i].reason);
    }
    r->count = n;
}

static inline void built_registry(struct registry *r)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    cleanup_free char *program = xasprintf("%s/bench", build);
    cleanup_free char *plugins = xasprintf("%s/plugins/", build);

    unsetenv("BENCH_PLUGIN_PATH");
    registry_load(r, program);
    keep_below(r, plugins);
}

#endif
