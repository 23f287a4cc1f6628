/* SPDX-License-Identifier: Apache-2.0 */
/* bench list: what there is to choose from. */
#include "cli/cli.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "capture/events.h"
#include "cli/say.h"
#include "store/baseline.h"

static bool matches(const char *text, const char *pattern)
{
    return !pattern || strstr(text, pattern);
}

static void print_options(const struct bench_option *options)
{
    for (const struct bench_option *o = options; o && o->name; o++) {
        cleanup_free char *kind = option_describe(o);

        cleanup_free char *name = xasprintf("  %s", o->name);
        cleanup_free char *right = xasprintf("%s (%s)", o->help, kind);

        cli_list_row(name, right);
    }
}

/* One that was refused may be of any kind. */
static bool is_of_kind(const struct plugin *p, enum bench_plugin_kind kind)
{
    return !p->info || p->info->kind == kind;
}

static int list_plugins(struct cli *cli, enum bench_plugin_kind kind, const char *pattern)
{
    const struct registry *r = cli_registry(cli);

    for (size_t i = 0; i < r->count; i++) {
        const struct plugin *p = &r->plugins[i];

        if (!p->info || p->reason || p->info->kind != kind || !matches(p->info->name, pattern))
            continue;
        say_out("%-14s %s\n", p->info->name, p->info->description);
        print_options(p->info->options);
    }
    for (size_t i = 0; i < r->count; i++)
        if (r->plugins[i].reason && !r->plugins[i].same && is_of_kind(&r->plugins[i], kind))
            say_line(stderr, "not used: %s: %s", r->plugins[i].path, r->plugins[i].reason);
    for (size_t i = 0; i < r->unreadable.count; i++)
        say_line(stderr, "not searched: %s", r->unreadable.items[i]);
    return 0;
}

static int list_workloads(struct cli *cli, const char *pattern)
{
    return list_plugins(cli, BENCH_WORKLOAD, pattern);
}

static int list_relays(struct cli *cli, const char *pattern)
{
    return list_plugins(cli, BENCH_RELAY, pattern);
}

static int list_reporters(struct cli *cli, const char *pattern)
{
    return list_plugins(cli, BENCH_REPORTER, pattern);
}

static int list_captures(struct cli *cli, const char *pattern)
{
    (void)cli;
    for (size_t i = 0; captures[i]; i++) {
        if (captures[i]->always || !matches(captures[i]->name, pattern))
            continue;
        say_out("%-14s %s\n", captures[i]->name, captures[i]->help);
        print_options(captures[i]->options);
        if (captures[i]->perturbs)
            print_options(capture_common_options);
    }
    return 0;
}

static void print_event(void *context, const char *kind, const char *name, bool usable,
                        const char *help)
{
    if (matches(name, context))
        say_out("%-11s %-3s %-36s %s\n", kind, usable ? "yes" : "no", name, help ? help : "");
}

static int list_events(struct cli *cli, const char *pattern)
{
    (void)cli;
    say_out("%-11s %-3s %s\n", "kind", "can", "event");
    event_list(print_event, (void *)pattern);
    return 0;
}

/* With the question that it answers: its first comment line. */
static void print_scenario(const char *directory, const char *file)
{
    cleanup_free char *path = xasprintf("%s/%s", directory, file), *data = NULL;
    const char *question = "";

    if (file_read(AT_FDCWD, path, 1 << 20, &data, NULL, NULL) == 0) {
        for (char *line = strtok(data, "\n"); line && !*question; line = strtok(NULL, "\n"))
            if (strncmp(line, "# ", 2) == 0 && strncmp(line, "# SPDX", 6) != 0)
                question = line + 2;
    }
    say_out("%-22.*s %s\n", (int)(strlen(file) - strlen(".yaml")), file, question);
}

static int is_scenario(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".yaml") == 0;
}

static int list_scenarios(struct cli *cli, const char *pattern)
{
    cleanup_strings struct strings directories = {0}, seen = {0};

    cli_scenario_directories(cli, &directories);
    for (size_t i = 0; i < directories.count; i++) {
        struct dirent **entries;
        int n = scandir(directories.items[i], &entries, is_scenario, alphasort);

        for (int k = 0; k < n; k++) {
            /* Of two that share a name, 'bench run NAME' takes the first. */
            if (matches(entries[k]->d_name, pattern) && !strings_has(&seen, entries[k]->d_name)) {
                strings_add(&seen, entries[k]->d_name);
                print_scenario(directories.items[i], entries[k]->d_name);
            }
            free(entries[k]);
        }
        if (n >= 0)
            free(entries);
    }
    return 0;
}

static int list_baselines(struct cli *cli, const char *pattern)
{
    cleanup_strings struct strings names = {0};
    struct bench_error err = {0};

    (void)cli;
    if (baseline_list(NULL, &names, &err) < 0)
        return cli_error(&err);
    for (size_t i = 0; i < names.count; i++) {
        cleanup_free char *run = NULL;

        if (!matches(names.items[i], pattern))
            continue;
        if (baseline_find(NULL, names.items[i], &run, &err) < 0)
            say_line(stderr, "not usable: %s", err.message);
        else
            say_out("%-22s %s\n", names.items[i], run);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*list)(struct cli *cli, const char *pattern); /* NULL: takes options */
    const char *help;
} lists[] = {
    {"runs", NULL, "stored runs below bench-results, oldest first; has options: --help"},
    {"baselines", list_baselines, "runs that were saved under a name to compare with"},
    {"workloads", list_workloads, "workload plugins and their options"},
    {"relays", list_relays, "relay plugins and their options"},
    {"reporters", list_reporters, "output formats"},
    {"captures", list_captures, "what can be collected, and its options"},
    {"events", list_events, "events for 'stat': hardware, software, tracepoints"},
    {"scenarios", list_scenarios, "shipped scenarios and the question each answers"},
};

static int print_help(void)
{
    say_out("usage: bench list WHAT [PATTERN]\n\n"
            "PATTERN keeps names that contain it. WHAT is one of:\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        cli_help_row(lists[i].name, lists[i].help);
    say_out("\nexample:\n  bench list events syscalls:sys_enter_write\n");
    return 0;
}

int cli_list(struct cli *cli, int argc, char **argv)
{
    const char *names[ARRAY_SIZE(lists) + 1] = {0}, *close;

    if (argc < 2)
        return cli_usage("list", "what is to be listed?");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "runs") == 0)
        return cli_list_runs(argc - 1, argv + 1);
    if (argc > 3)
        return cli_usage("list", "one pattern at most, not '%s'", argv[3]);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        names[i] = lists[i].name;
        if (lists[i].list && strcmp(lists[i].name, argv[1]) == 0)
            return lists[i].list(cli, argv[2]);
    }
    close = nearest(argv[1], names);
    return cli_usage("list", "cannot list '%s'%s%s%s", argv[1], close ? "; did you mean '" : "",
                     close ? close : "", close ? "'?" : "");
}
