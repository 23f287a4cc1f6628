/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench compare: the arms of a scenario with verdicts (a run: run.c), or two saved runs against
 * each other.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/document.h"
#include "report/gates.h"
#include "report/side_by_side.h"
#include "scenario/scenario.h"
#include "study/comparison.h"

/* "label=path", or a path that is its own label. */
struct named_run {
    char *label, *path;
    struct stored_run run;
    bool read;
};

static void named_run_init(struct named_run *r, const char *word)
{
    const char *equals = strchr(word, '='), *slash;

    *r = (struct named_run){.path = xstrdup(equals ? equals + 1 : word)};
    if (equals) {
        r->label = xstrndup(word, (size_t)(equals - word));
        return;
    }
    slash = strrchr(r->path, '/');
    r->label = xstrdup(slash && slash[1] ? slash + 1 : r->path);
}

static void named_run_release(struct named_run *r)
{
    if (r->read)
        stored_run_release(&r->run);
    free(r->label);
    free(r->path);
}

static int print_joined(struct cli *cli, struct named_run runs[2], const struct scenario *s,
                        const struct cli_print *print, struct bench_error *err)
{
    const struct side sides[2] = {{runs[0].label, &runs[0].run}, {runs[1].label, &runs[1].run}};
    struct cli_print with_gates = *print;
    struct stored_run joined;
    int result;

    for (size_t i = 0; i < 2; i++) {
        if (store_read(&runs[i].run, runs[i].path, err) < 0)
            return -1;
        runs[i].read = true;
    }
    if (strcmp(runs[0].label, runs[1].label) == 0) {
        error_set(err, BENCH_ERROR_USAGE, "both runs are called '%s'", runs[0].label);
        error_hint(err, "name them: old=%s new=%s", runs[0].path, runs[1].path);
        return -1;
    }
    if (side_by_side(&joined, sides, comparison_rule(s), err) < 0)
        return -1;
    with_gates.gates = &s->fail_on;
    result = cli_print_stored(cli, &joined, &with_gates, err);
    stored_run_release(&joined);
    return result;
}

int cli_compare_saved(struct cli *cli, const char *const words[2], const struct scenario *s,
                      const struct cli_print *print)
{
    struct bench_error err = {0};
    struct named_run runs[2];
    int code;

    for (size_t i = 0; i < 2; i++)
        named_run_init(&runs[i], words[i]);
    code = print_joined(cli, runs, s, print, &err);
    if (code < 0)
        code = cli_error(&err);
    for (size_t i = 0; i < 2; i++)
        named_run_release(&runs[i]);
    return code;
}

enum { FLAG_METRIC = 256, FLAG_MARGIN, FLAG_FAIL_ON };

static int set_rule(struct scenario *rule, int flag, const char *text, struct bench_error *err)
{
    static const char *const keys[] = {"metric", "margin", "fail_on"};
    static const char *const wheres[] = {"--metric", "--margin", "--fail-on"};

    return scenario_set(rule, keys[flag - FLAG_METRIC], text, wheres[flag - FLAG_METRIC], err);
}

int cli_compare_runs(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"metric", 1, NULL, FLAG_METRIC},
        {"margin", 1, NULL, FLAG_MARGIN},
        {"fail-on", 1, NULL, FLAG_FAIL_ON},
        {"format", 1, NULL, 'f'},
        {"details", 0, NULL, 'd'},
        {"no-color", 0, NULL, 'n'},
        {0},
    };
    struct cli_print print = {.format = "text"};
    struct bench_error err = {0};
    struct scenario rule;
    bool details = false, plain = false;
    char word[3];
    int c, code = 0;

    scenario_init(&rule);
    optind = 0;
    opterr = 0;
    while (code == 0 && (c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (c == ':')
            code = cli_usage("compare", "option '%s' needs a value", argv[optind - 1]);
        else if (c == '?')
            code = cli_usage("compare", "option '%s' does not go with two saved runs",
                             cli_refused_option(argv, "", word));
        else if (c == 'f')
            print.format = optarg;
        else if (c == 'd')
            details = true;
        else if (c == 'n')
            plain = true;
        else if (set_rule(&rule, c, optarg, &err) < 0)
            code = cli_error(&err);
    }
    cli_style(&print.style, stdout, plain);
    print.style.details = details;
    if (code == 0 &&
        (comparison_check_metrics(&rule, &err) < 0 || gates_check(&rule, true, false, &err) < 0))
        code = cli_error(&err);
    if (code == 0)
        code = cli_compare_saved(cli, (const char *const[2]){argv[optind], argv[optind + 1]}, &rule,
                                 &print);
    scenario_release(&rule);
    return code;
}
