/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the report, from top to bottom. Each prints what it has and an empty line. */
#ifndef TEXT_SECTIONS_H
#define TEXT_SECTIONS_H

#include "notes.h"

/* The verdicts of a comparison, and the head of what is only exploratory; nothing for other runs.
 */
void emit_verdicts(const struct bench_document *d, struct footnotes *notes,
                   const struct bench_style *style, struct bench_output *out);

/* One headline metric: how much, how sure, against the baseline. `m` is NULL when no arm has any.
 */
void emit_headline(const struct bench_document *d, const struct bench_metric *m, bool first,
                   struct footnotes *notes, const struct bench_style *style,
                   struct bench_output *out);

/* Whether the swept key is the rate: then latency and CPU are what changes, not throughput. */
bool sweeps_rate(const struct bench_document *d);
/* A sweep over one key with at least three values as a plot of a metric, which may be NULL; nothing
 * for all others. */
void emit_plot(const struct bench_document *d, const struct bench_metric *m,
               const struct bench_style *style, struct bench_output *out);

/* How long requests took; nothing where none was timed. */
void emit_latency(const struct bench_document *d, struct footnotes *notes,
                  const struct bench_style *style, struct bench_output *out);

/* Where the CPU and the memory went. */
void emit_costs(const struct bench_document *d, struct footnotes *notes,
                const struct bench_style *style, struct bench_output *out);

/* What one hop costs; nothing where no arm is without. */
void emit_hop_costs(const struct bench_document *d, const struct bench_style *style,
                    struct bench_output *out);

/* What the kernel and the CPU counted in each role. */
void emit_counters(const struct bench_document *d, struct footnotes *notes,
                   const struct bench_style *style, struct bench_output *out);

/* What captures left behind, and where; one repetition of each arm at each point stands for all
 * unless details are asked for. */
void emit_captures(const struct bench_document *d, const struct bench_style *style,
                   struct bench_output *out);

/* The most important of what the numbers mean, and where the rest is. */
void emit_few_findings(const struct bench_document *d, const struct bench_style *style,
                       struct bench_output *out);

/* All of it, with what to try, and what was not looked at. */
void emit_findings(const struct bench_document *d, const struct bench_style *style,
                   struct bench_output *out);

/* What the exit status depends on; nothing when there are no gates. */
void emit_gates(const struct bench_document *d, const struct bench_style *style,
                struct bench_output *out);

/* Details: every metric of every arm, then every repetition. */
void emit_metrics(const struct bench_document *d, const struct bench_style *style,
                  struct bench_output *out);
void emit_repetitions(const struct bench_document *d, const struct bench_metric *headline,
                      const struct bench_style *style, struct bench_output *out);

/* Instead of a report: a metric over many runs. */
void emit_history(const struct bench_history *h, const struct bench_style *style,
                  struct bench_output *out);

#endif
