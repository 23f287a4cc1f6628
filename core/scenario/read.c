/* SPDX-License-Identifier: Apache-2.0 */
/* From a YAML tree to a scenario: shapes and types. What needs the plugins is checked in check.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenario/parts.h"

struct source {
    struct scenario *scenario;
    const struct yaml_tree *tree;
    struct bench_error *err;
};

#define FAIL(src, node, ...) yaml_fail((src)->tree, node, (src)->err, __VA_ARGS__)

/* Puts the place before an error that was set without one. */
static int fail_here(const struct source *src, const struct yaml_node *node)
{
    cleanup_free char *where = yaml_where(src->tree, node);

    return error_context(src->err, "%s", where);
}

static int unknown_key(const struct source *src, const struct yaml_node *key, const char *part,
                       const char *const *names)
{
    error_unknown(src->err, "key", key->text, names);
    error_context(src->err, "%s", part);
    return fail_here(src, key);
}

static int expect(const struct source *src, const struct yaml_node *node, enum yaml_kind kind,
                  const char *name)
{
    static const char *const kinds[] = {"a single value", "a list", "a map"};

    if (node->kind == kind && !node->null)
        return 0;
    return FAIL(src, node, "%s: expected %s, found %s", name, kinds[kind], yaml_kind_name(node));
}

/* The text of a value; of a list of values, with commas between them. */
static int read_value(const struct source *src, const struct yaml_node *node, const char *name,
                      char **ret)
{
    cleanup_text struct text t = {0};

    if (node->kind != YAML_LIST) {
        if (expect(src, node, YAML_TEXT, name) < 0)
            return -1;
        *ret = xstrdup(node->text);
        return 0;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->entries[i].value;

        if (expect(src, item, YAML_TEXT, name) < 0)
            return -1;
        text_add(&t, "%s%s", i ? "," : "", item->text);
    }
    *ret = text_take(&t);
    return 0;
}

static int put_setting(const struct source *src, struct settings *to, const struct yaml_entry *e)
{
    cleanup_free char *where = yaml_where(src->tree, e->value), *text = NULL;

    if (read_value(src, e->value, e->key->text, &text) < 0)
        return -1;
    settings_put(to, e->key->text, text, where);
    return 0;
}

static int read_settings(const struct source *src, const struct yaml_node *node, const char *name,
                         struct settings *to)
{
    if (expect(src, node, YAML_MAP, name) < 0)
        return -1;
    for (size_t i = 0; i < node->count; i++)
        if (put_setting(src, to, &node->entries[i]) < 0)
            return -1;
    return 0;
}

static int read_scalar(const struct source *src, const struct bench_option *row,
                       const struct yaml_node *node)
{
    cleanup_free char *where = yaml_where(src->tree, node);

    if (expect(src, node, YAML_TEXT, row->name) < 0)
        return -1;
    if (scenario_set_scalar(src->scenario, row, node->text, where, src->err) == 0)
        return 0;
    if (strcmp(row->name, "bench") == 0)
        error_hint(src->err, "this bench reads format 1 only; a newer one wrote this file");
    return fail_here(src, node);
}

static int read_workload(const struct source *src, const struct yaml_node *node)
{
    const struct bench_option *row = option_find(scenario_keys, "workload");
    const struct yaml_entry *plugin = NULL;

    if (node->kind != YAML_MAP)
        return read_scalar(src, row, node);
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->entries[i].key->text, "plugin") == 0)
            plugin = &node->entries[i];
    if (!plugin)
        return FAIL(src, node, "workload: the key 'plugin' is missing");
    if (read_scalar(src, row, plugin->value) < 0)
        return -1;
    for (size_t i = 0; i < node->count; i++)
        if (&node->entries[i] != plugin &&
            put_setting(src, &src->scenario->workload_options, &node->entries[i]) < 0)
            return -1;
    return 0;
}

/* Relays. */

static int read_text(const struct source *src, const struct yaml_entry *e, char **ret)
{
    if (expect(src, e->value, YAML_TEXT, e->key->text) < 0)
        return -1;
    if (!e->value->text[0])
        return FAIL(src, e->value, "%s: is empty", e->key->text);
    xreplace(ret, e->value->text);
    return 0;
}

/* Names of captures of the scenario; [] for none of them. */
static int read_arm_captures(const struct source *src, const struct yaml_node *node,
                             struct arm *arm)
{
    size_t n = node->kind == YAML_LIST ? node->count : 1;

    arm->chooses_captures = true;
    for (size_t i = 0; i < n; i++) {
        const struct yaml_node *name = node->kind == YAML_LIST ? node->entries[i].value : node;

        if (expect(src, name, YAML_TEXT, "capture") < 0)
            return -1;
        strings_add(&arm->captures, name->text);
    }
    return 0;
}

