/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules could not be looked at, for want of a capture or of what this machine can count, and
 * why. Zeroed is empty: lacks_note… → lacks_list → lacks_release.
 */
#ifndef REPORT_LACKS_H
#define REPORT_LACKS_H

#include "base/text.h"
#include "report/quantities.h"

struct lacks {
    struct lack *rules; /* per rule; NULL before the first is noted */
};

/* The rule of that row was tried on a role (NULL: none) of these repetitions. */
void lacks_note(struct lacks *l, size_t row, const struct observations *obs, const char *role);
/* Adds a line for each capture that would tell more, and for each reason why it cannot. */
void lacks_list(const struct lacks *l, struct strings *ret);
void lacks_release(struct lacks *l);

#endif
