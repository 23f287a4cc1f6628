/* SPDX-License-Identifier: Apache-2.0 */
#include "store/layout.h"

#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define SLUG_MAX 40

/* Without locale: a name must not depend on who runs the bench. */
static char slug_char(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
}

char *layout_slug(const char *name)
{
    char slug[SLUG_MAX + 1];
    size_t n = 0;

    for (; name && *name && n < SLUG_MAX; name++) {
        char c = slug_char(*name);

        if (c != '-' || (n && slug[n - 1] != '-'))
            slug[n++] = c;
    }
    while (n && slug[n - 1] == '-')
        n--;
    return n ? xstrndup(slug, n) : xstrdup("unnamed");
}

char *layout_id(int64_t started_wall_ns, const char *name, uint16_t random)
{
    cleanup_free char *slug = layout_slug(name);
    time_t seconds = started_wall_ns / NS_PER_S;
    char time[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(time, sizeof(time), "%Y%m%d-%H%M%S", &tm);
    return xasprintf("%s-%s-%04x", time, slug, random);
}

char *layout_repetition(uint32_t index, const char *arm)
{
    cleanup_free char *slug = layout_slug(arm);

    return xasprintf(LAYOUT_REPETITIONS "/%04u-%s", index, slug);
}
