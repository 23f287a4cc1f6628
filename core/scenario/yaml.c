/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    MAX_BYTES = 1 << 20,
    MAX_NODES = 100000,
    MAX_DEPTH = 32,
    MAX_ANCHORS = 1000,
    MAX_KEYS = 1000, /* of one map: what is looked up by name stays cheap */
    MAX_KEY = 128,
};

struct anchor {
    char *name;
    struct yaml_node *node;
};

struct reader {
    yaml_parser_t parser;
    struct yaml_tree *tree;
    size_t nodes; /* so far, aliases counted with all they stand for */
    struct anchor *anchors;
    size_t n_anchors, anchors_capacity;
    struct bench_error *err;
};

static void cleanup_event(yaml_event_t *event)
{
    yaml_event_delete(event);
}

/* Errors. */

static int fail_at(const struct reader *r, unsigned line, unsigned column, const char *fmt, ...)
    BENCH_PRINTF(4, 5);

static int fail_at(const struct reader *r, unsigned line, unsigned column, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    return error_set(r->err, BENCH_ERROR_USAGE, "%s:%u:%u: %s", r->tree->name, line, column,
                     text_get(&t));
}

#define FAIL_MARK(r, mark, ...) \
    fail_at(r, (unsigned)(mark).line + 1, (unsigned)(mark).column + 1, __VA_ARGS__)

int yaml_fail(const struct yaml_tree *t, const struct yaml_node *node, struct bench_error *err,
              const char *fmt, ...)
{
    cleanup_text struct text message = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&message, fmt, ap);
    va_end(ap);
    return error_set(err, BENCH_ERROR_USAGE, "%s:%u:%u: %s", t->name, node->line, node->column,
                     text_get(&message));
}

char *yaml_where(const struct yaml_tree *t, const struct yaml_node *node)
{
    return xasprintf("%s:%u:%u", t->name, node->line, node->column);
}

const char *yaml_kind_name(const struct yaml_node *node)
{
    if (node->kind == YAML_TEXT)
        return node->null ? "nothing" : "a single value";
    return node->kind == YAML_LIST ? "a list" : "a map";
}

/* Bytes that are no text have no mark, only an offset. */
static int fail_bytes(const struct reader *r, const char *data, size_t offset, const char *problem)
{
    unsigned line = 1, column = 1;

    for (size_t i = 0; i < offset; i++) {
        column = data[i] == '\n' ? 1 : column + 1;
        line += data[i] == '\n';
    }
    return fail_at(r, line, column, "not UTF-8 text: %s", problem);
}

static int fail_parser(const struct reader *r, const char *data, size_t length)
{
    const yaml_parser_t *p = &r->parser;
    size_t at = p->problem_mark.index;

    if (p->error == YAML_MEMORY_ERROR)
        return fail_at(r, 1, 1, "not enough memory");
    if (p->error == YAML_READER_ERROR)
        return fail_bytes(r, data, p->problem_offset < length ? p->problem_offset : length,
                          p->problem);
    FAIL_MARK(r, p->problem_mark, "not valid YAML: %s%s%s", p->context ? p->context : "",
              p->context ? ", " : "", p->problem);
    if (at < length && data[at] == '\t')
        error_hint(r->err, "YAML is indented with spaces, never with tabs");
    return -1;
}

/* Text. */

/* Control characters and what YAML takes for a line break or does not print: they would be changed
 * or refused when the scenario is written and read again. */
static bool forbidden(unsigned c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
           c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

bool yaml_text_allowed(const char *text, size_t length)
{
    json_t *valid = json_stringn(text, length); /* NULL unless it is UTF-8 */

    if (!valid)
        return false;
    json_decref(valid);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned value = c;

        if (c >= 0xc0 && c < 0xe0)
            value = (c & 0x1fU) << 6 | (text[i + 1] & 0x3fU);
        else if (c >= 0xe0 && c < 0xf0)
            value = (c & 0xfU) << 12 | (text[i + 1] & 0x3fU) << 6 | (text[i + 2] & 0x3fU);
        else if (c >= 0x80)
            continue; /* above U+FFFF, or inside a character */
        if (forbidden(value))
            return false;
    }
    return true;
}

static bool is_null(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp((const char *)event->data.scalar.value, words[i]) == 0)
            return true;
    return false;
}

/* Nodes. */

