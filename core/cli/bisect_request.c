/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bisect_request.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/arguments.h"
#include "cli/say.h"

enum {
    FLAG_REPO = ARGUMENT_OWN,
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
};

static const struct flag flags[] = {
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
    {{"set", 1, NULL, ARGUMENT_SET}, "--set KEY=VALUE", "any key of the scenario, see 'bench run'"},
    {{"quiet", 0, NULL, 'q'}, "-q, --quiet", "no progress, only the result"},
    {{"help", 0, NULL, 'h'}, "-h, --help", "this text"},
};

static void print_help(const struct arguments *a)
{
    say_out(
        "usage: bench bisect [SCENARIO] --good REV --bad REV --build COMMAND [options]\n\n"
        "Finds the commit from which on a relay is as slow (or as fast) as the bad one. Good and\n"
        "bad are built and compared first, until it is shown that they differ by --margin: take\n"
        "half of the change you look for, since one of no more than the margin is never shown.\n"
        "Then commits between them are built and measured together with both, block by block,\n"
        "until it is shown which of the two they are like; --repeat blocks at most (unless set,\n"
        "%d). One that does not build, does not work or stays undecided is stepped around.\n\n"
        "Each commit is checked out in a directory of its own; yours stays as it is.\n\n",
        BISECT_MOST_BLOCKS);
    arguments_help(a, flags, ARRAY_SIZE(flags));
    say_out(
        "\nexamples:\n"
        "  bench bisect -r nginx --hops 1 --repo ~/src/nginx --good release-1.25.3 --bad master "
        "\\\n"
        "      --build './auto/configure --with-stream && make -j4' --path '{build}/objs'\n"
        "  bench bisect my.yaml --arm mine --good v1.0 --bad HEAD --build make --margin 2%%\n"
        "  bench bisect --resume bench-results/20261120-074418-bisect-builtin-1c65\n\n"
        "exit status: 0 the first bad commit was found; 1 something failed; 2 usage; 4 good and\n"
        "bad do not differ, or commits that were skipped hide which is the first; 5 something\n"
        "required is missing here, or the machine is unfit; 128 + N stopped by signal N\n");
}

static int apply_error(struct bisect_request *q, const char *arg, struct bench_error *err)
{
    double share;

    if (parse_share(arg, &share, err) < 0)
        return error_context(err, "--error");
    if (!(share > 0 && share < 0.5))
        return error_set(err, BENCH_ERROR_USAGE, "--error: '%s' is not between 0%% and 50%%", arg);
    q->question.error = share;
    return 0;
}

static int apply_timeout(struct bisect_request *q, const char *arg, struct bench_error *err)
{
    if (parse_duration(arg, &q->question.timeout_ns, err) < 0)
        return error_context(err, "--build-timeout");
    if (q->question.timeout_ns <= 0)
        return error_set(err, BENCH_ERROR_USAGE, "--build-timeout: '%s' is not above 0", arg);
    return 0;
}

/* Where a flag's text goes that is no more than text. */
static const char **place_of(struct bisect_request *q, int flag)
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

static int apply_flag(struct bisect_request *q, const struct arguments *a,
                      const struct argument *given, struct bench_error *err)
{
    const char **place = place_of(q, given->flag);

    if (place) {
        *place = given->value;
        return given->flag == 'o' ? cli_check_directory("--output", given->value, err) : 0;
    }
    switch (given->flag) {
    case FLAG_ERROR:
        return apply_error(q, given->value, err);
    case FLAG_TIMEOUT:
        return apply_timeout(q, given->value, err);
    case FLAG_KEEP:
        q->keep = true;
        return 0;
    case 'q':
        q->quiet = true;
        return 0;
    default:
        return arguments_apply(a, given, &q->scenario, err);
    }
}

/* What one that goes on may still choose; the rest was chosen when it began. */
static bool fits_resume(int flag)
{
    return flag == FLAG_RESUME || flag == FLAG_CACHE || flag == FLAG_KEEP || flag == 'q';
}

/* The first word that does not fit, or NULL. */
static const char *chosen_before(const struct arguments *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (!fits_resume(a->given[i].flag))
            return a->given[i].word;
    return arguments_scenario(a);
}

static int check_resume(const struct arguments *a, struct bench_error *err)
{
    const char *word = chosen_before(a);

    if (!word)
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "'%s' cannot be chosen when a bisection goes on", word);
    error_hint(err, "beside --resume there are --cache, --keep and --quiet");
    return -1;
}

static int check_question(const struct bisect_question *q, struct bench_error *err)
{
    if (q->good && q->bad && q->build)
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "a bisection needs %s",
              !q->good  ? "--good, a commit that is as it should be"
              : !q->bad ? "--bad, a commit that is not"
                        : "--build, the command that builds a commit");
    error_hint(err, "'bench bisect --help' has examples");
    return -1;
}

int bisect_request_read(struct bisect_request *q, struct cli *cli, int argc, char **argv,
                        bool *ret_help, struct bench_error *err)
{
    cleanup_arguments struct arguments a = {0};
    const char *file;

    *q = (struct bisect_request){
        .question = {.repository = ".", .error = 0.05, .timeout_ns = 3600 * NS_PER_S}};
    scenario_init(&q->scenario);
    arguments_scan(&a, flags, ARRAY_SIZE(flags), NULL, argc, argv);
    if (arguments_check(&a, err) < 0)
        return -1;
    *ret_help = arguments_have(&a, 'h');
    if (*ret_help) {
        print_help(&a);
        return 0;
    }
    file = arguments_scenario(&a);
    if (file && cli_read_scenario(cli, file, &q->scenario, err) < 0)
        return -1;
    for (size_t i = 0; i < a.n; i++)
        if (apply_flag(q, &a, &a.given[i], err) < 0)
            return -1;
    return q->resume ? check_resume(&a, err) : check_question(&q->question, err);
}

void bisect_request_release(struct bisect_request *q)
{
    free(q->directory);
    free(q->cache_directory);
    scenario_release(&q->scenario);
}
