/* SPDX-License-Identifier: Apache-2.0 */
/* What may have been meant by the name of a scenario that is not there. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include "cli/cli.h"

/* The hint to an error about a missing scenario file `name`: the same name with another ending, or
 * the nearest one, in the file's directory or among the shipped ones; else where to find them. */
void suggest_scenario(const struct cli *cli, const char *name, struct bench_error *err);

#endif