static struct yaml_node *add_node(struct reader *r, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_tree *t = r->tree;
    struct yaml_node *node = xcalloc(1, sizeof(*node));

    node->kind = kind;
    node->line = (unsigned)mark.line + 1;
    node->column = (unsigned)mark.column + 1;
    t->nodes = grow(t->nodes, &t->nodes_capacity, t->n_nodes + 1, sizeof(struct yaml_node *));
    t->nodes[t->n_nodes++] = node;
    return node;
}

static void add_entry(struct yaml_node *node, struct yaml_node *key, struct yaml_node *value)
{
    node->entries = grow(node->entries, &node->capacity, node->count + 1, sizeof(*node->entries));
    node->entries[node->count++] = (struct yaml_entry){key, value};
}

static int count_nodes(struct reader *r, size_t n, yaml_mark_t mark)
{
    r->nodes += n;
    if (r->nodes <= MAX_NODES)
        return 0;
    FAIL_MARK(r, mark, "more than %d values", MAX_NODES);
    error_hint(r->err, "each alias counts as everything that it stands for");
    return -1;
}

static int add_anchor(struct reader *r, const yaml_char_t *name, struct yaml_node *node,
                      yaml_mark_t mark)
{
    if (!name)
        return 0;
    if (r->n_anchors == MAX_ANCHORS)
        return FAIL_MARK(r, mark, "more than %d anchors", MAX_ANCHORS);
    r->anchors = grow(r->anchors, &r->anchors_capacity, r->n_anchors + 1, sizeof(*r->anchors));
    r->anchors[r->n_anchors++] = (struct anchor){xstrdup((const char *)name), node};
    return 0;
}

/* An anchor can be defined again: the last one before the alias counts. */
static int resolve_alias(struct reader *r, const yaml_event_t *event, struct yaml_node **ret)
{
    const char *name = (const char *)event->data.alias.anchor;

    for (size_t i = r->n_anchors; i-- > 0;) {
        struct yaml_node *node = r->anchors[i].node;

        if (strcmp(r->anchors[i].name, name) != 0)
            continue;
        if (!node->weight)
            return FAIL_MARK(r, event->start_mark, "alias '%s' stands inside its own anchor", name);
        *ret = node;
        return count_nodes(r, node->weight, event->start_mark);
    }
    return FAIL_MARK(r, event->start_mark, "alias '%s' has no anchor before it", name);
}

static int refuse_tag(struct reader *r, const yaml_char_t *tag, yaml_mark_t mark)
{
    if (!tag)
        return 0;
    FAIL_MARK(r, mark, "tag '%s' is not supported", (const char *)tag);
    error_hint(r->err, "leave the tag out: the key decides on the type");
    return -1;
}

/* Maps. */

/* An entry while merge keys and duplicates are sorted out. */
struct candidate {
    struct yaml_entry entry;
    size_t position; /* own entries first, then each merged map in order */
    bool own, dropped;
};

static int by_text(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = strcmp(x->entry.key->text, y->entry.key->text);

    return order ? order : x->position < y->position ? -1 : 1;
}

static int by_position(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return x->position < y->position ? -1 : 1;
}

struct candidates {
    struct candidate *items;
    size_t count, capacity;
};

static void add_candidate(struct candidates *c, struct yaml_entry entry, bool own)
{
    c->items = grow(c->items, &c->capacity, c->count + 1, sizeof(*c->items));
    c->items[c->count] = (struct candidate){.entry = entry, .position = c->count, .own = own};
    c->count++;
}

static int merge(struct reader *r, struct candidates *c, const struct yaml_node *value)
{
    if (value->kind == YAML_MAP) {
        for (size_t i = 0; i < value->count; i++)
            add_candidate(c, value->entries[i], false);
        return 0;
    }
    for (size_t i = 0; value->kind == YAML_LIST && i < value->count; i++)
        if (value->entries[i].value->kind != YAML_MAP)
            return yaml_fail(r->tree, value, r->err, "'<<' merges maps only");
        else if (merge(r, c, value->entries[i].value) < 0)
            return -1;
    return value->kind == YAML_LIST
               ? 0
               : yaml_fail(r->tree, value, r->err, "'<<' merges a map or a list of maps");
}

static bool is_merge(const struct yaml_entry *entry)
{
    return strcmp(entry->key->text, "<<") == 0;
}

