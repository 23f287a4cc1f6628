/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "scenario/yaml.h"

static int parse(struct yaml_tree *t, const char *yaml, struct bench_error *err)
{
    return yaml_tree_parse(t, "f", yaml, strlen(yaml), err);
}

/* "{a: 1, b: [x, y]}" with positions left out. */
static void show(const struct yaml_node *node, struct text *out)
{
    bool map = node->kind == YAML_MAP;

    if (node->kind == YAML_TEXT) {
        text_add(out, "%s", node->null ? "NULL" : node->text);
        return;
    }
    text_add(out, map ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        text_add(out, "%s", i ? ", " : "");
        if (map)
            text_add(out, "%s: ", node->entries[i].key->text);
        show(node->entries[i].value, out);
    }
    text_add(out, map ? "}" : "]");
}

static void reads(const char *yaml, const char *expected)
{
    cleanup_text struct text out = {0};
    struct bench_error err = {0};
    struct yaml_tree t = {0};

    if (parse(&t, yaml, &err) < 0)
        fail_msg("%s", err.message);
    show(t.root, &out);
    assert_string_equal(text_get(&out), expected);
    yaml_tree_release(&t);
}

static void refuses(const char *yaml, const char *message)
{
    struct bench_error err = {0};
    struct yaml_tree t = {0};

    assert_int_equal(parse(&t, yaml, &err), -1);
    assert_string_equal(err.message, message);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_null(t.root);
}

static void shapes(void **state)
{
    (void)state;
    reads("a: 1\nb: [x, 'y z', {c: d}]\n", "{a: 1, b: [x, y z, {c: d}]}");
    reads("- 1\n- ~\n- 'null'\n- null\n-\n- ''\n", "[1, NULL, null, NULL, NULL, ]");
    reads("# only this\nword", "word");
    reads("\xef\xbb\xbf"
          "a: b",
          "{a: b}");
    reads("\xef\xbb\xbf"
          "a: b\nc: d\n",
          "{a: b, c: d}");
    reads("\xef\xbb\xbf{\"a\": [\"b\"]}", "{a: [b]}");
    reads("a: \"\\u20ac\" # \xe2\x82\xac\n", "{a: \xe2\x82\xac}");
    reads("a: \"\xf0\x9f\x98\x80 x\"", "{a: \xf0\x9f\x98\x80 x}");
}

static void anchors_and_merge_keys(void **state)
{
    (void)state;
    reads("[&a x, *a, &a y, *a]", "[x, x, y, y]");
    reads("a: &m {x: 1, y: 2}\nb:\n  <<: *m\n  y: 3\n  z: 4\n",
          "{a: {x: 1, y: 2}, b: {y: 3, z: 4, x: 1}}");
    reads("- &p {x: 1, y: 1}\n- &q {y: 2, z: 2}\n- {<<: [*p, *q], w: 0}\n",
          "[{x: 1, y: 1}, {y: 2, z: 2}, {w: 0, x: 1, y: 1, z: 2}]");
    reads("- &p {x: 1}\n- &q {<<: *p, y: 2}\n- {<<: *q}\n", "[{x: 1}, {y: 2, x: 1}, {y: 2, x: 1}]");
    refuses("a: {<<: 1}", "f:1:9: '<<' merges a map or a list of maps");
    refuses("a: {<<: [{b: c}, d]}", "f:1:9: '<<' merges maps only");
    refuses("a: {<<: {b: c}, <<: {d: e}}", "f:1:17: duplicate key '<<', first on line 1");
    refuses("a: *b", "f:1:4: alias 'b' has no anchor before it");
    refuses("a: &b [*b]", "f:1:8: alias 'b' stands inside its own anchor");
    refuses("a: &b {<<: *b}", "f:1:12: alias 'b' stands inside its own anchor");
}

