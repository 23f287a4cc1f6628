/* SPDX-License-Identifier: Apache-2.0 */
#include "run/parts.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

/* What the shared pages hold after the last thread has counted: cross-checked against the kernel.
 */
static void add_totals(struct repetition *p, size_t i)
{
    const struct bench_page *page = role_page(p->roles[i]);
    uint64_t sums[4] = {0};
    static const char *const names[4] = {"bytes_sent", "bytes_received", "kernel_bytes_sent",
                                         "kernel_bytes_received"};

    if (!page)
        return;
    for (size_t s = 0; s < BENCH_SLOTS; s++) {
        const struct bench_slot *slot = &page->slot[s];

        sums[0] += atomic_load(&slot->bytes_sent);
        sums[1] += atomic_load(&slot->bytes_received);
        sums[2] += atomic_load(&slot->kernel_bytes_sent);
        sums[3] += atomic_load(&slot->kernel_bytes_received);
    }
    for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
        cleanup_free char *name = xasprintf("%s.%s", p->cast.members[i].name, names[k]);

        record_add_total(&p->record, name, (double)sums[k]);
    }
}

/* Of several failures the first is told: `*result` and `err` keep it. */
static void stop_member(struct repetition *p, size_t i, int *result, struct bench_error *err)
{
    struct record_role *record = i < p->record.n_roles ? &p->record.roles[i] : NULL;

    if (!p->roles || !p->roles[i])
        return;
    if (role_stop(p->roles[i], p->scenario->stop_timeout_ns, &record->forced,
                  *result < 0 ? NULL : err) < 0)
        *result = -1;
    record->status = role_status(p->roles[i]);
    add_totals(p, i);
}

/* The tool's own word on what it did, in its own window. */
static int parse_leftovers(struct repetition *p, struct bench_error *err)
{
    const struct bench_workload *workload = p->step->point->workload;
    const struct member *client = &p->cast.members[p->cast.client];
    const struct member *server = &p->cast.members[0];
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
        .client_status = record->roles[p->cast.client].status,
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
    status = workload->parse(p->step->point->workload_state, &left, &result, err);
    if (result_check_times(&result, err) < 0) /* explains what the parser may have found */
        status = -1;
    if (status < 0)
        error_context(err, "workload '%s'", workload->plugin.name);
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

/* The client's own word that its numbers must not be used. */
static int check_valid(const struct repetition *p, struct bench_error *err)
{
    const struct bench_page *page = role_page(p->roles[p->cast.client]);

    if (!page || !page->invalid[0])
        return 0;
    return error_set(err, BENCH_ERROR_RUN, "%s: INVALID: %.*s",
                     p->cast.members[p->cast.client].title, (int)sizeof(page->invalid),
                     page->invalid);
}

static int finish_captures(struct repetition *p, struct bench_error *err)
{
    for (size_t i = 0; i < p->n_captures; i++)
        if (capture_finish(p->captures[i], err) < 0)
            return -1;
    return 0;
}

/* A wrapper's client is given the time to finish and write its results. */
static void await_client(struct repetition *p)
{
    if (p->step->point->workload->parse && p->roles[p->cast.client] && !p->client_done)
        repetition_watch(p, clock_now() + p->scenario->stop_timeout_ns, NULL);
}

int repetition_stop(struct repetition *p, const struct bench_error *failure,
                    struct bench_error *err)
{
    struct repetition_record *record = &p->record;
    struct bench_error first = failure ? *failure : (struct bench_error){0};
    bool failed = failure != NULL;
    int result = 0;

    repetition_resume(p); /* what is paused cannot end */
    if (p->capturing)
        repetition_end_captures(p, NULL);
    if (p->roles) {
        if (!failed)
            await_client(p);
        /* The client first and alone: its connections are then intact when it counts its bytes. */
        stop_member(p, p->cast.client, &result, err);
        if (!p->client_done)
            p->client_end_ns = clock_now();
        for (size_t i = 0; i < p->cast.count; i++)
            if (p->roles[i])
                role_ask_to_stop(p->roles[i]);
        for (size_t i = 0; i < p->cast.count; i++)
            if (i != p->cast.client)
                stop_member(p, i, &result, err);
    }
    record->clock_step_ns = clock_offset() - record->wall_minus_monotonic_ns;
    if (!failed && (check_valid(p, &first) < 0 || parse_leftovers(p, &first) < 0 ||
                    finish_captures(p, &first) < 0))
        failed = true;
    for (size_t i = 0; i < p->n_captures; i++)
        capture_free(p->captures[i]);
    p->n_captures = 0;
    for (size_t i = 0; p->cgroups && i < p->cast.count; i++) {
        if (p->cgroups[i] && cgroup_remove(p->cgroups[i], result < 0 ? NULL : err) < 0)
            result = -1;
    }
    record->ok = !failed;
    record->error = first;
    record->total_ns = clock_now() - p->started_ns;
    return result;
}