static int drop_duplicates(struct reader *r, struct candidates *c)
{
    const struct candidate *twice = NULL, *first = NULL;

    qsort(c->items, c->count, sizeof(*c->items), by_text);
    for (size_t i = 1; i < c->count; i++) {
        struct candidate *here = &c->items[i], *before = here - 1;

        if (strcmp(here->entry.key->text, before->entry.key->text) != 0)
            continue;
        here->dropped = true;
        if (here->own && before->own && (!twice || here->position < twice->position)) {
            twice = here;
            first = before;
        }
    }
    if (twice)
        return yaml_fail(r->tree, twice->entry.key, r->err, "duplicate key '%s', first on line %u",
                         twice->entry.key->text, first->entry.key->line);
    qsort(c->items, c->count, sizeof(*c->items), by_position);
    return 0;
}

/* Own entries win over merged ones, earlier merged maps over later ones. */
static int finish_map(struct reader *r, struct yaml_node *map)
{
    struct candidates c = {0};
    int result = 0;

    for (size_t i = 0; i < map->count; i++)
        add_candidate(&c, map->entries[i], true);
    result = c.count ? drop_duplicates(r, &c) : 0;
    for (size_t i = 0; result == 0 && i < map->count; i++)
        if (is_merge(&map->entries[i]))
            result = merge(r, &c, map->entries[i].value);
    if (result == 0 && c.count > map->count)
        result = drop_duplicates(r, &c);
    if (result == 0 && c.count > MAX_KEYS)
        result = yaml_fail(r->tree, map, r->err, "a map of more than %d keys", MAX_KEYS);
    map->count = 0;
    for (size_t i = 0; result == 0 && i < c.count; i++)
        if (!c.items[i].dropped && !is_merge(&c.items[i].entry))
            add_entry(map, c.items[i].entry.key, c.items[i].entry.value);
    free(c.items);
    return result;
}

/* Events. */

static int next_event(struct reader *r, yaml_event_t *event)
{
    const unsigned char *start = r->parser.input.string.start;

    if (yaml_parser_parse(&r->parser, event))
        return 0;
    return fail_parser(r, (const char *)start, (size_t)(r->parser.input.string.end - start));
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                     struct yaml_node **ret);

static int read_text(struct reader *r, const yaml_event_t *event, struct yaml_node **ret)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    struct yaml_node *node = add_node(r, YAML_TEXT, event->start_mark);

    if (refuse_tag(r, event->data.scalar.tag, event->start_mark) < 0)
        return -1;
    if (!yaml_text_allowed(value, length))
        return yaml_fail(r->tree, node, r->err, "control characters are not allowed");
    node->text = xstrndup(value, length);
    node->null = is_null(event);
    node->weight = 1;
    *ret = node;
    return add_anchor(r, event->data.scalar.anchor, node, event->start_mark);
}

static int read_key(struct reader *r, const yaml_event_t *event, unsigned depth,
                    struct yaml_node **ret)
{
    if (read_node(r, event, depth, ret) < 0)
        return -1;
    if ((*ret)->kind != YAML_TEXT)
        return FAIL_MARK(r, event->start_mark, "a key is text, not %s", yaml_kind_name(*ret));
    if (strlen((*ret)->text) > MAX_KEY)
        return FAIL_MARK(r, event->start_mark, "a key of more than %d bytes", MAX_KEY);
    return 0;
}

/* The entries of a list or map, up to and with its end event. */
static int read_entries(struct reader *r, struct yaml_node *node, unsigned depth)
{
    for (;;) {
        __attribute__((cleanup(cleanup_event))) yaml_event_t event = {0}, second = {0};
        struct yaml_node *key = NULL, *value;

        if (next_event(r, &event) < 0)
            return -1;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            return 0;
        if (node->kind == YAML_LIST) {
            if (read_node(r, &event, depth, &value) < 0)
                return -1;
        } else if (read_key(r, &event, depth, &key) < 0 || next_event(r, &second) < 0 ||
                   read_node(r, &second, depth, &value) < 0) {
            return -1;
        }
        add_entry(node, key, value);
    }
}

static int read_collection(struct reader *r, const yaml_event_t *event, unsigned depth,
                           struct yaml_node **ret)
{
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    struct yaml_node *node = add_node(r, list ? YAML_LIST : YAML_MAP, event->start_mark);
    size_t weight = 1;

