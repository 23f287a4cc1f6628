/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <bench/characters.h>

#include "shared/characters.h"

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
        size_t n = bench_character_at(s, &c);

        width += WITHIN(combining, c) ? 0 : WITHIN(wide, c) ? 2 : 1;
        s += n ? n : 1;
    }
    return width;
}

static const char *in_ascii(uint32_t c)
{
    const char *plain = bench_character_ascii(c);

    return plain ? plain : "?";
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
        size_t n = bench_character_at(s, &c);
        bool bad = n == 0 || bench_character_is_unsafe(c);

        if (c == '\n' || c == '\t')
            *to++ = ' ';
        else if (!bad && (utf8 || c < 0x80))
            to = (char *)memcpy(to, s, n) + n;
        else
            to = stpcpy(to, bad ? (utf8 ? "\xef\xbf\xbd" : "?") : in_ascii(c));
        s += n ? n : 1;
    }
    *to = '\0';
    return out;
}

/* Columns of the character at `s`, whose length is stored in `ret_length`. */
static int columns_at(const char *s, size_t *ret_length)
{
    uint32_t c = 0;
    size_t n = bench_character_at(s, &c);

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
