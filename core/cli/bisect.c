/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench bisect: which commit made the relay slower (or faster). The question from the flags, the
 * search by study/bisect.h, and what it found.
 */
#include "study/bisect.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/units.h"
#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "report/run_facts.h"
#include "store/layout.h"

enum flag {
    FLAG_REPO = 256,
    FLAG_GOOD,
    FLAG_BAD,
    FLAG_BUILD,
    FLAG_ARM,
    FLAG_PATH,
    FLAG_ERROR,
    FLAG_TIMEOUT,
    FLAG_CACHE,
    FLAG_KEEP,
    FLAG_RESUME,
    FLAG_SET,
    FLAG_KEY, /* FLAG_KEY + i: scenario_keys[i] */
};

static const struct {
    struct option option;
    const char *usage, *help;
} flags[] = {
    {{"good", 1, NULL, FLAG_GOOD}, "--good REV", "a commit that is as it should be"},
    {{"bad", 1, NULL, FLAG_BAD}, "--bad REV", "one that is not, and comes after it"},
    {{"build", 1, NULL, FLAG_BUILD},
     "--build COMMAND",
     "builds a commit, in the directory where that is checked out; for sh"},
    {{"repo", 1, NULL, FLAG_REPO}, "--repo DIR", "its git repository (default: .)"},
    {{"arm", 1, NULL, FLAG_ARM}, "--arm NAME", "which of the scenario's relays is built"},
    {{"path", 1, NULL, FLAG_PATH},
     "--path PATH",
     "where its program then is, with " BISECT_BUILD " for the directory of the build; also in the "
     "relay's path, env and options (default: the relay's path, else " BISECT_BUILD ")"},
    {{"error", 1, NULL, FLAG_ERROR},
     "--error SHARE",
     "chance at most that a wrong commit is named (default 5%)"},
    {{"build-timeout", 1, NULL, FLAG_TIMEOUT},
     "--build-timeout TIME",
     "a build that takes longer is broken (default 1h)"},
    {{"cache", 1, NULL, FLAG_CACHE},
     "--cache DIR",
     "where commits are checked out (default ~/.cache/bench)"},
    {{"keep", 0, NULL, FLAG_KEEP}, "--keep", "leave them there"},
    {{"output", 1, NULL, 'o'},
     "-o, --output DIR",
     "for all runs and bisect.json (default bench-results/TIME-bisect-NAME-ID)"},
    {{"resume", 1, NULL, FLAG_RESUME}, "--resume DIR", "go on with one that was stopped"},
    {{"relay", 1, NULL, 'r'}, "-r, --relay NAME", "the relay, without a scenario"},
    {{"set", 1, NULL, FLAG_SET}, "--set KEY=VALUE", "any key of the scenario, see 'bench run'"},
    {{"quiet", 0, NULL, 'q'}, "-q, --quiet", "no progress, only the result"},
    {{"help", 0, NULL, 'h'}, "-h, --help", "this text"},
};

struct request {
    struct bisect_question question;
    const char *arm, *path, *output, *cache, *resume;
    bool keep, quiet, help;
    struct scenario scenario;
    char *directory, *cache_directory;
};

/* --- the command line ----------------------------------------------------------------------- */

static struct option *make_options(void)
{
    size_t n = ARRAY_SIZE(flags);
    struct option *options = xcalloc(n + flags_count(scenario_keys) + 1, sizeof(*options));

    for (size_t i = 0; i < n; i++)
        options[i] = flags[i].option;
    flags_add(options + n, scenario_keys, FLAG_KEY);
    return options;
}

static int print_help(const struct option *options)
{
    printf(
        "usage: bench bisect [SCENARIO] --good REV --bad REV --build COMMAND [options]\n\n"
        "Finds the commit from which on a relay is as slow (or as fast) as the bad one. Good and\n"
        "bad are built and compared first, until it is shown that they differ by --margin. Then\n"
        "commits between them are built and measured together with both, block by block, until it\n"
        "is shown which of the two they are like; --repeat blocks at most (unless set, %d). One\n"
        "that does not build, does not work or stays undecided is stepped around.\n\n"
        "Each commit is checked out in a directory of its own; yours stays as it is.\n\n",
        BISECT_MOST_BLOCKS);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        cli_help_row(flags[i].usage, flags[i].help);
    printf("\nScenario keys:\n");
    for (const struct option *o = options; o->name; o++)
        if (o->val >= FLAG_KEY)
            flags_help(o, &scenario_keys[o->val - FLAG_KEY]);
    printf(
        "\nexamples:\n"
        "  bench bisect -r nginx --hops 1 --repo ~/src/nginx --good release-1.25.3 --bad master "
        "\\\n"
        "      --build './auto/configure --with-stream && make -j4' --path '{build}/objs'\n"
        "  bench bisect my.yaml --arm mine --good v1.0 --bad HEAD --build make --margin 2%%\n"
        "  bench bisect --resume bench-results/20261120-074418-bisect-builtin-1c65\n\n"
        "exit status: 0 the first bad commit was found; 1 something failed; 2 usage; 4 good and\n"
        "bad do not differ, or commits that were skipped hide which is the first; 5 something\n"
        "required is missing here, or the machine is unfit; 128 + N stopped by signal N\n");
    return 0;
}

