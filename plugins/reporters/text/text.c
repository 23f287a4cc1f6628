/* SPDX-License-Identifier: Apache-2.0 */
/* The table for people: the head, the sections one below the other, the notes, the warnings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "sections.h"

static void emit_head(const struct bench_document *d, const struct bench_style *style,
                      struct bench_output *out)
{
    bool design = style->part == BENCH_PART_ALL;
    char *line = NULL;

    shade(style, BOLD, out);
    if (asprintf(&line, "%s · %s%s%s", *d->name ? d->name : "bench run", d->workload,
                 *d->protocol ? ", " : "", d->protocol) >= 0)
        emit_wrapped("", line, style, out);
    free(line);
    shade(style, PLAIN, out);
    line = NULL;
    if (asprintf(&line, "%s, %s, %s", d->run, d->started, d->state) >= 0)
        emit_wrapped("run      ", line, style, out);
    free(line);
    for (uint32_t i = 0; design && i < d->n_design; i++)
        emit_wrapped(i == 0 ? "design   " : "         ", d->design[i], style, out);
    host->emit(out, "\n");
}

static void emit_warnings(const struct bench_document *d, const struct bench_style *style,
                          struct bench_output *out)
{
    for (uint32_t i = 0; i < d->n_warnings; i++) {
        shade(style, YELLOW, out);
        emit_wrapped("! ", d->warnings[i], style, out);
        shade(style, PLAIN, out);
    }
}

static int report(void *state, const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out, struct bench_error *err)
{
    struct footnotes notes = {0};
    const struct bench_metric *first = NULL;

    (void)state;
    (void)err;
    emit_head(d, style, out);
    if (style->part == BENCH_PART_FINDINGS) {
        emit_findings(d, style, out);
        return 0;
    }
    emit_verdicts(d, &notes, style, out);
    for (uint32_t i = 0; i < d->n_arms; i++)
        for (uint32_t k = 0; k < d->arms[i]->n_estimates; k++) {
            const struct bench_metric *m = d->arms[i]->estimates[k]->metric;
            uint32_t before = 0;

            while (before < i && !find(d->arms[before], m->name))
                before++;
            if (m->rank != 0 || before < i)
                continue;
            if (!decides(d, m))
                emit_headline(d, metric_named(d, m->name), first == NULL, &notes, style, out);
            if (!first && !sweeps_rate(d))
                emit_plot(d, m, style, out);
            first = first ? first : m;
        }
    emit_latency(d, &notes, style, out);
    if (sweeps_rate(d))
        emit_plot(d, metric_named(d, "latency_p99_seconds"), style, out);
    if (d->n_arms > 0 && first)
        emit_costs(d, &notes, style, out);
    else if (d->n_arms > 0)
        emit_headline(d, NULL, true, &notes, style, out);
    if (sweeps_rate(d))
        emit_plot(d, metric_named(d, "cpu_seconds_per_operation_relay"), style, out);
    if (d->n_comparisons)
        emit_hop_costs(d, style, out);
    emit_counters(d, &notes, style, out);
    emit_captures(d, style, out);
    if (style->details) {
        emit_metrics(d, style, out);
        emit_repetitions(d, first, style, out);
    }
    emit_footnotes(&notes, style, out);
    if (notes.count && d->n_findings)
        host->emit(out, "\n");
    emit_few_findings(d, style, out);
    emit_gates(d, style, out);
    emit_warnings(d, style, out);
    return 0;
}

static int history(void *state, const struct bench_history *h, const struct bench_style *style,
                   struct bench_output *out, struct bench_error *err)
{
    (void)state;
    (void)err;
    emit_history(h, style, out);
    return 0;
}

static const struct bench_reporter plugin = {
    .plugin = {PLUGIN(plugin, BENCH_REPORTER), .name = "text", .description = "tables for people"},
    .extension = "txt",
    .report = report,
    .history = history,
};

PLUGIN_EXPORT(plugin)
