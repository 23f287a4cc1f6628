/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stages.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/memory.h"
#include "plugin/hooks.h"
#include "run/asked.h"
#include "store/disturbed.h"

/* A wrapper's client is given the time to finish and write its results. */
static void await_client(struct repetition *p)
{
    if (p->step->point->workload->parse && !p->client_done)
        repetition_watch(p, p->clock->now(p->clock) + p->scenario->stop_timeout_ns, NULL);
}

/* Until the role that was asked to has ended, or its grace is over. An interrupt ends the grace of
 * all, unless it is the one that ended the repetition: that stays readable. */
static void grant(struct repetition *p, size_t i, int64_t until_ns)
{
    struct pollfd fds[1 + SITE_MAX_DESCRIPTORS] = {
        {.fd = p->interrupted ? -1 : p->session->interrupt_fd, .events = POLLIN},
    };

    while (p->ops->state(p->site, i) != SITE_EXITED && !p->hurried &&
           p->clock->now(p->clock) < until_ns) {
        nfds_t n = 1 + p->ops->descriptors(p->site, fds + 1);

        if (p->clock->poll(p->clock, fds, n, until_ns) > 0 && fds[0].revents)
            p->interrupted = p->hurried = true;
    }
}

/* Of several failures the first is told: `*result` and `err` keep it. */
static void end_role(struct repetition *p, size_t i, int64_t until_ns, int *result,
                     struct bench_error *err)
{
    bool forced = false;

    if (p->states[i] == SITE_RUNNING || p->states[i] == SITE_READY)
        grant(p, i, until_ns);
    if (p->ops->stop(p->site, i, &forced, *result < 0 ? NULL : err) < 0)
        *result = -1;
    if (i < p->record.n_roles)
        p->record.roles[i].forced = forced;
}

static int end_roles(struct repetition *p, struct bench_error *err)
{
    const size_t client = p->chain.client;
    int64_t until_ns = p->clock->now(p->clock) + p->scenario->stop_timeout_ns;
    int result = 0;

    for (size_t i = 0; i < p->chain.count; i++)
        p->states[i] = p->ops->state(p->site, i);
    /* The client first and alone: its connections are then intact when it counts its bytes. */
    p->ops->ask_to_stop(p->site, client);
    end_role(p, client, until_ns, &result, err);
    if (!p->client_done)
        p->client_end_ns = p->clock->now(p->clock);
    until_ns = p->clock->now(p->clock) + p->scenario->stop_timeout_ns;
    for (size_t i = 0; i < p->chain.count; i++)
        if (i != client)
            p->ops->ask_to_stop(p->site, i);
    for (size_t i = 0; i < p->chain.count; i++)
        if (i != client)
            end_role(p, i, until_ns, &result, err);
    return result;
}

/* The tool's own word on what it did, in its own window. */
static int parse_leftovers(struct repetition *p, struct bench_error *err)
{
    const struct bench_workload *workload = p->step->point->workload;
    const struct chain_role *client = &p->chain.roles[p->chain.client];
    const struct chain_role *server = &p->chain.roles[0];
    struct repetition_record *record = &p->record;
    struct bench_result result = {0};
    struct bench_leftovers left = {
        .size = sizeof(left),
        .client_stdout = client->stdout_path,
        .client_stderr = client->stderr_path,
        .client_directory = client->directory,
        .server_stdout = server->stdout_path,
        .server_stderr = server->stderr_path,
        .server_directory = server->directory,
        .client_status = record->roles[p->chain.client].status,
        .window_begin_ns = record->window_begin_ns + record->wall_minus_monotonic_ns,
        .window_end_ns = record->window_end_ns + record->wall_minus_monotonic_ns,
        .client_begin_ns = p->client_begin_ns + record->wall_minus_monotonic_ns,
        .client_end_ns = p->client_end_ns + record->wall_minus_monotonic_ns,
    };
    int status;

    if (!workload->parse)
        return 0;
    result.begin_ns = left.window_begin_ns;
    result.end_ns = left.window_end_ns;
    result.life_begin_ns = left.client_begin_ns;
    result.life_end_ns = left.client_end_ns;
    result.clock_step_ns = record->clock_step_ns;
    status = hook_parse(workload, p->step->point->workload_state, &left, &result, err);
    if (result_check_times(&result, err) < 0) /* explains what the parser may have found */
        status = -1;
    if (status < 0) {
        error_context(err, "workload '%s'", workload->plugin.name);
        repetition_quote_relays(p, err); /* they may have reported why nothing moved */
    }
    for (size_t i = 0; i < result.warnings.count; i++)
        record_warn(record, "%s", result.warnings.items[i]);
    for (size_t i = 0; status == 0 && i < result.n_totals; i++)
        record_add_total(record, result.totals[i].metric, result.totals[i].value);
    if (status == 0 && result.requests > 0) {
        record_add_total(record, "operations", (double)(result.requests - result.failed_requests));
        record_add_total(record, "errors_client", (double)result.failed_requests);
    }
    if (status == 0 && result.latencies) {
        record_add_latency(record, "service", result.latencies);
        result.latencies = NULL;
    }
    if (status == 0 && result.has_window) {
        record->window_begin_ns = result.begin_ns - record->wall_minus_monotonic_ns;
        record->window_end_ns = result.end_ns - record->wall_minus_monotonic_ns;
    }
    result_release(&result);
    return status;
}

static int check_asked(struct repetition *p, struct bench_error *err)
{
    const struct point *point = p->step->point;
    const struct chain_role *client = &p->chain.roles[p->chain.client];
    struct asked asked = {
        .requests = client->role.rate,
        .jobs = client->role.jobs,
        .own = client->process.main != NULL,
    };

    if (hook_asked_bits(point->workload, point->workload_state, &client->role, &asked.bits, err) <
            0 ||
        asked_compare(&asked, &p->record, err) < 0)
        return error_context(err, "%s", client->title);
    return 0;
}

int repetition_stop(struct repetition *p, struct bench_error *err)
{
    struct repetition_record *record = &p->record;
    struct bench_error first = p->failed ? p->failure : (struct bench_error){0};
    bool good = p->measured && !p->failed;
    int result = 0;

    p->ops->resume(p->site); /* what is paused cannot end */
    if (p->capturing)
        p->ops->end(p->site, false, NULL);
    p->capturing = false;
    if (p->held) {
        if (good)
            await_client(p);
        result = end_roles(p, err);
    }
    if (record->window_end_ns == 0)
        record_keep_disturbances(record);
    if (p->interrupted)
        good = false; /* its tool may have been cut short */
    record->clock_step_ns = p->clock->offset(p->clock) - record->wall_minus_monotonic_ns;
    if (good && (repetition_check_watched(p, &first) < 0 || p->ops->valid(p->site, &first) < 0 ||
                 parse_leftovers(p, &first) < 0 || check_asked(p, &first) < 0 ||
                 p->ops->finish(p->site, &first) < 0))
        good = false;
    if (!good)
        disk_explain_full(p->directory, &first);
    if (p->ops->remove(p->site, result < 0 ? NULL : err) < 0)
        result = -1;
    record->ok = good;
    record->error = first;
    record->total_ns = p->clock->now(p->clock) - p->started_ns;
    return result;
}