static int apply_error(struct request *q, const char *arg, struct bench_error *err)
{
    double share;

    if (parse_share(arg, &share, err) < 0)
        return error_context(err, "--error");
    if (!(share > 0 && share < 0.5))
        return error_set(err, BENCH_ERROR_USAGE, "--error: '%s' is not between 0%% and 50%%", arg);
    q->question.error = share;
    return 0;
}

static int apply_timeout(struct request *q, const char *arg, struct bench_error *err)
{
    if (parse_duration(arg, &q->question.timeout_ns, err) < 0)
        return error_context(err, "--build-timeout");
    if (q->question.timeout_ns <= 0)
        return error_set(err, BENCH_ERROR_USAGE, "--build-timeout: no build is that fast");
    return 0;
}

/* Where a flag's text goes that is no more than text. */
static const char **place_of(struct request *q, int flag)
{
    switch (flag) {
    case FLAG_REPO:
        return &q->question.repository;
    case FLAG_GOOD:
        return &q->question.good;
    case FLAG_BAD:
        return &q->question.bad;
    case FLAG_BUILD:
        return &q->question.build;
    case FLAG_ARM:
        return &q->arm;
    case FLAG_PATH:
        return &q->path;
    case FLAG_CACHE:
        return &q->cache;
    case FLAG_RESUME:
        return &q->resume;
    case 'o':
        return &q->output;
    default:
        return NULL;
    }
}

static int apply_flag(struct request *q, int flag, const char *arg, struct bench_error *err)
{
    const char **place = place_of(q, flag);

    if (place) {
        *place = arg;
        return 0;
    }
    switch (flag) {
    case FLAG_ERROR:
        return apply_error(q, arg, err);
    case FLAG_TIMEOUT:
        return apply_timeout(q, arg, err);
    case FLAG_KEEP:
        q->keep = true;
        return 0;
    case 'q':
        q->quiet = true;
        return 0;
    case 'h':
        q->help = true;
        return 0;
    case 'r':
        return scenario_set(&q->scenario, "relays", arg, "--relay", err);
    case 'w':
        return scenario_set(&q->scenario, "workload", arg, "--workload", err);
    case 'p':
        return scenario_set(&q->scenario, "protocol", arg, "--protocol", err);
    case FLAG_SET:
        return flags_set(&q->scenario, arg, err);
    default:
        return flags_set_key(&q->scenario, scenario_keys[flag - FLAG_KEY].name,
                             scenario_keys[flag - FLAG_KEY].name, arg, err);
    }
}

#define SHORT_FLAGS "wrpoqh"
#define GETOPT_FLAGS "-:w:r:p:o:qh"

/* What one that goes on may still choose; the rest was chosen when it began. */
static bool fits_resume(int flag)
{
    return flag == FLAG_RESUME || flag == FLAG_CACHE || flag == FLAG_KEEP || flag == 'q' ||
           flag == 'h';
}

struct words {
    const char *scenario;
    const char *other; /* a word that does not fit --resume, or NULL */
};

/* With `files` the scenario's name is collected and nothing is applied; without it the other way
 * round: flags go over the file, wherever it stands. */
static int scan(struct request *q, const struct option *options, int argc, char **argv, bool files,
                struct words *ret, struct bench_error *err)
{
    char word[3];
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, GETOPT_FLAGS, options, NULL)) != -1) {
        if (c == ':')
            return error_set(err, BENCH_ERROR_USAGE, "option '%s' needs a value", argv[optind - 1]);
        if (c == '?')
            return flags_unknown(argv[0], cli_refused_option(argv, SHORT_FLAGS, word), options,
                                 err);
        if (!fits_resume(c))
            ret->other = c == 1 ? optarg : argv[optind - 1];
        if (c == 1 && files && ret->scenario)
            return error_set(err, BENCH_ERROR_USAGE, "two scenarios: '%s' and '%s'", ret->scenario,
                             optarg);
        if (c == 1)
            ret->scenario = optarg;
        else if (!files && apply_flag(q, c, optarg, err) < 0)
            return -1;
    }
    return 0;
}

