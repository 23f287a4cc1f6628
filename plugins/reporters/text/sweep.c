/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sweep over one key as a plot: the swept values from left to right as the scenario lists them,
 * the headline metric upwards from 0.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "plot.h"
#include "sections.h"

enum {
    POINTS_LEAST = 3,
    POINTS_MOST = 16,
    WIDTH_LEAST = 60,
    STEP_LEAST = 6,
};

struct sweep {
    const char *points[POINTS_MOST]; /* "jobs=10" */
    const char *labels[POINTS_MOST]; /* "10" */
    double values[POINTS_MOST][PLOT_SERIES];
    struct plot plot;
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

static bool collect(struct sweep *s, const struct bench_document *d)
{
    struct plot *p = &s->plot;

    for (size_t i = 0; i < POINTS_MOST; i++)
        for (size_t k = 0; k < PLOT_SERIES; k++)
            s->values[i][k] = NAN;
    for (uint32_t i = 0; i < d->n_arms; i++) {
        const struct bench_arm *a = d->arms[i];
        const struct bench_estimate *e = find(a, p->metric->name);
        size_t x = place(s->points, &p->n_points, POINTS_MOST, a->point);
        size_t k = place(p->series, &p->n_series, PLOT_SERIES, a->name);

        if (x == POINTS_MOST || k == PLOT_SERIES)
            return false;
        if (!is_number(e))
            continue;
        if (e->value < 0 || !isfinite(e->value))
            return false;
        s->values[x][k] = e->value;
        p->top = fmax(p->top, e->value);
    }
    p->values = (const double(*)[PLOT_SERIES])s->values;
    return p->n_points >= POINTS_LEAST && p->top > 0;
}

/* Whether every point is "KEY=value" with the same key: further ones follow behind spaces. */
static bool one_axis(struct sweep *s)
{
    size_t key = strcspn(s->points[0], "=") + 1;

    for (size_t i = 0; i < s->plot.n_points; i++) {
        if (strncmp(s->points[i], s->points[0], key) != 0 || s->points[i][key - 1] != '=' ||
            strchr(s->points[i], ' '))
            return false;
        s->labels[i] = s->points[i] + key;
    }
    s->plot.labels = s->labels;
    return true;
}

bool sweeps_rate(const struct bench_document *d)
{
    return d->n_arms > 0 && strncmp(d->arms[0]->point, "rate=", 5) == 0;
}

void emit_plot(const struct bench_document *d, const struct bench_metric *m,
               const struct bench_style *style, struct bench_output *out)
{
    struct sweep s = {.plot = {.style = style, .metric = m, .least = STEP_LEAST}};
    char *title;

    if (!m || (style->width > 0 && style->width < WIDTH_LEAST) || !collect(&s, d) ||
        !one_axis(&s) || plot_room(&s.plot) < s.plot.n_points)
        return;
    if (asprintf(&title, "%s by %.*s", m->title, (int)strcspn(s.points[0], "="), s.points[0]) < 0)
        return;
    emit_graph(&s.plot, title, out);
    free(title);
}
