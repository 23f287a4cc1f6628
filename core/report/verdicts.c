/* SPDX-License-Identifier: Apache-2.0 */
#include "report/verdicts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/run_facts.h"
#include "stats/multiple.h"
#include "stats/sequential.h"
#include "stats/verdict.h"

void verdict_rule_release(struct verdict_rule *r)
{
    strings_release(&r->metrics);
}

bool verdict_rule_read(const struct stored_run *run, struct verdict_rule *ret)
{
    const json_t *rule = json_object_get(run->run, "comparison");
    json_t *name;
    size_t i;

    if (!json_is_object(rule))
        return false;
    *ret = (struct verdict_rule){
        .margin = json_number_or(json_object_get(rule, "margin"), NAN),
        .alpha = json_number_or(json_object_get(rule, "alpha"), NAN),
        .looks = json_is_true(json_object_get(rule, "looks")),
        .unfinished = run_unfinished(run),
        .pairs = json_object_get(rule, "pairs"),
    };
    json_array_foreach(json_object_get(rule, "metrics"), i, name) if (json_is_string(name))
        strings_add(&ret->metrics, json_string_value(name));
    /* The bounds of the scenario, and of a probability. */
    if (ret->margin > 0 && ret->margin <= 10 && ret->alpha > 0 && ret->alpha < 1)
        return true;
    verdict_rule_release(ret);
    return false;
}

const char *verdicts_default(const struct metric_set *set, bool at_rate)
{
    if (at_rate && metric_set_find(set, "latency_p99_seconds"))
        return "latency_p99_seconds";
    if (metric_set_find(set, "operations_per_second"))
        return "operations_per_second";
    return metric_set_find(set, "bits_per_second") ? "bits_per_second" : "result";
}

static struct stats_outcome outcome(const struct observed *o, const struct bench_metric *metric)
{
    if (!o->record->ok)
        return (struct stats_outcome){.failed = true, .value = NAN};
    return (struct stats_outcome){.value = observed_number(o, metric->name)};
}

static size_t count_failed(const struct observations *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->count; i++)
        n += !o->items[i]->record->ok;
    return n;
}

/* A rate or a time is faster or slower; what work costs is lower or higher. */
static enum stats_words words_of(const struct bench_metric *m)
{
    return strstr(m->name, "_per_second") || strncmp(m->name, "latency_", 8) == 0 ? STATS_SPEED
                                                                                  : STATS_LEVEL;
}

static const char *const findings[] = {
    [STATS_FAILED] = "failed",       [STATS_INCONCLUSIVE] = "inconclusive",
    [STATS_SAME] = "same",           [STATS_NEGLIGIBLE] = "negligible",
    [STATS_DIFFERENT] = "different", [STATS_BEYOND] = "beyond",
};

static void conclude(const struct stats_comparison *c, size_t n, size_t failed,
                     const struct bench_metric *metric, const struct verdict_rule *rule,
                     struct bench_comparison *ret, char **ret_text)
{
    struct stats_verdict v;

    stats_verdict(c, rule->margin, failed, &v);
    *ret_text = stats_verdict_text(&v, words_of(metric), metric->direction);
    *ret = (struct bench_comparison){
        .metric = metric,
        .blocks = (uint32_t)n,
        .failed = (uint32_t)failed,
        .ratio = exp(c->interval.estimate),
        .has_interval = c->interval.has_interval,
        .low = exp(c->interval.low),
        .high = exp(c->interval.high),
        .confidence = 1 - c->alpha,
        .p = c->p,
        .p_adjusted = c->p,
        .finding = findings[v.finding],
        .sign = v.sign,
        .blocks_needed = (uint32_t)v.needed,
        .detectable = expm1(stats_detectable(c)),
        .blocks_if_as_estimated = (uint32_t)v.if_as_estimated,
    };
}

/* The level of the last look that so many blocks allow. */
static double alpha_after(const struct verdict_rule *rule, size_t blocks)
{
    struct stats_look look;
    double alpha = rule->alpha;

    for (size_t i = 0; rule->looks && stats_look(i, &look) && (i == 0 || look.n <= blocks); i++)
        alpha = look.alpha;
    return alpha;
}

void verdict_find(const struct observations *arm, const struct observations *base,
                  const struct bench_metric *metric, const struct verdict_rule *rule, size_t m,
                  struct bench_comparison *ret, char **ret_text)
{
    cleanup_free double *d = xcalloc(arm->count + 1, sizeof(*d));
    size_t n = 0, failed = count_failed(arm), failed_base = count_failed(base);
    struct stats_comparison c;

    for (size_t i = 0; i < arm->count; i++) {
        const struct observed *other = observed_of_block(base, arm->items[i]->record->block);
        double ratio;

        if (!other)
            continue;
        ratio = stats_log_ratio(outcome(arm->items[i], metric), outcome(other, metric),
                                metric->direction);
        if (!isnan(ratio))
            d[n++] = ratio;
    }
    if (failed_base > failed)
        failed = failed_base;
    stats_compare(d, n, alpha_after(rule, arm->count), m, &c);
    conclude(&c, n, failed, metric, rule, ret, ret_text);
}

/* ln of the numbers; a failure is worse than any. */
static size_t logarithms(const struct observations *o, const struct bench_metric *metric,
                         double *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < o->count; i++) {
        double ln = stats_log(outcome(o->items[i], metric), metric->direction);

        if (!isnan(ln))
            ret[n++] = ln;
    }
    return n;
}

void verdict_find_unpaired(const struct observations *arm, const struct observations *base,
                           const struct bench_metric *metric, const struct verdict_rule *rule,
                           size_t m, struct bench_comparison *ret, char **ret_text)
{
    cleanup_free double *x = xcalloc(arm->count + 1, sizeof(*x));
    cleanup_free double *y = xcalloc(base->count + 1, sizeof(*y));
    size_t n = logarithms(arm, metric, x), n_base = logarithms(base, metric, y);
    size_t failed = count_failed(arm), failed_base = count_failed(base);
    struct stats_comparison c;

    stats_compare_unpaired(x, n, y, n_base, rule->alpha, m, &c);
    conclude(&c, c.n, failed > failed_base ? failed : failed_base, metric, rule, ret, ret_text);
}

void verdict_unfit(struct bench_comparison *c, char **text)
{
    free(*text);
    *text = xstrdup("ENVIRONMENT UNFIT");
    c->finding = "unfit";
    c->sign = 0;
    c->blocks_needed = c->blocks_if_as_estimated = 0;
}

void verdict_withhold(struct bench_comparison *c, const char *unfinished, char **text)
{
    free(*text);
    *text = xasprintf("%s: no verdict", unfinished);
    c->finding = "incomplete";
    c->sign = 0;
    c->p = c->p_adjusted = NAN;
    c->blocks_needed = c->blocks_if_as_estimated = 0;
}

void verdict_turned(struct bench_comparison *c, const char *kept, char **text)
{
    char *turned = xasprintf("INCONCLUSIVE (with the rejected blocks: %s)", kept);

    free(*text);
    *text = turned;
    c->finding = findings[STATS_INCONCLUSIVE];
    c->sign = 0;
    c->blocks_needed = c->blocks_if_as_estimated = 0;
}

void verdicts_adjust(struct bench_comparison *const *all, size_t n)
{
    cleanup_free double *p = xcalloc(n + 1, sizeof(*p));

    for (size_t i = 0; i < n; i++)
        p[i] = all[i]->p;
    stats_holm(p, n, p);
    for (size_t i = 0; i < n; i++)
        all[i]->p_adjusted = p[i];
}
