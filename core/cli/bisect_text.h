/* SPDX-License-Identifier: Apache-2.0 */
/* What a bisection found out, in words. */
#ifndef CLI_BISECT_TEXT_H
#define CLI_BISECT_TEXT_H

#include "cli/bisect_request.h"

/* Of what bisect_run() gave; also when it is not over. Returns the exit code. */
int bisect_text_print(const struct bisect_request *q, const json_t *state);

#endif