    if (depth == MAX_DEPTH)
        return yaml_fail(r->tree, node, r->err, "nested more than %d levels deep", MAX_DEPTH);
    if (refuse_tag(r, list ? event->data.sequence_start.tag : event->data.mapping_start.tag,
                   event->start_mark) < 0 ||
        add_anchor(r, list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
                   node, event->start_mark) < 0 ||
        read_entries(r, node, depth + 1) < 0 || (!list && finish_map(r, node) < 0))
        return -1;
    for (size_t i = 0; i < node->count; i++)
        weight += (node->entries[i].key != NULL) + node->entries[i].value->weight;
    node->weight = weight;
    *ret = node;
    return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                     struct yaml_node **ret)
{
    if (event->type == YAML_ALIAS_EVENT)
        return resolve_alias(r, event, ret);
    if (count_nodes(r, 1, event->start_mark) < 0)
        return -1;
    return event->type == YAML_SCALAR_EVENT ? read_text(r, event, ret)
                                            : read_collection(r, event, depth, ret);
}

/* The next event that is not about streams and documents; `event` has STREAM_END at the end. */
static int next_content(struct reader *r, yaml_event_t *event)
{
    for (;;) {
        if (next_event(r, event) < 0)
            return -1;
        if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT &&
            event->type != YAML_DOCUMENT_END_EVENT)
            return 0;
        yaml_event_delete(event);
    }
}

static int read_document(struct reader *r)
{
    __attribute__((cleanup(cleanup_event))) yaml_event_t event = {0}, end = {0};

    if (next_content(r, &event) < 0)
        return -1;
    if (event.type == YAML_STREAM_END_EVENT)
        return fail_at(r, 1, 1, "there is nothing in it");
    if (read_node(r, &event, 0, &r->tree->root) < 0 || next_content(r, &end) < 0)
        return -1;
    if (end.type != YAML_STREAM_END_EVENT)
        return FAIL_MARK(r, end.start_mark, "a second document begins");
    return 0;
}

int yaml_tree_parse(struct yaml_tree *ret, const char *name, const char *data, size_t length,
                    struct bench_error *err)
{
    struct yaml_tree tree = {.name = xstrdup(name)};
    struct reader r = {.tree = &tree, .err = err};
    size_t mark = length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    const char *nul = memchr(data, '\0', length);
    int result;

    if (!yaml_parser_initialize(&r.parser)) {
        yaml_tree_release(&tree);
        return error_set(err, BENCH_ERROR_RUN, "not enough memory to read '%s'", name);
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    /* Told the encoding, libyaml takes a byte order mark for content. */
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)data + mark, length - mark);
    result = nul ? fail_bytes(&r, data, (size_t)(nul - data), "a NUL byte") : read_document(&r);
    yaml_parser_delete(&r.parser);
    for (size_t i = 0; i < r.n_anchors; i++)
        free(r.anchors[i].name);
    free(r.anchors);
    if (result < 0)
        yaml_tree_release(&tree);
    else
        *ret = tree;
    return result;
}

/* Without blocking on a FIFO, and without reading what is too large anyway. */
static int open_file(const char *path, struct bench_error *err)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int opened;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, BENCH_ERROR_USAGE, errno, "cannot open '%s'", path);
    if (S_ISDIR(st.st_mode)) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' is a directory", path);
        error_hint(err, "a scenario is a file; 'bench report RUN' prints a stored run, and 'bench "
                        "compare RUN RUN' compares two");
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' is not a regular file", path);
        error_hint(err, "pass '-' to read standard input");
        return -1;
    }
    if (st.st_size > MAX_BYTES)
        return error_set(err, BENCH_ERROR_USAGE, "'%s' is larger than %d bytes", path, MAX_BYTES);
    opened = fd;
    fd = -1;
    return opened;
}

int yaml_tree_read(struct yaml_tree *ret, const char *path, struct bench_error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    const char *name = standard_input ? "<stdin>" : path;
    cleanup_close int fd = standard_input ? -1 : open_file(path, err);
    cleanup_free char *data = NULL;
    size_t length;

    if (fd < 0 && !standard_input)
        return -1;
    if (file_read_fd(standard_input ? STDIN_FILENO : fd, name, MAX_BYTES, &data, &length, err) <
        0) {
        if (err)
            err->kind = BENCH_ERROR_USAGE;
        return -1;
    }
    return yaml_tree_parse(ret, name, data, length, err);
}

void yaml_tree_release(struct yaml_tree *t)
{
    for (size_t i = 0; i < t->n_nodes; i++) {
        free(t->nodes[i]->text);
        free(t->nodes[i]->entries);
        free(t->nodes[i]);
    }
    free(t->nodes);
    free(t->name);
    *t = (struct yaml_tree){0};
}
