/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bench/characters.h>

#include "base/memory.h"
#include "base/printable.h"
#include "base/random.h"

static void check(const char *text, unsigned how, const char *expected)
{
    cleanup_text struct text t = {0};

    printable_add(&t, text, strlen(text), how);
    assert_string_equal(text_get(&t), expected);
}

static void controls_are_written_out(void **state)
{
    (void)state;
    check("\033]0;pwn\a\033[2J", 0, "\\u001b]0;pwn\\u0007\\u001b[2J");
    check("100%\rdone\b\x7f", 0, "100%\\u000ddone\\u0008\\u007f");
    /* CSI of C1: as UTF-8, and as the byte that it is to a terminal of 8 bits. */
    check("\xc2\x9b"
          "2J \x9b"
          "2J",
          0, "\\u009b2J \\x9b2J");
    check("a\xe2\x80\xae"
          "b\xe2\x81\xa6"
          "c\xd8\x9c",
          0, "a\\u202eb\\u2066c\\u061c");
    check("\xf3\xa0\x81\x81\xef\xbb\xbf", 0, "\\U000e0041\\ufeff");
}

static void text_stays(void **state)
{
    const char *text = "n\xc3\xb3mbre \xe6\xbc\xa2 e\xcc\x81 \xf0\x9f\x98\x80 \xe2\x80\xa6 '\\'";

    (void)state;
    check(text, 0, text);
    check("one\n\ttwo\n", PRINTABLE_LINES, "one\n\ttwo\n");
    check("one\n\ttwo\n", PRINTABLE_ONE_LINE, "one  two ");
}

static void broken_utf8_is_written_out(void **state)
{
    (void)state;
    check("\xff\xc3( \xc0\xaf \xed\xa0\x80 \xe2\x80", 0,
          "\\xff\\xc3( \\xc0\\xaf \\xed\\xa0\\x80 \\xe2\\x80");
    check("\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", 0,
          "\\xf4\\x90\\x80\\x80 \\xf8\\x88\\x80\\x80\\x80");
}

static void only_colours_pass(void **state)
{
    (void)state;
    check("\033[1mbold\033[0m \033[31;1m \033[2J \033[?1m \033[m", PRINTABLE_COLOURS,
          "\033[1mbold\033[0m \033[31;1m \\u001b[2J \\u001b[?1m \033[m");
    check("\033[1m", 0, "\\u001b[1m");
}

/* Where the locale is not UTF-8 a terminal may obey bytes that are part of a character. */
static void no_control_byte_reaches_eight_bits(void **state)
{
    (void)state;
    check("\xc3\xa9 \xc4\x9b \xe2\x80\xa6 \xc2\xb1", PRINTABLE_EIGHT_BIT,
          "\xc3\xa9 \\u011b ... \xc2\xb1");
}

static void random_bytes_are_harmless(void **state)
{
    struct random r = {7};
    char bytes[64];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        cleanup_text struct text t = {0};
        uint32_t c = 0;

        for (size_t i = 0; i + 1 < sizeof(bytes); i++)
            bytes[i] = (char)(1 + random_below(&r, 255));
        bytes[sizeof(bytes) - 1] = '\0';
        printable_add(&t, bytes, sizeof(bytes) - 1, PRINTABLE_ONE_LINE);
        for (const char *p = text_get(&t); *p; p += bench_character_at(p, &c)) {
            assert_int_not_equal(bench_character_at(p, &c), 0);
            assert_false(bench_character_is_unsafe(c));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_written_out),
        cmocka_unit_test(text_stays),
        cmocka_unit_test(broken_utf8_is_written_out),
        cmocka_unit_test(only_colours_pass),
        cmocka_unit_test(no_control_byte_reaches_eight_bits),
        cmocka_unit_test(random_bytes_are_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
