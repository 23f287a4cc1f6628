/* SPDX-License-Identifier: Apache-2.0 */
#include "study/bisect.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "process/command.h"
#include "report/run_facts.h"
#include "stats/sequential.h"
#include "stats/sides.h"
#include "stats/verdict.h"
#include "store/layout.h"
#include "study/comparison.h"
#include "study/history.h"
#include "study/trial.h"
#include "study/walk.h"

enum { SHORT = 10 }; /* digits of a hash, for people */

enum arm_index { GOOD, BAD, CANDIDATE };

/* A commit that both ends are: built when it is first needed. */
struct end {
    const char *title; /* "good" */
    const char *commit;
    char *tree;
};

struct bisection {
    struct bisect *b;
    json_t *state;
    struct history history;
    struct end ends[2]; /* GOOD, BAD */
    bool interrupted;
};

/* Why a commit cannot be measured; NULL: it can. */
typedef char *reason;

/* --- the scenario --------------------------------------------------------------------------- */

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

static void point_to(struct arm *arm, const char *tree)
{
    replace(&arm->path, tree);
    for (size_t i = 0; i < arm->env.count; i++)
        replace(&arm->env.items[i].text, tree);
    for (size_t i = 0; i < arm->options.count; i++)
        replace(&arm->options.items[i].text, tree);
}

/* --- bisect.json ---------------------------------------------------------------------------- */

static int save(struct bisection *x, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" BISECT_STATE, x->b->directory);
    cleanup_free char *text = json_dumps(x->state, JSON_INDENT(2));

    return file_write(AT_FDCWD, path, text, strlen(text), err);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_text_or(json_object_get(object, key), "");
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_or(json_object_get(object, key), NAN);
}

/* Null where there is none. */
static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static int read_state(struct bisection *x, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" BISECT_STATE, x->b->directory), *data = NULL;
    size_t length;
    json_error_t wrong;

    if (file_read(AT_FDCWD, path, (size_t)64 << 20, &data, &length, err) < 0)
        return -1;
    x->state = json_loadb(data, length, JSON_REJECT_DUPLICATES, &wrong);
    if (!x->state)
        return error_set(err, BENCH_ERROR_USAGE, "'%s': %s", path, wrong.text);
    if (json_integer_value(json_object_get(x->state, "format")) != BISECT_FORMAT)
        return error_set(err, BENCH_ERROR_USAGE, "'%s' is of another version of bench", path);
    return 0;
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

/* The last line that the build printed, without its end. Caller frees. */
static char *last_words(const char *log)
{
    static const char *const streams[] = {"stderr", "stdout"};

    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        cleanup_free char *path = xasprintf("%s/%s", log, streams[i]);
        cleanup_free char *tail = file_tail(AT_FDCWD, path, 4096);
        cleanup_strings struct strings lines = {0};

        strings_split(&lines, tail ? tail : "", "\n");
        if (lines.count)
            return xstrdup(lines.items[lines.count - 1]);
    }
    return xstrdup("it printed nothing");
}

/* As git bisect does it: in the commit's tree, by a shell, not knowing of another repository. */
static const char in_tree[] = "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX\n"
                              "cd \"$1\" && exec sh -c \"$2\"";

static int build(struct bisection *x, const char *commit, const char *tree, reason *ret_why,
                 struct bench_error *err)
{
    cleanup_free char *log = xasprintf("%s/builds/%.*s", x->b->directory, SHORT, commit);
    const char *argv[] = {"sh", "-c", in_tree, "sh", tree, text_of(x->state, "build"), NULL};
    struct command_spec command = {
        .name = "build",
        .directory = log,
        .argv = argv,
        .timeout_ns = json_integer_value(json_object_get(x->state, "build_timeout_ns")),
        .interrupt_fd = x->b->session->interrupt_fd,
    };
    cleanup_free char *words = NULL;
    enum command_end end;
    int status;

