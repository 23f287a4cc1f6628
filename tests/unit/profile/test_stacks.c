/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "profile/folded.h"
#include "profile/stacks.h"

static int read_text(struct stacks *s, const char *text, size_t n, struct bench_error *err)
{
    cleanup_file FILE *in = fmemopen((void *)text, n, "r");

    return folded_read(s, NULL, in, "x.folded", err);
}

static struct stacks *of(const char *text)
{
    struct stacks *s = stacks_new();
    struct bench_error err = {0};

    assert_int_equal(read_text(s, text, strlen(text), &err), 0);
    return s;
}

static void assert_text(struct stacks *s, const char *expected)
{
    cleanup_text struct text t = {0};

    folded_write(s, &t);
    assert_string_equal(text_get(&t), expected);
}

static void adds_merges_and_scales(void **state)
{
    const struct frame a[] = {{.name = "main"}, {.name = "read", .kind = FRAME_KERNEL}};
    const struct frame b[] = {{.name = "main"}, {.name = "read", .module = "libc.so"}};
    cleanup_stacks struct stacks *s = stacks_new(), *t = stacks_new();
    uint32_t *map;

    (void)state;
    assert_int_equal(stacks_nodes(s), 1);
    assert_true(stacks_total(s) == 0 && stacks_count(s) == 0);
    assert_text(s, "");
    stacks_add(s, a, 2, 3);
    stacks_add(s, a, 2, 1.5);
    stacks_add(s, b, 2, 2);
    stacks_add(s, a, 1, 0);
    stacks_add(s, a, 1, -1);
    assert_int_equal(stacks_nodes(s), 4); /* kernel and user are two frames */
    assert_int_equal(stacks_count(s), 2);
    assert_true(stacks_total(s) == 6.5);
    assert_text(s, "main;read 2\nmain;read_[k] 4.5\n");
    stacks_add(t, b, 1, 1);
    stacks_merge(t, s, 2, &map);
    assert_text(t, "main 1\nmain;read 4\nmain;read_[k] 9\n");
    for (uint32_t i = 1; i < stacks_nodes(s); i++)
        assert_string_equal(stacks_frame(s, i)->name, stacks_frame(t, map[i])->name);
    free(map);
    assert_true(stacks_total(t) == 14);
    stacks_add(t, NULL, 0, 1);
    stacks_add(t, &(struct frame){.name = ""}, 1, 1);
    assert_text(t, "[unknown] 2\nmain 1\nmain;read 4\nmain;read_[k] 9\n");
}

/* A module is a remark: the first that is known stays, and none is added by a merge into one. */
static void modules(void **state)
{
    cleanup_stacks struct stacks *s = stacks_new(), *t = stacks_new();

    (void)state;
    stacks_add(s, &(struct frame){.name = "f"}, 1, 1);
    stacks_add(s, &(struct frame){.name = "f", .module = "one"}, 1, 1);
    stacks_add(s, &(struct frame){.name = "f", .module = "two"}, 1, 1);
    stacks_merge(t, s, 1, NULL);
    assert_int_equal(stacks_nodes(t), 2);
    assert_string_equal(stacks_frame(t, 1)->module, "one");
}

static void totals_and_order(void **state)
{
    cleanup_stacks struct stacks *s = of("b;z 1\na 2\nb;y;x 4\nb 8\nb;y_[k] 16\nb;y_[i] 32\n");
    cleanup_free double *totals = stacks_totals(s);

    (void)state;
    assert_true(totals[STACKS_ROOT] == 63);
    for (uint32_t i = 1; i < stacks_nodes(s); i++) {
        assert_true(stacks_node(s, i)->parent < i);
        if (strcmp(stacks_frame(s, i)->name, "b") == 0)
            assert_true(totals[i] == 61);
    }
    assert_text(s, "a 2\nb 8\nb;y;x 4\nb;y_[i] 32\nb;y_[k] 16\nb;z 1\n");
}

