/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the index share. */
#ifndef STORE_INDEX_PARTS_H
#define STORE_INDEX_PARTS_H

#include "store/database.h"
#include "store/index.h"

struct run_index {
    struct database db;
    const char *directory; /* of the results */
    int dirfd;             /* the same, opened; -1: there are none */
    bool in_memory;
    index_progress progress; /* may be NULL */
    void *progress_context;
};

/* index_scan.c: enters what the results directory has and forgets what it has no more. `notes` gets
 * a line when runs cannot be read now. */
int index_scan(struct run_index *x, struct strings *notes, struct bench_error *err);

/* index_query.c: " WHERE …" for the filter, over the table `runs`, and its parameters from the
 * first on. */
void index_where(const struct index_filter *filter, struct text *sql);
void index_bind(const struct index_filter *filter, struct statement *s);

#endif