static void refusals(void **state)
{
    (void)state;
    refuses("", "f:1:1: there is nothing in it");
    refuses("# a comment\n", "f:1:1: there is nothing in it");
    refuses("a: 1\nb: 2\n\na: 3\n", "f:4:1: duplicate key 'a', first on line 1");
    refuses("{b: 1, a: 1, a: 2, b: 2}", "f:1:14: duplicate key 'a', first on line 1");
    refuses("a: 1\n---\nb: 1\n", "f:3:1: a second document begins");
    refuses("a: !!int 1", "f:1:4: tag 'tag:yaml.org,2002:int' is not supported");
    refuses("!x [1]", "f:1:1: tag '!x' is not supported");
    refuses("[a, b]: 1", "f:1:1: a key is text, not a list");
    refuses("a: 'b", "f:1:6: not valid YAML: while scanning a quoted scalar, found unexpected end "
                     "of stream");
    refuses("a: b: c", "f:1:5: not valid YAML: mapping values are not allowed in this context");
    refuses("a: \"x\\0y\"", "f:1:4: control characters are not allowed");
    refuses("a: \"x\\u2028y\"", "f:1:4: control characters are not allowed");
    refuses("a: \"x\\x85y\"", "f:1:4: control characters are not allowed");
    refuses("a: b\n\x01", "f:2:1: not UTF-8 text: control characters are not allowed");
    refuses("a: \xff", "f:1:4: not UTF-8 text: invalid leading UTF-8 octet");
    refuses("a: \xc3(", "f:1:5: not UTF-8 text: invalid trailing UTF-8 octet");
}

static void tabs_get_a_hint(void **state)
{
    struct bench_error err = {0};
    struct yaml_tree t = {0};

    (void)state;
    assert_int_equal(parse(&t, "a:\n\tb: c\n", &err), -1);
    assert_string_equal(err.message, "f:2:1: not valid YAML: while scanning for the next token, "
                                     "found character that cannot start any token");
    assert_string_equal(err.hint, "YAML is indented with spaces, never with tabs");
}

static void positions(void **state)
{
    struct bench_error err = {0};
    struct yaml_tree t = {0};
    const struct yaml_node *list;
    cleanup_free char *where = NULL;

    (void)state;
    assert_int_equal(parse(&t, "a: 1\n\xc3\xa9:  [x,\n  y]\n", &err), 0);
    list = t.root->entries[1].value;
    assert_int_equal(list->line, 2);
    assert_int_equal(list->column, 5); /* characters, not bytes */
    where = yaml_where(&t, list->entries[1].value);
    assert_string_equal(where, "f:3:3");
    assert_int_equal(yaml_fail(&t, list, &err, "no %d", 1), -1);
    assert_string_equal(err.message, "f:2:5: no 1");
    yaml_tree_release(&t);
    assert_int_equal(parse(&t, "\xef\xbb\xbf" "a: b\nc: d\n", &err), 0); /* a byte order mark */
    assert_int_equal(t.root->column, 1);
    assert_int_equal(t.root->entries[1].value->line, 2);
    yaml_tree_release(&t);
}

/* Hostile input. Time is not asserted, but without the limits some of these never end. */

static void alias_bomb(void **state)
{
    cleanup_text struct text bomb = {0};

    (void)state;
    text_add(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 60; i++) {
        text_add(&bomb, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            text_add(&bomb, "%s*a%d", j ? ", " : "", i - 1);
        text_add(&bomb, "]\n");
    }
    refuses(text_get(&bomb), "f:5:45: more than 100000 values");
}

/* Merging a map twice does not double it. */
static void merge_chain(void **state)
{
    struct yaml_tree t = {0};
    cleanup_text struct text bomb = {0};

    (void)state;
    text_add(&bomb, "- &a0 {k: v}\n");
    for (int i = 1; i < 60; i++)
        text_add(&bomb, "- &a%d {<<: [*a%d, *a%d], k%d: v}\n", i, i - 1, i - 1, i);
    assert_int_equal(parse(&t, text_get(&bomb), NULL), 0);
    assert_int_equal(t.root->entries[59].value->count, 60);
    yaml_tree_release(&t);
}

static void deep_nesting(void **state)
{
    cleanup_text struct text deep = {0};

    (void)state;
    for (int i = 0; i < 500000; i++)
        text_add_bytes(&deep, "[", 1);
    refuses(text_get(&deep), "f:1:33: nested more than 32 levels deep");
    deep.length = 0;
    for (int i = 0; i < 300000; i++)
        text_add_bytes(&deep, "- ", 2);
    refuses(text_get(&deep), "f:1:65: nested more than 32 levels deep");
}

static void many_values(void **state)
{
    cleanup_text struct text many = {0};

    (void)state;
    for (int i = 0; i < 200000; i++)
        text_add_bytes(&many, "- x\n", 4);
    refuses(text_get(&many), "f:100000:3: more than 100000 values");
}

static void many_keys(void **state)
{
    cleanup_text struct text many = {0};
    struct yaml_tree t = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        text_add(&many, "k%d: x\n", i);
    assert_int_equal(parse(&t, text_get(&many), NULL), 0);
    assert_int_equal(t.root->count, 1000);
    yaml_tree_release(&t);
    text_add(&many, "k1000: x\n");
    refuses(text_get(&many), "f:1:1: a map of more than 1000 keys");
    for (int i = 1001; i < 40000; i++)
        text_add(&many, "k%d: x\n", i);
    text_add(&many, "k7: x\n");
    refuses(text_get(&many), "f:40001:1: duplicate key 'k7', first on line 8");
}

static void many_anchors(void **state)
{
    cleanup_text struct text many = {0};

    (void)state;
    for (int i = 0; i < 2000; i++)
        text_add(&many, "- &a%d x\n", i);
    refuses(text_get(&many), "f:1001:3: more than 1000 anchors");
}

static void long_key(void **state)
{
    cleanup_text struct text yaml = {0};

    (void)state;
    text_add(&yaml, "? %0200d\n: x\n", 1);
    refuses(text_get(&yaml), "f:1:3: a key of more than 128 bytes");
}

/* Files. */

static char directory[] = "/tmp/bench-test-yaml.XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink("file");
    unlink("fifo");
    return chdir("/") == 0 ? rmdir(directory) : -1;
}

