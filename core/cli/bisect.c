/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench bisect: which commit made the relay slower (or faster). The question from the flags, the
 * search by study/bisect.h, and what it found.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "capture/capture.h"
#include "cli/bisect_text.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/signals.h"
#include "site/local.h"
#include "store/layout.h"

static int find_cache(struct bisect_request *q, struct bench_error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (q->cache)
        q->cache_directory = xstrdup(q->cache);
    else if (cache && *cache == '/')
        q->cache_directory = xasprintf("%s/bench", cache);
    else if (home && *home == '/')
        q->cache_directory = xasprintf("%s/.cache/bench", home);
    else
        return error_set(err, BENCH_ERROR_USAGE, "no HOME: name a directory with --cache");
    return directory_make(AT_FDCWD, q->cache_directory, err);
}

static void find_directory(struct bisect_request *q)
{
    cleanup_free char *name = xasprintf("bisect %s", q->scenario.name);
    cleanup_free char *id = NULL;
    cleanup_free char *here = getcwd(NULL, 0);
    const char *given = q->resume ? q->resume : q->output;

    if (!given)
        id = layout_id(clock_wall(), name, (uint16_t)random_seed());
    q->directory = given && *given == '/' ? xstrdup(given)
                   : given                ? xasprintf("%s/%s", here ? here : ".", given)
                           : xasprintf("%s/" LAYOUT_RESULTS "/%s", here ? here : ".", id);
}

static int read_resumed(struct bisect_request *q, struct bench_error *err)
{
    cleanup_free char *path = NULL;

    if (!q->resume)
        return 0;
    path = xasprintf("%s/" LAYOUT_SCENARIO, q->resume);
    if (scenario_read(&q->scenario, path, err) == 0)
        return 0;
    error_hint(err, "--resume needs the directory of a bisection");
    return -1;
}

static int prepare(struct cli *cli, struct bisect_request *q, struct bench_error *err)
{
    if (read_resumed(q, err) < 0 ||
        scenario_check(&q->scenario, cli_registry(cli), capture_known, err) < 0 ||
        bisect_prepare(&q->scenario, q->arm, q->path, err) < 0 || find_cache(q, err) < 0)
        return -1;
    find_directory(q);
    return 0;
}

static void say(void *context, const char *line)
{
    struct progress_view *view = context;

    if (view->quiet)
        return;
    progress_view_clear(view);
    say_line(stderr, "%s", line);
}

static int execute(const struct bisect_request *q, const struct registry *r, char **argv,
                   int interrupt_fd, json_t **ret_state, struct bench_error *err)
{
    struct containment containment;
    struct local_host host;
    struct progress_view view;
    struct session session = {
        .host = &host.host,
        .clock = &clock_system,
        .interrupt_fd = interrupt_fd,
        .progress = progress_view_update,
        .progress_context = &view,
    };
    struct bisect bisect = {
        .session = &session,
        .containment = &containment,
        .registry = r,
        .scenario = &q->scenario,
        .directory = q->directory,
        .cache = q->cache_directory,
        .keep = q->keep,
        .command = argv,
        .say = say,
        .context = &view,
    };
    struct bench_error late = {0};
    int result;

    progress_view_init(&view, q->quiet);
    if (containment_start(&containment, err) < 0)
        return -1;
    local_host_init(&host, &containment);
    result = bisect_run(&bisect, q->resume ? NULL : &q->question, ret_state, err);
    progress_view_clear(&view);
    local_host_release(&host);
    if (containment_stop(&containment, &late) < 0) {
        if (result < 0)
            cli_error(&late);
        else
            *err = late;
        result = -1;
    }
    return result;
}

static bool is_over(const json_t *state)
{
    return json_is_string(json_object_get(state, "outcome"));
}

/* What failed before there was an answer fails again. */
static bool can_go_on(const json_t *state, bool failed)
{
    return state && !is_over(state) &&
           (!failed || json_is_object(json_object_get(state, "endpoints")));
}

static int bisect(struct cli *cli, const struct bisect_request *q, char **argv)
{
    struct bench_error err = {0};
    json_t *state = NULL;
    sigset_t old;
    int fd = signals_open(&old), code, received;
    bool failed;

    signal(SIGPIPE, SIG_IGN);
    failed = execute(q, cli_registry(cli), argv, fd, &state, &err) < 0;
    code = failed ? cli_error(&err) : 0;
    received = signals_close(fd, &old);
    if (!failed)
        code = bisect_text_print(q, state);
    if (can_go_on(state, failed))
        say_line(stderr, "bench: stopped early; 'bench bisect --resume %s' goes on", q->directory);
    if (received && !is_over(state))
        code = 128 + received;
    json_decref(state);
    return code;
}

int cli_bisect(struct cli *cli, int argc, char **argv)
{
    struct bench_error err = {0};
    struct bisect_request q;
    bool help = false;
    int code = 0;

    if (bisect_request_read(&q, cli, argc, argv, &help, &err) < 0 ||
        (!help && prepare(cli, &q, &err) < 0))
        code = cli_error(&err);
    else if (!help)
        code = bisect(cli, &q, argv);
    bisect_request_release(&q);
    return code;
}
