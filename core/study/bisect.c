/* SPDX-License-Identifier: Apache-2.0 */
#include "study/bisect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "stats/sides.h"
#include "store/layout.h"
#include "study/bisect_state.h"
#include "study/build.h"
#include "study/history.h"
#include "study/judges.h"

/* A commit that both ends are: built when it is first needed. */
struct end {
    const char *title; /* "good" */
    const char *commit;
    char *tree;
};

enum { GOOD, BAD };

struct bisection {
    struct bisect *b;
    json_t *state;
    struct history history;
    struct end ends[2]; /* GOOD, BAD */
    bool interrupted;
};

static int save(struct bisection *x, struct bench_error *err)
{
    return bisect_state_write(x->state, x->b->directory, err);
}

static void BENCH_PRINTF(2, 3) say(const struct bisection *x, const char *fmt, ...)
{
    cleanup_text struct text line = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&line, fmt, ap);
    va_end(ap);
    x->b->say(x->b->context, text_get(&line));
}

/* --- builds --------------------------------------------------------------------------------- */

/* As build_commit(); an interrupt is noted. */
static int check_out_and_build(struct bisection *x, const char *commit, char **ret_tree,
                               char **ret_why, struct bench_error *err)
{
    cleanup_free char *logs = xasprintf("%s/builds", x->b->directory);
    struct build build = {
        .history = &x->history,
        .logs = logs,
        .command = bisect_state_text(x->state, "build"),
        .timeout_ns = json_integer_value(json_object_get(x->state, "build_timeout_ns")),
    };

    say(x, "building %.*s", BUILD_DIGITS, commit);
    return build_commit(&build, commit, ret_tree, ret_why, &x->interrupted, err);
}

static int build_ends(struct bisection *x, struct bench_error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(x->ends) && !x->interrupted; i++) {
        struct end *end = &x->ends[i];
        cleanup_free char *why = NULL;

        if (end->tree)
            continue;
        if (check_out_and_build(x, end->commit, &end->tree, &why, err) < 0)
            return -1;
        if (!why || x->interrupted)
            continue;
        error_set(err, BENCH_ERROR_RUN, "the %s commit %.*s: %s", end->title, BUILD_DIGITS,
                  end->commit, why);
        error_hint(err, "what it printed is in '%s/builds/%.*s'", x->b->directory, BUILD_DIGITS,
                   end->commit);
        return -1;
    }
    return 0;
}

/* --- trials --------------------------------------------------------------------------------- */

/* "02-1a2b3c4d5e"; one that was interrupted keeps its number. */
static int next_trial(struct bisection *x, const char *commit, char **ret, struct bench_error *err)
{
    json_int_t number = json_integer_value(json_object_get(x->state, "trials")) + 1;

    json_object_set_new(x->state, "trials", json_integer(number));
    if (save(x, err) < 0)
        return -1;
    *ret = commit ? xasprintf("%02d-%.*s", (int)number, BUILD_DIGITS, commit)
                  : xasprintf("%02d-good-and-bad", (int)number);
    return 0;
}

static void name_arm(struct arm *arm, const char *title, const char *commit, const char *tree)
{
    cleanup_free char *name = xasprintf("%s%s%.*s", title, *title ? " " : "", BUILD_DIGITS, commit);

    bisect_point_arm(arm, name, tree);
}

/* Good, bad and, if there is one, the candidate, of the only arm. */
static void make_arms(const struct bisection *x, struct scenario *s, const char *commit,
                      const char *tree)
{
    const struct end *good = &x->ends[GOOD], *bad = &x->ends[BAD];

    name_arm(scenario_repeat_arm(s, ""), bad->title, bad->commit, bad->tree);
    if (tree)
        name_arm(scenario_repeat_arm(s, ""), "", commit, tree);
    name_arm(&s->arms[0], good->title, good->commit, good->tree);
    free(s->baseline);
    s->baseline = xstrdup(s->arms[GOOD].name);
}

/* `commit` and `tree` NULL: of good and bad alone. *ret_name, of the run's directory, is set when
 * it was made. */
