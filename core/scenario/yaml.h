/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as a tree of nodes, each of which knows its line and column. Anchors, aliases and merge keys
 * ("<<") are resolved; what a configuration file never needs is refused: duplicate keys, tags,
 * several documents, keys that are not text, control characters.
 *
 * Hostile input costs milliseconds: at most 1 MiB, 100,000 nodes counted after aliases, 32 levels,
 * 1,000 keys in a map.
 *
 * The tree owns its nodes. An alias is the anchored node itself, so a node can have many parents.
 */
#ifndef SCENARIO_YAML_H
#define SCENARIO_YAML_H

#include <bench/types.h>

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_entry {
    struct yaml_node *key; /* YAML_TEXT; NULL in a list */
    struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column; /* from 1 */
    char *text;            /* YAML_TEXT: UTF-8 without control characters but tab and newline */
    bool null;             /* YAML_TEXT: nothing, "~" or "null" without quotes */
    struct yaml_entry *entries;
    size_t count, capacity;
    size_t weight; /* nodes in it after aliases; 0 while it is being read */
};

struct yaml_tree {
    char *name; /* for messages: the path, or "<stdin>" */
    struct yaml_node *root;
    struct yaml_node **nodes; /* all of them */
    size_t n_nodes, nodes_capacity;
};

/* A regular file, or "-" for standard input. Errors have kind USAGE. */
int yaml_tree_read(struct yaml_tree *ret, const char *path, struct bench_error *err);
int yaml_tree_parse(struct yaml_tree *ret, const char *name, const char *data, size_t length,
                    struct bench_error *err);
void yaml_tree_release(struct yaml_tree *t);

/* "file:line:column". Caller frees. */
char *yaml_where(const struct yaml_tree *t, const struct yaml_node *node);
/* "file:line:column: message", kind USAGE. Returns -1. */
int yaml_fail(const struct yaml_tree *t, const struct yaml_node *node, struct bench_error *err,
              const char *fmt, ...) BENCH_PRINTF(4, 5);
const char *yaml_kind_name(const struct yaml_node *node); /* "a list", "nothing", … */

/* Whether `text` is what a text node may hold. */
bool yaml_text_allowed(const char *text, size_t length);

#endif
