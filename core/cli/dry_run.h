/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints a plan instead of running it, and what stands in its way on this machine. Refused is what
 * a run would refuse on every machine.
 */
#ifndef CLI_DRY_RUN_H
#define CLI_DRY_RUN_H

#include "plan/plan.h"

/* What a plan or a plugin refuses. */
int dry_run_check(const struct plan *plan, struct bench_error *err);
/* `verbose`: also the processes of every arm at the first point, and what differs at the others.
 * Returns the exit status, or -1. */
int dry_run_print(const struct plan *plan, bool verbose, struct bench_error *err);

#endif