/* As the scenario's key of that name, for this arm alone. */
static int read_arm_limit(const struct source *src, const struct yaml_node *node, struct arm *arm)
{
    const struct bench_option *row = option_find(scenario_keys, "cpu_limit");
    struct scenario own = {0};

    if (expect(src, node, YAML_TEXT, row->name) < 0)
        return -1;
    if (option_set(row, &own, node->text, src->err) < 0)
        return fail_here(src, node);
    arm->cpu_limit = own.cpu_limit;
    return 0;
}

static int read_arm_key(const struct source *src, struct arm *arm, const struct yaml_entry *e)
{
    static const char *const names[] = {"name",    "plugin",    "path",    "env",
                                        "options", "cpu_limit", "capture", NULL};
    const char *key = e->key->text;

    if (strcmp(key, "name") == 0)
        return read_text(src, e, &arm->name);
    if (strcmp(key, "plugin") == 0)
        return read_text(src, e, &arm->plugin);
    if (strcmp(key, "path") == 0)
        return read_text(src, e, &arm->path);
    if (strcmp(key, "env") == 0)
        return read_settings(src, e->value, "env", &arm->env);
    if (strcmp(key, "options") == 0)
        return read_settings(src, e->value, "options", &arm->options);
    if (strcmp(key, "cpu_limit") == 0)
        return read_arm_limit(src, e->value, arm);
    if (strcmp(key, "capture") == 0)
        return read_arm_captures(src, e->value, arm);
    return unknown_key(src, e->key, "relays", names);
}

static int read_arm(const struct source *src, const struct yaml_node *node)
{
    cleanup_free char *where = yaml_where(src->tree, node);
    struct arm *arm = scenario_add_arm(src->scenario, where);

    if (node->kind == YAML_TEXT) {
        if (expect(src, node, YAML_TEXT, "relays") < 0)
            return -1;
        arm->name = xstrdup(node->text);
    } else if (expect(src, node, YAML_MAP, "relays") < 0) {
        return -1;
    }
    for (size_t i = 0; i < node->count; i++)
        if (read_arm_key(src, arm, &node->entries[i]) < 0)
            return -1;
    if (!arm->name && !arm->plugin)
        return FAIL(src, node, "relays: a relay needs the key 'plugin' or 'name'");
    if (!arm->name)
        arm->name = xstrdup(arm->plugin);
    if (!arm->plugin)
        arm->plugin = xstrdup(arm->name);
    return 0;
}

/* A list, or what stands for a list of one. */
static int read_each(const struct source *src, const struct yaml_node *node, const char *name,
                     int (*read)(const struct source *, const struct yaml_node *))
{
    if (node->kind != YAML_LIST)
        return read(src, node);
    if (!node->count)
        return FAIL(src, node, "%s: the list is empty", name);
    for (size_t i = 0; i < node->count; i++)
        if (read(src, node->entries[i].value) < 0)
            return -1;
    return 0;
}

static int read_relays(const struct source *src, const struct yaml_node *node)
{
    return read_each(src, node, "relays", read_arm);
}

/* Captures. */

static int read_one_capture(const struct source *src, const struct yaml_node *node)
{
    cleanup_free char *where = yaml_where(src->tree, node);
    struct capture_request *capture;

    if (node->kind == YAML_TEXT && !node->null) {
        scenario_add_capture(src->scenario, node->text, where);
        return 0;
    }
    if (expect(src, node, YAML_MAP, "capture") < 0)
        return -1;
    if (node->count != 1)
        return FAIL(src, node, "capture: expected one name with its options, found %zu",
                    node->count);
    capture = scenario_add_capture(src->scenario, node->entries[0].key->text, where);
    return read_settings(src, node->entries[0].value, capture->name, &capture->options);
}

/* The word for an empty list, as flags have it. */
static bool is_none(const struct yaml_node *node)
{
    return node->kind == YAML_TEXT && strcmp(node->text, SCENARIO_NONE) == 0;
}

static int read_captures(const struct source *src, const struct yaml_node *node)
{
    if ((node->kind == YAML_LIST && !node->count) || is_none(node))
        return 0;
    return read_each(src, node, "capture", read_one_capture);
}

/* Pins and the sweep. */

/* "{server: 0-1,3}": the comma ends the value, and 3 is a key without one. */
static int refuse_split_list(const struct source *src, const struct yaml_node *map, size_t i)
{
    const struct yaml_node *key = map->entries[i].key;
    cleanup_text struct text list = {0};
    size_t first = i;

    while (first > 0 && map->entries[first].value->null)
        first--;
    text_add(&list, "%s", map->entries[first].value->text);
    for (size_t k = first + 1; k < map->count && map->entries[k].value->null; k++)
        text_add(&list, ",%s", map->entries[k].key->text);
    FAIL(src, key, "cpus: '%s' is not a role", key->text);
    error_hint(src->err, "a comma ends a value in '{}': quote the list: %s: \"%s\"",
               map->entries[first].key->text, text_get(&list));
    return -1;
}

