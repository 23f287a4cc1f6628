/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates: conditions on which the exit status of a run depends (--fail-on, key `fail_on`), decided
 * by intervals, never by point estimates. docs/measurement.md, "Gates", has the rules. Pure.
 *
 *     METRIC [of ARM] [at POINT] > VALUE               also >=, <, <=: what must not be
 *     METRIC [of ARM] [at POINT] regresses SHARE       also improves, changes: in a comparison
 *
 * Life: gate_parse → for each arm that it matches gate_judge_level or gate_judge_change →
 * gate_release.
 */
#ifndef REPORT_GATES_H
#define REPORT_GATES_H

#include "report/observed.h"
#include "scenario/scenario.h"

enum gate_kind {
    GATE_ABOVE,
    GATE_AT_LEAST,
    GATE_BELOW,
    GATE_AT_MOST,
    GATE_REGRESSES,
    GATE_IMPROVES,
    GATE_CHANGES,
};

struct gate {
    char *metric;      /* its full name */
    char *arm, *point; /* NULL: any */
    enum gate_kind kind;
    double value; /* in the metric's unit; of a change the share, 0.03 is 3% */
};

/* -1 (USAGE): syntax, a metric that no run could have, a value that is none of the metric's. */
int gate_parse(struct gate *ret, const char *text, struct bench_error *err);
void gate_release(struct gate *g);
/* Whether it is about a change, which only a comparison shows. */
bool gate_compares(const struct gate *g);
/* Each word of its point is one of the arm's: "jobs=10" matches "jobs=10 hops=2". */
bool gate_matches(const struct gate *g, const char *arm, const char *point);

/* The gates of a scenario before anything starts. `compared`: there will be verdicts; `arms`: the
 * scenario's arms and points are those that will be judged. */
int gates_check(const struct scenario *s, bool compared, bool arms, struct bench_error *err);

/* The more severe, the greater. */
enum gate_outcome {
    GATE_PASSED,
    GATE_INCONCLUSIVE,
    GATE_FAILED,
    GATE_UNFIT,   /* too much was thrown away to decide anything */
    GATE_NOTHING, /* it matched nothing */
};
const char *gate_outcome_name(enum gate_outcome o); /* "passed", … */
/* The exit status of all gates of a document together; of verdicts when the environment was unfit.
 */
int gates_status(const struct bench_document *d);

/* By an interval of the metric, or of the ratio to the baseline. `better` matters for
 * GATE_REGRESSES and GATE_IMPROVES. */
enum gate_outcome gate_decide(const struct gate *g, enum bench_direction better, bool has_interval,
                              double low, double high);

/* The metric over the repetitions of an arm, failed ones too, at the confidence 1 − alpha: fills
 * the numbers, and says in `evidence` what was seen. */
enum gate_outcome gate_judge_level(const struct gate *g, const struct bench_metric *metric,
                                   const struct observations *o, double alpha,
                                   struct bench_gate *ret, struct text *evidence);
/* The same of a comparison that was made for it. */
enum gate_outcome gate_judge_change(const struct gate *g, const struct bench_comparison *c,
                                    struct bench_gate *ret, struct text *evidence);

#endif
