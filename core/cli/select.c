/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/select.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/say.h"

static int take_since(struct selection *s, const char *argument, struct bench_error *err)
{
    int64_t since;

    if (parse_time(argument, clock_wall(), &since, err) < 0)
        return error_context(err, "--since");
    clock_rfc3339(since, s->since);
    s->filter.since = s->since;
    return 0;
}

int select_option(struct selection *s, int flag, const char *argument, struct bench_error *err)
{
    if (flag == SELECT_SINCE)
        return take_since(s, argument, err);
    if (flag == SELECT_NAME)
        s->filter.name = argument;
    else if (flag == SELECT_RELAY)
        s->filter.relay = argument;
    else
        s->format = argument;
    return 0;
}

void select_help(void)
{
    cli_help_row("--name GLOB", "runs whose scenario has this name: * ? [a-z]");
    cli_help_row("--relay NAME", "runs with an arm, or a plugin, of this name");
    cli_help_row("--since TIME", "runs that started since then: 2026-11-20, 2026-11-20T06:49 "
                                 "(UTC), or how long ago: 90m, 12h, 30d");
}

void select_progress(struct selection *s, size_t done, size_t n)
{
    struct select_progress *p = &s->progress;
    int64_t now = clock_now();

    if (p->begin == 0)
        p->begin = now;
    if (now - p->begin < NS_PER_S || p->printed)
        return;
    if (isatty(STDERR_FILENO)) {
        say_live(0, "reading run %zu of %zu", done, n);
        p->live = true;
        return;
    }
    say_line(stderr, "bench: reading %zu runs that the index does not have yet", n);
    p->printed = true;
}

void select_progress_end(struct selection *s)
{
    if (s->progress.live)
        say_live(0, "%s", "");
    s->progress = (struct select_progress){0};
}

void select_notes(const struct strings *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        say_line(stderr, "bench: %s", notes->items[i]);
}
