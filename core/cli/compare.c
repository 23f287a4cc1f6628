/* SPDX-License-Identifier: Apache-2.0 */
/* bench compare: the arms of a scenario, which is a run (run.c), or two saved runs (saved.c). */
#include "cli/cli.h"

#include <string.h>

/* Words that are neither options nor what `--option value` takes. */
static int count_words(int argc, char **argv)
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        bool option = argv[i][0] == '-' && argv[i][1];

        if (!option)
            n++;
        else if (!strchr(argv[i], '=') && strcmp(argv[i], "--details") != 0 &&
                 strcmp(argv[i], "--no-color") != 0)
            i++;
    }
    return n;
}

int cli_compare(struct cli *cli, int argc, char **argv)
{
    return (count_words(argc, argv) == 2 ? cli_compare_runs : cli_compare_arms)(cli, argc, argv);
}
