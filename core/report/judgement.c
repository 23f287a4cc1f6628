/* SPDX-License-Identifier: Apache-2.0 */
#include "report/judgement.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "stats/signed_rank.h"

static bool holds(const struct condition *c, double value)
{
    if (isnan(value))
        return c->if_known;
    return c->below ? value < threshold(c->threshold) : value > threshold(c->threshold);
}

double judgement_estimate(const double *x, size_t n, bool once)
{
    struct stats_interval i;
    double most = NAN;

    if (!once) {
        stats_signed_rank(x, n, 1 - REPORT_CONFIDENCE, &i);
        return i.estimate;
    }
    for (size_t k = 0; k < n; k++)
        most = fmax(most, x[k]);
    return most;
}

/* The rule in one repetition; what is known goes into `known`, a list of values per condition. */
static void judge_one(const struct rule *rule, const struct subject *s,
                      double *known[RULE_CONDITIONS], size_t n_known[RULE_CONDITIONS],
                      struct judgement *j)
{
    bool all_known = true, all_hold = true;

    for (size_t c = 0; c < rule_conditions(rule); c++) {
        const struct condition *condition = &rule->conditions[c];
        struct cited unused = {0};
        double x = quantity_value(condition->quantity, s, condition->silent ? &unused : &j->cited);

        if (!isnan(x))
            known[c][n_known[c]++] = x;
        all_known &= !isnan(x) || condition->if_known;
        all_hold &= holds(condition, x);
    }
    j->of += all_known;
    j->holds += all_known && all_hold;
}

void judgement_make(const struct rule *rule, const struct observations *obs, const char *role,
                    struct judgement *ret)
{
    double *known[RULE_CONDITIONS];
    size_t n_known[RULE_CONDITIONS] = {0};

    *ret = (struct judgement){0};
    for (size_t c = 0; c < RULE_CONDITIONS; c++)
        known[c] = xcalloc(obs->count + 1, sizeof(*known[c]));
    for (size_t i = 0; i < obs->count; i++)
        judge_one(rule, &(struct subject){obs->items[i], role}, known, n_known, ret);
    for (size_t c = 0; c < RULE_CONDITIONS; c++) {
        ret->values[c] = judgement_estimate(known[c], n_known[c], rule->once);
        free(known[c]);
    }
}

bool judgement_fires(const struct rule *rule, const struct judgement *j)
{
    for (size_t c = 0; c < rule_conditions(rule); c++)
        if (!holds(&rule->conditions[c], j->values[c]))
            return false;
    return j->of > 0;
}
