/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "shared/characters.h"

size_t character_at(const char *text, uint32_t *ret)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

    if (n == 0 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
        (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return n;
}

struct range {
    uint32_t first, last;
};

static bool within(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}
#define WITHIN(r, c) within(r, sizeof(r) / sizeof((r)[0]), c)

/* Controls, and characters that reorder or hide their neighbours. */
static const struct range harmful[] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0x200b, 0x200f},
                                       {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                                       {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
static const struct range combining[] = {{0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
                                         {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xa960, 0xa97c}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

/* Columns that the string fills on a terminal. */
int width_of(const char *s)
{
    int width = 0;

    while (*s) {
        uint32_t c = 0xfffd;
        size_t n = character_at(s, &c);

        width += WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;
        s += n ? n : 1;
    }
    return width;
}

/* What stands for a character in plain ASCII. */
static const char *ascii(uint32_t c)
{
    static const struct {
        uint32_t c;
        const char *plain;
    } table[] = {{0xd7, "x"},    {0xb1, "+-"},   {0xb5, "u"},   {0xb7, "*"},
                 {0x2013, "-"},  {0x2014, "-"},  {0x2212, "-"}, {0x2026, "..."},
                 {0x2192, "->"}, {0x2264, "<="}, {0x2265, ">="}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].c == c)
            return table[i].plain;
    return "?";
}

/* A copy that is safe to print; caller frees. NULL gives "". */
char *clean(const char *s, bool utf8)
{
    size_t length = s ? strlen(s) : 0;
    char *out = malloc(length * 3 + 1), *to = out;

    if (!out)
        abort();
    while (s && *s) {
        uint32_t c = 0;
        size_t n = character_at(s, &c);
        bool bad = n == 0 || WITHIN(harmful, c);

        if (c == '\n' || c == '\t')
            *to++ = ' ';
        else if (!bad && (utf8 || c < 0x80))
            to = (char *)memcpy(to, s, n) + n;
        else
            to = stpcpy(to, bad ? (utf8 ? "\xef\xbf\xbd" : "?") : ascii(c));
        s += n ? n : 1;
    }
    *to = '\0';
    return out;
}

/* Columns of the character at `s`, whose length is stored in `ret_length`. */
static int columns_at(const char *s, size_t *ret_length)
{
    uint32_t c = 0;
    size_t n = character_at(s, &c);

    *ret_length = n ? n : 1;
    return WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;
}

/* Cuts a clean string to `width` columns in its middle, where a mark shows it: names of builds of
 * one program differ at their ends. */
void cut(char *s, int width, bool utf8)
{
    const char *mark = utf8 ? "…" : "..";
    int room = width - (utf8 ? 1 : 2), behind = width_of(s), used = 0;
    char *head = s, *tail;
    size_t n;

    if (behind <= width || room < 0)
        return;
    for (int w; *head && used + (w = columns_at(head, &n)) <= room - room / 2; head += n)
        used += w;
    for (tail = head, behind -= used; *tail; tail += n) {
        int w = columns_at(tail, &n);

        if (behind <= room / 2 && w > 0 && (size_t)(tail - head) >= strlen(mark))
            break;
        behind -= w;
    }
    if ((size_t)(tail - head) < strlen(mark))
        mark = "."; /* no room for the bytes of a better one */
    memmove(head + strlen(mark), tail, strlen(tail) + 1);
    memcpy(head, mark, strlen(mark));
}
