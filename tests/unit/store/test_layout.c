/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "store/layout.h"

static void expect(char *got, const char *text)
{
    assert_string_equal(got, text);
    free(got);
}

static void names_become_slugs(void **state)
{
    (void)state;
    expect(layout_slug("http over two relays"), "http-over-two-relays");
    expect(layout_slug("  HTTP/2 -- 1k! "), "http-2-1k");
    expect(layout_slug("../../etc"), "etc");
    expect(layout_slug("Ünïcödé"), "n-c-d");
    expect(layout_slug("日本"), "unnamed");
    expect(layout_slug(""), "unnamed");
    expect(layout_slug(NULL), "unnamed");
    expect(layout_slug("0123456789012345678901234567890123456789x"),
           "0123456789012345678901234567890123456789");
}

static void identities_sort_by_time(void **state)
{
    (void)state;
    expect(layout_id(INT64_C(1795157384000000000), "a b", 0x3f9), "20261120-064944-a-b-03f9");
}

static void repetitions_sort_by_index(void **state)
{
    (void)state;
    expect(layout_repetition(7, "nginx 1.26"), "repetitions/0007-nginx-1-26");
    expect(layout_repetition(12345, "x"), "repetitions/12345-x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_slugs),
        cmocka_unit_test(identities_sort_by_time),
        cmocka_unit_test(repetitions_sort_by_index),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
