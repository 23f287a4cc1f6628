/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench run: scenario and flags → plan → runner → store, then the report of what was stored.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/capture.h"
#include "cli/dry_run.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "environment/facts.h"
#include "report/gates.h"
#include "run/runner.h"
#include "store/baseline.h"
#include "store/store.h"
#include "study/blocks.h"
#include "study/comparison.h"
#include "study/saturation.h"

/* Flags that are not scalar scenario keys. Those all have a flag of their own name. */
enum flag {
    FLAG_CAPTURE = 256,
    FLAG_CAPTURE_COST,
    FLAG_SAVE_BASELINE,
    FLAG_BASELINE_RUN,
    FLAG_FAIL_ON,
    FLAG_SET,
    FLAG_DRY_RUN,
    FLAG_NO_COLOR,
    FLAG_FORMAT,
    FLAG_DETAILS,
    FLAG_KEY,           /* FLAG_KEY + i: scenario_keys[i] */
    FLAG_OPTION = 4096, /* FLAG_OPTION + i: option i of the command's capture */
};

static const struct {
    struct option option;
    const char *usage, *help;
} flags[] = {
    {{"relay", 1, NULL, 'r'}, "-r, --relay NAME,…", "the arms: relays to compare, baseline first"},
    {{"relays", 1, NULL, 'r'}, NULL, NULL}, /* as the scenario's key is called */
    {{"capture", 1, NULL, FLAG_CAPTURE},
     "--capture NAME,…",
     "what to collect: 'bench list captures'"},
    {{"capture-cost", 0, NULL, FLAG_CAPTURE_COST},
     "--capture-cost",
     "compare one relay without captures and with each of them: what looking costs"},
    {{"save-baseline", 1, NULL, FLAG_SAVE_BASELINE},
     "--save-baseline NAME",
     "keep the run under this name ('bench list baselines')"},
    {{"baseline-run", 1, NULL, FLAG_BASELINE_RUN},
     "--baseline-run NAME",
     "bench compare: against the run that was kept under this name, relay by relay"},
    {{"fail-on", 1, NULL, FLAG_FAIL_ON},
     "--fail-on GATE",
     "what makes the run fail: 'latency_p99 > 5ms', 'bits_per_second of nginx regresses 3%'; one "
     "more with each"},
    {{"set", 1, NULL, FLAG_SET},
     "--set KEY=VALUE",
     "any key, also workload.KEY, relay.KEY, capture.NAME.KEY, cpus.ROLE"},
    {{"output", 1, NULL, 'o'},
     "-o, --output DIR",
     "run directory (default bench-results/TIME-NAME-ID)"},
    {{"format", 1, NULL, FLAG_FORMAT}, "--format NAME", "reporter for the result (default text)"},
    {{"details", 0, NULL, FLAG_DETAILS}, "--details", "print every metric and every repetition"},
    {{"dry-run", 0, NULL, FLAG_DRY_RUN},
     "--dry-run",
     "print the plan, start nothing; -v adds commands"},
    {{"quiet", 0, NULL, 'q'}, "-q, --quiet", "no progress, only failures and the result"},
    {{"verbose", 0, NULL, 'v'}, "-v, --verbose", "say where things are kept"},
    {{"no-color", 0, NULL, FLAG_NO_COLOR}, "--no-color", "no colours (also NO_COLOR)"},
    {{"help", 0, NULL, 'h'}, "-h, --help", "this text"},
};

/* What a command makes of a run. */
struct mode {
    const char *capture; /* added to the scenario's, or NULL */
    bool compare;        /* with verdicts */
};

struct request {
    const struct mode *mode;
    const char *output, *format;
    const char *save_baseline, *baseline_run; /* names, or NULL */
    char *baseline_path;                      /* of the latter */
    bool capture_cost, dry_run, quiet, verbose, no_color, details, help;
    struct scenario scenario;
    const struct registry *registry;
};

static const struct bench_option *options_of(const char *capture)
{
    static const struct bench_option none[] = {{0}};

    return capture ? capture_find(capture)->options : none;
}

/* getopt's table: the flags above, then one per scalar key of the scenario, and one per option of
 * the command's capture. */
static struct option *make_options(const char *capture)
{
    const struct bench_option *own = options_of(capture);
    size_t n = ARRAY_SIZE(flags);
    struct option *options =
        xcalloc(n + flags_count(scenario_keys) + flags_count(own) + 1, sizeof(*options));

