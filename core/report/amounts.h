/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was counted in the window of a record: columns of its series, or the word of a wrapped tool;
 * and where there is no number, why. Reasons belong to the record, or are constant.
 */
#ifndef REPORT_AMOUNTS_H
#define REPORT_AMOUNTS_H

#include "base/text.h"
#include "report/window.h"

/* Something counted, and the seconds it was counted in: a wrapped tool's totals speak of its whole
 * window, the series of the time between two samples within it. */
struct amount {
    struct bench_value v;
    const char *reason;
    double seconds;
    const char *part; /* as struct metric_value has it */
    double missed;    /* likewise */
};

struct amount_source {
    const struct repetition_record *record;
    struct metric_window window;
    struct strings roles;              /* client, relay_1 …, server */
    struct amount payload, operations; /* bytes delivered, requests completed */
};
void amount_source_init(struct amount_source *src, const struct repetition_record *r);
void amount_source_release(struct amount_source *src);

/* The columns of `pattern` summed over the window (or the largest value of the one). */
struct amount amount_of_columns(const struct amount_source *src, const char *pattern,
                                const char *role, bool maximum);
/* An event of a role; multiplexed ones are scaled by the time for which they were counted. */
struct amount amount_of_event(const struct amount_source *src, const char *column);
/* A wrapped tool's word, for its own window; false when it said nothing of the metric. */
bool amount_of_total(const struct repetition_record *r, const char *metric, struct amount *ret);
/* No number. */
struct amount amount_none(enum bench_state state, const char *reason);

/* Whether a counter stood at 0 to the window's end. What a workload does not do (requests in a
 * one-way stream) is absent; that is not a rate of 0. */
bool amount_never_counted(const struct amount_source *src, const char *column);
/* Why a column has no number in the window. */
const char *amount_column_reason(const struct series *s, const char *name,
                                 const struct metric_window *w, enum bench_state state);

/* a / b; without a base there is no such metric. */
struct amount amount_ratio(struct amount a, struct amount b);
/* Per second. */
struct amount amount_rate(struct amount a);

#endif
