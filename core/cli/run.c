/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench run: scenario and flags → plan → runner → store, then the report of what was stored.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "capture/capture.h"
#include "cli/cli.h"
#include "cli/dry_run.h"
#include "cli/progress.h"
#include "cli/run_request.h"
#include "cli/say.h"
#include "cli/signals.h"
#include "report/gates.h"
#include "run/runner.h"
#include "site/local.h"
#include "store/baseline.h"
#include "store/plugin_files.h"
#include "store/store.h"
#include "study/blocks.h"
#include "study/comparison.h"
#include "study/saturation.h"
#include "study/warmup.h"

struct outcome {
    enum runner_outcome end;
    uint32_t failed;
    bool created; /* there is a run directory */
};

static const char *final_state(int result, const struct outcome *outcome)
{
    if (result < 0)
        return "failed";
    return outcome->end == RUNNER_INTERRUPTED ? "interrupted" : "complete";
}

/* The plan that measures; of a comparison also the blocks that it turns out to need. */
static int run_measured(struct session *session, const struct run_request *q,
                        const struct scenario *scenario, const struct plan *plan,
                        struct outcome *ret, struct bench_error *err)
{
    if (runner_run(session, plan, &ret->end, &ret->failed, err) < 0)
        return -1;
    if (!q->mode.compare || q->baseline_run || ret->end == RUNNER_INTERRUPTED)
        return 0;
    return blocks_complete(session, scenario, q->registry, plan, &ret->end, &ret->failed, err);
}

/* `rate: auto`: the search, then all arms at the rates that it found. */
static int run_searched(struct session *session, const struct run_request *q,
                        const struct scenario *scenario, const struct plan *first,
                        struct outcome *ret, struct bench_error *err)
{
    struct saturation found = {0};
    struct scenario swept;
    struct plan plan;
    int result = saturation_find(session, first, q->registry, &found, &ret->end, err);

    if (result < 0 || ret->end == RUNNER_INTERRUPTED)
        return result;
    progress_view_clear(session->progress_context);
    if (!q->quiet)
        say_line(stderr, "every arm keeps up with %g requests/s; now at 20%% to 95%% of that",
                 found.rate);
    saturation_scenario(&swept, scenario, &found);
    swept.seed = (int64_t)first->seed;
    result = plan_make(&plan, &swept, q->registry, err);
    if (result == 0) {
        plan_follow(&plan, found.steps, NULL);
        result = store_extend(session->store, &plan, err);
        if (result == 0)
            result = run_measured(session, q, &swept, &plan, ret, err);
        plan_release(&plan);
    }
    scenario_release(&swept);
    saturation_release(&found);
    return result;
}

/* All lengths are known. */
static int run_settled(struct session *session, const struct run_request *q,
                       const struct scenario *scenario, const struct plan *plan,
                       struct outcome *ret, struct bench_error *err)
{
    return scenario->rate == RATE_AUTO ? run_searched(session, q, scenario, plan, ret, err)
                                       : run_measured(session, q, scenario, plan, ret, err);
}

/* What the run begins with. */
static int first_plan(struct plan *ret, const struct scenario *s, const struct registry *r,
                      struct bench_error *err)
{
    if (s->warmup_ns == WARMUP_AUTO)
        return warmup_plan(ret, s, r, err);
    return s->rate == RATE_AUTO ? saturation_first_plan(ret, s, r, err) : plan_make(ret, s, r, err);
}

/* `warmup: auto`: the pilots, then everything with what they found. */
static int run_piloted(struct session *session, const struct run_request *q,
                       const struct plan *pilots, struct outcome *ret, struct bench_error *err)
{
    struct warmup found;
    struct scenario settled;
    struct plan plan;
    int result = warmup_find(session, pilots, &found, &ret->end, err);

    if (result < 0 || ret->end == RUNNER_INTERRUPTED)
        return result;
    progress_view_clear(session->progress_context);
    if (!q->quiet)
        say_line(stderr, "%s; warm-up of %g s",
                 found.steady ? "every arm settles" : "NOT STEADY: an arm does not settle",
                 (double)found.ns * 1e-9);
    scenario_copy(&settled, &q->scenario);
    settled.warmup_ns = found.ns;
    settled.seed = (int64_t)pilots->seed;
    result = first_plan(&plan, &settled, q->registry, err);
    if (result == 0) {
        plan_follow(&plan, found.steps, settled.rate == RATE_AUTO ? PURPOSE_SEARCH : NULL);
        result = store_extend(session->store, &plan, err);
        if (result == 0)
            result = run_settled(session, q, &settled, &plan, ret, err);
        plan_release(&plan);
    }
    scenario_release(&settled);
    return result;
}

static int run_stored(struct session *session, const struct run_request *q, const struct plan *plan,
                      struct outcome *ret, struct bench_error *err)
{
    struct bench_error late = {0};
    int result;

