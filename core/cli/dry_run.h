/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a plan instead of running it; refused is what a run would refuse, whatever the machine. */
#ifndef CLI_DRY_RUN_H
#define CLI_DRY_RUN_H

#include "plan/plan.h"

/* What a plan or a plugin refuses. */
int dry_run_check(const struct plan *plan, struct bench_error *err);
/* `verbose`: also the processes of every arm at the first point, and what differs at the others. */
int dry_run_print(const struct plan *plan, bool verbose, struct bench_error *err);

#endif
