/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule (rules.h) held against repetitions: in how many of them its conditions hold, and what its
 * quantities come to over all. It holds by its estimates (Hodges-Lehmann), or where one repetition
 * is enough by the largest.
 */
#ifndef REPORT_JUDGEMENT_H
#define REPORT_JUDGEMENT_H

#include "report/quantities.h"

struct judgement {
    double values[RULE_CONDITIONS]; /* of the conditions' quantities; NaN: not known */
    uint32_t holds, of;             /* repetitions: all conditions hold; all are known */
    struct cited cited;
};

void judgement_make(const struct rule *rule, const struct observations *obs, const char *role,
                    struct judgement *ret);
bool judgement_fires(const struct rule *rule, const struct judgement *j);

/* Of one number per repetition: the estimate, or the largest where `once`. NaN without any. */
double judgement_estimate(const double *x, size_t n, bool once);

#endif