    if (q->scenario.warmup_ns == WARMUP_AUTO)
        result = run_piloted(session, q, plan, ret, err);
    else
        result = run_settled(session, q, &q->scenario, plan, ret, err);
    if (store_finish(session->store, final_state(result, ret), &late) < 0 && result == 0) {
        *err = late;
        result = -1;
    }
    return result;
}

/* The run keeps which files they are. One that takes a shipped one's place is told at once. */
static int note_plugins(struct store_writer *store, const struct plan *plan,
                        const struct run_request *q, struct bench_error *err)
{
    json_t *files = plugin_files(plan, q->registry);
    cleanup_strings struct strings lines = {0};

    plugin_files_warn(files, &lines);
    for (size_t i = 0; i < lines.count; i++)
        say_line(stderr, "bench: warning: %s", lines.items[i]);
    return store_note(store, "plugins", files, err);
}

/* What the machine lacks is found before there is a run. */
static int check_host(struct session *session, const struct run_request *q, const struct plan *plan,
                      struct bench_error *err)
{
    if (runner_check(session, plan, err) < 0)
        return -1;
    return plan->scenario.rate == RATE_AUTO
               ? saturation_check(session, &q->scenario, q->registry, err)
               : 0;
}

static int create_run(struct session *session, const struct run_request *q, const struct plan *plan,
                      char **argv, struct bench_error *err)
{
    json_t *facts = session->host->ops->facts(session->host);
    int result = store_create(session->store, q->output, plan, facts, argv, err);

    json_decref(facts);
    if (result == 0 && q->mode.compare && !q->baseline_run)
        result = store_note(session->store, "comparison", comparison_rule(&q->scenario), err);
    return result == 0 ? note_plugins(session->store, plan, q, err) : result;
}

/* Everything between the first and the last process. */
static int run_contained(struct session *session, struct containment *containment,
                         const struct run_request *q, const struct plan *plan, char **argv,
                         struct outcome *ret, struct bench_error *err)
{
    struct bench_error late = {0};
    int result;

    if (containment_start(containment, err) < 0)
        return -1;
    result = check_host(session, q, plan, err);
    if (result == 0)
        result = create_run(session, q, plan, argv, err);
    if (result == 0) {
        ret->created = true;
        if (q->verbose)
            say_line(stderr, "run directory: %s", session->store->path);
        result = run_stored(session, q, plan, ret, err);
        progress_view_clear(session->progress_context);
    }
    if (containment_stop(containment, &late) < 0) {
        if (result < 0)
            cli_error(&late);
        else
            *err = late;
        result = -1;
    }
    return result;
}

static int execute(const struct run_request *q, const struct plan *plan, char **argv,
                   int interrupt_fd, struct store_writer *store, struct outcome *ret,
                   struct bench_error *err)
{
    struct containment containment;
    struct local_host host;
    struct progress_view view;
    struct session session = {
        .host = &host.host,
        .store = store,
        .clock = &clock_system,
        .interrupt_fd = interrupt_fd,
        .progress = progress_view_update,
        .progress_context = &view,
    };
    int result;

    progress_view_init(&view, q->quiet);
    local_host_init(&host, &containment);
    result = run_contained(&session, &containment, q, plan, argv, ret, err);
    local_host_release(&host);
    return result;
}

/* Returns the exit code. */
static int print_result(struct cli *cli, const struct run_request *q, const char *path)
{
    struct bench_error err = {0};
    struct cli_print print = {.format = q->format};
    int code;

    cli_style(&print.style, stdout, q->no_color);
    print.style.details = q->details;
    if (q->baseline_run) {
        cleanup_free char *before = xasprintf("%s=%s", q->baseline_run, q->baseline_path);
        cleanup_free char *now = xasprintf("now=%s", path);

        return cli_compare_saved(cli, (const char *const[2]){before, now}, &q->scenario, &print);
    }
    code = cli_print_run(cli, path, &print, &err);
    return code < 0 ? cli_error(&err) : code;
}

/* A run that ended early is nothing to measure others by. */
static int save_baseline(const struct run_request *q, const char *path,
                         const struct outcome *outcome)
{
    struct bench_error err = {0};

    if (!q->save_baseline)
        return 0;
    if (outcome->end == RUNNER_INTERRUPTED || outcome->failed) {
        say_line(stderr, "bench: not kept as '%s': the run is incomplete", q->save_baseline);
        return 0;
    }
    return baseline_save(NULL, q->save_baseline, path, &err) < 0 ? cli_error(&err) : 0;
}