    if (command_run(x->b->session->containment, &command, &end, &status, err) < 0)
        return -1;
    x->interrupted |= end == COMMAND_INTERRUPTED;
    if (end == COMMAND_EXITED && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    words = last_words(log);
    *ret_why = end == COMMAND_TIMED_OUT ? xasprintf("the build takes too long: %s", words)
               : WIFEXITED(status)
                   ? xasprintf("the build exits with %d: %s", WEXITSTATUS(status), words)
                   : xasprintf("the build was killed: %s", words);
    return 0;
}

/* *ret_tree is set unless there is a reason, or it was interrupted. */
static int check_out_and_build(struct bisection *x, const char *commit, char **ret_tree,
                               reason *ret_why, struct bench_error *err)
{
    char *tree;

    say(x, "building %.*s", SHORT, commit);
    if (history_checkout(&x->history, commit, &tree, err) < 0)
        return -1;
    if (build(x, commit, tree, ret_why, err) < 0 ||
        ((*ret_why || x->interrupted) && history_discard(&x->history, tree, err) < 0)) {
        free(tree);
        return -1;
    }
    if (*ret_why || x->interrupted)
        free(tree);
    else
        *ret_tree = tree;
    return 0;
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
        error_set(err, BENCH_ERROR_RUN, "the %s commit %.*s: %s", end->title, SHORT, end->commit,
                  why);
        error_hint(err, "what it printed is in '%s/builds/%.*s'", x->b->directory, SHORT,
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
    *ret = commit ? xasprintf("%02d-%.*s", (int)number, SHORT, commit)
                  : xasprintf("%02d-good-and-bad", (int)number);
    return 0;
}

static void name_arm(struct arm *arm, const char *title, const char *commit, const char *tree)
{
    free(arm->name);
    arm->name = xasprintf("%s%s%.*s", title, *title ? " " : "", SHORT, commit);
    point_to(arm, tree);
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

static void put_ratio(json_t *object, const struct stats_interval *i)
{
    json_object_set_new(object, "ratio", number(exp(i->estimate)));
    json_object_set_new(object, "low", i->has_interval ? number(exp(i->low)) : json_null());
    json_object_set_new(object, "high", i->has_interval ? number(exp(i->high)) : json_null());
}

/* --- good and bad --------------------------------------------------------------------------- */

struct difference {
    double error, margin;
    size_t most;
    struct stats_comparison comparison; /* of the last look */
    struct stats_verdict verdict;
};

static bool find_look(const struct difference *d, size_t n, struct stats_look *ret)
{
    size_t i = 0;

    while (stats_look(i, ret) && ret->n < n)
        i++;
    return stats_look(i, ret) && ret->n <= d->most;
}

/* Group-sequential; the looks are for 5%, and a lower error lowers their levels. */
static size_t judge_difference(void *context, const struct trial_seen *seen)
{
    struct difference *d = context;
    struct stats_look look;
    cleanup_free double *ratios = NULL;
    size_t n,
        failed = seen->failed[BAD] > seen->failed[GOOD] ? seen->failed[BAD] : seen->failed[GOOD];

    if (!find_look(d, seen->n, &look))
        return 0;
    if (look.n > seen->n)
        return look.n - seen->n;
    ratios = trial_ratios(seen, BAD, GOOD, &n);
    stats_compare(ratios, n, look.alpha * fmin(1, d->error / COMPARISON_ALPHA), 1, &d->comparison);
    stats_verdict(&d->comparison, d->margin, failed, &d->verdict);
    if (d->verdict.finding != STATS_INCONCLUSIVE && d->verdict.finding != STATS_DIFFERENT)
        return 0;
    return find_look(d, seen->n + 1, &look) ? look.n - seen->n : 0;
}

static int fail_ends(const struct trial_seen *seen, struct bench_error *err)
{
    size_t worse = seen->failed[BAD] > seen->failed[GOOD] ? BAD : GOOD;

    error_set(err, BENCH_ERROR_RUN, "%s fails in %zu of %zu blocks: %s",
              worse == BAD ? "bad" : "good", seen->failed[worse], seen->n, seen->why);
    error_hint(err, "what does not work has no speed; 'git bisect run' finds such a commit");
    return -1;
}

static int note_difference(struct bisection *x, const struct difference *d,
                           const struct trial_seen *seen, const char *run, struct bench_error *err)
{
    json_t *object;

    if (d->verdict.finding == STATS_FAILED || !seen->metric[0])
        return fail_ends(seen, err);
    object = json_pack("{s:s,s:o,s:o,s:I,s:b,s:s}", "metric", seen->metric, "effect",
                       number(d->comparison.interval.estimate), "spread",
                       number(stats_spread(&d->comparison)), "blocks", (json_int_t)seen->n,
                       "beyond", d->verdict.finding == STATS_BEYOND, "run", run);
    put_ratio(object, &d->comparison.interval);
    json_object_set_new(x->state, "endpoints", object);
    if (d->verdict.finding != STATS_BEYOND)
        json_object_set_new(x->state, "outcome", json_string("no difference"));
    return save(x, err);
}

static int compare_ends(struct bisection *x, struct bench_error *err)
{
    struct difference d = {
        .error = number_of(x->state, "error"),
        .margin = x->b->scenario->margin,
        .most = (size_t)x->b->scenario->repeat,
    };
    struct stats_look first;
    struct trial_seen seen = {0};
    cleanup_free char *run = NULL;
    int result;

    if (build_ends(x, err) < 0 || x->interrupted)
        return x->interrupted ? 0 : -1;
    stats_look(0, &first);
    say(x, "comparing good with bad");
    if (run_trial(x, NULL, NULL, first.n, judge_difference, &d, &run, &seen, err) < 0)
        return -1;
    result = x->interrupted ? 0 : note_difference(x, &d, &seen, run, err);
    trial_seen_release(&seen);
    return result;
}

/* --- a commit ------------------------------------------------------------------------------- */

/* One failure may have any cause; what fails again does not work. */
enum { MOST_FAILURES = 1 };

struct question {
    double effect, spread, error;
    size_t most;
    enum stats_side side;
    bool broken;
};

static size_t judge_side(void *context, const struct trial_seen *seen)
{
    struct question *q = context;
    size_t least = stats_sides_least(q->error);
    struct stats_sides sides;

    stats_sides_begin(&sides, q->effect, q->spread, q->error);
    q->side = STATS_UNDECIDED;
    q->broken = seen->failed[CANDIDATE] > MOST_FAILURES || seen->failed[GOOD] > MOST_FAILURES ||
                seen->failed[BAD] > MOST_FAILURES;
    for (size_t i = 0; i < seen->n && q->side == STATS_UNDECIDED; i++) {
        const struct stats_outcome *y = seen->blocks[i];

        if (!y[GOOD].failed && !y[BAD].failed && !y[CANDIDATE].failed)
            q->side =
                stats_sides_tell(&sides, stats_log_ratio(y[CANDIDATE], y[GOOD], seen->direction),
                                 stats_log_ratio(y[CANDIDATE], y[BAD], seen->direction));
    }
    if (q->broken || q->side != STATS_UNDECIDED || seen->n >= q->most)
        return 0;
    return seen->n < least ? least - seen->n : 1;
}

static const char *const answers[] = {
    [WALK_LIKE_GOOD] = "like good",
    [WALK_LIKE_BAD] = "like bad",
    [WALK_UNDECIDED] = "undecided",
    [WALK_BROKEN] = "broken",
};

static enum walk_answer answer_of(const struct question *q)
{
    return q->broken                    ? WALK_BROKEN
           : q->side == STATS_LIKE_GOOD ? WALK_LIKE_GOOD
           : q->side == STATS_LIKE_BAD  ? WALK_LIKE_BAD
                                        : WALK_UNDECIDED;
}

/* What was found out before; false: nothing was. */
static bool recall(const struct bisection *x, const char *commit, enum walk_answer *ret)
{
    json_t *tried;
    size_t i;

    json_array_foreach(json_object_get(x->state, "tried"), i, tried)
    {
        if (strcmp(text_of(tried, "commit"), commit) != 0)
            continue;
        for (size_t a = 0; a < ARRAY_SIZE(answers); a++)
            if (strcmp(answers[a], text_of(tried, "answer")) == 0)
                *ret = (enum walk_answer)a;
        return true;
    }
    return false;
}

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
    json_object_set_new(object, "answer", json_string(answers[answer]));
    json_object_set_new(object, "why", json_text(why));
    json_object_set_new(object, "run", json_text(run));
    json_object_set_new(object, "blocks", json_integer(seen ? (json_int_t)seen->n : 0));
    if (seen) {
        size_t n;
        cleanup_free double *ratios = trial_ratios(seen, CANDIDATE, GOOD, &n);
        struct stats_comparison c;

        stats_compare(ratios, n, COMPARISON_ALPHA, 1, &c);
        put_ratio(object, &c.interval);
    }
    json_array_append_new(json_object_get(x->state, "tried"), object);
    say(x, "%.*s is %s%s%s", SHORT, commit, answers[answer], why ? ": " : "", why ? why : "");
    return save(x, err);
}

static int measure_commit(struct bisection *x, const char *commit, const char *tree, double error,
                          enum walk_answer *ret, struct bench_error *err)
{
    const json_t *ends = json_object_get(x->state, "endpoints");
    struct question q = {
        .effect = number_of(ends, "effect"),
        .spread = number_of(ends, "spread"),
        .error = error,
        .most = (size_t)x->b->scenario->repeat,
    };
    size_t least = stats_sides_least(error);
    struct bench_error failure = {0};
    struct trial_seen seen = {0};
    cleanup_free char *run = NULL;
    int result = run_trial(x, commit, tree, least < q.most ? least : q.most, judge_side, &q, &run,
                           &seen, &failure);

    if (result < 0 && failure.kind == BENCH_ERROR_ENVIRONMENT && !run) {
        /* Both ends were measured like this: it is this build that lacks something. */
        *ret = WALK_BROKEN;
        return note_answer(x, commit, *ret, failure.message, NULL, NULL, err);
    }
    if (result < 0) {
        *err = failure;
        return -1;
    }
    *ret = answer_of(&q);
    if (!x->interrupted)
        result = note_answer(x, commit, *ret, q.broken ? seen.why : NULL, run, &seen, err);
    trial_seen_release(&seen);
    return result;
}

/* *ret is not set after an interrupt. */
static int ask_about(struct bisection *x, const char *commit, double error, enum walk_answer *ret,
                     struct bench_error *err)
{
    cleanup_free char *tree = NULL, *why = NULL;
    int result;

    if (recall(x, commit, ret))
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
    if (history_line(&x->history, parents.items[0], parents.items[1], ret, err) < 0)
        return -1;
    strings_add(ret, commit);
    return 0;
}

/* Half of the error is kept for branches where there are any. */
static int begin_walk(struct bisection *x, const struct strings *line, double error, struct walk *w,
                      double *ret_kept, struct bench_error *err)
{
    bool merges;

    if (history_merges(&x->history, line->items[0], line->items[line->count - 1], &merges, err) < 0)
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

    if (begin_walk(x, line, *error, &w, &kept, err) < 0 || walk_line(x, line, &w, err) < 0)
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
    say(x, "%.*s is a merge: into its branch", SHORT, found);
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

static int search(struct bisection *x, struct bench_error *err)
{
    const char *good = x->ends[GOOD].commit, *bad = x->ends[BAD].commit;
    cleanup_strings struct strings line = {0};
    cleanup_free char *inside = NULL;
    double error = number_of(x->state, "error");

    strings_add(&line, good);
    if (history_line(&x->history, good, bad, &line, err) < 0)
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
    x->ends[which] = (struct end){.title = title, .commit = text_of(object, "commit")};
    return 0;
}

static int check_order(struct bisection *x, struct bench_error *err)
{
    const char *good = x->ends[GOOD].commit, *bad = x->ends[BAD].commit;
    bool descends;

    if (strcmp(good, bad) == 0)
        return error_set(err, BENCH_ERROR_USAGE, "good and bad are the same commit, %.*s", SHORT,
                         good);
    if (history_contains(&x->history, good, bad, &descends, err) < 0)
        return -1;
    if (descends)
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "good, %.*s, is no ancestor of bad, %.*s", SHORT, good, SHORT,
              bad);
    error_hint(err, "a bisection looks between the two; 'git merge-base' names a commit that both "
                    "come from");
    return -1;
}

static void make_state(struct bisection *x, const struct bisect_question *q)
{
    x->state =
        json_pack("{s:i,s:o,s:o,s:f,s:I,s:n,s:[],s:i,s:n,s:[]}", "format", BISECT_FORMAT,
                  "repository", json_text(x->history.repository), "build", json_text(q->build),
                  "error", q->error, "build_timeout_ns", (json_int_t)q->timeout_ns, "endpoints",
                  "tried", "trials", 0, "outcome", "candidates");
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
    make_state(x, q);
    note_trees(x);
    if (resolve_end(x, GOOD, "good", q->good, err) < 0 ||
        resolve_end(x, BAD, "bad", q->bad, err) < 0 || check_order(x, err) < 0 ||
        make_directory(x->b, err) < 0)
        return -1;
    return save(x, err);
}

static int resume(struct bisection *x, struct bench_error *err)
{
    if (read_state(x, err) < 0 ||
        history_open(&x->history, text_of(x->state, "repository"), x->b->cache, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(x->ends); i++) {
        const char *title = i == GOOD ? "good" : "bad";
        cleanup_free char *commit = xstrdup(text_of(json_object_get(x->state, title), "commit"));

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
                .containment = b->session->containment,
                .interrupt_fd = b->session->interrupt_fd,
                .keep = b->keep,
            },
    };
    struct bench_error failure = {0}, late = {0};
    int result = q ? begin(&x, q, &failure) : resume(&x, &failure);

    if (result == 0 && go_on(&x, &failure) < 0 && !x.history.interrupted)
        result = -1;
    if (close_history(&x, &late) < 0 && result == 0) {
        failure = late;
        result = -1;
    }
    if (result == 0) {
        *ret_state = x.state;
        return 0;
    }
    json_decref(x.state);
    if (err)
        *err = failure;
    return -1;
}
