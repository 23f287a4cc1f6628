/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One repetition: fresh processes, one window. It conducts a site (site.h), keeps the order of
 * things and does all the waiting. Nothing here is global, so any number can be alive.
 *
 * Life: repetition_new → repetition_start (ports, groups, processes, readiness) →
 * repetition_warm_up → repetition_window (samples on every tick) → repetition_stop → the record is
 * complete → repetition_free. Each of these returns -1 when the repetition has failed, which it
 * remembers: repetition_failure(). repetition_stop and _free work in any state.
 *
 * A window can be had in slices: repetition_open_window → repetition_slice… →
 * repetition_close_window, and a client that can pause rests in between.
 */
#ifndef RUN_REPETITION_H
#define RUN_REPETITION_H

#include "run/session.h"

struct repetition;

struct repetition *repetition_new(struct session *session, const struct step *step,
                                  const char *directory);
int repetition_start(struct repetition *p);
int repetition_warm_up(struct repetition *p);
int repetition_window(struct repetition *p);
int repetition_open_window(struct repetition *p);
int repetition_slice(struct repetition *p, int64_t length_ns);
int repetition_close_window(struct repetition *p); /* one slice at least */

/* Stops the client (point_pausable(), role_chain.h) and lets it go on. Paused, it sends nothing, so
 * the roles behind it soon have nothing to do either. */
void repetition_pause(struct repetition *p);
void repetition_resume(struct repetition *p);
/* Lets it run without measuring: after a pause things come back to speed. */
int repetition_settle(struct repetition *p, int64_t ns);
/* Samples it while another one is measured. */
void repetition_look(struct repetition *p);
/* Always call it. -1: something is left, or could not be removed. */
int repetition_stop(struct repetition *p, struct bench_error *err);

const struct step *repetition_step(const struct repetition *p);
const char *repetition_directory(const struct repetition *p);
struct repetition_record *repetition_record(struct repetition *p);
/* What ended it early, before it was stopped; NULL: nothing. */
const struct bench_error *repetition_failure(const struct repetition *p);
bool repetition_interrupted(const struct repetition *p); /* the user asked to stop during it */
void repetition_free(struct repetition *p);

#endif
