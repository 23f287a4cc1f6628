/* SPDX-License-Identifier: Apache-2.0 */
#include "study/bisect_scenario.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "study/comparison.h"
#include "study/judges.h"

static bool names_build(const struct arm *arm)
{
    bool found = arm->path && strstr(arm->path, BISECT_BUILD);

    for (size_t i = 0; i < arm->env.count; i++)
        found |= strstr(arm->env.items[i].text, BISECT_BUILD) != NULL;
    for (size_t i = 0; i < arm->options.count; i++)
        found |= strstr(arm->options.items[i].text, BISECT_BUILD) != NULL;
    return found;
}

static int check_scenario(struct scenario *s, struct bench_error *err)
{
    cleanup_strings struct strings metrics = {0};

    if (s->warmup_ns == WARMUP_AUTO) {
        error_set(err, BENCH_ERROR_USAGE, "warmup: 'auto' is not for a bisection");
        error_hint(err, "give one that every commit settles in");
        return -1;
    }
    if (s->n_axes || s->rate == RATE_AUTO)
        return error_set(err, BENCH_ERROR_USAGE, "a bisection needs one point: the scenario has %s",
                         s->n_axes ? "a sweep" : "'rate: auto'");
    strings_split(&metrics, s->metric ? s->metric : "", ", ");
    if (metrics.count > 1) {
        error_set(err, BENCH_ERROR_USAGE, "metric: one decides a bisection, here are %zu",
                  metrics.count);
        error_hint(err, "choose it with --metric");
        return -1;
    }
    if (s->precision > 0 || s->stop == STOP_LOOKS)
        return error_set(err, BENCH_ERROR_USAGE,
                         "%s: a bisection stops as soon as an answer is sure enough",
                         s->precision > 0 ? "precision" : "stop");
    comparison_defaults(s, 1);
    if (!scenario_where(s, "repeat"))
        s->repeat = BISECT_MOST_BLOCKS;
    if (s->repeat < (int64_t)judge_ends_least()) {
        error_set(err, BENCH_ERROR_USAGE,
                  "repeat: a bisection needs %zu blocks to tell good from bad, not %lld",
                  judge_ends_least(), (long long)s->repeat);
        error_hint(err, "it stops as soon as it may: --repeat %d", BISECT_MOST_BLOCKS);
        return -1;
    }
    return comparison_check_metrics(s, err);
}

int bisect_prepare(struct scenario *s, const char *name, const char *path, struct bench_error *err)
{
    struct arm *arm;

    if (scenario_keep_arm(s, name, err) < 0)
        return -1;
    arm = &s->arms[0];
    if (path || (!arm->path && !names_build(arm))) {
        free(arm->path);
        arm->path = xstrdup(path ? path : BISECT_BUILD);
    }
    if (!names_build(arm)) {
        error_set(err, BENCH_ERROR_USAGE, "relay '%s' is the same for every commit", arm->name);
        error_hint(err, "its path, a variable or an option has to hold '" BISECT_BUILD
                        "', the directory of the build: --path '" BISECT_BUILD "/sbin'");
        return -1;
    }
    scenario_drop_captures(s);
    settings_release(&s->fail_on); /* gates are for one run */
    return check_scenario(s, err);
}

/* Caller frees. */
static char *expand(const char *text, const char *tree)
{
    struct text out = {0};
    const char *at;

    while ((at = strstr(text, BISECT_BUILD))) {
        text_add_bytes(&out, text, (size_t)(at - text));
        text_add(&out, "%s", tree);
        text = at + strlen(BISECT_BUILD);
    }
    text_add(&out, "%s", text);
    return text_take(&out);
}

static void replace(char **text, const char *tree)
{
    char *expanded = *text ? expand(*text, tree) : NULL;

    free(*text);
    *text = expanded;
}

void bisect_point_arm(struct arm *arm, const char *name, const char *tree)
{
    free(arm->name);
    arm->name = xstrdup(name);
    replace(&arm->path, tree);
    for (size_t i = 0; i < arm->env.count; i++)
        replace(&arm->env.items[i].text, tree);
    for (size_t i = 0; i < arm->options.count; i++)
        replace(&arm->options.items[i].text, tree);
}
