/* SPDX-License-Identifier: Apache-2.0 */
#include "base/printable.h"

#include <string.h>

#include <bench/characters.h>

/* Length of "ESC [ 1 ; 33 m" at `s`, or 0. */
static size_t colour_at(const char *s)
{
    size_t n;

    if (strncmp(s, "\033[", 2) != 0)
        return 0;
    n = 2 + strspn(s + 2, "0123456789;");
    return s[n] == 'm' ? n + 1 : 0;
}

static bool has_control_byte(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80 && (unsigned char)s[i] <= 0x9f)
            return true;
    return false;
}

static void add_code(struct text *t, uint32_t c)
{
    text_add(t, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
}

/* The character, or the byte that is none, at `s`; returns its length. */
static size_t add_one(struct text *t, const char *s, unsigned how)
{
    uint32_t c = 0;
    size_t n = bench_character_at(s, &c), colour = how & PRINTABLE_COLOURS ? colour_at(s) : 0;

    if (colour) {
        text_add_bytes(t, s, colour);
        return colour;
    }
    if (n == 0) {
        text_add(t, "\\x%02x", (unsigned char)*s);
        return 1;
    }
    if (c == '\n' || c == '\t')
        text_add_bytes(t, how & PRINTABLE_ONE_LINE ? " " : s, 1);
    else if (bench_character_is_unsafe(c))
        add_code(t, c);
    else if (!(how & PRINTABLE_EIGHT_BIT) || !has_control_byte(s, n))
        text_add_bytes(t, s, n);
    else if (bench_character_ascii(c))
        text_add(t, "%s", bench_character_ascii(c));
    else
        add_code(t, c);
    return n;
}

void printable_add(struct text *t, const char *s, size_t n, unsigned how)
{
    const char *end = s + n;

    while (s < end) {
        const char *from = s;

        while (s < end && *s >= ' ' && *s <= '~')
            s++;
        text_add_bytes(t, from, (size_t)(s - from));
        if (s < end)
            s += add_one(t, s, how);
    }
}