static int run_trial(struct bisection *x, const char *commit, const char *tree, size_t blocks,
                     trial_judge judge, void *context, char **ret_name, struct trial_seen *ret_seen,
                     struct bench_error *err)
{
    cleanup_free char *name = NULL, *directory = NULL;
    struct scenario s;
    struct trial_spec spec = {
        .scenario = &s,
        .registry = x->b->registry,
        .command = x->b->command,
        .judge = judge,
        .context = context,
    };
    enum runner_outcome outcome;
    int result;

    if (next_trial(x, commit, &name, err) < 0)
        return -1;
    spec.directory = directory = xasprintf("%s/%s", x->b->directory, name);
    scenario_copy(&s, x->b->scenario);
    make_arms(x, &s, commit, tree);
    s.repeat = (int64_t)blocks;
    result = trial_run(x->b->session, &spec, ret_seen, &outcome, err);
    x->interrupted |= result == 0 && outcome == RUNNER_INTERRUPTED;
    if (access(directory, F_OK) == 0)
        *ret_name = xstrdup(name);
    scenario_release(&s);
    return result;
}

/* --- good and bad --------------------------------------------------------------------------- */

/* Nothing can be said of good and bad. */
static int fail_ends(const struct trial_seen *seen, const char *metric, struct bench_error *err)
{
    size_t worse = seen->failed[BAD] > seen->failed[GOOD] ? BAD : GOOD;

    if (seen->failed[worse] == 0) {
        error_set(err, BENCH_ERROR_USAGE, "metric '%s' has no value here", metric);
        error_hint(err, "'bench report --details' of a run shows those that have");
        return -1;
    }
    error_set(err, BENCH_ERROR_RUN, "%s fails in %zu of %zu blocks: %s",
              worse == BAD ? "bad" : "good", seen->failed[worse], seen->n, seen->why);
    error_hint(err, "what does not work has no speed; 'git bisect run' finds such a commit");
    return -1;
}

static int note_ends(struct bisection *x, const struct judge_ends *judge,
                     const struct trial_seen *seen, const char *run, struct bench_error *err)
{
    const char *asked = x->b->scenario->metric;

    if (judge->verdict.finding == STATS_FAILED)
        return fail_ends(seen, asked ? asked : seen->metric, err);
    bisect_state_put_ends(x->state, judge, seen, run);
    return save(x, err);
}

static int compare_ends(struct bisection *x, struct bench_error *err)
{
    struct judge_ends judge = {
        .error = bisect_state_number(x->state, "error"),
        .margin = x->b->scenario->margin,
        .most = (size_t)x->b->scenario->repeat,
    };
    struct trial_seen seen = {0};
    cleanup_free char *run = NULL;
    int result;

    if (build_ends(x, err) < 0 || x->interrupted)
        return x->interrupted ? 0 : -1;
    say(x, "comparing good with bad: do they differ by at least %g%%?", judge.margin * 100);
    if (run_trial(x, NULL, NULL, judge_ends_least(), judge_ends, &judge, &run, &seen, err) < 0)
        return -1;
    result = x->interrupted ? 0 : note_ends(x, &judge, &seen, run, err);
    trial_seen_release(&seen);
    return result;
}

/* --- a commit ------------------------------------------------------------------------------- */

/* {commit, subject}: new reference. */
static json_t *describe(struct bisection *x, const char *commit, struct bench_error *err)
{
    cleanup_free char *subject = NULL;

    if (history_subject(&x->history, commit, &subject, err) < 0)
        return NULL;
    return json_pack("{s:s,s:o}", "commit", commit, "subject", json_text(subject));
}

/* `seen` NULL: nothing was measured. */
static int note_answer(struct bisection *x, const char *commit, enum walk_answer answer,
                       const char *why, const char *run, const struct trial_seen *seen,
                       struct bench_error *err)
{
    json_t *object = describe(x, commit, err);

    if (!object)
        return -1;
    bisect_state_put_answer(x->state, object, answer, why, run, seen);
    say(x, "%.*s is %s%s%s", BUILD_DIGITS, commit, bisect_state_answer_text(answer),
        why ? ": " : "", why ? why : "");
    return save(x, err);
}

