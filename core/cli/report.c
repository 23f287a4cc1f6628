/* SPDX-License-Identifier: Apache-2.0 */
/* bench report: a stored run, printed again without measuring. */
#include "cli/cli.h"
#include "cli/say.h"

#include <getopt.h>

#include "report/gates.h"

static int print_help(void)
{
    say_out("usage: bench report [RUN] [options]\n\n"
            "Prints a stored run. RUN is a run directory, a name below bench-results or\n"
            "a part of one, or a scenario's name for its newest run (default: latest).\n\n");
    cli_help_row("--format NAME", "reporter: 'bench list reporters' names them (default text)");
    cli_help_row("-o, --output FILE|DIR",
                 "there instead of standard output ('-'): into the file, or into a directory as "
                 "run.EXTENSION; csv makes a directory, with a file for each role as well: "
                 "client.csv, server.csv, relay_1.csv");
    cli_help_row("--fail-on GATE", "exit status by 'latency_p99 > 5ms' and the like, as of bench "
                                   "run, in place of the gates of the run's scenario");
    cli_help_row("--details", "every metric and every repetition");
    cli_help_row("--no-color", "no colours (also NO_COLOR)");
    cli_help_row("-h, --help", "this text");
    say_out("\nexample:\n  bench report latest --format csv -o numbers\n");
    return 0;
}

/* `gates`: a scenario that holds those of the command line. */
static int report(struct cli *cli, struct scenario *gates, int argc, char **argv)
{
    static const struct option options[] = {
        {"format", 1, NULL, 'f'},
        {"output", 1, NULL, 'o'},
        {"fail-on", 1, NULL, 'g'},
        {"details", 0, NULL, 'd'},
        {"no-color", 0, NULL, 'n'},
        {"help", 0, NULL, 'h'},
        {0},
    };
    struct cli_print print = {.format = "text"};
    struct bench_error err = {0};
    bool details = false, plain = false;
    int c, code;

    optind = 0;
    opterr = 0;
    while ((c = cli_option("report", argc, argv, ":o:h", options)) != -1) {
        if (c == 'h')
            return print_help();
        if (c == CLI_REFUSED)
            return BENCH_ERROR_USAGE;
        if (c == 'f')
            print.format = optarg;
        else if (c == 'o')
            print.output = optarg;
        else if (c == 'g' && scenario_set(gates, "fail_on", optarg, "--fail-on", &err) < 0)
            return cli_error(&err);
        else if (c == 'd')
            details = true;
        else if (c == 'n')
            plain = true;
    }
    if (argc - optind > 1)
        return cli_usage("report", "one run at a time, not '%s' and '%s'", argv[optind],
                         argv[optind + 1]);
    cli_style(&print.style, stdout, plain);
    print.style.details = details;
    if (gates->fail_on.count) {
        if (gates_check(gates, true, false, &err) < 0)
            return cli_error(&err);
        print.gates = &gates->fail_on;
    }
    code = cli_print_run(cli, optind < argc ? argv[optind] : "latest", &print, &err);
    if (code < 0)
        return cli_error(&err);
    return print.gates ? code : 0;
}

int cli_report(struct cli *cli, int argc, char **argv)
{
    struct scenario gates;
    int code;

    scenario_init(&gates);
    code = report(cli, &gates, argc, argv);
    scenario_release(&gates);
    return code;
}
