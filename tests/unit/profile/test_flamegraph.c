/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drawn part against golden files (tests/golden/flamegraph*.svg, without style and script):
 * BENCH_UPDATE_GOLDEN=1 tests/run test_flamegraph writes them anew; look at them in a browser. That
 * the script works is proven in tests/system/flamegraph.bats.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "profile/flamegraph.h"
#include "profile/folded.h"
#include "profile/speedscope.h"

static struct stacks *of(const char *text)
{
    struct stacks *s = stacks_new();
    cleanup_file FILE *in = fmemopen((void *)text, strlen(text), "r");
    struct bench_error err = {0};

    assert_int_equal(folded_read(s, NULL, in, "text", &err), 0);
    return s;
}

static char *drawn(struct stacks *s, const struct flamegraph *g)
{
    struct text out = {0};

    flamegraph_write(s, g, &out);
    return text_take(&out);
}

static void cut(char *text, const char *from, const char *to)
{
    char *begin = strstr(text, from), *end = begin ? strstr(begin, to) : NULL;

    assert_non_null(end);
    memmove(begin + strlen(from), end, strlen(end) + 1);
}

static void compare(const char *golden, char *text)
{
    cleanup_free char *path = xasprintf("tests/golden/%s", golden), *expected = NULL;
    struct bench_error err;

    cut(text, "<style><![CDATA[", "]]></style>");
    cut(text, "<script><![CDATA[", "]]></script>");
    if (getenv("BENCH_UPDATE_GOLDEN")) {
        assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), &err), 0);
        return;
    }
    if (file_read(AT_FDCWD, path, 1 << 20, &expected, &(size_t){0}, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(text, expected);
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word))) {
        n++;
        text += strlen(word);
    }
    return n;
}

static const char *const lines[] = {"cpu-clock of relay_1, arm nginx",
                                    "1000 samples in 2 repetitions", NULL};

static void small_picture(void **state)
{
    cleanup_stacks struct stacks *s = of("main;read;sys_read_[k];copy_[k] 400\nmain;read 100\n"
                                         "main;parse;std::vector<int>::push_back_[i] 299\n"
                                         "main;parse 200\n[unknown] 2\nmain;rare;rarer 0.5\n");
    const struct flamegraph g = {
        .title = "nginx <1.26> & \"relay\"", .lines = lines, .unit = "samples"};
    cleanup_free char *text = drawn(s, &g);

    (void)state;
    assert_non_null(strstr(text, "2 frames narrower than 0.1% of the width are not drawn."));
    compare("flamegraph.svg", text);
}

static void small_difference(void **state)
{
    const char *before[] = {
        "main;f 100\nmain;g 100\nmain;old;deep 80\n", "main;f 103\nmain;g 98\nmain;old;deep 79\n",
        "main;f 98\nmain;g 101\nmain;old;deep 84\n", "main;f 101\nmain;g 99\nmain;old;deep 81\n"};
    const char *after[] = {
        "main;f 101\nmain;g 150\nmain;new 40\n", "main;f 100\nmain;g 153\nmain;new 42\n",
        "main;f 99\nmain;g 149\nmain;new 39\n", "main;f 104\nmain;g 147\nmain;new 41\n"};
    struct profile sides[2][4];
    const struct flamegraph g = {.title = "a difference", .unit = "ns", .per = "byte"};
    cleanup_free char *text = NULL;
    struct text out = {0};
    struct comparison c;

    (void)state;
    for (int i = 0; i < 4; i++) {
        sides[0][i] = (struct profile){of(before[i]), 1000, 0};
        sides[1][i] = (struct profile){of(after[i]), 1000, 0};
    }
    comparison_make(&c, sides[0], 4, sides[1], 4, FLAMEGRAPH_SHARE);
    flamegraph_write_comparison(&c, &g, &out);
    text = text_take(&out);
    compare("flamegraph-difference.svg", text);
    comparison_release(&c);
    for (int i = 0; i < 8; i++)
        stacks_free(sides[i / 4][i % 4].stacks);
}