static void refuses_file(const char *path, const char *message, const char *hint)
{
    struct bench_error err = {0};
    struct yaml_tree t = {0};

    assert_int_equal(yaml_tree_read(&t, path, &err), -1);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
}

static void odd_files(void **state)
{
    (void)state;
    refuses_file("missing.yaml", "cannot open 'missing.yaml': No such file or directory", "");
    refuses_file(".", "'.' is a directory",
                 "a scenario is a file; 'bench report RUN' prints a stored run, and 'bench compare "
                 "RUN RUN' compares two");
    refuses_file("", "cannot open '': No such file or directory", "");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    refuses_file("fifo", "'fifo' is not a regular file", "pass '-' to read standard input");
    refuses_file("/dev/zero", "'/dev/zero' is not a regular file",
                 "pass '-' to read standard input");
}

static void put_file(const void *data, size_t n, off_t size)
{
    cleanup_close int fd = open("file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
    assert_int_equal(ftruncate(fd, size), 0);
}

static void large_and_binary_files(void **state)
{
    static const char binary[] = "\177ELF\002\001\001\000\000garbage";

    (void)state;
    put_file("a: b\n", 5, 100 << 20); /* sparse: 100 MB that cost nothing */
    refuses_file("file", "'file' is larger than 1048576 bytes", "");
    put_file(binary, sizeof(binary) - 1, sizeof(binary) - 1);
    refuses_file("file", "file:1:8: not UTF-8 text: a NUL byte", "");
    put_file("", 0, 0);
    refuses_file("file", "file:1:1: there is nothing in it", "");
}

static void standard_input(void **state)
{
    struct bench_error err = {0};
    struct yaml_tree t = {0};
    int saved = dup(STDIN_FILENO), ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a: b: c", 7), 7);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    assert_int_equal(yaml_tree_read(&t, "-", &err), -1);
    assert_string_equal(err.message, "<stdin>:1:5: not valid YAML: mapping values are not allowed "
                                     "in this context");
    put_file("", 0, 2 << 20);
    ends[1] = open("file", O_RDONLY | O_CLOEXEC);
    dup2(ends[1], STDIN_FILENO);
    assert_int_equal(yaml_tree_read(&t, "-", &err), -1);
    assert_string_equal(err.message, "'<stdin>' is larger than 1048576 bytes");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),         cmocka_unit_test(anchors_and_merge_keys),
        cmocka_unit_test(refusals),       cmocka_unit_test(tabs_get_a_hint),
        cmocka_unit_test(positions),      cmocka_unit_test(alias_bomb),
        cmocka_unit_test(merge_chain),    cmocka_unit_test(deep_nesting),
        cmocka_unit_test(many_values),    cmocka_unit_test(many_keys),
        cmocka_unit_test(many_anchors),   cmocka_unit_test(long_key),
        cmocka_unit_test(odd_files),      cmocka_unit_test(large_and_binary_files),
        cmocka_unit_test(standard_input),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
