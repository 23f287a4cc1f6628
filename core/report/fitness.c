/* SPDX-License-Identifier: Apache-2.0 */
#include "report/fitness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/around.h"
#include "report/run_facts.h"
#include "report/thresholds.h"
#include "store/disturbed.h"

/* What `reject` stands for; infinite: whatever it is. */
struct rule {
    const char *name;
    double steal;  /* share of the CPU time that the hypervisor gave to others */
    double others; /* CPUs that others on the machine used */
    double missed; /* share of the time in which a counter that decides was not counted */
};

static const struct rule rules[] = {
    {"shared", 0.01, 0.05, 0.05},
    {"lab", 0, 0.05, 0.05},
    {"nothing", INFINITY, INFINITY, INFINITY},
};

static const struct rule *rule_of(const struct stored_run *run)
{
    const char *name = json_text_or(run_setting(run, "", "reject"), rules[0].name);

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return &rules[0];
}

/* An event that shared its counter with others for too long. Why, or NULL. Caller frees. */
static char *judge_counters(const struct rule *rule, const struct observed *o,
                            const struct strings *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const struct metric_value *v = metric_set_find(&o->set, metrics->items[i]);

        if (v && v->missed > rule->missed)
            return xasprintf("%s counted %.3g%% of the time < %.3g%%", v->metric->title,
                             (1 - v->missed) * 100, (1 - rule->missed) * 100);
    }
    return NULL;
}

/* Why, or NULL. Caller frees. */
static char *judge(const struct stored_run *run, const struct rule *rule, const struct observed *o,
                   const struct strings *metrics)
{
    const json_t *environment = json_object_get(run->run, "environment");
    const char *clock = json_text_or(json_object_get(environment, "clocksource"), NULL);
    double steal = observed_number(o, "system_steal_share");
    double others = observed_number(o, "others_cpus");
    const struct disturbance *d = record_unfit(o->record);
    double around = around_throttled(o->record);

    /* No noise that more blocks would even out: it holds whatever `reject` is. */
    if (around > threshold(THROTTLED))
        return xasprintf(
            "the CPU quota around bench throttled it in %.0f%% of the periods > %.0f%%",
            around * 100, threshold(THROTTLED) * 100);
    if (d && (!isinf(rule->steal) || !o->record->ok))
        return record_disturbance_text(o->record, d);
    if (steal > rule->steal)
        return xasprintf("steal %.2g%% > %.2g%%", steal * 100, rule->steal * 100);
    if (others > rule->others)
        return xasprintf("others used %.2g CPUs > %.2g", others, rule->others);
    if (!isinf(rule->steal) && clock && o->record->clocksource &&
        strcmp(clock, o->record->clocksource) != 0)
        return xasprintf("clock source became '%s'", o->record->clocksource);
    return judge_counters(rule, o, metrics);
}

void fitness_find(const struct stored_run *run, const struct observations *all,
                  const struct strings *metrics, struct fitness *ret)
{
    const struct rule *rule = rule_of(run);
    uint32_t last = 0;

    *ret = (struct fitness){0};
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i]->record->block > last)
            last = all->items[i]->record->block;
    ret->n_blocks = last;
    for (size_t i = 0; i < all->count; i++) {
        const struct observed *o = all->items[i];
        bool judged = o->record->ok || record_has_no_outcome(o->record);
        char *why =
            judged && !fitness_rejects(ret, o->record->block) ? judge(run, rule, o, metrics) : NULL;

        if (!why)
            continue;
        ret->rejected =
            grow(ret->rejected, &ret->capacity, ret->n_rejected + 1, sizeof(*ret->rejected));
        ret->rejected[ret->n_rejected++] = (struct rejected_block){o->record->block, why};
    }
}

bool fitness_rejects(const struct fitness *f, uint32_t block)
{
    for (size_t i = 0; i < f->n_rejected; i++)
        if (f->rejected[i].block == block)
            return true;
    return false;
}

bool fitness_unfit(const struct fitness *f)
{
    return (double)f->n_rejected > FITNESS_MOST_REJECTED * (double)f->n_blocks;
}

void fitness_release(struct fitness *f)
{
    for (size_t i = 0; i < f->n_rejected; i++)
        free(f->rejected[i].why);
    free(f->rejected);
    *f = (struct fitness){0};
}