/* What is narrower than the share is counted, not drawn; nothing is drawn above it. */
static void narrow_frames(void **state)
{
    cleanup_stacks struct stacks *s = of("a 989\nb;c;d 10\ne 1\n");
    struct flamegraph g = {.title = "t", .unit = "samples", .share = 0.011};
    cleanup_free char *few = drawn(s, &g), *all = NULL;

    (void)state;
    assert_int_equal(count(few, "<g class=\"f "), 2);
    assert_non_null(strstr(few, "4 frames narrower than 1.1% of the width are not drawn."));
    g.share = 0.001;
    all = drawn(s, &g);
    assert_int_equal(count(all, "<g class=\"f "), 6);
    assert_null(strstr(all, "narrower"));
}

static void nothing_sampled(void **state)
{
    cleanup_stacks struct stacks *s = stacks_new();
    cleanup_free char *text = drawn(s, &(struct flamegraph){.title = "t", .unit = "samples"});

    (void)state;
    assert_non_null(strstr(text, "no stacks"));
    assert_int_equal(count(text, "<g"), 0);
    assert_int_equal(count(text, "<script"), 0);
}

/* 100,000 distinct stacks, 20 deep: as many frames as the share allows on each level, and a file
 * that stays in proportion to them. */
static void many_stacks(void **state)
{
    enum { MANY = 100000, DEPTH = 20 };
    cleanup_stacks struct stacks *s = stacks_new();
    char names[DEPTH][24];
    struct frame f[DEPTH];
    cleanup_free char *text = NULL;
    size_t frames;

    (void)state;
    for (int k = 0; k < DEPTH; k++)
        f[k].name = names[k];
    for (int i = 0; i < MANY; i++) {
        for (int k = 0; k < DEPTH; k++) {
            snprintf(names[k], sizeof(names[k]), "f%d_%d", k, k < 8 ? i % (k + 1) : i % (k * 997));
            f[k] = (struct frame){.name = names[k]};
        }
        stacks_add(s, f, DEPTH, 1 + i % 7);
    }
    assert_int_equal(stacks_count(s), MANY);
    text = drawn(s, &(struct flamegraph){.title = "t", .unit = "samples"});
    frames = count(text, "<g class=\"f ");
    assert_true(frames > 100 && frames <= 1000 * DEPTH + 1);
    assert_true(strlen(text) < 40000 + frames * 300);
}

/* The end of a long note, which says what to do, does not leave the picture. */
static void long_lines(void **state)
{
    cleanup_stacks struct stacks *s = of("a 1\n");
    cleanup_text struct text note = {0}, word = {0};
    const char *said[] = {NULL, NULL, NULL};
    cleanup_free char *text = NULL;

    (void)state;
    for (int i = 0; i < 60; i++)
        text_add(&note, "%s%05d", i ? " " : "", i);
    for (int i = 0; i < 60; i++)
        text_add(&word, "%05d", i);
    said[0] = text_get(&note);
    said[1] = text_get(&word);
    text = drawn(s, &(struct flamegraph){.title = "t", .unit = "samples", .lines = said});
    assert_int_equal(count(text, "class=\"line\""), 4);
    assert_non_null(
        strstr(text, "00026 00027</text>\n<text class=\"line\" x=\"10\" y=\"65\">00028 "));
    assert_non_null(strstr(text, "00056 00057 00058 00059</text>"));
}

static void speedscope(void **state)
{
    cleanup_stacks struct stacks *s = of("b;c_[k] 2\na;b 1.5\na 3\n");
    json_t *json = speedscope_json(s, "t\xff", "us");
    cleanup_free char *text = json_dumps(json, JSON_COMPACT);

    (void)state;
    assert_string_equal(
        text, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":"
              "\"bench@" BENCH_VERSION "\",\"name\":\"t\xef\xbf\xbd\",\"shared\":{\"frames\":["
              "{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c_[k]\"}]},\"profiles\":[{\"type\":"
              "\"sampled\",\"name\":\"t\xef\xbf\xbd\",\"unit\":\"microseconds\",\"startValue\":0,"
              "\"endValue\":6.5,\"samples\":[[0],[0,1],[1,2]],\"weights\":[3.0,1.5,2.0]}]}");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_picture), cmocka_unit_test(small_difference),
        cmocka_unit_test(narrow_frames), cmocka_unit_test(nothing_sampled),
        cmocka_unit_test(many_stacks),   cmocka_unit_test(long_lines),
        cmocka_unit_test(speedscope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
