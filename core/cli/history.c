/* SPDX-License-Identifier: Apache-2.0 */
/* bench history: a metric from run to run. */
#include <stdio.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "cli/select.h"
#include "report/history.h"
#include "report/indexing.h"
#include "store/layout.h"

enum { POINT = SELECT_END, ANCHOR, NO_COLOR };

struct asking {
    struct selection selection;
    struct history_question question;
    struct history *history;
    struct strings unread; /* why runs are not in it */
    bool plain;
};

static void show_progress(void *context, size_t done, size_t n)
{
    struct asking *a = context;

    select_progress(&a->selection, done, n);
}

static int ask(struct run_index *x, void *context, struct bench_error *err)
{
    struct asking *a = context;
    struct history_question question = a->question;
    cleanup_free char *name = NULL;
    int result = history_choose(x, &question.filter, &name, err);

    strings_release(&a->unread);
    if (result == 0)
        result = indexing_complete(x, LAYOUT_RESULTS, &question.filter, show_progress, a,
                                   &a->unread, err);
    return result < 0 ? -1 : history_new(&a->history, x, &question, err);
}

static int print(struct cli *cli, struct asking *a)
{
    cleanup_strings struct strings notes = {0};
    struct bench_error err = {0};
    struct bench_style style;
    const struct bench_reporter *reporter =
        cli_history_reporter(cli, a->selection.format ? a->selection.format : "text", &err);
    int result = reporter ? index_with(NULL, false, ask, a, show_progress, &notes, &err) : -1;

    select_progress_end(&a->selection);
    select_notes(&notes);
    for (size_t i = 0; i < a->unread.count; i++)
        say_line(stderr, "bench: not in this history: %s", a->unread.items[i]);
    strings_release(&a->unread);
    cli_style(&style, stdout, a->plain);
    if (result == 0)
        result = cli_print_history(reporter, history_get(a->history), &style, &err);
    history_free(a->history);
    return result < 0 ? cli_error(&err) : 0;
}

static int print_help(void)
{
    say_out("usage: bench history METRIC [options]\n\n"
            "A metric over the stored runs of a scenario, oldest first: its estimate in each run,\n"
            "its ratio to another arm of the same run, what differs from the run before, and the\n"
            "runs from which on its level is another. Runs of different kinds of machines are\n"
            "apart. 'bench report --details' names the metrics; a beginning that fits one is\n"
            "enough, or the head of its column: throughput, 'latency p99'.\n\n");
    select_help();
    cli_help_row("--point POINT", "this point of a sweep only, like 'jobs=10'");
    cli_help_row("--anchor ARM",
                 "the arm that ratios refer to (default none, where runs have it, else the "
                 "baseline)");
    cli_help_row("--format NAME", "reporter: text or json (default text)");
    cli_help_row("--no-color", "no colours (also NO_COLOR)");
    cli_help_row("-h, --help", "this text");
    say_out("\nWithout --name it is the scenario of the newest run.\n\n"
            "examples:\n"
            "  bench history bits_per_second --relay nginx --since 90d\n"
            "  bench history latency_p99_seconds --name 'nightly*' --format json\n");
    return 0;
}

static int take(struct asking *a, int flag, const char *argument, struct bench_error *err)
{
    switch (flag) {
    case POINT:
        a->question.point = argument;
        return 0;
    case ANCHOR:
        a->question.anchor = argument;
        return 0;
    case NO_COLOR:
        a->plain = true;
        return 0;
    default:
        return select_option(&a->selection, flag, argument, err);
    }
}

int cli_history(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        SELECT_OPTIONS,
        {"point", 1, NULL, POINT},
        {"anchor", 1, NULL, ANCHOR},
        {"no-color", 0, NULL, NO_COLOR},
        {0},
    };
    struct asking a = {0};
    struct bench_error err = {0};
    int c;

    optind = 0;
    opterr = 0;
    while ((c = cli_option("history", argc, argv, ":h", options)) != -1) {
        if (c == 'h')
            return print_help();
        if (c == CLI_REFUSED)
            return BENCH_ERROR_USAGE;
        if (take(&a, c, optarg, &err) < 0)
            return cli_error(&err);
    }
    if (argc - optind != 1)
        return cli_usage("history", argc == optind ? "which metric?" : "one metric at a time");
    a.question.metric = argv[optind];
    a.question.filter = a.selection.filter;
    return print(cli, &a);
}