    for (size_t i = 0; i < n; i++)
        options[i] = flags[i].option;
    n += flags_add(options + n, scenario_keys, FLAG_KEY);
    flags_add(options + n, own, FLAG_OPTION);
    return options;
}

static int print_help(const char *command, const struct mode *mode, const struct option *options)
{
    printf("usage: bench %s [SCENARIO] [options]\n", command);
    if (mode->compare)
        printf("       bench compare [LABEL=]RUN [LABEL=]RUN [--metric NAME,…] [--margin SHARE]\n"
               "                     [--format NAME] [--details] [--no-color]\n");
    printf("\nRuns a scenario (a YAML file, the name of a shipped one, or '-') and prints the "
           "result.\n"
           "Without a scenario, flags alone describe the run; with one, they override it.\n\n");
    if (mode->capture)
        printf("The capture '%s' is added to the scenario's: %s.\n\n", mode->capture,
               capture_find(mode->capture)->help);
    if (mode->compare)
        printf(
            "Its relays are compared with the first of them (or `baseline`), by a rule that is "
            "fixed\n"
            "before the run: which metrics decide (--metric), what counts as a difference\n"
            "(--margin), at a family error of 5%%. Unless set, --repeat is %d (%d when there are\n"
            "several comparisons) and --interleave is auto. Two words are two saved runs, of "
            "which\n"
            "nothing is measured again.\n\n",
            COMPARISON_BLOCKS, COMPARISON_BLOCKS_SEVERAL);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (flags[i].usage)
            cli_help_row(flags[i].usage, flags[i].help);
    if (mode->capture)
        printf("\nOptions of the capture:\n");
    for (const struct option *o = options; o->name; o++)
        if (o->val >= FLAG_OPTION)
            flags_help(o, &options_of(mode->capture)[o->val - FLAG_OPTION]);
    printf("\nScenario keys:\n");
    for (const struct option *o = options; o->name; o++)
        if (o->val >= FLAG_KEY && o->val < FLAG_OPTION)
            flags_help(o, &scenario_keys[o->val - FLAG_KEY]);
    printf(
        "\nexamples:\n"
        "  bench %s none-vs-nginx --repeat 12\n"
        "  bench %s -w builtin -r none,nginx --hops 1 --duration 2s\n"
        "  bench %s -r none,nginx --set workload.mode=echo --dry-run\n\n"
        "exit status: 0 done; 1 a repetition or the run failed; 2 usage, invalid scenario, or a\n"
        "gate that matched nothing; 3 a gate failed; 4 a gate could not be decided; 5 something\n"
        "required is missing here, or the environment was unfit; 128 + N stopped by signal N\n",
        command, command, command);
    return 0;
}

static int apply_flag(struct request *q, int flag, const char *arg, struct bench_error *err)
{
    switch (flag) {
    case 'r':
        return scenario_set(&q->scenario, "relays", arg, "--relay", err);
    case 'w':
        return scenario_set(&q->scenario, "workload", arg, "--workload", err);
    case 'p':
        return scenario_set(&q->scenario, "protocol", arg, "--protocol", err);
    case FLAG_CAPTURE:
        return scenario_set(&q->scenario, "capture", arg, "--capture", err);
    case FLAG_CAPTURE_COST:
        q->capture_cost = true;
        return 0;
    case FLAG_SAVE_BASELINE:
        q->save_baseline = arg;
        return 0;
    case FLAG_BASELINE_RUN:
        q->baseline_run = arg;
        return 0;
    case FLAG_FAIL_ON:
        return scenario_set(&q->scenario, "fail_on", arg, "--fail-on", err);
    case FLAG_SET:
        return flags_set(&q->scenario, arg, err);
    case FLAG_FORMAT:
        q->format = arg;
        return 0;
    case 'o':
        q->output = arg;
        return 0;
    case FLAG_DRY_RUN:
        q->dry_run = true;
        return 0;
    case FLAG_NO_COLOR:
        q->no_color = true;
        return 0;
    case FLAG_DETAILS:
        q->details = true;
        return 0;
    case 'q':
        q->quiet = true;
        return 0;
    case 'v':
        q->verbose = true;
        return 0;
    default:
        return flags_set_key(&q->scenario, scenario_keys[flag - FLAG_KEY].name,
                             scenario_keys[flag - FLAG_KEY].name, arg, err);
    }
}

#define SHORT_FLAGS "wrpoqvh"

struct given {
    int flag;
    const char *argument;
};

