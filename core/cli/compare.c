/* SPDX-License-Identifier: Apache-2.0 */
/* bench compare: the arms of a scenario, which is a run (run.c), or two saved runs (saved.c). */
#include "cli/cli.h"

int cli_compare(struct cli *cli, int argc, char **argv)
{
    return cli_run_words(argc, argv) == 2 ? cli_compare_runs(cli, argc, argv)
                                          : cli_compare_arms(cli, argc, argv);
}
