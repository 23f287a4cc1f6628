/* SPDX-License-Identifier: Apache-2.0 */
/* Where the window lies in a record's samples. */
#ifndef REPORT_WINDOW_H
#define REPORT_WINDOW_H

#include "store/record.h"

/* The rows of the series that belong to the window, and the time between exactly these two. */
struct metric_window {
    size_t first, last;
    double seconds; /* 0: fewer than two samples in it */
};
struct metric_window metric_window(const struct repetition_record *r);

#endif