static int parse_arguments(struct cli *cli, struct request *q, const struct option *options,
                           int argc, char **argv, struct bench_error *err)
{
    struct words words = {0}, again = {0};

    if (scan(q, options, argc, argv, true, &words, err) < 0)
        return -1;
    if (words.scenario && cli_read_scenario(cli, words.scenario, &q->scenario, err) < 0)
        return -1;
    if (scan(q, options, argc, argv, false, &again, err) < 0 || q->help)
        return q->help ? 0 : -1;
    if (q->resume && words.other) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' cannot be chosen when a bisection goes on",
                  words.other);
        error_hint(err, "beside --resume there are --cache, --keep and --quiet");
        return -1;
    }
    return 0;
}

static int check_question(const struct request *q, struct bench_error *err)
{
    const struct bisect_question *question = &q->question;

    if (q->resume || (question->good && question->bad && question->build))
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "a bisection needs %s",
              !question->good  ? "--good, a commit that is as it should be"
              : !question->bad ? "--bad, a commit that is not"
                               : "--build, the command that builds a commit");
    error_hint(err, "'bench bisect --help' has examples");
    return -1;
}

/* --- what is made of it --------------------------------------------------------------------- */

static int find_cache(struct request *q, struct bench_error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (q->cache)
        q->cache_directory = xstrdup(q->cache);
    else if (cache && *cache == '/')
        q->cache_directory = xasprintf("%s/bench", cache);
    else if (home && *home == '/')
        q->cache_directory = xasprintf("%s/.cache/bench", home);
    else
        return error_set(err, BENCH_ERROR_USAGE, "no HOME: name a directory with --cache");
    return directory_make(AT_FDCWD, q->cache_directory, err);
}

static void find_directory(struct request *q)
{
    cleanup_free char *name = xasprintf("bisect %s", q->scenario.name);
    cleanup_free char *id = NULL;
    cleanup_free char *here = getcwd(NULL, 0);
    const char *given = q->resume ? q->resume : q->output;

    if (!given)
        id = layout_id(clock_wall(), name, (uint16_t)random_seed());
    q->directory = given && *given == '/' ? xstrdup(given)
                   : given                ? xasprintf("%s/%s", here ? here : ".", given)
                           : xasprintf("%s/" LAYOUT_RESULTS "/%s", here ? here : ".", id);
}

static int read_resumed(struct request *q, struct bench_error *err)
{
    cleanup_free char *path = xasprintf("%s/" LAYOUT_SCENARIO, q->resume);

    if (!q->resume || scenario_read(&q->scenario, path, err) == 0)
        return 0;
    error_hint(err, "--resume needs the directory of a bisection");
    return -1;
}

static int prepare(struct cli *cli, struct request *q, struct bench_error *err)
{
    if (check_question(q, err) < 0 || read_resumed(q, err) < 0 ||
        scenario_check(&q->scenario, cli_registry(cli), capture_known, err) < 0 ||
        bisect_prepare(&q->scenario, q->arm, q->path, err) < 0 || find_cache(q, err) < 0)
        return -1;
    find_directory(q);
    return 0;
}

static void say(void *context, const char *line)
{
    struct progress_view *view = context;

    if (view->quiet)
        return;
    progress_view_clear(view);
    fprintf(stderr, "%s\n", line);
}

static int execute(const struct request *q, const struct registry *r, char **argv, int interrupt_fd,
                   json_t **ret_state, struct bench_error *err)
{
    struct containment containment;
    struct progress_view view;
    struct session session = {
        .containment = &containment,
        .interrupt_fd = interrupt_fd,
        .progress = progress_view_update,
        .progress_context = &view,
    };
    struct bisect bisect = {
        .session = &session,
        .registry = r,
        .scenario = &q->scenario,
        .directory = q->directory,
        .cache = q->cache_directory,
        .keep = q->keep,
        .command = argv,
        .say = say,
        .context = &view,
    };
    struct bench_error late = {0};
    int result;

    progress_view_init(&view, q->quiet);
    if (containment_start(&containment, err) < 0)
        return -1;
    result = bisect_run(&bisect, q->resume ? NULL : &q->question, ret_state, err);
    progress_view_clear(&view);
    versions_release(&session.versions);
    if (containment_stop(&containment, &late) < 0) {
        if (result < 0)
            cli_error(&late);
        else
            *err = late;
        result = -1;
    }
    return result;
}

/* --- the result ----------------------------------------------------------------------------- */

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

/* Subjects are anybody's: no byte that would move the cursor. */
static void print_text(const char *s)
{
    for (; *s; s++)
        putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
}

static void print_commit(const char *title, const json_t *commit)
{
    printf("%-9s%.10s  ", title, text_of(commit, "commit"));
    print_text(text_of(commit, "subject"));
    putchar('\n');
}

