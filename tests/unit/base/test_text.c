/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"

static void text_grows(void **state)
{
    cleanup_text struct text t = {0};
    char *taken;

    (void)state;
    assert_string_equal(text_get(&t), "");
    for (int i = 0; i < 1000; i++)
        text_add(&t, "%d,", i % 10);
    assert_int_equal(t.length, 2000);
    assert_int_equal(strlen(text_get(&t)), 2000);
    text_add_bytes(&t, "a\0b", 3);
    assert_int_equal(t.length, 2003);
    taken = text_take(&t);
    assert_memory_equal(taken + 1998, "9,a\0b", 6);
    free(taken);
    assert_null(t.data);
    taken = text_take(&t); /* of an empty one */
    assert_string_equal(taken, "");
    free(taken);
}

static void strings_end_with_null(void **state)
{
    cleanup_strings struct strings s = {0};

    (void)state;
    assert_false(strings_has(&s, "a"));
    strings_add(&s, "a");
    strings_addf(&s, "%s-%d", "b", 2);
    assert_int_equal(s.count, 2);
    assert_string_equal(s.items[1], "b-2");
    assert_null(s.items[2]);
    assert_true(strings_has(&s, "a"));
    for (int i = 0; i < 100; i++)
        strings_addf(&s, "%d", i);
    assert_null(s.items[102]);
}

static void splitting_drops_empty_pieces(void **state)
{
    cleanup_strings struct strings s = {0};

    (void)state;
    strings_split(&s, ",,a, b,,c,", ", ");
    assert_int_equal(s.count, 3);
    assert_string_equal(s.items[0], "a");
    assert_string_equal(s.items[1], "b");
    assert_string_equal(s.items[2], "c");
    strings_split(&s, "", ",");
    strings_split(&s, ",,,", ",");
    assert_int_equal(s.count, 3);
}

static void ends_of_strings(void **state)
{
    (void)state;
    assert_true(string_ends_with("record.txt", ".txt"));
    assert_true(string_ends_with(".txt", ".txt"));
    assert_true(string_ends_with("txt", ""));
    assert_false(string_ends_with("txt", ".txt"));
    assert_false(string_ends_with("record.txt.", ".txt"));
}

static void a_part_of_itself_replaces_a_string(void **state)
{
    char *s = NULL;

    (void)state;
    xreplace(&s, "relay_1");
    xreplace(&s, s + strlen("relay_"));
    assert_string_equal(s, "1");
    xreplace(&s, NULL);
    assert_null(s);
}

static void nearest_word(void **state)
{
    static const char *const words[] = {"jobs",   "hops", "duration", "cpu_limit",
                                        "repeat", "tick", "a",        NULL};
    static const char *const none[] = {NULL};
    cleanup_free char *longest = xcalloc(1000, 1);

    (void)state;
    assert_string_equal(nearest("job", words), "jobs");   /* one is missing */
    assert_string_equal(nearest("jbos", words), "jobs");  /* two are swapped */
    assert_string_equal(nearest("hopss", words), "hops"); /* one too many */
    assert_string_equal(nearest("hups", words), "hops");  /* one is another */
    assert_string_equal(nearest("durtaion", words), "duration");
    assert_string_equal(nearest("cpulimit", words), "cpu_limit");
    assert_string_equal(nearest("jobs", words), "jobs");
    assert_string_equal(nearest("b", words), "a");
    assert_null(nearest("jxyz", words));
    assert_null(nearest("repetition", words));
    assert_null(nearest("workload", words));
    assert_null(nearest("jobs", none));
    memset(longest, 'x', 999);
    assert_null(nearest(longest, words));
}

static void collapses(const char *text, const char *expected)
{
    cleanup_free char *got = text_collapse_lines(text);

    assert_string_equal(got, expected);
}

static void lines_that_repeat(void **state)
{
    cleanup_free char *last = text_last_lines("one\ntwo\nthree\n", 8);
    cleanup_free char *all = text_last_lines("one\ntwo\n", 8);
    cleanup_free char *cut = text_last_lines("a long line", 4);

    (void)state;
    assert_true(same_but_for_numbers("took 1.5 s", "took 12 s"));
    assert_false(same_but_for_numbers("took 1.5 s", "took 12 ms"));
    assert_false(same_but_for_numbers("a", "a1"));
    collapses("", "");
    collapses("a\nb", "a\nb\n");
    collapses("a 1\na 2\nb\n", "a 1\na 2\nb\n");
    collapses("a 1\na 2\na 33\nb\na 1\n", "a 1\n[and 2 more lines like this]\nb\na 1\n");
    collapses("a\na\na\na", "a\n[and 3 more lines like this]\n");
    collapses("\n\n\na\n", "\n\n\na\n");
    assert_string_equal(last, "three\n");
    assert_string_equal(all, "one\ntwo\n");
    assert_string_equal(cut, "line");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows),
        cmocka_unit_test(strings_end_with_null),
        cmocka_unit_test(splitting_drops_empty_pieces),
        cmocka_unit_test(ends_of_strings),
        cmocka_unit_test(a_part_of_itself_replaces_a_string),
        cmocka_unit_test(nearest_word),
        cmocka_unit_test(lines_that_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
