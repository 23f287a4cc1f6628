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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows),
        cmocka_unit_test(strings_end_with_null),
        cmocka_unit_test(splitting_drops_empty_pieces),
        cmocka_unit_test(ends_of_strings),
        cmocka_unit_test(a_part_of_itself_replaces_a_string),
        cmocka_unit_test(nearest_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
