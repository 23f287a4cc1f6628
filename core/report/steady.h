/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the windows of an arm are steady: no start on another level (stats/onset.h) of what was
 * done from tick to tick, requests where they are counted, else payload delivered. A workload whose
 * progress the samples do not show (a wrapped tool's totals), or a window of fewer than 20 ticks,
 * is not judged.
 */
#ifndef REPORT_STEADY_H
#define REPORT_STEADY_H

#include "report/observed.h"

/* What was done per second from tick to tick of the window; NULL when the series does not show it.
 * The caller frees. */
double *steadiness_rates(const struct repetition_record *r, size_t *ret_n);

struct steadiness {
    bool steady;             /* also when nothing could be judged */
    size_t judged, unsteady; /* repetitions; unsteady: with the trend of most */
    double seconds;          /* medians of the unsteady ones: how long the start is, */
    double ratio, shift;     /* its rate / the rest's, and the mean of all / the rest's − 1 */
};
void steadiness_find(const struct observations *all, const char *arm, const char *point,
                     struct steadiness *ret);

#endif
