/* SPDX-License-Identifier: Apache-2.0 */
/* bench plugin: for people who write plugins. */
#include "cli/cli.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/say.h"

static int print_help(void)
{
    say_out(
        "usage: bench plugin check FILE…\n\n"
        "Loads each plugin and checks it against the contract: symbol, ABI version, kind, name,\n"
        "required hooks, option table. docs/plugin-api.md has the contract.\n\n"
        "example:\n  bench plugin check build/plugins/relays/nginx.so\n");
    return 0;
}

static int check(const char *path)
{
    /* Without a '/' the loader would look in the system's directories. */
    cleanup_free char *file = xasprintf("%s%s", strchr(path, '/') ? "" : "./", path);
    struct bench_error err = {0};
    const struct bench_plugin *p;

    if (plugin_load(file, &p, &err) < 0) {
        error_context(&err, "'%s'", path);
        return cli_error(&err);
    }
    say_out("%s: %s '%s', ABI %u.%u: fine\n", path, plugin_kind_name(p->kind), p->name,
            p->abi_major, p->abi_minor);
    return 0;
}

int cli_plugin(struct cli *cli, int argc, char **argv)
{
    int code = 0;

    (void)cli;
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return print_help();
    if (argc < 3 || strcmp(argv[1], "check") != 0)
        return cli_usage("plugin", "expected 'check FILE…'");
    for (int i = 2; i < argc; i++)
        if (check(argv[i]) != 0)
            code = BENCH_ERROR_RUN;
    return code;
}
