/* SPDX-License-Identifier: Apache-2.0 */
/* A window in which nothing moved has measured nothing, however healthy every role looked. Then the
 * series tells how far the connections got. */
#ifndef RUN_MOVED_H
#define RUN_MOVED_H

#include "store/record.h"

/* Whether payload or requests arrived in the window; true where nothing counts them. */
bool moved_anything(const struct repetition_record *r);
/* Whether a request of an open loop was due in the window; true where none is counted. */
bool moved_was_due(const struct repetition_record *r);
/* What is known of the client's `jobs` connections, and what to try. `directory` has what the roles
 * printed. */
void moved_hint(const struct repetition_record *r, int64_t jobs, const char *directory,
                struct bench_error *err);

#endif