static int take_scenario(const char *word, const char **ret_file, struct bench_error *err)
{
    if (*ret_file)
        return error_set(err, BENCH_ERROR_USAGE, "two scenarios: '%s' and '%s'", *ret_file, word);
    *ret_file = word;
    return 0;
}

#define GETOPT_FLAGS "-:w:r:p:o:qvh"

int cli_run_words(int argc, char **argv)
{
    struct option *options = make_options(NULL);
    int words = 0, c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, GETOPT_FLAGS, options, NULL)) != -1)
        words += c == 1;
    flags_free(options, FLAG_KEY);
    return words + argc - optind;
}

/* Collects the flags and the scenario's name without acting on them. */
static int scan_arguments(int argc, char **argv, const struct option *options, struct given *given,
                          size_t *ret_n, const char **ret_file, struct bench_error *err)
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
        if (c != 1)
            given[(*ret_n)++] = (struct given){c, optarg};
        else if (take_scenario(optarg, ret_file, err) < 0)
            return -1;
    }
    /* What stands behind "--". */
    for (; optind < argc; optind++)
        if (take_scenario(argv[optind], ret_file, err) < 0)
            return -1;
    return 0;
}

/* Options that the scenario gives to a capture of the same name are kept. */
static int add_capture(struct scenario *s, const char *name, struct bench_error *err)
{
    cleanup_text struct text names = {0};

    text_add(&names, "%s", name);
    for (size_t i = 0; i < s->n_captures; i++)
        if (strcmp(s->captures[i].name, name) != 0)
            text_add(&names, ",%s", s->captures[i].name);
    return scenario_set(s, "capture", text_get(&names), name, err);
}

static int apply_option(struct request *q, const struct given *given, struct bench_error *err)
{
    const char *name = options_of(q->mode->capture)[given->flag - FLAG_OPTION].name;
    cleanup_free char *key = xasprintf("capture.%s.%s", q->mode->capture, name);

    return flags_set_key(&q->scenario, key, name, given->argument, err);
}