static int measure_commit(struct bisection *x, const char *commit, const char *tree, double error,
                          enum walk_answer *ret, struct bench_error *err)
{
    const json_t *ends = json_object_get(x->state, "endpoints");
    struct judge_commit judge = {
        .effect = bisect_state_number(ends, "effect"),
        .spread = bisect_state_number(ends, "spread"),
        .error = error,
        .most = (size_t)x->b->scenario->repeat,
    };
    size_t least = stats_sides_least(error);
    struct bench_error failure = {0};
    struct trial_seen seen = {0};
    cleanup_free char *run = NULL;
    int result = run_trial(x, commit, tree, least < judge.most ? least : judge.most, judge_commit,
                           &judge, &run, &seen, &failure);

    if (result < 0 && failure.kind == BENCH_ERROR_ENVIRONMENT && !run) {
        /* Both ends were measured like this: it is this build that lacks something. */
        *ret = WALK_BROKEN;
        return note_answer(x, commit, *ret, failure.message, NULL, NULL, err);
    }
    if (result < 0) {
        *err = failure;
        return -1;
    }
    *ret = judge.answer;
    if (!x->interrupted)
        result =
            note_answer(x, commit, *ret, *ret == WALK_BROKEN ? seen.why : NULL, run, &seen, err);
    trial_seen_release(&seen);
    return result;
}

/* *ret is not set after an interrupt. */
static int ask_about(struct bisection *x, const char *commit, double error, enum walk_answer *ret,
                     struct bench_error *err)
{
    cleanup_free char *tree = NULL, *why = NULL;
    int result;

    if (bisect_state_answer(x->state, commit, ret))
        return 0;
    if (build_ends(x, err) < 0)
        return -1;
    if (x->interrupted)
        return 0;
    if (check_out_and_build(x, commit, &tree, &why, err) < 0)
        return -1;
    if (x->interrupted)
        return 0;
    if (why) {
        *ret = WALK_BROKEN;
        return note_answer(x, commit, *ret, why, NULL, NULL, err);
    }
    result = measure_commit(x, commit, tree, error, ret, err);
    if (history_discard(&x->history, tree, result < 0 ? NULL : err) < 0)
        result = -1;
    return result;
}

/* --- the walk ------------------------------------------------------------------------------- */

/* Along `line`, whose first commit is good and whose last is bad. */
static int walk_line(struct bisection *x, const struct strings *line, struct walk *w,
                     struct bench_error *err)
{
    enum walk_answer answer = WALK_BROKEN;
    double error;
    size_t i;

    while (walk_next(w, &i, &error)) {
        say(x, "%zu commits, about %zu to try", w->bad - w->good, walk_left(w));
        if (ask_about(x, line->items[i], error, &answer, err) < 0)
            return -1;
        if (x->interrupted)
            return 0;
        walk_tell(w, answer);
    }
    return 0;
}

static int finish(struct bisection *x, const char *outcome, const struct strings *line,
                  const struct walk *w, struct bench_error *err)
{
    json_t *candidates = json_object_get(x->state, "candidates");

    for (size_t i = w->good + 1; i <= w->bad; i++) {
        json_t *object = describe(x, line->items[i], err);

        if (!object)
            return -1;
        json_array_append_new(candidates, object);
    }
    json_object_set_new(x->state, "outcome", json_string(outcome));
    return save(x, err);
}

/* The branch that a merge brought in, between the commit before the merge and the merge itself;
 * empty when it is no merge of two, or brought nothing. */
static int merged_line(struct bisection *x, const char *commit, struct strings *ret,
                       struct bench_error *err)
{
    cleanup_strings struct strings parents = {0};

    if (history_parents(&x->history, commit, &parents, err) < 0)
        return -1;
    if (parents.count != 2)
        return 0;
    strings_add(ret, parents.items[0]);
    if (history_line(&x->history, parents.items[0], x->ends[GOOD].commit, parents.items[1], ret,
                     err) < 0)
        return -1;
    strings_add(ret, commit);
    return 0;
}

/* Half of the error is kept for branches where there are any; the merge at the end of a branch has
 * been entered. */
static int begin_walk(struct bisection *x, const struct strings *line, bool branch, double error,
                      struct walk *w, double *ret_kept, struct bench_error *err)
{
    const char *last = line->items[line->count - (branch ? 2 : 1)];
    bool merges;

