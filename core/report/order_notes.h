/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the order of execution shows in the metrics that decide: a place in the block that is
 * always the slower one, or a drift over the run. Random order keeps both out of the verdict; a
 * reader should know all the same, because they cost precision.
 */
#ifndef REPORT_ORDER_NOTES_H
#define REPORT_ORDER_NOTES_H

#include "report/observed.h"

/* `all`: the measuring repetitions. A line per deciding metric and kind of order that shows. */
void order_notes(const struct bench_document *d, const struct observations *all,
                 struct strings *ret);

#endif
