/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/characters.h"
#include "lines.h"
#include "table.h"

int column(struct table *t, const char *head, bool left, int importance)
{
    if (t->n_columns == CELLS)
        return CELLS; /* cells there are dropped */
    t->columns[t->n_columns] = (struct column){
        .head = clean(head, t->style->utf8), .left = left, .importance = importance};
    return t->n_columns++;
}

/* The same below a common head. */
int grouped(struct table *t, const char *group, const char *head, int importance)
{
    int c = column(t, head, false, importance);

    if (c < CELLS)
        t->columns[c].group = clean(group, t->style->utf8);
    return c;
}

void new_row(struct table *t)
{
    if (t->n_rows == t->capacity) {
        t->capacity = t->capacity ? t->capacity * 2 : 16;
        t->rows = realloc(t->rows, t->capacity * sizeof(*t->rows));
        if (!t->rows)
            abort();
    }
    t->rows[t->n_rows++] = (struct row){0};
}

void put(struct table *t, int column, const char *text)
{
    struct cell *c = &t->rows[t->n_rows - 1].cells[column < CELLS ? column : 0];

    if (column >= CELLS)
        return;
    free(c->text);
    c->text = clean(text, t->style->utf8);
}

void put_heading(struct table *t, const char *label, const char *text)
{
    new_row(t);
    put(t, 0, label);
    put(t, 1, text);
    t->rows[t->n_rows - 1].heading = true;
}

static void measure(struct table *t)
{
    for (int c = 0; c < t->n_columns; c++) {
        t->columns[c].width = width_of(t->columns[c].head);
        for (size_t r = 0; r < t->n_rows; r++) {
            int w = t->rows[r].cells[c].text ? width_of(t->rows[r].cells[c].text) : 0;

            if (!t->rows[r].heading && w > t->columns[c].width)
                t->columns[c].width = w;
        }
    }
}

static int next_visible(const struct table *t, int c)
{
    do
        c++;
    while (c < t->n_columns && t->columns[c].hidden);
    return c;
}

static bool same_group(const struct column *a, const struct column *b)
{
    return a->group && b->group && strcmp(a->group, b->group) == 0;
}

/* Gives each group's head room above its visible columns. */
static void widen_groups(struct table *t)
{
    for (int c = next_visible(t, -1), next; c < t->n_columns; c = next) {
        int last = c, width = t->columns[c].width;

        for (next = next_visible(t, c);
             next < t->n_columns && same_group(&t->columns[c], &t->columns[next]);
             next = next_visible(t, next)) {
            width += 2 + t->columns[next].width;
            last = next;
        }
        if (t->columns[c].group && width_of(t->columns[c].group) > width)
            t->columns[last].width += width_of(t->columns[c].group) - width;
    }
}

static int total_width(struct table *t)
{
    int width = -2;

    widen_groups(t);
    for (int c = 0; c < t->n_columns; c++)
        width += t->columns[c].hidden ? 0 : t->columns[c].width + 2;
    return width;
}

/* Hides columns, then cuts the first one, until the table fits. */
static void fit(struct table *t)
{
    const int shortest = 8;
    int limit = t->style->width, over;

    measure(t);
    widen_groups(t); /* also when there is no limit to measure the width against */
    while (limit > 0 && total_width(t) > limit) {
        int victim = -1;

        for (int c = 0; c < t->n_columns; c++)
            if (!t->columns[c].hidden && t->columns[c].importance > 0 &&
                (victim < 0 || t->columns[c].importance <= t->columns[victim].importance))
                victim = c;
        over = total_width(t) - limit;
        /* A long name gives way before a number does. */
        if (victim < 0 || t->columns[0].width - over >= (t->least ? t->least : 24)) {
            t->columns[0].width -= over;
            if (t->columns[0].width < shortest)
                t->columns[0].width = shortest;
            break;
        }
        t->columns[victim].hidden = true;
    }
    for (size_t r = 0; r < t->n_rows; r++)
        if (t->rows[r].cells[0].text && !t->rows[r].heading)
            cut(t->rows[r].cells[0].text, t->columns[0].width, t->style->utf8);
}

static void emit_cells(const struct table *t, const struct row *r, struct bench_output *out)
{
    int pending = 0; /* spaces due before the next text: none at the end of a line */

    for (int c = 0; c < t->n_columns; c++) {
        const struct column *col = &t->columns[c];
        const char *s = r ? r->cells[c].text : col->head;
        int pad;

        if (col->hidden)
            continue;
        s = s ? s : "";
        pad = col->width - width_of(s);
        if (*s) {
            host->emit(out, "%*s%s", pending + (col->left ? 0 : pad), "", s);
            pending = (col->left ? pad : 0) + 2;
        } else {
            pending += col->width + 2;
        }
    }
    host->emit(out, "\n");
}

static void emit_groups(const struct table *t, struct bench_output *out)
{
    int pending = 0;
    const struct column *before = NULL;
    bool any = false;

    for (int c = 0; c < t->n_columns; c++)
        any |= t->columns[c].group && !t->columns[c].hidden;
    for (int c = next_visible(t, -1); any && c < t->n_columns; c = next_visible(t, c)) {
        const struct column *col = &t->columns[c];

        if (col->group && !(before && same_group(before, col))) {
            host->emit(out, "%*s%s", pending, "", col->group);
            pending = -width_of(col->group);
        }
        pending += col->width + 2;
        before = col;
    }
    if (any)
        host->emit(out, "\n");
}

static void emit_hidden(const struct table *t, struct bench_output *out)
{
    char *line = NULL, *more;

    for (int c = 0; c < t->n_columns; c++) {
        if (!t->columns[c].hidden)
            continue;
        if (asprintf(&more, "%s%s%s%s%s", line ? line : "too narrow to show: ", line ? ", " : "",
                     t->columns[c].group ? t->columns[c].group : "", t->columns[c].group ? " " : "",
                     t->columns[c].head) < 0)
            break;
        free(line);
        line = more;
    }
    if (line)
        emit_wrapped("  ", line, t->style, out);
    free(line);
}

void emit_table(struct table *t, struct bench_output *out)
{
    fit(t);
    shade(t->style, BOLD, out);
    emit_groups(t, out);
    emit_cells(t, NULL, out);
    shade(t->style, PLAIN, out);
    for (size_t r = 0; r < t->n_rows; r++) {
        if (t->rows[r].heading)
            emit_wrapped(t->rows[r].cells[0].text, t->rows[r].cells[1].text, t->style, out);
        else
            emit_cells(t, &t->rows[r], out);
    }
    emit_hidden(t, out);
}

void table_release(struct table *t)
{
    for (int c = 0; c < t->n_columns; c++) {
        free(t->columns[c].head);
        free(t->columns[c].group);
    }
    for (size_t r = 0; r < t->n_rows; r++)
        for (int c = 0; c < CELLS; c++)
            free(t->rows[r].cells[c].text);
    free(t->rows);
}