    if (history_merges(&x->history, line->items[0], last, &merges, err) < 0)
        return -1;
    *ret_kept = merges ? error / 2 : 0;
    walk_begin(w, line->count - 1, error - *ret_kept);
    return 0;
}

/* Along the line, and into the branch if it ends at a merge: *line is then that, and *inside the
 * merge. *error is what is left of it. */
static int search_line(struct bisection *x, struct strings *line, char **inside, double *error,
                       struct bench_error *err)
{
    cleanup_strings struct strings branch = {0};
    cleanup_walk struct walk w = {0};
    const char *found;
    struct strings old = *line;
    double kept;

    if (begin_walk(x, line, *inside, *error, &w, &kept, err) < 0 || walk_line(x, line, &w, err) < 0)
        return -1;
    if (x->interrupted)
        return 0;
    found = line->items[w.bad];
    if (w.bad - w.good > 1)
        return finish(x, "several", line, &w, err);
    /* The branch holds nothing that is bad: it is the merge itself. */
    if (*inside && strcmp(*inside, found) == 0)
        return finish(x, "found", line, &w, err);
    if (merged_line(x, found, &branch, err) < 0)
        return -1;
    if (branch.count <= 2)
        return finish(x, "found", line, &w, err);
    say(x, "%.*s is a merge: into its branch", BUILD_DIGITS, found);
    free(*inside);
    *inside = xstrdup(found);
    *error = kept + w.error;
    *line = branch;
    branch = old;
    return 0;
}

static bool finished(const struct bisection *x)
{
    return json_is_string(json_object_get(x->state, "outcome"));
}

/* From good to bad. */
static int main_line(struct bisection *x, struct strings *ret, struct bench_error *err)
{
    const char *good = x->ends[GOOD].commit, *bad = x->ends[BAD].commit;

    strings_add(ret, good);
    return history_line(&x->history, good, good, bad, ret, err);
}

static int search(struct bisection *x, struct bench_error *err)
{
    cleanup_strings struct strings line = {0};
    cleanup_free char *inside = NULL;
    double error = bisect_state_number(x->state, "error");

    if (main_line(x, &line, err) < 0)
        return -1;
    while (!x->interrupted && !finished(x))
        if (search_line(x, &line, &inside, &error, err) < 0)
            return -1;
    return 0;
}

/* --- life ----------------------------------------------------------------------------------- */

/* What was given becomes {commit, subject}. */
static int resolve_end(struct bisection *x, size_t which, const char *title, const char *revision,
                       struct bench_error *err)
{
    cleanup_free char *hash = NULL;
    json_t *object;

    if (history_resolve(&x->history, revision, &hash, err) < 0)
        return -1;
    object = describe(x, hash, err);
    if (!object)
        return -1;
    json_object_set_new(x->state, title, object);
    x->ends[which] = (struct end){.title = title, .commit = bisect_state_text(object, "commit")};
    return 0;
}

/* Why good is no ancestor of bad. */
static int explain_order(struct bisection *x, struct bench_error *err)
{
    const char *good = x->ends[GOOD].commit, *bad = x->ends[BAD].commit;
    bool swapped, shallow;

    if (history_contains(&x->history, bad, good, &swapped, err) < 0 ||
        history_shallow(&x->history, &shallow, err) < 0)
        return -1;
    error_set(err, BENCH_ERROR_USAGE, "good, %.*s, is no ancestor of bad, %.*s", BUILD_DIGITS, good,
              BUILD_DIGITS, bad);
    error_hint(err, "%s",
               swapped ? "bad is one of good: good is the older of the two, also where it is the "
                         "slower one"
               : shallow
                   ? "this clone is shallow: 'git fetch --unshallow' gets what is missing"
                   : "a bisection looks between the two; 'git merge-base' names a commit that "
                     "both come from");
    return -1;
}

static int check_order(struct bisection *x, struct bench_error *err)
{
    const char *good = x->ends[GOOD].commit, *bad = x->ends[BAD].commit;
    bool descends;

    if (strcmp(good, bad) == 0)
        return error_set(err, BENCH_ERROR_USAGE, "good and bad are the same commit, %.*s",
                         BUILD_DIGITS, good);
    if (history_contains(&x->history, good, bad, &descends, err) < 0)
        return -1;
    if (descends)
        return 0;
    return explain_order(x, err);
}

