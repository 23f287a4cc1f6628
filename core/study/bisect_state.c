/* SPDX-License-Identifier: Apache-2.0 */
#include "study/bisect_state.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/run_facts.h"
#include "store/fields.h"
#include "study/comparison.h"

enum { FORMAT = 1 };
#define FILE_NAME "bisect.json"
#define MOST_BYTES ((size_t)64 << 20)

/* --- the file ------------------------------------------------------------------------------- */

json_t *bisect_state_new(const struct bisect_question *q, const char *repository)
{
    return json_pack("{s:i,s:o,s:o,s:f,s:I,s:n,s:[],s:i,s:n,s:[]}", "format", FORMAT, "repository",
                     json_text(repository), "build", json_text(q->build), "error", q->error,
                     "build_timeout_ns", (json_int_t)q->timeout_ns, "endpoints", "tried", "trials",
                     0, "outcome", "candidates");
}

/* The numbers that are counted on with. */
static int check_numbers(const json_t *state, const char *path, struct bench_error *err)
{
    static const struct {
        const char *name;
        int64_t most;
    } numbers[] = {{"trials", 1000000}, {"build_timeout_ns", FIELD_TIME_MAX}};

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        int64_t unused;

        if (field_integer_within(json_object_get(state, numbers[i].name), 0, numbers[i].most,
                                 &unused, err) < 0)
            return error_context(err, "'%s': field '%s'", path, numbers[i].name);
    }
    return 0;
}

int bisect_state_read(const char *directory, json_t **ret, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" FILE_NAME, directory), *data = NULL;
    size_t length;
    json_error_t wrong;
    json_t *state;

    if (file_read(AT_FDCWD, path, MOST_BYTES, &data, &length, err) < 0)
        return -1;
    state = json_loadb(data, length, JSON_REJECT_DUPLICATES, &wrong);
    if (!state)
        return error_set(err, BENCH_ERROR_USAGE, "'%s': %s", path, wrong.text);
    if (json_integer_value(json_object_get(state, "format")) != FORMAT) {
        json_decref(state);
        return error_set(err, BENCH_ERROR_USAGE, "'%s' is of another version of bench", path);
    }
    if (check_numbers(state, path, err) < 0) {
        json_decref(state);
        return -1;
    }
    *ret = state;
    return 0;
}

int bisect_state_write(const json_t *state, const char *directory, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" FILE_NAME, directory);
    cleanup_free char *text = json_dumps(state, JSON_INDENT(2));

    return file_write(AT_FDCWD, path, text, strlen(text), err);
}

const char *bisect_state_text(const json_t *object, const char *key)
{
    return json_text_or(json_object_get(object, key), "");
}

double bisect_state_number(const json_t *object, const char *key)
{
    return json_number_or(json_object_get(object, key), NAN);
}

/* --- what was found out --------------------------------------------------------------------- */

/* Null where there is none. */
static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static void put_ratio(json_t *object, const struct stats_interval *i)
{
    json_object_set_new(object, "ratio", number(exp(i->estimate)));
    json_object_set_new(object, "low", i->has_interval ? number(exp(i->low)) : json_null());
    json_object_set_new(object, "high", i->has_interval ? number(exp(i->high)) : json_null());
}

void bisect_state_put_ends(json_t *state, const struct judge_ends *ends,
                           const struct trial_seen *seen, const char *run)
{
    bool beyond = ends->verdict.finding == STATS_BEYOND;
    cleanup_free char *verdict = stats_verdict_text(&ends->verdict, STATS_LEVEL, BENCH_NEUTRAL);
    json_t *object = json_pack("{s:s,s:o,s:o,s:I,s:b,s:s}", "metric", seen->metric, "effect",
                               number(ends->comparison.interval.estimate), "spread",
                               number(stats_spread(&ends->comparison)), "blocks",
                               (json_int_t)seen->n, "beyond", beyond, "run", run);

    put_ratio(object, &ends->comparison.interval);
    json_object_set_new(object, "verdict", json_string(verdict));
    json_object_set_new(state, "endpoints", object);
    if (!beyond)
        json_object_set_new(state, "outcome", json_string("no difference"));
}

static const char *const answers[] = {
    [WALK_LIKE_GOOD] = "like good",
    [WALK_LIKE_BAD] = "like bad",
    [WALK_UNDECIDED] = "undecided",
    [WALK_BROKEN] = "broken",
};

const char *bisect_state_answer_text(enum walk_answer answer)
{
    return answers[answer];
}

void bisect_state_put_answer(json_t *state, json_t *commit, enum walk_answer answer,
                             const char *why, const char *run, const struct trial_seen *seen)
{
    json_object_set_new(commit, "answer", json_string(answers[answer]));
    json_object_set_new(commit, "why", json_text(why));
    json_object_set_new(commit, "run", json_text(run));
    json_object_set_new(commit, "blocks", json_integer(seen ? (json_int_t)seen->n : 0));
    if (seen) {
        size_t n;
        cleanup_free double *ratios = trial_ratios(seen, JUDGED_CANDIDATE, JUDGED_GOOD, &n);
        struct stats_comparison c;

        stats_compare(ratios, n, COMPARISON_ALPHA, 1, &c);
        put_ratio(commit, &c.interval);
    }
    json_array_append_new(json_object_get(state, "tried"), commit);
}

bool bisect_state_answer(const json_t *state, const char *commit, enum walk_answer *ret)
{
    json_t *tried;
    size_t i;

    json_array_foreach(json_object_get(state, "tried"), i, tried)
    {
        if (strcmp(bisect_state_text(tried, "commit"), commit) != 0)
            continue;
        for (size_t a = 0; a < ARRAY_SIZE(answers); a++)
            if (strcmp(answers[a], bisect_state_text(tried, "answer")) == 0) {
                *ret = (enum walk_answer)a;
                return true;
            }
    }
    return false;
}