/* The order does not depend on the order of arrival. */
static void any_order_gives_one_text(void **state)
{
    cleanup_stacks struct stacks *s = of("a;b 1\na;c 2\nd 3\n"), *t = of("d 3\na;c 2\na;b 1\n");
    cleanup_text struct text x = {0}, y = {0};

    (void)state;
    folded_write(s, &x);
    folded_write(t, &y);
    assert_string_equal(text_get(&x), text_get(&y));
}

static void hostile_names_survive(void **state)
{
    static const char *const names[] = {
        "a;b",
        "back\\slash",
        "\\x41",
        "\\",
        "line\nfeed",
        "\r",
        "\t x ",
        "x_[k]",
        "x_[i]",
        "_[k]",
        " ",
        "12",
        "a 12",
        "\x7f",
        "</script>]]>",
        "\"'&<",
        "\xff\xfe\x80",
        "\xe2\x80\xa8",
        "#x",
        "[truncated]",
        "\x01",
        "operator new(unsigned long, std::align_val_t)",
    };
    cleanup_stacks struct stacks *s = stacks_new(), *t = stacks_new();
    cleanup_text struct text first = {0}, second = {0};
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        for (enum frame_kind kind = FRAME_USER; kind <= FRAME_KERNEL; kind++) {
            const struct frame f[] = {{.name = "root"}, {.name = names[i], .kind = kind}};

            stacks_add(s, f, 2, 1);
            stacks_add(s, f + 1, 1, 1);
        }
    }
    folded_write(s, &first);
    assert_null(strchr(text_get(&first), '\r'));
    assert_int_equal(read_text(t, first.data, first.length, &err), 0);
    assert_int_equal(stacks_nodes(t), 1 + 1 + 2 * 3 * ARRAY_SIZE(names));
    assert_int_equal(stacks_count(t), 2 * 3 * ARRAY_SIZE(names));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t found = 0;

        for (uint32_t n = 1; n < stacks_nodes(t); n++)
            found += strcmp(stacks_frame(t, n)->name, names[i]) == 0;
        assert_int_equal(found, 6);
    }
    folded_write(t, &second);
    assert_string_equal(text_get(&first), text_get(&second));
}

static void spelling_of_names(void **state)
{
    cleanup_stacks struct stacks *s = stacks_new();

    (void)state;
    stacks_add(s, &(struct frame){.name = "a;b\n\\"}, 1, 1);
    stacks_add(s, &(struct frame){.name = "a_[k]"}, 1, 1);
    assert_text(s, "a\\x3bb\\x0a\\\\ 1\na_[k\\x5d 1\n");
}

/* What other tools write. */
static void foreign_text(void **state)
{
    cleanup_stacks struct stacks *s = of("\n  lead;b c  7\r\na\\b\\x;\\x00;\\x4 1\t2.50\na;;b 1\n"
                                         "a 0\nx 1e3\nlast 4");

    (void)state;
    assert_text(
        s, "  lead;b c  7\na;[unknown];b 1\na\\\\b\\\\x;\\\\x00;\\\\x4\\x201 2.5\nlast 4\nx 1000\n");
}

