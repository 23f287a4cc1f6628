/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bisect_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/say.h"
#include "report/run_facts.h"

static const char *text_of(const json_t *object, const char *key)
{
    return json_text_or(json_object_get(object, key), "");
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_or(json_object_get(object, key), NAN);
}

/* "-12.3% [-14.0%, -10.1%]", "" when there is none. */
static const char *ratio_of(const json_t *object, char *out, size_t size)
{
    double ratio = number_of(object, "ratio"), low = number_of(object, "low"),
           high = number_of(object, "high");

    if (isnan(ratio))
        *out = '\0';
    else if (isnan(low) || isnan(high))
        snprintf(out, size, "%+.1f%%", (ratio - 1) * 100);
    else
        snprintf(out, size, "%+.1f%% [%+.1f%%, %+.1f%%]", (ratio - 1) * 100, (low - 1) * 100,
                 (high - 1) * 100);
    return out;
}

static void print_commit(const char *title, const json_t *commit)
{
    say_line(stdout, "%-9s%.10s  %s", title, text_of(commit, "commit"), text_of(commit, "subject"));
}

static void print_head(const struct bisect_request *q, const json_t *state)
{
    const json_t *ends = json_object_get(state, "endpoints");
    char ratio[96], margin[32], error[32];

    say_line(stdout, "bench bisect: %s", q->scenario.name);
    print_commit("good", json_object_get(state, "good"));
    print_commit("bad", json_object_get(state, "bad"));
    if (!json_is_object(ends))
        return;
    say_out("%-9s%s %s, good to bad, after %lld blocks (%s)\n", "by", text_of(ends, "metric"),
            ratio_of(ends, ratio, sizeof(ratio)),
            (long long)json_integer_value(json_object_get(ends, "blocks")), text_of(ends, "run"));
    say_out("%-9schance of a wrong commit at most %s%%; margin %s%%; fixed before the run\n",
            "rule", format_number(number_of(state, "error") * 100, error, sizeof(error)),
            format_number(q->scenario.margin * 100, margin, sizeof(margin)));
}

static void print_tried(const json_t *state)
{
    const json_t *all = json_object_get(state, "tried");
    json_t *tried;
    size_t i;

    if (!json_array_size(all))
        return;
    say_out("\n%-12s%-11s%7s  %-28s%-15s%s\n", "commit", "answer", "blocks", "vs good [95%]", "run",
            "subject");
    json_array_foreach(all, i, tried)
    {
        char ratio[96];

        say_line(stdout, "%-12.10s%-11s%7lld  %-28s%-15s%s", text_of(tried, "commit"),
                 text_of(tried, "answer"),
                 (long long)json_integer_value(json_object_get(tried, "blocks")),
                 ratio_of(tried, ratio, sizeof(ratio)), text_of(tried, "run"),
                 text_of(tried, "subject"));
        if (*text_of(tried, "why"))
            say_line(stdout, "%-12s%s", "", text_of(tried, "why"));
    }
}

static void print_candidates(const json_t *state)
{
    json_t *commit;
    size_t i;

    json_array_foreach(json_object_get(state, "candidates"), i, commit)
    {
        say_line(stdout, "  %s  %s", text_of(commit, "commit"), text_of(commit, "subject"));
    }
}

static bool any_undecided(const json_t *state)
{
    json_t *tried;
    size_t i;

    json_array_foreach(json_object_get(state, "tried"), i, tried)
    {
        if (strcmp(text_of(tried, "answer"), "undecided") == 0)
            return true;
    }
    return false;
}

/* Returns the exit code. */
static int print_outcome(const struct bisect_request *q, const json_t *state)
{
    const char *outcome = text_of(state, "outcome");
    char margin[32];

    if (!*outcome)
        return BENCH_ERROR_INCONCLUSIVE;
    say_out("\n");
    if (strcmp(outcome, "found") == 0) {
        say_out("the first bad commit:\n");
        print_candidates(state);
        return 0;
    }
    if (strcmp(outcome, "several") == 0) {
        say_out("the first bad commit is one of these; all but the last were skipped:\n");
        print_candidates(state);
        if (any_undecided(state))
            say_out("more blocks (--repeat) may decide what stayed undecided\n");
    } else {
        say_out("no difference between good and bad of at least %s%% was shown: %s\n"
                "what is shown lies well beyond --margin: take half of the change you look for\n",
                format_number(q->scenario.margin * 100, margin, sizeof(margin)),
                text_of(json_object_get(state, "endpoints"), "verdict"));
    }
    return BENCH_ERROR_INCONCLUSIVE;
}

int bisect_text_print(const struct bisect_request *q, const json_t *state)
{
    int code;

    print_head(q, state);
    print_tried(state);
    code = print_outcome(q, state);
    say_out("\n'bench report %s/RUN' shows a run; builds printed what is in '%s/builds'\n",
            q->directory, q->directory);
    if (*text_of(state, "trees"))
        say_out("commits are checked out in '%s'; 'git worktree remove --force' removes one\n",
                text_of(state, "trees"));
    return code;
}
