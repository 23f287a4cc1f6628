/* SPDX-License-Identifier: Apache-2.0 */
/* Which gates were passed, and by what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "sections.h"

/* Whether the gate itself does not say it. */
static bool is_said(const struct bench_gate *g, const char *name)
{
    return !*name || strstr(g->gate, name);
}

static void emit_gate(const struct bench_gate *g, const struct bench_style *style,
                      struct bench_output *out)
{
    char label[32], *line = NULL;

    snprintf(label, sizeof(label), "  %-12s  ", g->outcome);
    if (asprintf(&line, "%s%s%s%s%s: %s", g->gate, is_said(g, g->arm) ? "" : " · ",
                 is_said(g, g->arm) ? "" : g->arm, is_said(g, g->point) ? "" : " at ",
                 is_said(g, g->point) ? "" : g->point, g->evidence) >= 0)
        emit_wrapped(label, line, style, out);
    free(line);
}

void emit_gates(const struct bench_document *d, const struct bench_style *style,
                struct bench_output *out)
{
    if (d->n_gates == 0)
        return;
    shade(style, BOLD, out);
    host->emit(out, "gates\n");
    shade(style, PLAIN, out);
    for (uint32_t i = 0; i < d->n_gates; i++) {
        bool passed = strcmp(d->gates[i]->outcome, "passed") == 0;

        shade(style, passed ? PLAIN : YELLOW, out);
        emit_gate(d->gates[i], style, out);
        shade(style, PLAIN, out);
    }
    host->emit(out, "\n");
}
