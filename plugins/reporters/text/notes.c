/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "notes.h"
#include "shared/numbers.h"

static bool listed(const char *names, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = names; (p = strstr(p, name)); p += n)
        if ((p == names || p[-1] == ' ') && (p[n] == '\0' || p[n] == ','))
            return true;
    return false;
}

/* The footnote names the events itself; their reasons then read alike and share one line. */
static const char *common_reason(const char *reason)
{
    const char *end = strncmp(reason, "event '", 7) == 0 ? strstr(reason, "': ") : NULL;

    return end ? end + 3 : reason;
}

void footnote(struct footnotes *f, const struct bench_estimate *e, const char *name)
{
    const char *reason = common_reason(e->reason ? e->reason : "");
    size_t i = 0;

    while (i < f->count &&
           (f->items[i].state != e->state || strcmp(f->items[i].reason, reason) != 0))
        i++;
    if (i == sizeof(f->items) / sizeof(f->items[0]))
        return;
    if (i == f->count) {
        f->items[f->count].reason = reason;
        f->items[f->count].state = e->state;
        f->items[f->count++].names = strdup(name);
    } else if (f->items[i].names && !listed(f->items[i].names, name)) {
        char *more = NULL;

        if (asprintf(&more, "%s, %s", f->items[i].names, name) >= 0) {
            free(f->items[i].names);
            f->items[i].names = more;
        }
    }
}

void emit_footnotes(struct footnotes *f, const struct bench_style *style, struct bench_output *out)
{
    for (size_t i = 0; i < f->count; i++) {
        enum bench_state state = f->items[i].state;
        const char *reason = f->items[i].reason;
        const char *mark = state == BENCH_OK       ? "* "
                           : state == BENCH_SCALED ? "~ "
                           : style->utf8           ? "– "
                                                   : "- ";
        char *line = NULL;

        if (asprintf(&line, "%s: %s%s%s", f->items[i].names,
                     state == BENCH_OK ? "" : state_name(state),
                     *reason && state != BENCH_OK ? ": " : "", reason) >= 0)
            emit_wrapped(mark, line, style, out);
        free(line);
        free(f->items[i].names);
    }
}