static void bad_lines_are_named(void **state)
{
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"a;b\n", "x.folded:2: 'a;b' is no weight"},
        {"a;b x\n", "x.folded:2: 'x' is no weight"},
        {"a -1\n", "x.folded:2: '-1' is no weight"},
        {"a nan\n", "x.folded:2: 'nan' is no weight"},
        {"a 0x10\n", "x.folded:2: '0x10' is no weight"},
        {"a 1e999\n", "x.folded:2: '1e999' is no weight"},
        {"a 1e19\n", "x.folded:2: '1e19' is no weight"},
        {"12\n", "x.folded:2: a weight without a stack"},
    };
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_stacks struct stacks *s = stacks_new();
        cleanup_free char *text = xasprintf("a 1\n%sb 1\n", rows[i].line);

        assert_int_equal(read_text(s, text, strlen(text), &err), -1);
        assert_string_equal(err.message, rows[i].message);
        assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    }
    cleanup_stacks struct stacks *s = stacks_new();

    assert_int_equal(read_text(s, "a 1\nb\0c 2\n", 10, &err), -1);
    assert_string_equal(err.message, "x.folded:2: a NUL byte: this is no folded text");
    assert_int_equal(folded_read_file(s, NULL, AT_FDCWD, "/nowhere/x.folded", &err), -1);
    assert_string_equal(err.message, "cannot open '/nowhere/x.folded': No such file or directory");
    assert_int_equal(folded_read_file(s, NULL, AT_FDCWD, "/proc", &err), -1);
    assert_string_equal(err.message, "/proc:1: cannot read: Is a directory");
}

static int read_both(struct stacks *s, struct stacks *before, const char *text,
                     struct bench_error *err)
{
    cleanup_file FILE *in = fmemopen((void *)text, strlen(text), "r");

    return folded_read(s, before, in, "x.folded", err);
}

static void a_byte_order_mark_is_no_name(void **state)
{
    cleanup_stacks struct stacks *s = of("\xEF\xBB\xBFmain;read 7\nmain;\xEF\xBB\xBFwrite 3\n");

    (void)state;
    assert_text(s, "main;read 7\nmain;\\xef\xBB\xBFwrite 3\n");
}

static void two_weights_on_every_line_are_a_difference(void **state)
{
    cleanup_stacks struct stacks *s = stacks_new(), *before = stacks_new();
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(
        read_both(s, before, "\xEF\xBB\xBF\na;b 1 2\n\na;c 1  0 \na;b\t0.5\t3\r\nold 4 0\n", &err),
        1);
    assert_text(before, "a;b 1.5\na;c 1\nold 4\n");
    assert_text(s, "a;b 5\n");
    assert_int_equal(read_both(s, NULL, "a;b 1 2\n", &err), -1);
    assert_string_equal(err.message,
                        "x.folded: every line ends in two weights: it is a difference already");
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_text(s, "a;b 5\n");
}

/* One line with one weight is enough, wherever it stands. What is written is never a difference. */
static void names_may_end_in_numbers(void **state)
{
    static const char *const texts[] = {"worker 1 5\nother 2\n", "other 2\nworker 1 5\n"};
    static const char written[] = "other 2\nworker\\x201 5\n";
    struct bench_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        cleanup_stacks struct stacks *s = stacks_new(), *before = stacks_new(), *again = of(written);

        assert_int_equal(read_both(s, before, texts[i], &err), 0);
        assert_true(stacks_total(before) == 0);
        assert_text(s, written);
        assert_text(again, written);
    }
    cleanup_stacks struct stacks *number = of("12 5\nz 3  5\n 7 5\na;3 4 1\nx 1_[k] 1\n1 x;y 1\n");

    assert_text(number, "\\x207 5\n1 x;y 1\n12 5\na;3\\x204 1\nx 1_[k] 1\nz\\x203  5\n");
}

static void perf_data_in_a_pipe_is_named(void **state)
{
    cleanup_stacks struct stacks *s = stacks_new();
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(read_text(s, "PERFILE2\0\0\0\n", 12, &err), -1);
    assert_string_equal(err.message, "x.folded:1: this is perf.data, no folded text");
}

static void long_lines_end(void **state)
{
    cleanup_stacks struct stacks *s = stacks_new();
    cleanup_file FILE *in = fopen("/dev/zero", "r");
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(folded_read(s, NULL, in, "zero", &err), -1);
    assert_string_equal(err.message, "zero:1: a line of more than 16777216 bytes");
}

