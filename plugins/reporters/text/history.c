/* SPDX-License-Identifier: Apache-2.0 */
/* A metric from run to run: for each series what it is, a plot, and a row per run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "lines.h"
#include "shared/numbers.h"
#include "plot.h"
#include "sections.h"

enum {
    PLOTTED_LEAST = 3,
    PLOTTED_MOST = 40,
    STEP_LEAST = 4,
};

/* The scale shows at least this share of its top: noise should not fill the plot. */
#define SPAN_LEAST 0.1

/* The cells that a run shares with the tables of a report. */
static struct bench_estimate estimate_of(const struct bench_metric *m,
                                         const struct bench_history_run *r)
{
    return (struct bench_estimate){
        .metric = m,
        .state = r->state,
        .value = r->value,
        .has_interval = r->has_interval,
        .low = r->low,
        .high = r->high,
        .n = r->n,
        .ratio = r->ratio,
        .has_ratio_interval = r->has_ratio_interval,
        .ratio_low = r->ratio_low,
        .ratio_high = r->ratio_high,
    };
}

static double plotted(const struct bench_history_series *s, uint32_t i)
{
    return s->anchor ? s->runs[i]->ratio : s->runs[i]->value;
}

static void emit_series_head(const struct bench_history_series *s, const struct bench_style *style,
                             struct bench_output *out)
{
    char *line;

    if (asprintf(&line, "%s%s%s · %s · %s%s%s", s->arm, *s->point ? " at " : "", s->point, s->name,
                 s->machine, s->part ? " · " : "", s->part ? s->part : "") < 0)
        return;
    shade(style, BOLD, out);
    emit_wrapped("", line, style, out);
    shade(style, PLAIN, out);
    free(line);
}

struct trace {
    double values[PLOTTED_MOST][PLOT_SERIES];
    char texts[PLOTTED_MOST][12];
    const char *labels[PLOTTED_MOST];
    struct plot plot;
};

/* The last `n` runs, each below its number in the table. A run that begins a level has a mark of
 * its own. */
static void fill(struct trace *t, const struct bench_history_series *s, uint32_t n)
{
    double low = INFINITY, high = -INFINITY;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = s->n_runs - n + i;
        double v = plotted(s, at);

        for (size_t k = 0; k < PLOT_SERIES; k++)
            t->values[i][k] = NAN;
        t->values[i][s->runs[at]->new_level] = v;
        snprintf(t->texts[i], sizeof(t->texts[i]), "%u", at + 1);
        t->labels[i] = t->texts[i];
        low = fmin(low, v); /* NaN gives way */
        high = fmax(high, v);
    }
    t->plot.n_points = n;
    t->plot.top = high;
    t->plot.bottom = fmin(low, high - SPAN_LEAST * fabs(high));
}

static void emit_trace(const struct bench_history *h, const struct bench_history_series *s,
                       const struct bench_style *style, struct bench_output *out)
{
    static const struct bench_metric ratio = {.unit = "1", .format = BENCH_FORMAT_PLAIN};
    uint32_t n = s->n_runs < PLOTTED_MOST ? s->n_runs : PLOTTED_MOST;
    struct trace t = {.plot = {.style = style,
                               .metric = s->anchor ? &ratio : h->metric,
                               .series = {s->arm, "a new level begins"},
                               .n_series = 1,
                               .least = STEP_LEAST}};
    size_t room;
    char *title;

    t.plot.values = (const double(*)[PLOT_SERIES])t.values;
    t.plot.labels = t.labels;
    fill(&t, s, n);
    room = plot_room(&t.plot);
    if (room < n)
        fill(&t, s, n = (uint32_t)room);
    if (n < PLOTTED_LEAST || !(t.plot.top > t.plot.bottom))
        return;
    for (uint32_t i = 0; i < n; i++)
        if (s->runs[s->n_runs - n + i]->new_level)
            t.plot.n_series = 2;
    if (asprintf(&title, "%s%s%s%s", h->metric->title, s->anchor ? " against " : "",
                 s->anchor ? s->anchor : "", n < s->n_runs ? ", the last runs" : "") < 0)
        return;
    emit_graph(&t.plot, title, out);
    free(title);
}

static void put_level(struct table *t, int at, const struct bench_history_run *r)
{
    char s[80], text[96];

    if (!r->new_level)
        return;
    change(r->after / r->before, s, sizeof(s));
    snprintf(text, sizeof(text), "new level: %s", s);
    put(t, at, text);
}

static void emit_runs(const struct bench_history *h, const struct bench_history_series *s,
                      const struct bench_style *style, struct bench_output *out)
{
    struct table t = {.style = style};
    int at = column(&t, "#", false, 0), started = column(&t, "started", true, 8),
        run = column(&t, "run", true, 1), value = column(&t, h->metric->title, false, 0),
        interval = column(&t, "95% interval", true, 4), ratio = 0, sure = 0, changed, level;
    char head[96];

    if (s->anchor) {
        snprintf(head, sizeof(head), "vs %.60s", s->anchor);
        ratio = column(&t, head, false, 9);
        sure = column(&t, "95% interval", true, 5);
    }
    changed = column(&t, "differs", true, 7);
    level = column(&t, "level", true, 10);
    for (uint32_t i = 0; i < s->n_runs; i++) {
        const struct bench_history_run *r = s->runs[i];
        struct bench_estimate e = estimate_of(h->metric, r);
        char text[80];

        new_row(&t);
        snprintf(text, sizeof(text), "%u", i + 1);
        put(&t, at, text);
        put(&t, started, r->started);
        put(&t, run, r->run);
        if (is_number(&e))
            with_unit(h->metric, r->value, text, sizeof(text));
        put(&t, value, is_number(&e) ? text : state_name(r->state));
        put_interval(&t, interval, &e);
        if (s->anchor)
            put_ratio(&t, ratio, sure, &e);
        put(&t, changed, r->changed ? r->changed : "");
        put_level(&t, level, r);
    }
    emit_table(&t, out);
    host->emit(out, "\n");
    table_release(&t);
}

void emit_history(const struct bench_history *h, const struct bench_style *style,
                  struct bench_output *out)
{
    for (uint32_t i = 0; i < h->n_series; i++) {
        emit_series_head(h->series[i], style, out);
        emit_trace(h, h->series[i], style, out);
        emit_runs(h, h->series[i], style, out);
    }
    for (uint32_t i = 0; i < h->n_warnings; i++) {
        shade(style, YELLOW, out);
        emit_wrapped("! ", h->warnings[i], style, out);
        shade(style, PLAIN, out);
    }
}
