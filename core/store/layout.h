/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a run directory, and of it. Every string returned is the caller's. */
#ifndef STORE_LAYOUT_H
#define STORE_LAYOUT_H

#include <stdint.h>

#define LAYOUT_RESULTS "bench-results" /* below the working directory */
#define LAYOUT_LATEST "latest"
#define LAYOUT_BASELINES "baselines"
#define LAYOUT_RUN "run.json"
#define LAYOUT_SCENARIO "scenario.yaml"
#define LAYOUT_REPETITIONS "repetitions"
#define LAYOUT_REPETITION "repetition.json"
#define LAYOUT_SERIES "series.tsv"
#define LAYOUT_LATENCY "latency.hlog"

/* Lower-case letters, digits and single '-' of `name`, at most 40; "unnamed" when nothing is left.
 */
char *layout_slug(const char *name);
/* "20261120-064944-http-over-two-relays-3f9a" */
char *layout_id(int64_t started_wall_ns, const char *name, uint16_t random);
/* "repetitions/0001-nginx" */
char *layout_repetition(uint32_t index, const char *arm);

#endif
