/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a number means: the one table of rules, most important first. A rule speaks of one role of
 * one arm, or of the arm as a whole, when all of its conditions hold; explanation.c applies it.
 */
#ifndef REPORT_RULES_H
#define REPORT_RULES_H

#include <bench/reporter.h>

#include "report/thresholds.h"

/*
 * What a condition looks at, in one repetition: the sum of the words in `over` that are known
 * there, divided by that of `under` (NULL: 1), times `scale` (0: 1). A word is the name of a
 * metric, in which
 * "{role}" is replaced; "A|B" is A, or B where A is not known. Beside metrics there are
 *
 *   syscall:NAME   calls of it: syscall_NAME_{role}, or what `stat` counted at the tracepoint
 *   @bytes @requests @seconds
 *                  of the window: payload delivered, requests completed, its length
 *   @cpu_seconds   the role's CPU time in it, by the clock that limit_cpus() takes
 *   @period        of the role's CPU limit, in seconds
 *   @fair_share    of one of the role's workers
 */
struct quantity {
    const char *phrase; /* of the evidence: "%s for each call that reads" */
    enum bench_format format;
    const char *unit; /* behind the number: "B", "s" */
    const char *over, *under;
    double scale;
};

struct condition {
    const struct quantity *quantity; /* NULL: end of the conditions */
    enum threshold threshold;
    bool below;    /* holds below the threshold, not above it */
    bool if_known; /* holds as well when the quantity is not known */
    bool silent;   /* a premise: not part of the evidence */
};

enum rule_subject {
    ABOUT_ROLE, /* each role */
    ABOUT_HOP,  /* each relay hop */
    ABOUT_PEER, /* each hop, and client and server when requests were counted */
    ABOUT_RUN,  /* the arm */
};

enum { RULE_CONDITIONS = 4 };

struct rule {
    const char *name;
    enum rule_subject about;
    const char *capture;    /* that collects what it needs */
    const char *limited_by; /* holds when the arm is limited by that, instead of conditions */
    const char *covered_by; /* a rule which says the same and more: silent beside it */
    bool once;              /* one repetition is enough: what ought not to happen at all */
    bool unpaced;           /* silent when the load was given as a rate */
    struct condition conditions[RULE_CONDITIONS];
    const char *meaning, *remedy;
};

/* Row i, or NULL behind the last. */
const struct rule *rule_row(size_t i);
/* How many conditions it has. */
size_t rule_conditions(const struct rule *rule);

#endif
