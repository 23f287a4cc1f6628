/* SPDX-License-Identifier: Apache-2.0 */
/* What was done to the roles from outside, seen against the window of the repetition. */
#ifndef STORE_DISTURBED_H
#define STORE_DISTURBED_H

#include "store/record.h"

/* Once the window has ended, or will not come: drops what was not in it. A paused client of slices
 * is stopped too, but only between them. */
void record_keep_disturbances(struct repetition_record *r);
/* The first that makes its numbers useless, or NULL. */
const struct disturbance *record_spoiled(const struct repetition_record *r);
/* What speaks against the block of the repetition, or NULL: it was done from outside, and the
 * numbers may differ by it or there are none. */
const struct disturbance *record_unfit(const struct repetition_record *r);
/* Whether it failed by what was done from outside: that is no outcome. */
bool record_has_no_outcome(const struct repetition_record *r);
/* "relay_1: process 12 'nginx' was stopped from 0.70 s to 1.00 s of the window". Caller frees. */
char *record_disturbance_text(const struct repetition_record *r, const struct disturbance *d);

#endif
