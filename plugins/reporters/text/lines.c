/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "shared/characters.h"
#include "lines.h"

/* Length of what stands in quotes from `s` on (a path, a command, a name), which a line keeps
 * whole, or 0: an apostrophe ends no word, and what is quoted does not begin with a blank. */
static size_t quoted_length(const char *begin, const char *s)
{
    if (*s != '\'' || (s > begin && !strchr(" (,=:", s[-1])) || s[1] == ' ' || !s[1])
        return 0;
    for (const char *end = strchr(s + 1, '\''); end; end = strchr(end + 1, '\''))
        if (!end[1] || strchr(" ,.:;)", end[1]))
            return (size_t)(end - s) + 1;
    return 0;
}

/* Prints `text` behind `label`, wrapped at the width with the continuation under the text. */
void emit_wrapped(const char *label, const char *text, const struct bench_style *style,
                  struct bench_output *out)
{
    char *s = clean(text, style->utf8), *p = s;
    int indent = width_of(label), room = style->width > indent + 20 ? style->width - indent : 0;

    host->emit(out, "%s", label);
    for (bool first = true; *p || first; first = false) {
        size_t n = strlen(p), end = 0;
        char keep;

        for (size_t i = quoted_length(s, p) ? quoted_length(s, p) : 1; room > 0 && i <= n; i++) {
            i += i < n ? quoted_length(s, p + i) : 0;
            if (p[i] != ' ' && p[i] != '\0')
                continue;
            keep = p[i];
            p[i] = '\0';
            if (width_of(p) <= room || end == 0)
                end = i;
            p[i] = keep;
        }
        if (room == 0 || n == 0)
            end = n;
        n = end;
        while (n > 0 && p[n - 1] == ' ') /* there may be several */
            n--;
        host->emit(out, "%*s%.*s\n", first ? 0 : indent, "", (int)n, p);
        p += end;
        while (*p == ' ')
            p++;
    }
    free(s);
}

void shade(const struct bench_style *style, enum shade shade, struct bench_output *out)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[33m"};

    if (style->color)
        host->emit(out, "%s", codes[shade]);
}
