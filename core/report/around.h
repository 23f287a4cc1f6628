/* SPDX-License-Identifier: Apache-2.0 */
/* How far the CPU quota of the control groups around the bench held its roles back. */
#ifndef REPORT_AROUND_H
#define REPORT_AROUND_H

#include "store/record.h"

/* Throttled periods over all, in the window; NaN without a quota, or when it is not known. */
double around_throttled(const struct repetition_record *r);

#endif
