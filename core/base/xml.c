/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

static uint32_t decode(const char *s, size_t n)
{
    const unsigned char *c = (const unsigned char *)s;

    switch (n) {
    case 1:
        return c[0];
    case 2:
        return (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
    case 3:
        return (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f);
    default:
        return (uint32_t)(c[0] & 0x07) << 18 | (uint32_t)(c[1] & 0x3f) << 12 |
               (uint32_t)(c[2] & 0x3f) << 6 | (c[3] & 0x3f);
    }
}

/* C1 controls, line separators, marks of direction, and what is no character. */
static bool is_harmful(uint32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || (c & 0xfffe) == 0xfffe ||
           (c >= 0xfdd0 && c <= 0xfdef);
}

size_t xml_character(const char **s, char ret[5])
{
    size_t n = utf8_length(*s);
    uint32_t c = n ? decode(*s, n) : 0xfffd;

    memcpy(ret, *s, n);
    ret[n] = '\0';
    *s += n ? n : 1;
    if (c < 0x20 || c == 0x7f)
        snprintf(ret, 5, "\xe2\x90%c", c == 0x7f ? 0xa1 : (int)(0x80 + c));
    else if (n == 0 || is_harmful(c))
        snprintf(ret, 5, "\xef\xbf\xbd");
    return c >= 0x1100 && c != 0xfffd && !(c >= 0x2000 && c < 0x2e80) ? 2 : 1;
}

void xml_text(struct text *out, const char *s)
{
    char c[5];

    while (*s) {
        xml_character(&s, c);
        if (strchr("<>&\"'", c[0]))
            text_add(out, "&#%d;", c[0]);
        else
            text_add(out, "%s", c);
    }
}

void xml_json_string(struct text *out, const char *s)
{
    char c[5];

    text_add(out, "\"");
    while (*s) {
        xml_character(&s, c);
        if (strchr("<>&\"'\\", c[0]))
            text_add(out, "\\u%04x", c[0]);
        else
            text_add(out, "%s", c);
    }
    text_add(out, "\"");
}
