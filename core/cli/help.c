/* SPDX-License-Identifier: Apache-2.0 */
/* bench help: the commands, one command, or the scenario language. */
#include "cli/cli.h"

#include <string.h>

#include "base/memory.h"
#include "capture/capture.h"
#include "cli/say.h"
#include "scenario/document.h"

static int print_overview(void)
{
    say_out("usage: bench COMMAND …\n\n"
            "Runs a workload through relays (proxies, routers, load balancers) and says which is\n"
            "faster or cheaper, by how much, and how sure that is.\n\n");
    for (const struct command *c = commands; c->name; c++)
        cli_help_row(c->name, c->summary);
    say_out("\n'bench COMMAND --help' explains a command, 'bench help scenario' the YAML;\n"
            "'bench --version' prints the version.\n\n"
            "example:\n  bench run none-vs-nginx\n");
    return 0;
}

static int print_scenario_language(struct cli *cli)
{
    cleanup_text struct text t = {0};

    scenario_document(cli_registry(cli), &t);
    captures_document(&t);
    say_out("%s", text_get(&t));
    return 0;
}

int cli_help(struct cli *cli, int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
        return print_overview();
    if (strcmp(argv[1], "scenario") == 0)
        return print_scenario_language(cli);
    for (const struct command *c = commands; c->name; c++) {
        char help[] = "--help", *arguments[] = {argv[1], help, NULL};

        if (strcmp(c->name, argv[1]) == 0)
            return c->run(cli, 2, arguments);
    }
    return cli_usage("help", "there is no command '%s'", argv[1]);
}
