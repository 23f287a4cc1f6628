/* SPDX-License-Identifier: Apache-2.0 */
#include "site/local_site.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

static int add_capture(struct local_site *l, const struct capture_ops *ops,
                       const struct settings *options, struct bench_error *err)
{
    if (capture_new(&l->captures[l->n_captures], ops, options, err) < 0)
        return -1;
    l->n_captures++;
    return 0;
}

/* An ordinary repetition has every capture that does without one of its own, unless the arm
 * chooses. */
static bool is_wanted(const struct local_site *l, const struct capture_request *c)
{
    if (l->step->capture)
        return l->step->capture == c;
    if (l->arm->chooses_captures)
        return strings_has(&l->arm->captures, c->name);
    return c->repetitions == 0;
}

static int add_captures(struct local_site *l, struct bench_error *err)
{
    const struct scenario *s = l->scenario;
    size_t most = s->n_captures;

    for (size_t i = 0; captures[i]; i++)
        most++;
    l->captures = xcalloc(most, sizeof(*l->captures));
    for (size_t i = 0; captures[i]; i++)
        if (captures[i]->always && add_capture(l, captures[i], NULL, err) < 0)
            return -1;
    for (size_t i = 0; i < s->n_captures; i++) {
        const struct capture_request *c = &s->captures[i];

        if (is_wanted(l, c) && add_capture(l, capture_find(c->name), &c->options, err) < 0)
            return -1;
    }
    return 0;
}

int local_open_captures(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;
    struct capture_target target = {
        .facts = l->record->captures,
        .containment = l->host->containment,
        .roles = l->handles,
        .n_roles = l->chain->count,
        .network = l->network,
        .series = &l->record->series,
        .disturbances = &l->record->disturbances,
        .directory = l->directory,
        .title = l->title,
    };

    if (add_captures(l, err) < 0)
        return -1;
    for (size_t i = 0; i < l->n_captures; i++)
        if (capture_open(l->captures[i], &target, err) < 0)
            return -1;
    return 0;
}

void local_set_phase(struct site *s, enum bench_phase phase)
{
    struct local_site *l = (struct local_site *)s;

    for (size_t i = 0; i < l->chain->count; i++) {
        struct bench_page *page = l->handles[i] ? role_page(l->handles[i]) : NULL;

        if (page)
            atomic_store(&page->phase, phase);
    }
}

int64_t local_sample(struct site *s, bool totals)
{
    struct local_site *l = (struct local_site *)s;
    int64_t now = clock_now();
    int64_t *row = series_add_row(&l->record->series, now);

    for (size_t i = 0; i < l->n_captures; i++)
        capture_sample(l->captures[i], row, totals);
    return now;
}

int local_begin(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;

    for (size_t i = 0; i < l->n_captures; i++)
        if (capture_begin(l->captures[i], err) < 0)
            return -1;
    return 0;
}

/* The client's distribution of one kind up to now; NULL when it keeps none. Caller frees. */
static struct histogram *read_latency(const struct local_site *l, enum bench_latency kind)
{
    const struct bench_page *page = local_client_page(l);
    struct histogram *h;
    uint32_t used;

    if (!page || !(atomic_load(&page->latencies) & 1u << kind))
        return NULL;
    h = histogram_new();
    used = atomic_load(&page->slots);
    for (uint32_t i = 0; i < used && i < BENCH_HISTOGRAMS; i++)
        histogram_add_shared(h, &page->histogram[kind][i]);
    return h;
}

int64_t local_begin_slice(struct site *s)
{
    struct local_site *l = (struct local_site *)s;
    int64_t now = local_sample(s, true);

    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        free(l->before[kind]); /* of a slice that was cut short */
        l->before[kind] = read_latency(l, kind);
    }
    local_set_phase(s, BENCH_PHASE_WINDOW);
    return now;
}

/* Adds what came since the slice began. */
static void add_latency(struct local_site *l, enum bench_latency kind)
{
    struct histogram *h = read_latency(l, kind), *before = l->before[kind];

    if (h && before)
        histogram_subtract(h, before);
    if (h && l->latencies[kind])
        histogram_merge(l->latencies[kind], h);
    if (l->latencies[kind])
        free(h);
    else
        l->latencies[kind] = h;
    free(before);
    l->before[kind] = NULL;
}

int64_t local_end_slice(struct site *s)
{
    int64_t now = local_sample(s, true);

    for (int kind = 0; kind < BENCH_LATENCIES; kind++)
        add_latency((struct local_site *)s, kind);
    return now;
}

static void keep_latencies(struct local_site *l)
{
    static const char *const names[BENCH_LATENCIES] = {"service", "response", "lag"};

    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        if (l->latencies[kind])
            record_add_latency(l->record, names[kind], l->latencies[kind]);
        l->latencies[kind] = NULL;
    }
}

static bool listens_on(const struct bench_process *process, uint16_t port)
{
    for (size_t i = 0; i < process->n_ports; i++)
        if (process->ports[i] == port)
            return true;
    return false;
}

/* A client that never connects measures itself, whatever stands between it and the server. */
static void warn_unreached(struct local_site *l)
{
    const struct chain_role *client = &l->chain->roles[l->chain->client];
    const uint16_t port = client->role.connect.port;
    const struct chain_role *first = NULL;

    for (size_t i = 0; i < l->chain->count; i++)
        if (l->chain->roles[i].hop == (l->record->hops ? 1 : 0) && i != l->chain->client)
            first = &l->chain->roles[i];
    if (!first || !listens_on(&first->process, port) || network_reached(l->network, port))
        return;
    record_warn(l->record, "the client made no connection to %s: nothing passed through it",
                first->title);
}

int local_end(struct site *s, bool whole, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;
    int result = 0;

    if (whole) {
        warn_unreached(l);
        local_set_phase(s, BENCH_PHASE_END);
        keep_latencies(l);
    }
    /* The first error is told. */
    for (size_t i = 0; i < l->n_captures; i++)
        if (capture_end(l->captures[i], result ? NULL : err) < 0)
            result = -1;
    return result;
}

int local_valid(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;
    const struct bench_page *page = local_client_page(l);

    if (!page || !page->invalid[0])
        return 0;
    return error_set(err, BENCH_ERROR_RUN, "%s: INVALID: %.*s",
                     l->chain->roles[l->chain->client].title, (int)sizeof(page->invalid),
                     page->invalid);
}

int local_finish(struct site *s, struct bench_error *err)
{
    struct local_site *l = (struct local_site *)s;

    for (size_t i = 0; i < l->n_captures; i++)
        if (capture_finish(l->captures[i], err) < 0)
            return -1;
    return 0;
}

void local_free_captures(struct local_site *l)
{
    for (size_t i = 0; i < l->n_captures; i++)
        capture_free(l->captures[i]);
    l->n_captures = 0;
    free(l->captures);
    l->captures = NULL;
    for (int kind = 0; kind < BENCH_LATENCIES; kind++) {
        free(l->before[kind]);
        free(l->latencies[kind]);
        l->before[kind] = l->latencies[kind] = NULL;
    }
}