static int run_plan(struct cli *cli, const struct run_request *q, const struct plan *plan,
                    char **argv)
{
    struct store_writer store = {.dirfd = -1};
    struct outcome outcome = {0};
    struct bench_error err = {0};
    sigset_t old;
    int fd = signals_open(&old), code = 0, received;

    /* Who reads the progress may go; the run goes on. Other commands end with their reader. */
    signal(SIGPIPE, SIG_IGN);
    if (execute(q, plan, argv, fd, &store, &outcome, &err) < 0)
        code = cli_error(&err);
    if (outcome.created && outcome.end == RUNNER_INTERRUPTED)
        say_line(stderr, "bench: stopped early; finished repetitions are kept in '%s'", store.path);
    if (outcome.created && code == 0)
        code = save_baseline(q, store.path, &outcome);
    if (outcome.created && code == 0)
        code = print_result(cli, q, store.path);
    if (q->save_baseline && code == BENCH_ERROR_ENVIRONMENT)
        say_line(stderr, "bench: kept as '%s', but its environment was unfit", q->save_baseline);
    if (outcome.failed && (code == 0 || code == BENCH_ERROR_INCONCLUSIVE))
        code = BENCH_ERROR_RUN;
    received = signals_close(fd, &old);
    if (received && outcome.end == RUNNER_INTERRUPTED)
        code = 128 + received;
    store_writer_release(&store);
    return code;
}

/* What the command makes of the scenario, and what it needs beside it. */
static int prepare(struct run_request *q, struct bench_error *err)
{
    if (q->save_baseline && baseline_check_name(q->save_baseline, err) < 0)
        return error_context(err, "--save-baseline");
    if (gates_check(&q->scenario, q->mode.compare, !q->baseline_run, err) < 0)
        return -1;
    if (!q->baseline_run)
        return q->mode.compare ? comparison_prepare(&q->scenario, err)
                               : comparison_refuse(&q->scenario, err);
    if (!q->mode.compare) {
        error_set(err, BENCH_ERROR_USAGE, "--baseline-run: nothing is compared here");
        error_hint(err, "use 'bench compare'");
        return -1;
    }
    if (q->scenario.precision > 0 || q->scenario.stop == STOP_LOOKS) {
        error_set(err, BENCH_ERROR_USAGE,
                  "%s: the repetitions of a saved run are as many as they are",
                  q->scenario.precision > 0 ? "precision" : "stop");
        error_hint(err, "give 'repeat' in its place");
        return -1;
    }
    comparison_defaults(&q->scenario, 1);
    if (comparison_check_metrics(&q->scenario, err) < 0)
        return -1;
    return baseline_find(NULL, q->baseline_run, &q->baseline_path, err);
}

/* A search has its first plan in a closed loop, and the others at rates. */
static int print_plan(const struct run_request *q, const struct plan *plan, struct bench_error *err)
{
    struct plan rated;
    int result;

    if (q->scenario.rate == RATE_AUTO) {
        if (saturation_rated_plan(&rated, &q->scenario, q->registry, err) < 0)
            return -1;
        result = dry_run_check(&rated, err);
        plan_release(&rated);
        if (result < 0)
            return -1;
    }
    return dry_run_print(plan, q->verbose, err);
}

static int run(struct cli *cli, struct run_request *q, char **argv)
{
    struct bench_error err = {0};
    struct plan plan;
    int code;

    if (!registry_find(cli_registry(cli), BENCH_REPORTER, q->format, &err) ||
        (q->capture_cost && scenario_capture_cost(&q->scenario, &err) < 0) ||
        scenario_check(&q->scenario, cli_registry(cli), capture_known, &err) < 0 ||
        prepare(q, &err) < 0)
        return cli_error(&err);
    q->registry = cli_registry(cli);
    if (first_plan(&plan, &q->scenario, q->registry, &err) < 0)
        return cli_error(&err);
    if (q->dry_run)
        code = (code = print_plan(q, &plan, &err)) < 0 ? cli_error(&err) : code;
    else
        code = run_plan(cli, q, &plan, argv);
    plan_release(&plan);
    return code;
}

static int run_with(struct cli *cli, int argc, char **argv, const struct run_mode *mode)
{
    struct bench_error err = {0};
    struct run_request q;
    bool help = false;
    int code = 0;

    if (run_request_read(&q, cli, mode, argc, argv, &help, &err) < 0)
        code = cli_error(&err);
    else if (!help)
        code = run(cli, &q, argv);
    run_request_release(&q);
    return code;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){0});
}

int cli_stat(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.capture = "stat"});
}

int cli_record(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.capture = "record"});
}

int cli_c2c(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.capture = "c2c"});
}

int cli_mem(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.capture = "mem"});
}

int cli_compare_arms(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.compare = true});
}

int cli_offcpu(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.capture = "offcpu"});
}

int cli_syscalls(struct cli *cli, int argc, char **argv)
{
    return run_with(cli, argc, argv, &(struct run_mode){.capture = "syscalls"});
}
