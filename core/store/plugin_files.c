/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plugin_files.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "environment/identity.h"
#include "plugin/hook.h"

static const char *text(const json_t *object, const char *member)
{
    const char *s = json_string_value(json_object_get(object, member));

    return s ? s : "";
}

static bool is_same_file(const json_t *a, const json_t *b)
{
    return strcmp(text(a, "sha256"), text(b, "sha256")) == 0;
}

/* The next plugin of that name, which is not used because this one was found first. */
static json_t *replaced(struct identity_cache *c, const json_t *file,
                        const struct bench_plugin *plugin, const struct registry *r)
{
    json_t *found = NULL;

    for (size_t i = 0; i < r->count && !found; i++) {
        const struct plugin *p = &r->plugins[i];

        if (!p->info || p->info == plugin || p->info->kind != plugin->kind ||
            strcmp(p->info->name, plugin->name) != 0)
            continue;
        found = identity_file(c, p->path);
        if (is_same_file(found, file)) {
            json_decref(found);
            found = NULL;
        }
    }
    return found;
}

static json_t *find(const json_t *files, const char *kind, const char *name)
{
    json_t *file;
    size_t i;

    json_array_foreach((json_t *)files, i, file)
    {
        if (strcmp(text(file, "kind"), kind) == 0 && strcmp(text(file, "name"), name) == 0)
            return file;
    }
    return NULL;
}

static void add(json_t *files, struct identity_cache *c, const struct bench_plugin *plugin,
                const struct registry *r)
{
    const char *kind = plugin_kind_name(plugin->kind), *path = plugin_file(plugin);
    json_t *file, *other;

    if (find(files, kind, plugin->name))
        return;
    file = identity_file(c, path ? path : "");
    json_object_set_new(file, "kind", json_string(kind));
    json_object_set_new(file, "name", json_text(plugin->name));
    /* Of a plugin they say nothing: nothing is unwound in it while measuring. */
    json_object_del(file, "frame_pointers");
    json_object_del(file, "frame_pointer_share");
    other = replaced(c, file, plugin, r);
    json_object_set_new(file, "replaces", other ? json_text(text(other, "path")) : json_null());
    json_decref(other);
    json_array_append_new(files, file);
}

json_t *plugin_files(const struct plan *plan, const struct registry *r)
{
    struct identity_cache *c = identity_cache_new();
    json_t *files = json_array();

    for (size_t i = 0; i < plan->n_points; i++) {
        const struct point *point = &plan->points[i];

        add(files, c, &point->workload->plugin, r);
        for (size_t arm = 0; arm < point->scenario.n_arms; arm++)
            add(files, c, &point->relays[arm]->plugin, r);
    }
    identity_cache_free(c);
    return files;
}

void plugin_files_warn(const json_t *files, struct strings *ret)
{
    json_t *file;
    size_t i;

    json_array_foreach((json_t *)files, i, file)
    {
        if (text(file, "replaces")[0])
            strings_addf(ret, "the %s '%s' is the plugin '%s', in place of '%s'",
                         text(file, "kind"), text(file, "name"), text(file, "path"),
                         text(file, "replaces"));
    }
}

void plugin_files_compare(const json_t *a, const json_t *b, struct strings *ret)
{
    json_t *file;
    size_t i;

    json_array_foreach((json_t *)a, i, file)
    {
        const json_t *other = find(b, text(file, "kind"), text(file, "name"));
        bool same_build = strcmp(text(file, "build_id"), text(other, "build_id")) == 0;
        const char *by = same_build ? "sha256" : "build_id";

        if (other && !is_same_file(file, other))
            strings_addf(ret, "%s plugin '%s': %s %.8s, %.8s", text(file, "kind"),
                         text(file, "name"), by, text(file, by), text(other, by));
    }
}