static void print_head(const struct request *q, const json_t *state)
{
    const json_t *ends = json_object_get(state, "endpoints");
    char ratio[96], margin[32], error[32];

    printf("bench bisect: ");
    print_text(q->scenario.name);
    printf("\n");
    print_commit("good", json_object_get(state, "good"));
    print_commit("bad", json_object_get(state, "bad"));
    if (!json_is_object(ends))
        return;
    printf("%-9s%s %s, good to bad, after %lld blocks (%s)\n", "by", text_of(ends, "metric"),
           ratio_of(ends, ratio, sizeof(ratio)),
           (long long)json_integer_value(json_object_get(ends, "blocks")), text_of(ends, "run"));
    printf("%-9schance of a wrong commit at most %s%%; margin %s%%; fixed before the run\n", "rule",
           format_number(number_of(state, "error") * 100, error, sizeof(error)),
           format_number(q->scenario.margin * 100, margin, sizeof(margin)));
}

static void print_tried(const json_t *state)
{
    const json_t *all = json_object_get(state, "tried");
    json_t *tried;
    size_t i;

    if (!json_array_size(all))
        return;
    printf("\n%-12s%-11s%7s  %-28s%-15s%s\n", "commit", "answer", "blocks", "vs good [95%]", "run",
           "subject");
    json_array_foreach(all, i, tried)
    {
        char ratio[96];

        printf("%-12.10s%-11s%7lld  %-28s%-15s", text_of(tried, "commit"), text_of(tried, "answer"),
               (long long)json_integer_value(json_object_get(tried, "blocks")),
               ratio_of(tried, ratio, sizeof(ratio)), text_of(tried, "run"));
        print_text(text_of(tried, "subject"));
        putchar('\n');
        if (*text_of(tried, "why")) {
            printf("%-12s", "");
            print_text(text_of(tried, "why"));
            putchar('\n');
        }
    }
}

static void print_candidates(const json_t *state)
{
    json_t *commit;
    size_t i;

    json_array_foreach(json_object_get(state, "candidates"), i, commit)
    {
        printf("  %s  ", text_of(commit, "commit"));
        print_text(text_of(commit, "subject"));
        putchar('\n');
    }
}

/* Returns the exit code. */
static int print_outcome(const struct request *q, const json_t *state)
{
    const char *outcome = text_of(state, "outcome");
    char margin[32];

    putchar('\n');
    if (strcmp(outcome, "found") == 0) {
        printf("the first bad commit:\n");
        print_candidates(state);
        return 0;
    }
    if (strcmp(outcome, "several") == 0) {
        printf("the first bad commit is one of these; all but the last were skipped:\n");
        print_candidates(state);
    } else if (*outcome) {
        printf("no difference between good and bad of at least %s%% was shown\n",
               format_number(q->scenario.margin * 100, margin, sizeof(margin)));
    }
    return BENCH_ERROR_INCONCLUSIVE;
}

static int print_result(const struct request *q, const json_t *state)
{
    int code;

    print_head(q, state);
    print_tried(state);
    code = print_outcome(q, state);
    printf("\n'bench report %s/RUN' shows a run; builds printed what is in '%s/builds'\n",
           q->directory, q->directory);
    if (*text_of(state, "trees"))
        printf("commits are checked out in '%s'; 'git worktree remove --force' removes one\n",
               text_of(state, "trees"));
    return code;
}

static int bisect(struct cli *cli, const struct request *q, char **argv)
{
    struct bench_error err = {0};
    json_t *state = NULL;
    sigset_t old;
    int fd = signals_open(&old), code, received;

    signal(SIGPIPE, SIG_IGN);
    code = execute(q, cli_registry(cli), argv, fd, &state, &err) < 0 ? cli_error(&err) : 0;
    received = signals_close(fd, &old);
    if (code == 0)
        code = print_result(q, state);
    if (state && json_is_null(json_object_get(state, "outcome")))
        fprintf(stderr, "bench: stopped early; 'bench bisect --resume %s' goes on\n", q->directory);
    if (received && !(state && json_is_string(json_object_get(state, "outcome"))))
        code = 128 + received;
    json_decref(state);
    return code;
}

int cli_bisect(struct cli *cli, int argc, char **argv)
{
    struct option *options = make_options();
    struct request q = {
        .question = {.repository = ".", .error = 0.05, .timeout_ns = 3600 * NS_PER_S}};
    struct bench_error err = {0};
    int code;

    scenario_init(&q.scenario);
    if (parse_arguments(cli, &q, options, argc, argv, &err) < 0)
        code = cli_error(&err);
    else if (q.help)
        code = print_help(options);
    else if (prepare(cli, &q, &err) < 0)
        code = cli_error(&err);
    else
        code = bisect(cli, &q, argv);
    free(q.directory);
    free(q.cache_directory);
    scenario_release(&q.scenario);
    flags_free(options, FLAG_KEY);
    return code;
}
