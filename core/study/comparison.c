/* SPDX-License-Identifier: Apache-2.0 */
#include "study/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/metrics.h"
#include "stats/sequential.h"
#include "stats/signed_rank.h"
#include "study/saturation.h"

/* The full names of those in `metric`, each once. */
static int find_metrics(const struct scenario *s, struct strings *ret, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    strings_split(&names, s->metric ? s->metric : "", ","); /* heads of tables have blanks */
    for (size_t i = 0; i < names.count; i++) {
        const struct bench_metric *row;
        cleanup_free char *trimmed = string_trimmed(names.items[i]);
        cleanup_free char *name = metric_resolve(trimmed, &row, err);

        if (!name) {
            error_context(err, "metric");
            return error_at(err, scenario_where(s, "metric"));
        }
        if (!strings_has(ret, name))
            strings_add(ret, name);
    }
    return 0;
}

int comparison_check_metrics(const struct scenario *s, struct bench_error *err)
{
    cleanup_strings struct strings metrics = {0};

    return find_metrics(s, &metrics, err);
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

/* Never so few that nothing could be decided. */
static int64_t usual_blocks(size_t comparisons)
{
    int64_t least = (int64_t)stats_signed_rank_least(COMPARISON_ALPHA / (double)comparisons);
    int64_t usual = comparisons > 1 ? COMPARISON_BLOCKS_SEVERAL : COMPARISON_BLOCKS;

    return usual > least ? usual : least;
}

void comparison_defaults(struct scenario *s, size_t comparisons)
{
    if (s->precision > 0 || s->stop == STOP_LOOKS)
        s->repeat = STATS_FIRST_STAGE;
    else if (!scenario_where(s, "repeat"))
        s->repeat = usual_blocks(comparisons);
    if (!scenario_where(s, "interleave"))
        s->interleave = INTERLEAVE_AUTO;
}

int comparison_prepare(struct scenario *s, struct bench_error *err)
{
    cleanup_strings struct strings metrics = {0};
    size_t comparisons;

    if (s->n_arms < 2) {
        error_set(err, BENCH_ERROR_USAGE, "a comparison needs two relays, here %s %zu",
                  s->n_arms == 1 ? "is" : "are", s->n_arms);
        error_hint(err, "name them with --relay, the baseline first; 'none' is one as well");
        return -1;
    }
    if (find_metrics(s, &metrics, err) < 0)
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

    find_metrics(s, &metrics, NULL); /* which comparison_check_metrics() has found to be some */
    for (size_t i = 0; i < metrics.count; i++)
        json_array_append_new(names, json_string(metrics.items[i]));
    return json_pack("{s:o,s:f,s:f,s:b}", "metrics", names, "margin", s->margin, "alpha",
                     COMPARISON_ALPHA, "looks", s->stop == STOP_LOOKS);
}
