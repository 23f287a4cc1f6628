/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "capture/capture.h"
#include "cli/arguments.h"
#include "cli/say.h"
#include "study/comparison.h"

/* Flags that are not scalar scenario keys. Those all have a flag of their own name. */
enum {
    FLAG_CAPTURE = ARGUMENT_OWN,
    FLAG_CAPTURE_COST,
    FLAG_SAVE_BASELINE,
    FLAG_BASELINE_RUN,
    FLAG_FAIL_ON,
    FLAG_DRY_RUN,
    FLAG_NO_COLOR,
    FLAG_FORMAT,
    FLAG_DETAILS,
};

static const struct flag flags[] = {
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
    {{"set", 1, NULL, ARGUMENT_SET},
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

static void print_help(const struct arguments *a, const struct run_mode *mode)
{
    const char *command = a->command;

    say_out("usage: bench %s [SCENARIO] [options]\n", command);
    if (mode->compare)
        say_out("       bench compare [LABEL=]RUN [LABEL=]RUN [--metric NAME,…] [--margin SHARE]\n"
                "                     [--format NAME] [--details] [--no-color]\n");
    say_out("\nRuns a scenario (a YAML file, the name of a shipped one, or '-') and prints the "
            "result.\n"
            "Without a scenario, flags alone describe the run; with one, they override it.\n\n");
    if (mode->capture)
        say_out("The capture '%s' is added to the scenario's: %s.\n\n", mode->capture,
                capture_find(mode->capture)->help);
    if (mode->compare)
        say_out(
            "Its relays are compared with the first of them (or `baseline`), by a rule that is "
            "fixed\n"
            "before the run: which metrics decide (--metric), what counts as a difference\n"
            "(--margin), at a family error of 5%%. Unless set, --repeat is %d (%d when there are\n"
            "several comparisons) and --interleave is auto. Two words are two saved runs, of "
            "which\n"
            "nothing is measured again.\n\n",
            COMPARISON_BLOCKS, COMPARISON_BLOCKS_SEVERAL);
    arguments_help(a, flags, ARRAY_SIZE(flags));
    say_out(
        "\nexamples:\n"
        "  bench %s none-vs-nginx --repeat 12\n"
        "  bench %s -w builtin -r none,nginx --hops 1 --duration 2s\n"
        "  bench %s -r none,nginx --set workload.mode=echo --dry-run\n\n"
        "exit status: 0 done; 1 a repetition or the run failed; 2 usage, invalid scenario, or a\n"
        "gate that matched nothing; 3 a gate failed; 4 a gate could not be decided; 5 something\n"
        "required is missing here, or the environment was unfit; 128 + N stopped by signal N\n",
        command, command, command);
}

static int apply_flag(struct run_request *q, const struct arguments *a,
                      const struct argument *given, struct bench_error *err)
{
    switch (given->flag) {
    case FLAG_CAPTURE:
        return scenario_set(&q->scenario, "capture", given->value, "--capture", err);
    case FLAG_CAPTURE_COST:
        q->capture_cost = true;
        return 0;
    case FLAG_SAVE_BASELINE:
        q->save_baseline = given->value;
        return 0;
    case FLAG_BASELINE_RUN:
        q->baseline_run = given->value;
        return 0;
    case FLAG_FAIL_ON:
        return scenario_set(&q->scenario, "fail_on", given->value, "--fail-on", err);
    case FLAG_FORMAT:
        q->format = given->value;
        return 0;
    case 'o':
        q->output = given->value;
        return cli_check_directory("--output", q->output, err);
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
        return arguments_apply(a, given, &q->scenario, err);
    }
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

/* Those that are options of the command's capture, or the others. */
static int apply_flags(struct run_request *q, const struct arguments *a, bool options,
                       struct bench_error *err)
{
    for (size_t i = 0; i < a->n; i++)
        if ((a->given[i].flag >= ARGUMENT_OPTION) == options &&
            apply_flag(q, a, &a->given[i], err) < 0)
            return -1;
    return 0;
}

int run_request_read(struct run_request *q, struct cli *cli, const struct run_mode *mode, int argc,
                     char **argv, bool *ret_help, struct bench_error *err)
{
    cleanup_arguments struct arguments a = {0};
    const char *file;

    *q = (struct run_request){.mode = *mode, .format = "text"};
    scenario_init(&q->scenario);
    arguments_scan(&a, flags, ARRAY_SIZE(flags), mode->capture, argc, argv);
    if (arguments_check(&a, err) < 0)
        return -1;
    *ret_help = arguments_have(&a, 'h');
    if (*ret_help) {
        print_help(&a, mode);
        return 0;
    }
    file = arguments_scenario(&a);
    if ((file && cli_read_scenario(cli, file, &q->scenario, err) < 0) ||
        apply_flags(q, &a, false, err) < 0)
        return -1;
    if (mode->capture && add_capture(&q->scenario, mode->capture, err) < 0)
        return -1;
    return apply_flags(q, &a, true, err);
}

void run_request_release(struct run_request *q)
{
    free(q->baseline_path);
    scenario_release(&q->scenario);
}

int cli_run_words(int argc, char **argv)
{
    cleanup_arguments struct arguments a = {0};

    arguments_scan(&a, flags, ARRAY_SIZE(flags), NULL, argc, argv);
    return a.refused.kind == BENCH_ERROR_NONE ? (int)a.n_words : 0;
}
