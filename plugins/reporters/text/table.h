/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of cells: a column is as wide as its widest cell, and where the width does not suffice
 * the least important columns go, by name in a note.
 *
 * Life cycle: {.style = …} → columns → rows and cells → emit_table → table_release. Strings are
 * copied and cleaned.
 */
#ifndef TEXT_TABLE_H
#define TEXT_TABLE_H

#include <bench/reporter.h>

#define CELLS 24 /* columns of a table; relay chains are shown up to 6 hops in detail */

struct cell {
    char *text; /* clean; NULL: empty */
};

struct column {
    char *head;
    char *group; /* stands above neighbours that share it; NULL: none */
    bool left;
    int importance; /* the least goes first when the width does not suffice; 0 never goes */
    bool hidden;
    int width;
};

struct row {
    struct cell cells[CELLS];
    bool heading; /* only cells 0 and 1 count, over the full width */
};

struct table {
    const struct bench_style *style;
    struct column columns[CELLS];
    int n_columns;
    struct row *rows;
    size_t n_rows, capacity;
    int least; /* columns that names keep while there is something else to hide */
};

/* Adds a column and returns its number. */
int column(struct table *t, const char *head, bool left, int importance);

/* The same below a common head. */
int grouped(struct table *t, const char *group, const char *head, int importance);

void new_row(struct table *t);

/* Sets a cell of the last row. */
void put(struct table *t, int column, const char *text);

/* A row of one text over the full width, wrapped behind its label. */
void put_heading(struct table *t, const char *label, const char *text);

/* Lays the table out and prints it; once. */
void emit_table(struct table *t, struct bench_output *out);

void table_release(struct table *t);

#endif
