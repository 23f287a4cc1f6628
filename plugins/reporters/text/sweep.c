/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sweep over one key as a small plot: the swept values from left to right as the scenario lists
 * them, evenly spaced, the headline metric upwards from 0. What is exact stands in the table.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "characters.h"
#include "lines.h"
#include "numbers.h"
#include "sections.h"

enum {
    LEVELS = 8, /* above 0 */
    POINTS_LEAST = 3,
    POINTS_MOST = 16,
    SERIES_MOST = 6,
    WIDTH_LEAST = 60,
    INDENT = 2,
};

struct plot {
    const struct bench_style *style;
    const struct bench_metric *metric;
    const char *points[POINTS_MOST]; /* "jobs=10" */
    const char *series[SERIES_MOST]; /* arms */
    size_t n_points, n_series;
    double values[POINTS_MOST][SERIES_MOST]; /* NaN: none */
    double top;                              /* the largest */
    int step;                                /* columns from one point to the next */
};

/* Where `name` is in the list, which it is added to; `most` when there is no room. */
static size_t place(const char **list, size_t *n, size_t most, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(list[i], name) == 0)
            return i;
    if (*n == most)
        return most;
    list[*n] = name;
    return (*n)++;
}

static bool collect(struct plot *p, const struct bench_document *d)
{
    for (size_t i = 0; i < POINTS_MOST; i++)
        for (size_t k = 0; k < SERIES_MOST; k++)
            p->values[i][k] = NAN;
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct bench_estimate *e = find(a, p->metric->name);
        size_t x = place(p->points, &p->n_points, POINTS_MOST, a->point);
        size_t s = place(p->series, &p->n_series, SERIES_MOST, a->name);

        if (x == POINTS_MOST || s == SERIES_MOST)
            return false;
        if (!is_number(e))
            continue;
        if (e->value < 0 || !isfinite(e->value))
            return false;
        p->values[x][s] = e->value;
        p->top = fmax(p->top, e->value);
    }
    return p->n_points >= POINTS_LEAST && p->top > 0;
}

/* Whether every point is "KEY=value" with the same key: further ones follow behind spaces. */
static bool one_axis(const struct plot *p)
{
    size_t key = strcspn(p->points[0], "=") + 1;

    for (size_t i = 0; i < p->n_points; i++)
        if (strncmp(p->points[i], p->points[0], key) != 0 || p->points[i][key - 1] != '=' ||
            strchr(p->points[i], ' '))
            return false;
    return true;
}

/* What stands below the axis. Caller frees. */
static char *value_label(const struct plot *p, size_t point)
{
    return clean(strchr(p->points[point], '=') + 1, p->style->utf8);
}

static const char *mark(const struct plot *p, size_t series)
{
    static const char *const shapes[] = {"●", "○", "▲", "△", "■", "□"};
    static const char *const plain[] = {"*", "o", "#", "+", "x", "@"};

    return p->style->utf8 ? shapes[series] : plain[series];
}

/* Marks of one point that meet stand side by side. */
static void emit_level(const struct plot *p, int level, struct bench_output *out)
{
    int pending = 0;

    for (size_t x = 0; x < p->n_points; x++) {
        int used = 0;

        for (size_t s = 0; s < p->n_series; s++) {
            double v = p->values[x][s];

            if (isnan(v) || (int)lround(v / p->top * LEVELS) != level)
                continue;
            host->emit(out, "%*s%s", pending + (used ? 0 : INDENT), "", mark(p, s));
            pending = 0;
            used = used ? used + 1 : INDENT + 1;
        }
        pending += p->step - used;
    }
    host->emit(out, "\n");
}

/* The scale has one unit: that of the top. */
static void scale_label(const struct plot *p, int level, char *out, size_t size)
{
    const struct prefix *prefix = prefix_of(p->metric, p->top);

    out[0] = '\0';
    if (level == LEVELS)
        with_unit(p->metric, p->top, out, size);
    else if (level == LEVELS / 2)
        mantissa(p->metric, prefix, p->top / 2, out, size);
    else if (level == 0)
        snprintf(out, size, "0");
}

static void emit_scale(const struct plot *p, struct bench_output *out)
{
    int pending = 0;

    for (size_t x = 0; x < p->n_points; x++) {
        char *label = value_label(p, x);

        host->emit(out, "%*s%s", pending + INDENT, "", label);
        pending = p->step - INDENT - width_of(label);
        free(label);
    }
    host->emit(out, "\n");
}

static void emit_legend(const struct plot *p, int indent, struct bench_output *out)
{
    char *line = NULL, *more;

    for (size_t s = 0; s < p->n_series; s++) {
        if (asprintf(&more, "%s%s%s %s", line ? line : "", line ? "   " : "", mark(p, s),
                     p->series[s]) < 0)
            break;
        free(line);
        line = more;
    }
    if (asprintf(&more, "%*s", indent + INDENT, "") >= 0) {
        emit_wrapped(more, line ? line : "", p->style, out);
        free(more);
    }
    free(line);
}

/* Sets the distance of the points; false when they do not fit side by side. */
static bool fits(struct plot *p, int indent)
{
    p->step = (int)p->n_series + INDENT;
    for (size_t x = 0; x < p->n_points; x++) {
        char *label = value_label(p, x);

        if (width_of(label) + INDENT > p->step)
            p->step = width_of(label) + INDENT;
        free(label);
    }
    if (p->step < 6)
        p->step = 6;
    return p->style->width == 0 || indent + INDENT + (int)p->n_points * p->step <= p->style->width;
}

bool sweeps_rate(const struct bench_document *d)
{
    return d->n_arms > 0 && strncmp(d->arms[0]->point, "rate=", 5) == 0;
}

void emit_plot(const struct bench_document *d, const struct bench_metric *m,
               const struct bench_style *style, struct bench_output *out)
{
    struct plot p = {.style = style, .metric = m};
    char label[80], *title = NULL;
    int indent;

    if (!m || (style->width > 0 && style->width < WIDTH_LEAST) || !collect(&p, d) || !one_axis(&p))
        return;
    scale_label(&p, LEVELS, label, sizeof(label));
    indent = width_of(label);
    if (!fits(&p, indent + 2))
        return;
    if (asprintf(&title, "%s by %.*s", m->title, (int)strcspn(p.points[0], "="), p.points[0]) >= 0)
        emit_wrapped("", title, style, out);
    free(title);
    for (int level = LEVELS; level >= 0; level--) {
        char *shown;

        scale_label(&p, level, label, sizeof(label));
        shown = clean(label, style->utf8);
        host->emit(out, "%*s%s %s", indent - width_of(shown), "", shown, style->utf8 ? "┤" : "|");
        free(shown);
        emit_level(&p, level, out);
    }
    host->emit(out, "%*s", indent + 2, "");
    emit_scale(&p, out);
    emit_legend(&p, indent + 2, out);
    host->emit(out, "\n");
}
