/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "sections.h"

enum { SHOWN = 3 }; /* of them, at the end of a report */

/* "nginx at jobs=10, relay_1" */
static char *subject(const struct bench_document *d, const struct bench_finding *f)
{
    const char *point = is_sweep(d) && f->n_points ? f->points[0] : "";
    char more[64] = "", *s = NULL;

    if (f->n_points > 1)
        snprintf(more, sizeof(more), " and %u more point%s", f->n_points - 1,
                 f->n_points > 2 ? "s" : "");
    if (asprintf(&s, "%s%s%s%s%s%s", f->arm, *point ? " at " : "", point, more, f->role ? ", " : "",
                 f->role ? f->role : "") < 0)
        return NULL;
    return s;
}

static void emit_titled(const char *label, const char *subject, const char *text,
                        const struct bench_style *style, struct bench_output *out)
{
    char *line = NULL;

    if (subject && asprintf(&line, "%s: %s", subject, text) >= 0)
        emit_wrapped(label, line, style, out);
    free(line);
}

/* How `bench explain` finds the run: by its name where it looks for names, else by its path. */
static const char *run_argument(const struct bench_document *d)
{
    static const char folder[] = "/bench-results/";
    size_t run = strlen(d->run), path = strlen(d->path), tail = strlen(folder) + run;

    return path >= tail && strncmp(d->path + path - tail, folder, strlen(folder)) == 0 ? d->run
                                                                                       : d->path;
}

static bool said_before(const struct bench_document *d, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (strcmp(d->findings[k]->rule, d->findings[i]->rule) == 0)
            return true;
    return false;
}

/* The first few, each rule once; the others of a rule say the same of others. */
void emit_few_findings(const struct bench_document *d, const struct bench_style *style,
                       struct bench_output *out)
{
    char *line = NULL;
    uint32_t shown = 0;

    if (d->n_findings == 0)
        return;
    host->emit(out, "findings\n");
    for (uint32_t i = 0; i < d->n_findings && shown < SHOWN; i++) {
        char *who;

        if (said_before(d, i))
            continue;
        who = subject(d, d->findings[i]);
        emit_titled("  ", who, d->findings[i]->evidence, style, out);
        emit_wrapped("    ", d->findings[i]->meaning, style, out);
        free(who);
        shown++;
    }
    if (d->n_findings > shown && asprintf(&line, "what to try, and %u more: bench explain %s",
                                          d->n_findings - shown, run_argument(d)) >= 0)
        emit_wrapped("  ", line, style, out);
    else if (d->n_findings == shown &&
             asprintf(&line, "what to try: bench explain %s", run_argument(d)) >= 0)
        emit_wrapped("  ", line, style, out);
    free(line);
    host->emit(out, "\n");
}

static bool same_rule(const struct bench_document *d, uint32_t i, uint32_t k)
{
    return k < d->n_findings && strcmp(d->findings[i]->rule, d->findings[k]->rule) == 0;
}

/* The rule of finding i, with the evidence of all it holds for; returns the first finding behind.
 */
static uint32_t emit_rule(const struct bench_document *d, uint32_t i, uint32_t number,
                          const struct bench_style *style, struct bench_output *out)
{
    const struct bench_finding *f = d->findings[i];
    char label[32];
    uint32_t k;

    snprintf(label, sizeof(label), "%-3u", number);
    shade(style, BOLD, out);
    emit_wrapped(label, f->rule, style, out);
    shade(style, PLAIN, out);
    for (k = i; same_rule(d, i, k); k++) {
        char *who = subject(d, d->findings[k]);

        emit_titled(k == i ? "   evidence  " : "             ", who, d->findings[k]->evidence,
                    style, out);
        free(who);
    }
    emit_wrapped("   meaning   ", f->meaning, style, out);
    emit_wrapped("   try       ", f->remedy, style, out);
    host->emit(out, "\n");
    return k;
}

static bool has_numbers(const struct bench_document *d)
{
    for (uint32_t i = 0; i < d->n_arms; i++)
        if (d->arms[i]->valid + d->arms[i]->rejected > 0)
            return true;
    return false;
}

void emit_findings(const struct bench_document *d, const struct bench_style *style,
                   struct bench_output *out)
{
    uint32_t number = 1;

    for (uint32_t i = 0; i < d->n_findings; number++)
        i = emit_rule(d, i, number, style, out);
    if (d->n_findings == 0)
        host->emit(out, has_numbers(d) ? "nothing found\n" : "no repetition succeeded\n");
    if (d->n_findings == 0 && d->n_unseen)
        host->emit(out, "\n");
    if (d->n_unseen == 0)
        return;
    host->emit(out, "not looked at\n");
    for (uint32_t i = 0; i < d->n_unseen; i++)
        emit_wrapped("  ", d->unseen[i], style, out);
}
