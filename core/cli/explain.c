/* SPDX-License-Identifier: Apache-2.0 */
/* bench explain: what the numbers of a stored run mean. */
#include "cli/cli.h"
#include "cli/say.h"

#include <getopt.h>

static int print_help(void)
{
    say_out(
        "usage: bench explain [RUN] [options]\n\n"
        "Says what the numbers of a stored run mean, per relay and role: the evidence, what it\n"
        "means, what to try, the most important first; then what was not looked at, and which\n"
        "capture would show it. RUN is a run directory, a name below bench-results or a\n"
        "part of one, or a scenario's name for its newest run (default: latest).\n"
        "docs/measurement.md lists the rules and their thresholds.\n\n");
    cli_help_row("--format NAME", "reporter: text (default) or json");
    cli_help_row("--no-color", "no colours (also NO_COLOR)");
    cli_help_row("-h, --help", "this text");
    say_out("\nexample:\n  bench run smoke --capture stat && bench explain latest\n");
    return 0;
}

int cli_explain(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"format", 1, NULL, 'f'},
        {"no-color", 0, NULL, 'n'},
        {"help", 0, NULL, 'h'},
        {0},
    };
    struct cli_print print = {.format = "text"};
    struct bench_error err = {0};
    bool plain = false;
    int c;

    optind = 0;
    opterr = 0;
    while ((c = cli_option("explain", argc, argv, ":h", options)) != -1) {
        if (c == 'h')
            return print_help();
        if (c == CLI_REFUSED)
            return BENCH_ERROR_USAGE;
        if (c == 'f')
            print.format = optarg;
        else
            plain = true;
    }
    if (argc - optind > 1)
        return cli_usage("explain", "one run at a time, not '%s' and '%s'", argv[optind],
                         argv[optind + 1]);
    cli_style(&print.style, stdout, plain);
    print.style.part = BENCH_PART_FINDINGS;
    if (cli_print_run(cli, optind < argc ? argv[optind] : "latest", &print, &err) < 0)
        return cli_error(&err);
    return 0;
}
