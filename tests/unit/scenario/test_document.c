/* SPDX-License-Identifier: Apache-2.0 */
/* The reference in docs/scenario.md is what the tables say. With BENCH_UPDATE_DOCS=1 it is
 * rewritten first (`make docs`). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "built.h"
#include "capture/capture.h"
#include "plugins.h"
#include "scenario/document.h"
#include "scenario/parts.h"

static const char path[] = "docs/scenario.md";
static const char begin[] = "by `make docs`; a test compares -->\n";
static const char end[] = "<!-- end -->\n";

static void tables(void **state)
{
    cleanup_text struct text out = {0};

    (void)state;
    scenario_document(&test_registry, &out);
    assert_non_null(strstr(text_get(&out),
                           "| `jobs` | integer, 1 to 1000000, default 2 | concurrent "
                           "communications of the workload |\n"));
    assert_non_null(strstr(text_get(&out), "| `relays` | list of arms, "));
    assert_non_null(strstr(text_get(&out), "\n### Options of workload `builtin`\n\n*for tests*\n\n"
                                           "| name | value | meaning |\n|---|---|---|\n"
                                           "| `mode` | one of stream, echo; default stream | "
                                           "direction |\n"));
    assert_non_null(
        strstr(text_get(&out), "### Options of relay `none`\n\n*for tests*\n\nNone.\n"));
}

static void pipes_are_escaped(void **state)
{
    static const char *const choices[] = {"a|b", NULL};
    static const struct bench_option options[] = {
        {"x", BENCH_OPTION_CHOICE, 0, NULL, 0, 0, NULL, choices, "this | that"}, {0}};
    cleanup_text struct text out = {0};

    (void)state;
    scenario_document_options("o", "d", options, &out);
    assert_non_null(strstr(text_get(&out), "| `x` | one of a\\|b | this \\| that |\n"));
}

static void reference(struct text *out)
{
    struct registry r;

    built_registry(&r);
    assert_true(r.count > 0);
    scenario_document(&r, out);
    captures_document(out);
    registry_release(&r);
}

static void update(const char *before, const char *after, const struct text *generated)
{
    cleanup_text struct text whole = {0};

    text_add_bytes(&whole, before, (size_t)(after - before));
    text_add(&whole, "\n%s\n%s", text_get(generated), end);
    assert_int_equal(file_write(AT_FDCWD, path, whole.data, whole.length, NULL), 0);
}

static void documentation_is_current(void **state)
{
    cleanup_text struct text generated = {0}, expected = {0};
    cleanup_free char *document = NULL;
    const char *part;

    (void)state;
    reference(&generated);
    assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &document, NULL, NULL), 0);
    part = strstr(document, begin);
    assert_non_null(part);
    part += strlen(begin);
    if (getenv("BENCH_UPDATE_DOCS")) {
        update(document, part, &generated);
        return;
    }
    text_add(&expected, "\n%s\n%s", text_get(&generated), end);
    if (strcmp(part, text_get(&expected)) != 0)
        fail_msg("%s is not what the tables say: run 'make docs'", path);
}

/* An example as it stands there, "bench: 1" added to a mere part. */
static void check_example(const char *yaml, size_t length, const struct registry *r)
{
    bool whole = strncmp(yaml, "bench: 1", 8) == 0;
    cleanup_free char *text = xasprintf("%s%.*s", whole ? "" : "bench: 1\n", (int)length, yaml);
    struct bench_error err = {0};
    struct yaml_tree tree = {0};
    struct scenario s;

    scenario_init(&s);
    if (yaml_tree_parse(&tree, "example", text, strlen(text), &err) < 0 ||
        scenario_read_tree(&s, &tree, &err) < 0 || scenario_check(&s, r, capture_known, &err) < 0)
        fail_msg("%s in\n%s", err.message, text);
    yaml_tree_release(&tree);
    scenario_release(&s);
}

static void examples_are_valid(void **state)
{
    static const char open[] = "```yaml\n", close[] = "```\n";
    cleanup_free char *document = NULL;
    struct registry r;
    int n = 0;

    (void)state;
    built_registry(&r);
    assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &document, NULL, NULL), 0);
    for (char *p = document; (p = strstr(p, open)); n++) {
        p += strlen(open);
        check_example(p, (size_t)(strstr(p, close) - p), &r);
    }
    assert_int_equal(n, 5);
    registry_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(pipes_are_escaped),
        cmocka_unit_test(documentation_is_current),
        cmocka_unit_test(examples_are_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
