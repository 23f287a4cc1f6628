/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

#include <bench/characters.h>

/* Also what is no character. */
static bool is_harmful(uint32_t c)
{
    return bench_character_is_unsafe(c) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

size_t xml_character(const char **s, char ret[5])
{
    uint32_t c = 0xfffd;
    size_t n = bench_character_at(*s, &c);

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