static bool is_split_list(const struct yaml_node *map, size_t i)
{
    const struct yaml_entry *e = &map->entries[i];

    return i > 0 && e->value->null && !e->key->text[strspn(e->key->text, "0123456789-")] &&
           map->entries[0].value->kind == YAML_TEXT && !map->entries[0].value->null;
}

static int read_cpus(const struct source *src, const struct yaml_node *node)
{
    if (expect(src, node, YAML_MAP, "cpus") < 0)
        return -1;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *e = &node->entries[i];
        cleanup_free char *where = yaml_where(src->tree, e->value), *cpus = NULL;

        if (is_split_list(node, i))
            return refuse_split_list(src, node, i);
        if (read_value(src, e->value, e->key->text, &cpus) < 0)
            return -1;
        scenario_put_pin(src->scenario, e->key->text, cpus, where);
    }
    return 0;
}

static int read_axis_value(const struct source *src, const struct yaml_node *node,
                           struct sweep_axis *axis)
{
    cleanup_free char *where = yaml_where(src->tree, node);

    if (expect(src, node, YAML_TEXT, axis->key) < 0)
        return -1;
    strings_add(&axis->values, node->text);
    strings_add(&axis->wheres, where);
    return 0;
}

static int read_axis(const struct source *src, const struct yaml_entry *e)
{
    cleanup_free char *where = yaml_where(src->tree, e->key);
    struct sweep_axis *axis = scenario_add_axis(src->scenario, e->key->text, where);

    if (e->value->kind != YAML_LIST)
        return read_axis_value(src, e->value, axis);
    if (!e->value->count)
        return FAIL(src, e->value, "%s: the list is empty", axis->key);
    for (size_t i = 0; i < e->value->count; i++)
        if (read_axis_value(src, e->value->entries[i].value, axis) < 0)
            return -1;
    return 0;
}

static int read_sweep(const struct source *src, const struct yaml_node *node)
{
    if (expect(src, node, YAML_MAP, "sweep") < 0)
        return -1;
    for (size_t i = 0; i < node->count; i++)
        if (read_axis(src, &node->entries[i]) < 0)
            return -1;
    return 0;
}

/* Gates, which are checked where metrics are known. */

static int read_gate(const struct source *src, const struct yaml_node *node)
{
    cleanup_free char *where = yaml_where(src->tree, node);

    if (expect(src, node, YAML_TEXT, "fail_on") < 0)
        return -1;
    settings_put(&src->scenario->fail_on, node->text, node->text, where);
    return 0;
}

static int read_gates(const struct source *src, const struct yaml_node *node)
{
    if (is_none(node))
        return 0;
    if (node->kind != YAML_LIST)
        return read_gate(src, node);
    for (size_t i = 0; i < node->count; i++)
        if (read_gate(src, node->entries[i].value) < 0)
            return -1;
    return 0;
}

/* All of it. */

static int read_key(const struct source *src, const struct yaml_entry *e)
{
    static const struct {
        const char *name;
        int (*read)(const struct source *, const struct yaml_node *);
    } structures[] = {
        {"workload", read_workload}, {"relays", read_relays}, {"capture", read_captures},
        {"cpus", read_cpus},         {"sweep", read_sweep},   {"fail_on", read_gates},
    };
    static const char *const none[] = {NULL};
    const struct bench_option *row;

    for (size_t i = 0; i < ARRAY_SIZE(structures); i++)
        if (strcmp(e->key->text, structures[i].name) == 0)
            return structures[i].read(src, e->value);
    row = option_find(scenario_keys, e->key->text);
    if (row)
        return read_scalar(src, row, e->value);
    scenario_unknown_key(e->key->text, none, src->err);
    return fail_here(src, e->key);
}

int scenario_read_tree(struct scenario *s, const struct yaml_tree *tree, struct bench_error *err)
{
    struct source src = {s, tree, err};
    const struct yaml_node *root = tree->root;

    if (root->kind != YAML_MAP) {
        FAIL(&src, root, "not a scenario: expected a map of keys, found %s", yaml_kind_name(root));
        error_hint(err, "the smallest scenario is 'bench: 1'");
        return -1;
    }
    for (size_t i = 0; i < root->count; i++)
        if (read_key(&src, &root->entries[i]) < 0)
            return -1;
    if (!scenario_where(s, "bench")) {
        FAIL(&src, root, "the key 'bench' is missing");
        error_hint(err, "add 'bench: 1', the version of the format");
        return -1;
    }
    return 0;
}

int scenario_read(struct scenario *s, const char *path, struct bench_error *err)
{
    struct yaml_tree tree = {0};
    int result;

    if (yaml_tree_read(&tree, path, err) < 0)
        return -1;
    result = scenario_read_tree(s, &tree, err);
    if (result == 0) {
        xreplace(&s->file, path);
    }
    yaml_tree_release(&tree);
    return result;
}
