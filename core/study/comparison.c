/* SPDX-License-Identifier: Apache-2.0 */
#include "study/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/metrics.h"
#include "stats/sequential.h"
#include "study/saturation.h"

/* The names in `metric`, without blanks around them. */
static void split_metrics(const struct scenario *s, struct strings *ret)
{
    cleanup_free char *copy = xstrdup(s->metric ? s->metric : "");
    char *rest = copy, *name;

    while ((name = strsep(&rest, ", ")))
        if (*name)
            strings_add(ret, name);
}

int comparison_check_metrics(const struct scenario *s, struct bench_error *err)
{
    const char *where = scenario_where(s, "metric");
    cleanup_strings struct strings metrics = {0};

    split_metrics(s, &metrics);
    for (size_t i = 0; i < metrics.count; i++) {
        if (metric_known(metrics.items[i]))
            continue;
        error_set(err, BENCH_ERROR_USAGE, "metric: there is no metric '%s'", metrics.items[i]);
        error_hint(err,
                   "docs/measurement.md lists them; 'bench report --format json' shows those of a "
                   "run");
        return where ? error_context(err, "%s", where) : -1;
    }
    return 0;
}

/* A flag, not the scenario's file. */
static bool by_flag(const struct scenario *s, const char *key)
{
    const char *where = scenario_where(s, key);

    return where && strncmp(where, "--", 2) == 0;
}

int comparison_refuse(const struct scenario *s, struct bench_error *err)
{
    static const char *const keys[] = {"metric", "margin", "precision", "stop"};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (by_flag(s, keys[i])) {
            error_set(err, BENCH_ERROR_USAGE, "%s: nothing is compared here", keys[i]);
            error_hint(err, "use 'bench compare'");
            return -1;
        }
    return 0;
}

static int choose_twice(const char *what, const char *other, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_USAGE, "%s the number of blocks, and '%s' does too", what, other);
    error_hint(err, "leave one of them out");
    return -1;
}

/* `precision` and `stop` choose the number of blocks in the place of `repeat`. A flag overrides the
 * file; what a stored scenario says of both agrees. */
static int settle_blocks(struct scenario *s, struct bench_error *err)
{
    bool looks = s->stop == STOP_LOOKS;
    const char *key = looks ? "stop" : "precision";
    const char *what = looks ? "stop: looks choose" : "precision: it chooses";

    if (looks && s->precision > 0)
        return choose_twice(what, "precision", err);
    if ((!looks && !(s->precision > 0)) || !scenario_where(s, "repeat") ||
        s->repeat == STATS_FIRST_STAGE)
        return 0;
    if (by_flag(s, key) == by_flag(s, "repeat"))
        return choose_twice(what, "repeat", err);
    if (by_flag(s, "repeat")) {
        s->precision = 0;
        s->stop = STOP_FIXED;
    }
    return 0;
}

static size_t count_points(const struct scenario *s)
{
    size_t n = s->rate == RATE_AUTO ? SATURATION_RATES : 1;

    for (size_t i = 0; i < s->n_axes; i++)
        n *= s->axes[i].values.count;
    return n;
}

void comparison_defaults(struct scenario *s, size_t comparisons)
{
    if (s->precision > 0 || s->stop == STOP_LOOKS)
        s->repeat = STATS_FIRST_STAGE;
    else if (!scenario_where(s, "repeat"))
        s->repeat = comparisons > 1 ? COMPARISON_BLOCKS_SEVERAL : COMPARISON_BLOCKS;
    if (!scenario_where(s, "interleave"))
        s->interleave = INTERLEAVE_AUTO;
}

int comparison_prepare(struct scenario *s, struct bench_error *err)
{
    cleanup_strings struct strings metrics = {0};
    size_t comparisons;

    split_metrics(s, &metrics);
    if (s->n_arms < 2) {
        error_set(err, BENCH_ERROR_USAGE, "a comparison needs two relays, here %s %zu",
                  s->n_arms == 1 ? "is" : "are", s->n_arms);
        error_hint(err, "name them with --relay, the baseline first; 'none' is one as well");
        return -1;
    }
    if (comparison_check_metrics(s, err) < 0)
        return -1;
    comparisons = (s->n_arms - 1) * count_points(s) * (metrics.count ? metrics.count : 1);
    if (settle_blocks(s, err) < 0)
        return -1;
    comparison_defaults(s, comparisons);
    return 0;
}

json_t *comparison_rule(const struct scenario *s)
{
    cleanup_strings struct strings metrics = {0};
    json_t *names = json_array();

    split_metrics(s, &metrics);
    for (size_t i = 0; i < metrics.count; i++)
        json_array_append_new(names, json_string(metrics.items[i]));
    return json_pack("{s:o,s:f,s:f,s:b}", "metrics", names, "margin", s->margin, "alpha",
                     COMPARISON_ALPHA, "looks", s->stop == STOP_LOOKS);
}
