/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One repetition: fresh processes, one window. Nothing here is global, so any number can be alive.
 *
 * Life: repetition_new → repetition_start (ports, groups, processes, readiness) →
 * repetition_run_until (warm-up, then window: samples on every tick) → repetition_stop → the record
 * is complete → repetition_free. Every function can fail; repetition_stop and _free work in any
 * state.
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
/* Always call it; `failure` (may be NULL) is what ended the repetition early. */
int repetition_stop(struct repetition *p, const struct bench_error *failure,
                    struct bench_error *err);
struct repetition_record *repetition_record(struct repetition *p);
bool repetition_interrupted(const struct repetition *p); /* the user asked to stop during it */
void repetition_free(struct repetition *p);

#endif
