/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts about this machine that bear on a result: stored with every run, judged by `bench check`.
 * Collecting is quick (a few ms), needs no privilege and never fails: what cannot be read is null.
 * Names of people, hosts and addresses are not among them: results are meant to be shown.
 */
#ifndef ENVIRONMENT_FACTS_H
#define ENVIRONMENT_FACTS_H

#include <jansson.h>

#include "base/text.h"
#include "process/cgroup.h"

/* New reference: an object whose members docs/store-format.md lists. */
json_t *facts_collect(const struct cgroup_host *h);
/* The same with what is read from /proc, /sys and /etc read below `root`: for tests of machines
 * that are not at hand. */
json_t *facts_collect_below(const char *root, const struct cgroup_host *h);
/* The kernel's clock source now, which it may change at any time; NULL when unknown. Caller frees.
 */
char *facts_clocksource(void);
/* Sentences on what in `facts` can bias a result, most important first ("ASLR is off: …"). */
void facts_warnings(const json_t *facts, struct strings *ret);

#endif