/* The first commit that is asked about can be answered at all. */
static int check_blocks(struct bisection *x, struct bench_error *err)
{
    cleanup_strings struct strings line = {0};
    cleanup_walk struct walk w = {0};
    double error = bisect_state_number(x->state, "error"), kept, share;
    size_t most = (size_t)x->b->scenario->repeat, least, commit;

    if (main_line(x, &line, err) < 0 || begin_walk(x, &line, false, error, &w, &kept, err) < 0)
        return -1;
    least = walk_next(&w, &commit, &share) ? stats_sides_least(share) : 0;
    if (least <= most)
        return 0;
    error_set(err, BENCH_ERROR_USAGE,
              "repeat: no answer is sure enough after %zu blocks, with an error of %g%% for %zu "
              "commits",
              most, error * 100, line.count - 1);
    error_hint(err, "--repeat %zu or more, or a larger --error", least);
    return -1;
}

static void note_trees(struct bisection *x)
{
    json_object_set_new(x->state, "trees", json_text(x->b->keep ? x->history.trees : NULL));
}

/* The directory is made when there is something to put into it. */
static int make_directory(const struct bisect *b, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_SCENARIO, b->directory), *text = NULL;
    json_t *scenario = scenario_json(b->scenario);

    text = json_dumps(scenario, JSON_INDENT(2));
    json_decref(scenario);
    if (rmdir(b->directory) < 0 && errno != ENOENT) {
        error_errno(err, BENCH_ERROR_USAGE, errno, "'%s'", b->directory);
        error_hint(err, "name a new directory with -o; --resume goes on with a bisection");
        return -1;
    }
    if (directory_make(AT_FDCWD, b->directory, err) < 0)
        return -1;
    return file_write(AT_FDCWD, path, text, strlen(text), err);
}

static int begin(struct bisection *x, const struct bisect_question *q, struct bench_error *err)
{
    if (history_open(&x->history, q->repository, x->b->cache, err) < 0)
        return -1;
    x->state = bisect_state_new(q, x->history.repository);
    note_trees(x);
    if (resolve_end(x, GOOD, "good", q->good, err) < 0 ||
        resolve_end(x, BAD, "bad", q->bad, err) < 0 || check_order(x, err) < 0 ||
        check_blocks(x, err) < 0 || make_directory(x->b, err) < 0)
        return -1;
    return save(x, err);
}

static int resume(struct bisection *x, struct bench_error *err)
{
    if (bisect_state_read(x->b->directory, &x->state, err) < 0 ||
        history_open(&x->history, bisect_state_text(x->state, "repository"), x->b->cache, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(x->ends); i++) {
        const char *title = i == GOOD ? "good" : "bad";
        cleanup_free char *commit =
            xstrdup(bisect_state_text(json_object_get(x->state, title), "commit"));

        if (resolve_end(x, i, title, commit, err) < 0)
            return -1;
    }
    note_trees(x);
    return save(x, err);
}

static int go_on(struct bisection *x, struct bench_error *err)
{
    if (json_is_null(json_object_get(x->state, "endpoints")) && compare_ends(x, err) < 0)
        return -1;
    return x->interrupted || finished(x) ? 0 : search(x, err);
}

static int close_history(struct bisection *x, struct bench_error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(x->ends); i++)
        free(x->ends[i].tree);
    return history_close(&x->history, err);
}

int bisect_run(struct bisect *b, const struct bisect_question *q, json_t **ret_state,
               struct bench_error *err)
{
    struct bisection x = {
        .b = b,
        .history =
            {
                .containment = b->containment,
                .interrupt_fd = b->session->interrupt_fd,
                .keep = b->keep,
            },
    };
    struct bench_error failure = {0}, late = {0};
    int result = q ? begin(&x, q, &failure) : resume(&x, &failure);
    bool begun = result == 0;

    if (begun && go_on(&x, &failure) < 0 && !x.history.interrupted)
        result = -1;
    if (close_history(&x, &late) < 0 && result == 0) {
        failure = late;
        result = -1;
    }
    if (begun)
        *ret_state = x.state;
    else
        json_decref(x.state);
    if (result < 0)
        *err = failure;
    return result;
}
