/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "sections.h"
#include "shared/characters.h"

enum { TABLE_LINES = 24 };

/* Whether an earlier repetition of the same arm and point shows the like of it. */
static bool shown_before(const struct bench_document *d, uint32_t index)
{
    const struct bench_repetition *r = d->repetitions[index];

    for (uint32_t i = 0; i < index; i++) {
        const struct bench_repetition *other = d->repetitions[i];

        if (other->n_artifacts && strcmp(other->purpose, r->purpose) == 0 &&
            strcmp(other->arm, r->arm) == 0 && strcmp(other->point, r->point) == 0)
            return true;
    }
    return false;
}

static void emit_artifact(const struct bench_repetition *r, const struct bench_artifact *a,
                          const char *label, const struct bench_style *style,
                          struct bench_output *out)
{
    char *line = NULL;

    if (asprintf(&line, "%s%s%s, %s of %s: %s%s%s", r->arm, *r->point ? " at " : "", r->point,
                 a->capture, a->role, a->summary, *a->summary ? "; " : "", a->file) >= 0)
        emit_wrapped(label, line, style, out);
    free(line);
    for (uint32_t i = 0; i < a->n_notes; i++)
        if (style->details || strncmp(a->role, "relay", 5) == 0)
            emit_wrapped("         ! ", a->notes[i], style, out);
}

/* A tool's own table, as it wrote it; the first lines unless all is asked for. */
static void emit_table_of(const struct bench_artifact *a, const struct bench_style *style,
                          struct bench_output *out)
{
    const char *line = a->table;

    for (int n = 0; line && *line && (style->details || n < TABLE_LINES); n++) {
        size_t length = strcspn(line, "\n");
        char *own = strndup(line, length), *shown = own ? clean(own, style->utf8) : NULL;

        host->emit(out, "           %s\n", shown ? shown : "");
        free(shown);
        free(own);
        line += length + (line[length] == '\n');
    }
    if (line && *line)
        host->emit(out, "           … (%s, or --details)\n", a->file);
}

void emit_captures(const struct bench_document *d, const struct bench_style *style,
                   struct bench_output *out)
{
    bool any = false;

    for (uint32_t i = 0; i < d->n_repetitions; i++) {
        const struct bench_repetition *r = d->repetitions[i];

        if (!style->details && shown_before(d, i))
            continue;
        for (uint32_t k = 0; k < r->n_artifacts; k++, any = true) {
            emit_artifact(r, r->artifacts[k], any ? "         " : "captured ", style, out);
            emit_table_of(r->artifacts[k], style, out);
        }
    }
    if (any)
        host->emit(out, "\n");
}
