/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metric over the runs of a scenario: the samples of the index, arm by arm and machine by
 * machine, each as a ratio to an anchor arm of the same run, so that what the machine does to all
 * arms alike cancels.
 */
#ifndef REPORT_HISTORY_H
#define REPORT_HISTORY_H

#include <bench/reporter.h>

#include "store/index.h"

struct history_question {
    struct index_filter filter; /* `relay` chooses arms as well */
    const char *metric;
    const char *point;  /* of the sweep; NULL: all */
    const char *anchor; /* NULL: 'none' where a run has it, else its baseline */
};

struct history; /* owns everything that bench_history points to */

/* Without a name in the filter, sets that of the newest run's scenario, a string of `ret_name`,
 * which the caller frees. */
int history_choose(struct run_index *x, struct index_filter *filter, char **ret_name,
                   struct bench_error *err);
/* The estimates must be in the index (indexing_complete()). Without a name in the filter, the
 * scenario of the newest run. */
int history_new(struct history **ret, struct run_index *x, const struct history_question *q,
                struct bench_error *err);
const struct bench_history *history_get(const struct history *h);
void history_free(struct history *h);

#endif
