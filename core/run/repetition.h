/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One repetition: fresh processes, one window. Nothing here is global, so any number can be alive.
 *
 * Life: repetition_new → repetition_start (ports, groups, processes, readiness) →
 * repetition_warm_up → repetition_window (samples on every tick) → repetition_stop → the record is
 * complete → repetition_free. Every function can fail; repetition_stop and _free work in any state.
 *
 * A window can be had in slices: repetition_open_window → repetition_slice… →
 * repetition_close_window, and a client that can pause rests in between.
 */
#ifndef RUN_REPETITION_H
#define RUN_REPETITION_H

#include "run/session.h"

struct repetition;
struct network;

/* The network that the scenario asks for, as every repetition makes it; also for `bench check`. */
int repetition_network(struct network **ret, const struct scenario *s, bool can_isolate,
                       struct bench_error *err);

/* Whether every pin of the scenario can be had. */
int repetition_pins(const struct scenario *s, struct bench_error *err);

struct repetition *repetition_new(struct session *session, const struct step *step,
                                  const char *directory);
int repetition_start(struct repetition *p, struct bench_error *err);
int repetition_warm_up(struct repetition *p, struct bench_error *err);
int repetition_window(struct repetition *p, struct bench_error *err);
int repetition_open_window(struct repetition *p, struct bench_error *err);
int repetition_slice(struct repetition *p, int64_t length_ns, struct bench_error *err);
int repetition_close_window(struct repetition *p, struct bench_error *err); /* one slice at least */

/* Stops the client (point_pausable(), describe.h) and lets it go on. Paused, it sends nothing, so
 * the roles behind it soon have nothing to do either. */
void repetition_pause(struct repetition *p);
void repetition_resume(struct repetition *p);
/* Lets it run without measuring: after a pause things come back to speed. */
int repetition_settle(struct repetition *p, int64_t ns, struct bench_error *err);
/* Samples it while another one is measured. */
void repetition_look(struct repetition *p);
/* Always call it; `failure` (may be NULL) is what ended the repetition early. */
int repetition_stop(struct repetition *p, const struct bench_error *failure,
                    struct bench_error *err);
struct repetition_record *repetition_record(struct repetition *p);
bool repetition_interrupted(const struct repetition *p); /* the user asked to stop during it */
void repetition_free(struct repetition *p);

#endif
