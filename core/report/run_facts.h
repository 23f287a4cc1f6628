/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading run.json for the report: typed members of the resolved scenario (at a point of the sweep)
 * and of the environment. Whatever is missing or of another type reads as "unknown", so a run of an
 * older or newer bench still gives a report.
 */
#ifndef REPORT_RUN_FACTS_H
#define REPORT_RUN_FACTS_H

#include "store/store.h"

/* The scenario's value for `key` at the point labelled `point`; borrowed, or NULL. */
json_t *run_setting(const struct stored_run *run, const char *point, const char *key);

/* The scenario's arm of that name; borrowed, or NULL. */
const json_t *run_arm(const struct stored_run *run, const char *name);

/* Numbers and the notations of the scenario ("500ms", "64K"); `fallback` when it is neither. */
double json_number_or(const json_t *value, double fallback);
double json_rate_or(const json_t *value, double fallback);
int64_t json_duration_or(const json_t *value, int64_t fallback_ns);
const char *json_text_or(const json_t *value, const char *fallback);

/* The arms' names in the scenario's order, the baseline first. Arms that only the repetitions know
 * come last. */
void run_arms(const struct stored_run *run, struct strings *ret);
/* The labels of the points at which something counts, in the plan's order; again with those that
 * only the repetitions know. */
void run_points(const struct stored_run *run, struct strings *ret);
/* Whether it is two saved runs (side_by_side.h), which share no blocks. */
bool run_compares_saved(const struct stored_run *run);
/* Relay processes of the arm at the point, as they were planned. */
uint32_t run_hops(const struct stored_run *run, const char *arm, const char *point);
/* Why it, or one of two saved runs, has not been measured to the end that was planned:
 * "interrupted", "run failed", "still running", "incomplete run"; NULL: it has. Decides nothing
 * then: stopping when the numbers please would make any difference significant. */
const char *run_unfinished(const struct stored_run *run);
/* Requests per second at the point; 0: a closed loop. */
double run_rate(const struct stored_run *run, const char *point);
/* CPUs online in the machine; 0 when unknown. */
double run_cpus(const struct stored_run *run);

/* How many CPUs a list like "0-3,8" names; 0 when it is none. */
double cpus_in_list(const char *list);

/* Those on which the bench could run; 0 when unknown. */
double run_cpus_allowed(const struct stored_run *run);

#endif
