/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the scenario language as Markdown, generated from the tables that validate it:
 * for docs/scenario.md (`make docs`) and for the command line's help. */
#ifndef SCENARIO_DOCUMENT_H
#define SCENARIO_DOCUMENT_H

#include "scenario/scenario.h"

/* Every key, then the options of every workload and relay in `r` (NULL: none). */
void scenario_document(const struct registry *r, struct text *out);
/* One more table of options, as the former has for plugins: "capture `record`" … */
void scenario_document_options(const char *owner, const char *description,
                               const struct bench_option *options, struct text *out);

#endif
