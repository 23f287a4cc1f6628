/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of UTF-8 and what they may do to a terminal: what the core, the reporters that come
 * with it and other plugins need before they print a string that they did not write.
 */
#ifndef BENCH_CHARACTERS_H
#define BENCH_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Decodes one character at `text`, which ends with a NUL; returns its length, or 0 for what is not
 * UTF-8 (RFC 3629: nothing overlong, no surrogates, nothing above U+10FFFF). */
static inline size_t bench_character_at(const char *text, uint32_t *ret)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

    if (n == 0 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return n;
}

/* Controls (of ASCII, and U+0080 to U+009F, which terminals obey too), and characters that reorder
 * or hide their neighbours. */
static inline bool bench_character_is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

/* What stands for a character of our own texts where only ASCII is understood, or NULL. */
static inline const char *bench_character_ascii(uint32_t c)
{
    switch (c) {
    case 0xd7:
        return "x";
    case 0xb1:
        return "+-";
    case 0xb5:
        return "u";
    case 0xb7:
        return "*";
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return "-";
    case 0x2026:
        return "...";
    case 0x2192:
        return "->";
    case 0x2264:
        return "<=";
    case 0x2265:
        return ">=";
    default:
        return NULL;
    }
}

#ifdef __cplusplus
}
#endif
#endif