/* The command's own capture, with the flags that are its options. */
static int apply_capture(struct request *q, const struct given *given, size_t n,
                         struct bench_error *err)
{
    if (!q->mode->capture)
        return 0;
    if (add_capture(&q->scenario, q->mode->capture, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (given[i].flag >= FLAG_OPTION && apply_option(q, &given[i], err) < 0)
            return -1;
    return 0;
}

/* The scenario file first, wherever it stands, then the flags over it in their order. */
static int parse_arguments(struct cli *cli, struct request *q, const struct option *options,
                           int argc, char **argv, struct bench_error *err)
{
    cleanup_free struct given *given = xcalloc((size_t)argc + 1, sizeof(*given));
    const char *file = NULL;
    size_t n = 0;

    if (scan_arguments(argc, argv, options, given, &n, &file, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        q->help |= given[i].flag == 'h';
    if (q->help)
        return 0;
    if (file && cli_read_scenario(cli, file, &q->scenario, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (given[i].flag < FLAG_OPTION && apply_flag(q, given[i].flag, given[i].argument, err) < 0)
            return -1;
    return apply_capture(q, given, n, err);
}

struct outcome {
    enum runner_outcome end;
    uint32_t failed;
    bool created; /* there is a run directory */
};

static const char *final_state(int result, const struct outcome *outcome)
{
    if (result < 0)
        return "failed";
    return outcome->end == RUNNER_INTERRUPTED ? "interrupted" : "complete";
}

/* The plan that measures; of a comparison also the blocks that it turns out to need. */
static int run_measured(struct session *session, const struct request *q,
                        const struct scenario *scenario, const struct plan *plan,
                        struct outcome *ret, struct bench_error *err)
{
    if (runner_run(session, plan, &ret->end, &ret->failed, err) < 0)
        return -1;
    if (!q->mode->compare || q->baseline_run || ret->end == RUNNER_INTERRUPTED)
        return 0;
    return blocks_complete(session, scenario, q->registry, plan, &ret->end, &ret->failed, err);
}

/* `rate: auto`: the search, then all arms at the rates that it found. */
static int run_searched(struct session *session, const struct request *q, const struct plan *first,
                        struct outcome *ret, struct bench_error *err)
{
    struct saturation found = {0};
    struct scenario swept;
    struct plan plan;
    int result = saturation_find(session, first, q->registry, &found, &ret->end, err);

    if (result < 0 || ret->end == RUNNER_INTERRUPTED)
        return result;
    progress_view_clear(session->progress_context);
    if (!q->quiet)
        fprintf(stderr, "every arm keeps up with %g requests/s; now at 20%% to 95%% of that\n",
                found.rate);
    saturation_scenario(&swept, &q->scenario, &found);
    result = plan_make(&plan, &swept, q->registry, err);
    if (result == 0) {
        plan_follow(&plan, found.steps, NULL);
        result = store_extend(session->store, &plan, err);
        if (result == 0)
            result = run_measured(session, q, &swept, &plan, ret, err);
        plan_release(&plan);
    }
    scenario_release(&swept);
    saturation_release(&found);
    return result;
}

static int run_stored(struct session *session, const struct request *q, const struct plan *plan,
                      struct outcome *ret, struct bench_error *err)
{
    struct bench_error late = {0};
    int result;

    session->identities = identity_cache_new();
    if (plan->scenario.rate == RATE_AUTO)
        result = run_searched(session, q, plan, ret, err);
    else
        result = run_measured(session, q, &q->scenario, plan, ret, err);
    identity_cache_free(session->identities);
    if (store_finish(session->store, final_state(result, ret), &late) < 0 && result == 0) {
        *err = late;
        result = -1;
    }
    return result;
}

/* Everything between the first and the last process. */
static int run_contained(struct session *session, const struct request *q, const struct plan *plan,
                         char **argv, struct outcome *ret, struct bench_error *err)
{
    struct bench_error late = {0};
    json_t *facts;
    int result;

    if (containment_start(session->containment, err) < 0)
        return -1;
    facts = facts_collect(&session->containment->host);
    result = store_create(session->store, q->output, plan, facts, argv, err);
    if (result == 0 && q->mode->compare && !q->baseline_run)
        result = store_note(session->store, "comparison", comparison_rule(&q->scenario), err);
    json_decref(facts);
    if (result == 0) {
        ret->created = true;
        if (q->verbose)
            fprintf(stderr, "run directory: %s\n", session->store->path);
        result = run_stored(session, q, plan, ret, err);
        progress_view_clear(session->progress_context);
    }
    if (containment_stop(session->containment, &late) < 0) {
        if (result < 0)
            cli_error(&late);
        else
            *err = late;
        result = -1;
    }
    return result;
}

static int execute(const struct request *q, const struct plan *plan, char **argv, int interrupt_fd,
                   struct store_writer *store, struct outcome *ret, struct bench_error *err)
{
    struct containment containment;
    struct progress_view view;
    struct session session = {
        .containment = &containment,
        .store = store,
        .interrupt_fd = interrupt_fd,
        .progress = progress_view_update,
        .progress_context = &view,
    };
    int result;

    progress_view_init(&view, q->quiet);
    result = runner_check(&session, plan, err);
    if (result == 0 && plan->scenario.rate == RATE_AUTO)
        result = saturation_check(&session, &q->scenario, q->registry, err);
    if (result == 0)
        result = run_contained(&session, q, plan, argv, ret, err);
    versions_release(&session.versions);
    return result;
}

/* Returns the exit code. */
static int print_result(struct cli *cli, const struct request *q, const char *path)
{
    struct bench_error err = {0};
    struct cli_print print = {.format = q->format};
    int code;

    cli_style(&print.style, stdout, q->no_color);
    print.style.details = q->details;
    if (q->baseline_run) {
        cleanup_free char *before = xasprintf("%s=%s", q->baseline_run, q->baseline_path);
        cleanup_free char *now = xasprintf("now=%s", path);

        return cli_compare_saved(cli, (const char *const[2]){before, now}, &q->scenario, &print);
    }
    code = cli_print_run(cli, path, &print, &err);
    return code < 0 ? cli_error(&err) : code;
}

/* A run that ended early is nothing to measure others by. */
static int save_baseline(const struct request *q, const char *path, const struct outcome *outcome)
{
    struct bench_error err = {0};

    if (!q->save_baseline)
        return 0;
    if (outcome->end == RUNNER_INTERRUPTED || outcome->failed) {
        fprintf(stderr, "bench: not kept as '%s': the run is not whole\n", q->save_baseline);
        return 0;
    }
    return baseline_save(NULL, q->save_baseline, path, &err) < 0 ? cli_error(&err) : 0;
}

static int run_plan(struct cli *cli, const struct request *q, const struct plan *plan, char **argv)
{
    struct store_writer store = {.dirfd = -1};
    struct outcome outcome = {0};
    struct bench_error err = {0};
    sigset_t old;
    int fd = signals_open(&old), code = 0, received;

    /* Who reads the progress may go; the run goes on. Other commands end with their reader. */
    signal(SIGPIPE, SIG_IGN);
    if (execute(q, plan, argv, fd, &store, &outcome, &err) < 0)
        code = cli_error(&err);
    if (outcome.created && outcome.end == RUNNER_INTERRUPTED)
        fprintf(stderr, "bench: stopped early; finished repetitions are kept in '%s'\n",
                store.path);
    if (outcome.created && code == 0)
        code = save_baseline(q, store.path, &outcome);
    if (outcome.created && code == 0)
        code = print_result(cli, q, store.path);
    if (outcome.failed && (code == 0 || code == BENCH_ERROR_INCONCLUSIVE))
        code = BENCH_ERROR_RUN;
    received = signals_close(fd, &old);
    if (received && outcome.end == RUNNER_INTERRUPTED)
        code = 128 + received;
    store_writer_release(&store);
    return code;
}

/* What the command makes of the scenario, and what it needs beside it. */
static int prepare(struct request *q, struct bench_error *err)
{
    if (gates_check(&q->scenario, q->mode->compare, !q->baseline_run, err) < 0)
        return -1;
    if (!q->baseline_run)
        return q->mode->compare ? comparison_prepare(&q->scenario, err)
                                : comparison_refuse(&q->scenario, err);
    if (!q->mode->compare) {
        error_set(err, BENCH_ERROR_USAGE, "--baseline-run: nothing is compared here");
        error_hint(err, "use 'bench compare'");
        return -1;
    }
    if (q->scenario.precision > 0 || q->scenario.stop == STOP_LOOKS) {
        error_set(err, BENCH_ERROR_USAGE,
                  "%s: the repetitions of a saved run are as many as they are",
                  q->scenario.precision > 0 ? "precision" : "stop");
        error_hint(err, "give 'repeat' in its place");
        return -1;
    }
    comparison_defaults(&q->scenario, 1);
    if (comparison_check_metrics(&q->scenario, err) < 0)
        return -1;
    return baseline_find(NULL, q->baseline_run, &q->baseline_path, err);
}

/* A search has its first plan in a closed loop, and the others at rates. */
static int print_plan(const struct request *q, const struct plan *plan, struct bench_error *err)
{
    struct plan rated;
    int result;

    if (q->scenario.rate == RATE_AUTO) {
        if (saturation_rated_plan(&rated, &q->scenario, q->registry, err) < 0)
            return -1;
        result = dry_run_check(&rated, err);
        plan_release(&rated);
        if (result < 0)
            return -1;
    }
    return dry_run_print(plan, q->verbose, err);
}

static int run(struct cli *cli, struct request *q, const struct option *options, int argc,
               char **argv)
{
    struct bench_error err = {0};
    struct plan plan;
    int code;

    if (parse_arguments(cli, q, options, argc, argv, &err) < 0)
        return cli_error(&err);
    if (q->help)
        return print_help(argv[0], q->mode, options);
    if (!registry_find(cli_registry(cli), BENCH_REPORTER, q->format, &err) ||
        (q->capture_cost && scenario_capture_cost(&q->scenario, &err) < 0) ||
        scenario_check(&q->scenario, cli_registry(cli), capture_known, &err) < 0 ||
        prepare(q, &err) < 0)
        return cli_error(&err);
    q->registry = cli_registry(cli);
    if ((q->scenario.rate == RATE_AUTO ? saturation_first_plan : plan_make)(&plan, &q->scenario,
                                                                            q->registry, &err) < 0)
        return cli_error(&err);
    if (q->dry_run)
        code = print_plan(q, &plan, &err) < 0 ? cli_error(&err) : 0;
    else
        code = run_plan(cli, q, &plan, argv);
    plan_release(&plan);
    return code;
}

static int run_with(struct cli *cli, int argc, char **argv, const struct mode *mode)
{
    struct option *options = make_options(mode->capture);
    struct request q = {.mode = mode, .format = "text"};
    int code;

    scenario_init(&q.scenario);
    code = run(cli, &q, options, argc, argv);
    free(q.baseline_path);
    scenario_release(&q.scenario);
    flags_free(options, FLAG_KEY);
    return code;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){0});
}

int cli_stat(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.capture = "stat"});
}

int cli_record(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.capture = "record"});
}

int cli_c2c(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.capture = "c2c"});
}

int cli_mem(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.capture = "mem"});
}

int cli_compare_arms(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.compare = true});
}

int cli_offcpu(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.capture = "offcpu"});
}

int cli_syscalls(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct mode){.capture = "syscalls"});
}
