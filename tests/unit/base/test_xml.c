/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/xml.h"

static const struct {
    const char *in, *text, *json;
} rows[] = {
    {"", "", "\"\""},
    {"plain text", "plain text", "\"plain text\""},
    {"<a href=\"x\" y='z'>&amp;", "&#60;a href=&#34;x&#34; y=&#39;z&#39;&#62;&#38;amp;",
     "\"\\u003ca href=\\u0022x\\u0022 y=\\u0027z\\u0027\\u003e\\u0026amp;\""},
    {"]]></script>", "]]&#62;&#60;/script&#62;", "\"]]\\u003e\\u003c/script\\u003e\""},
    {"back\\slash", "back\\slash", "\"back\\u005cslash\""},
    {"\x01\t\n\x1f\x7f", "␁␉␊␟␡", "\"␁␉␊␟␡\""},
    {"é€😀中", "é€😀中", "\"é€😀中\""},
    /* Not UTF-8: a lone byte, a cut sequence, a surrogate, an overlong one. */
    {"a\xff"
     "b\xe2\x82",
     "a\xef\xbf\xbd"
     "b\xef\xbf\xbd\xef\xbf\xbd",
     "\"a\xef\xbf\xbd"
     "b\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    /* U+FFFE, U+1FFFF, C1, line separator, right-to-left override. */
    {"\xef\xbf\xbe", "\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
    {"\xf0\x9f\xbf\xbf", "\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
    {"\xc2\x85", "\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
    {"\xe2\x80\xa8", "\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
    {"\xe2\x80\xae", "\xef\xbf\xbd", "\"\xef\xbf\xbd\""},
};

static void nothing_that_markup_knows_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_text struct text text = {0}, json = {0};

        xml_text(&text, rows[i].in);
        xml_json_string(&json, rows[i].in);
        assert_string_equal(text_get(&text), rows[i].text);
        assert_string_equal(text_get(&json), rows[i].json);
    }
}

static void columns(void **state)
{
    const char *s = "a\n€中😀\xff";
    const size_t expected[] = {1, 1, 1, 2, 2, 1};
    char c[5];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_int_equal(xml_character(&s, c), expected[i]);
    assert_true(*s == '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_markup_knows_is_left),
        cmocka_unit_test(columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