/* Deep stacks and long names are cut where everybody sees it. */
static void limits_are_visible(void **state)
{
    enum { LONG = 100000 };
    cleanup_stacks struct stacks *s = stacks_new();
    cleanup_text struct text deep = {0}, name = {0};
    cleanup_free double *totals = NULL;
    const struct frame *last;
    struct bench_error err = {0};

    (void)state;
    for (int i = 0; i < STACKS_DEPTH; i++)
        text_add(&deep, "%sf", i ? ";" : "");
    text_add(&deep, " 1\n");
    assert_int_equal(read_text(s, deep.data, deep.length, &err), 0);
    assert_int_equal(stacks_nodes(s), 1 + STACKS_DEPTH);
    assert_string_equal(stacks_frame(s, STACKS_DEPTH)->name, "f");
    text_release(&deep);
    for (int i = 0; i < LONG; i++)
        text_add(&deep, "f;");
    text_add(&deep, "leaf 1\n");
    assert_int_equal(read_text(s, deep.data, deep.length, &err), 0);
    assert_int_equal(stacks_nodes(s), 1 + STACKS_DEPTH + 1);
    assert_string_equal(stacks_frame(s, STACKS_DEPTH + 1)->name, "[truncated]");

    for (int i = 0; i < LONG; i++)
        text_add(&name, "\xe2\x82\xac");
    for (int i = 0; i < 3; i++)
        stacks_add(s, &(struct frame){.name = text_get(&name) + i}, 1, 1);
    stacks_add(s, &(struct frame){.name = text_get(&name)}, 1, 1);
    assert_int_equal(stacks_nodes(s), 1 + STACKS_DEPTH + 1 + 3);
    last = stacks_frame(s, STACKS_DEPTH + 2);
    assert_true(strlen(last->name) <= STACKS_NAME && strlen(last->name) > STACKS_NAME - 16);
    assert_string_equal(last->name + strlen(last->name) - 14, "\xe2\x82\xac[truncated]");
    totals = stacks_totals(s);
    assert_true(totals[STACKS_ROOT] == 6 && totals[STACKS_DEPTH + 2] == 2);
}

/* 100,000 distinct stacks: as many nodes as there are distinct prefixes, and as many frames as
 * names. */
static void many_stacks(void **state)
{
    enum { WIDE = 100, MANY = WIDE * WIDE * 10 };
    cleanup_stacks struct stacks *s = stacks_new(), *t = stacks_new();
    cleanup_text struct text text = {0};
    struct bench_error err = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            char names[3][16];
            struct frame f[3];

            snprintf(names[0], sizeof(names[0]), "a%d", i % 10);
            snprintf(names[1], sizeof(names[1]), "b%d", i / 10 % WIDE);
            snprintf(names[2], sizeof(names[2]), "c%d", i / 10 / WIDE);
            for (int k = 0; k < 3; k++)
                f[k] = (struct frame){.name = names[k]};
            stacks_add(s, f, 3, 1);
        }
    }
    assert_int_equal(stacks_count(s), MANY);
    assert_int_equal(stacks_nodes(s), 1 + 10 + 10 * WIDE + MANY);
    assert_true(stacks_total(s) == 2 * MANY);
    folded_write(s, &text);
    assert_int_equal(read_text(t, text.data, text.length, &err), 0);
    assert_int_equal(stacks_nodes(t), stacks_nodes(s));
    assert_true(stacks_total(t) == 2 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_merges_and_scales),
        cmocka_unit_test(modules),
        cmocka_unit_test(totals_and_order),
        cmocka_unit_test(any_order_gives_one_text),
        cmocka_unit_test(hostile_names_survive),
        cmocka_unit_test(spelling_of_names),
        cmocka_unit_test(foreign_text),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(a_byte_order_mark_is_no_name),
        cmocka_unit_test(two_weights_on_every_line_are_a_difference),
        cmocka_unit_test(names_may_end_in_numbers),
        cmocka_unit_test(perf_data_in_a_pipe_is_named),
        cmocka_unit_test(long_lines_end),
        cmocka_unit_test(limits_are_visible),
        cmocka_unit_test(many_stacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
