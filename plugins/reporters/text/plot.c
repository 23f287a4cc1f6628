/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/characters.h"
#include "lines.h"
#include "shared/numbers.h"
#include "plot.h"

enum {
    LEVELS = 8, /* above the bottom */
    INDENT = 2,
};

static const char *mark(const struct plot *p, size_t series)
{
    static const char *const shapes[PLOT_SERIES] = {"●", "○", "▲", "△", "■", "□"};
    static const char *const plain[PLOT_SERIES] = {"*", "o", "#", "+", "x", "@"};

    return p->style->utf8 ? shapes[series] : plain[series];
}

/* Columns from one point to the next. */
static int step_of(const struct plot *p)
{
    int step = (int)p->n_series + INDENT;

    for (size_t x = 0; x < p->n_points; x++) {
        char *label = clean(p->labels[x], p->style->utf8);

        if (width_of(label) + INDENT > step)
            step = width_of(label) + INDENT;
        free(label);
    }
    return step < p->least ? p->least : step;
}

/* Marks of one point that meet stand side by side. */
static void emit_level(const struct plot *p, int step, int level, struct bench_output *out)
{
    int pending = 0;

    for (size_t x = 0; x < p->n_points; x++) {
        int used = 0;

        for (size_t s = 0; s < p->n_series; s++) {
            double v = p->values[x][s];

            if (isnan(v) || (int)lround((v - p->bottom) / (p->top - p->bottom) * LEVELS) != level)
                continue;
            host->emit(out, "%*s%s", pending + (used ? 0 : INDENT), "", mark(p, s));
            pending = 0;
            used = used ? used + 1 : INDENT + 1;
        }
        pending += step - used;
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
        mantissa(p->metric, prefix, (p->bottom + p->top) / 2, out, size);
    else if (level == 0 && p->bottom == 0)
        snprintf(out, size, "0");
    else if (level == 0)
        mantissa(p->metric, prefix, p->bottom, out, size);
}

/* Columns that the scale fills. */
static int scale_width(const struct plot *p)
{
    int width = 0;

    for (int level = 0; level <= LEVELS; level += LEVELS / 2) {
        char label[80];

        scale_label(p, level, label, sizeof(label));
        if (width_of(label) > width)
            width = width_of(label);
    }
    return width;
}

static void emit_labels(const struct plot *p, int step, struct bench_output *out)
{
    int pending = 0;

    for (size_t x = 0; x < p->n_points; x++) {
        char *label = clean(p->labels[x], p->style->utf8);

        host->emit(out, "%*s%s", pending + INDENT, "", label);
        pending = step - INDENT - width_of(label);
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

size_t plot_room(const struct plot *p)
{
    int room = p->style->width - scale_width(p) - 2 - INDENT;

    if (p->style->width == 0)
        return p->n_points;
    return room < 0 ? 0 : (size_t)(room / step_of(p));
}

void emit_graph(const struct plot *p, const char *title, struct bench_output *out)
{
    int indent = scale_width(p), step = step_of(p);

    emit_wrapped("", title, p->style, out);
    for (int level = LEVELS; level >= 0; level--) {
        char label[80], *shown;

        scale_label(p, level, label, sizeof(label));
        shown = clean(label, p->style->utf8);
        host->emit(out, "%*s%s %s", indent - width_of(shown), "", shown,
                   p->style->utf8 ? "┤" : "|");
        free(shown);
        emit_level(p, step, level, out);
    }
    host->emit(out, "%*s", indent + 2, "");
    emit_labels(p, step, out);
    emit_legend(p, indent + 2, out);
    host->emit(out, "\n");
}
