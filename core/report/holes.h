/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows with a hole (stats/hole.h): nothing moved for a while, or the bench took no sample. A
 * sentence for each arm that has some. What caused it is not known: it may be a stall of the relay
 * itself, which is an outcome, so no block is rejected for it.
 */
#ifndef REPORT_HOLES_H
#define REPORT_HOLES_H

#include <bench/reporter.h>

#include "report/observed.h"

/* `label` names the arm in the sentences. */
void holes_warn(const struct bench_arm *arm, const char *label, const struct observations *all,
                struct strings *ret);

#endif
