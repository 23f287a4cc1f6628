/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored runs made by hand, with numbers that can be checked in the head: a tick per 0.1 s, warm-up
 * from 0 to 0.5 s at another rate than the window (0.5 to 3.5 s), and samples after its end.
 */
#ifndef TESTS_EXAMPLE_H
#define TESTS_EXAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/record.h"
#include "store/store.h"

#define EXAMPLE_TICK INT64_C(100000000)
#define EXAMPLE_BOOT INT64_C(7000000000000) /* CLOCK_MONOTONIC at the first sample */

enum { EXAMPLE_ROWS = 40, EXAMPLE_BEGIN = 5, EXAMPLE_END = 35 };

struct example_column {
    char name[112];
    double per_second; /* in the window; twice that during warm-up and after it */
    bool gauge;
    enum bench_state state;
    const char *reason;
};

struct example {
    struct example_column columns[256];
    size_t n;
};

static inline void example_add(struct example *e, const char *role, const char *name,
                               double per_second)
{
    struct example_column *c = &e->columns[e->n++];

    *c = (struct example_column){.per_second = per_second};
    snprintf(c->name, sizeof(c->name), "%s.%s", role, name);
}

/* What a role's process shows. `cpus` used, a third of it in user space. */
static inline void example_role(struct example *e, const char *role, double cpus, double bytes)
{
    bool relay = strncmp(role, "relay", 5) == 0;

    example_add(e, role, "cpu_ns", cpus * 1e9);
    example_add(e, role, "user_ns", cpus * 1e9 / 3);
    example_add(e, role, "system_ns", cpus * 1e9 * 2 / 3);
    example_add(e, role, "rss_bytes", relay ? 10 << 20 : 4 << 20);
    e->columns[e->n - 1].gauge = true;
    if (relay) {
        example_add(e, role, "throttled_ns", 0.02e9);
        example_add(e, role, "periods", 1000);
        example_add(e, role, "throttled_periods", 50);
    } else {
        example_add(e, role, "bytes_sent", strcmp(role, "client") == 0 ? bytes : 0);
        example_add(e, role, "bytes_received", strcmp(role, "server") == 0 ? bytes : 0);
        example_add(e, role, "operations", 0);
        example_add(e, role, "connections", 0);
        example_add(e, role, "errors", 0);
    }
}

static inline void example_event(struct example *e, const char *role, const char *event,
                                 double per_second, double running)
{
    char name[64];

    snprintf(name, sizeof(name), "event:%s", event);
    example_add(e, role, name, per_second);
    snprintf(name, sizeof(name), "event:%s.enabled_ns", event);
    example_add(e, role, name, 1e9);
    snprintf(name, sizeof(name), "event:%s.running_ns", event);
    example_add(e, role, name, running * 1e9);
}

static inline void example_missing(struct example *e, const char *role, const char *event,
                                   const char *reason)
{
    char name[64];

    snprintf(name, sizeof(name), "event:%s", event);
    example_add(e, role, name, 0);
    e->columns[e->n - 1].state = BENCH_NOT_SUPPORTED;
    e->columns[e->n - 1].reason = reason;
}

static inline void example_events(struct example *e, const char *role, double cpus)
{
    example_event(e, role, "task-clock", cpus * 1e9, 1);
    example_event(e, role, "context-switches", 4000, 1);
    example_event(e, role, "page-faults", 10, 0.5);
    example_missing(e, role, "cycles", "no hardware PMU on this machine");
    example_missing(e, role, "instructions", "no hardware PMU on this machine");
}

static inline void example_machine(struct example *e, double idle)
{
    static const char *const states[] = {"user_ns",   "nice_ns", "system_ns",  "idle_ns",
                                         "iowait_ns", "irq_ns",  "softirq_ns", "steal_ns"};
    static const char *const net[] = {"segments_out", "segments_in",   "retransmits",
                                      "active_opens", "passive_opens", "listen_overflows",
                                      "listen_drops", "resets_out"};
    const double share[] = {0.3, 0, 0.6, 0, 0, 0, 0.1, 0};

    for (size_t i = 0; i < 8; i++)
        example_add(e, "system", states[i], 4e9 * (i == 3 ? idle : share[i] * (1 - idle)));
    for (size_t i = 0; i < 8; i++)
        example_add(e, "net", net[i], i < 2 ? 20000 : 0);
    example_add(e, "bench", "cpu_ns", 0.002e9);
}

static inline void example_series(const struct example *e, struct series *s)
{
    for (size_t i = 0; i < e->n; i++)
        series_add_column(s, e->columns[i].name,
                          e->columns[i].gauge ? SERIES_GAUGE : SERIES_COUNTER, e->columns[i].state,
                          e->columns[i].reason);
    for (int row = 0; row < EXAMPLE_ROWS; row++) {
        int64_t *values = series_add_row(s, EXAMPLE_BOOT + row * EXAMPLE_TICK);
        int in_window = row < EXAMPLE_BEGIN ? 0
                        : row < EXAMPLE_END ? row - EXAMPLE_BEGIN
                                            : EXAMPLE_END - EXAMPLE_BEGIN;

        for (size_t i = 0; i < e->n; i++) {
            const struct example_column *c = &e->columns[i];

            if (c->state == BENCH_OK)
                values[i] = c->gauge ? (int64_t)c->per_second + row
                                     : (int64_t)(c->per_second * (2 * row - in_window) / 10);
        }
    }
}

/* A repetition that succeeded, but for its roles and series. */
static inline void example_record(struct repetition_record *r, uint32_t index, uint32_t block,
                                  const char *arm, const char *relay, const char *point,
                                  uint32_t hops)
{
    char directory[64];

    snprintf(directory, sizeof(directory), "repetitions/%04u", index);
    *r = (struct repetition_record){
        .index = index,
        .block = block,
        .arm = xstrdup(arm),
        .relay = xstrdup(relay),
        .point = xstrdup(point),
        .hops = hops,
        .seed = 8812,
        .delivered = xstrdup("server"),
        .network = xstrdup("isolated"),
        .congestion = xstrdup("reno"),
        .ok = true,
        .warmup_ns = EXAMPLE_BEGIN * EXAMPLE_TICK,
        .window_begin_ns = EXAMPLE_BOOT + EXAMPLE_BEGIN * EXAMPLE_TICK,
        .window_end_ns = EXAMPLE_BOOT + EXAMPLE_END * EXAMPLE_TICK,
        .total_ns = INT64_C(3750000000),
        .directory = xstrdup(directory),
    };
}

static inline void example_add_role(struct repetition_record *r, const char *name, double limit,
                                    const char *sha256)
{
    struct record_role *role = record_add_role(r, name);

    role->cpu_limit = limit;
    role->cpu_period_ns = limit > 0 ? EXAMPLE_TICK : 0;
    if (sha256)
        role->binaries = json_pack("[{s:s}]", "sha256", sha256);
}

/* `bytes` per second through a chain whose hops use `relay_cpus` each of their limit of 1. */
static inline void example_ok(struct repetition_record *r, uint32_t index, uint32_t block,
                              const char *arm, const char *relay, const char *point, uint32_t hops,
                              double bytes, double relay_cpus, double idle)
{
    struct example e = {0};

    example_record(r, index, block, arm, relay, point, hops);
    example_add_role(r, "server", 0, NULL);
    example_add_role(r, "client", 0, NULL);
    example_role(&e, "server", 0.4, bytes);
    example_role(&e, "client", 0.3, bytes);
    example_events(&e, "server", 0.4);
    example_events(&e, "client", 0.3);
    for (uint32_t h = 1; h <= hops; h++) {
        char role[32];

        snprintf(role, sizeof(role), "relay_%u", h);
        example_add_role(r, role, 1, "aa");
        example_role(&e, role, relay_cpus, bytes);
        example_events(&e, role, relay_cpus);
    }
    example_machine(&e, idle);
    example_series(&e, &r->series);
}

static inline void example_failed(struct repetition_record *r, uint32_t index, uint32_t block,
                                  const char *arm, const char *relay, const char *point,
                                  uint32_t hops, const char *message)
{
    example_record(r, index, block, arm, relay, point, hops);
    r->ok = false;
    r->window_begin_ns = r->window_end_ns = 0;
    error_set(&r->error, BENCH_ERROR_RUN, "%s", message);
}

static inline json_t *example_run_json(const char *name, const char *state, json_t *relays,
                                       json_t *points, size_t planned)
{
    json_t *plan = json_array();

    for (size_t i = 0; i < planned; i++)
        json_array_append_new(plan, json_object());
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:[s]}, "
        "s:{s:i, s:s, s:s, s:b}}",
        "format", 1, "id", "20261120-064944-example-3f9a", "name", name, "started",
        "2026-11-20T06:49:44Z", "state", state, "plan", plan, "points", points, "scenario",
        "workload", "builtin", "protocol", "tcp", "warmup", "500ms", "duration", "3s", "jobs", 2,
        "cpu_limit", 1, "relays", relays, "capture", "stat", "environment", "cpus_online", 4,
        "cpu_model", "Example 9000", "kernel", "6.18.0", "pmu", 0);
}

static inline void example_run_init(struct stored_run *run, json_t *json, size_t n)
{
    *run = (struct stored_run){
        .path = xstrdup("/runs/example"),
        .id = xstrdup("20261120-064944-example-3f9a"),
        .run = json,
        .repetitions = xcalloc(n, sizeof(struct repetition_record)),
        .n_repetitions = n,
    };
    json_object_set_new(json, "seed", json_string("8812"));
}

/* none against nginx over two hops in 6 blocks; nginx is the limit and runs at about a fifth. */
static inline void example_two_arms(struct stored_run *run)
{
    json_t *relays = json_pack("[s, {s:s, s:s}]", "none", "name", "nginx", "plugin", "nginx");
    size_t n = 0;

    example_run_init(run, example_run_json("none and nginx", "complete", relays, json_array(), 12),
                     12);
    for (uint32_t block = 1; block <= 6; block++) {
        double drift = 1 + 0.01 * block; /* both arms alike */
        bool none_first = block % 2;

        for (int k = 0; k < 2; k++) {
            struct repetition_record *r = &run->repetitions[n++];

            if ((k == 0) == none_first)
                example_ok(r, (uint32_t)n, block, "none", "none", "", 0, 5e9 * drift, 0, 0.8);
            else
                example_ok(r, (uint32_t)n, block, "nginx", "nginx", "", 2,
                           1e9 * drift * (1 + 0.002 * (block % 3)), 0.985 + 0.001 * block, 0.3);
        }
    }
}

/* A sweep that was interrupted; names with every kind of trouble; failures. */
#define EXAMPLE_HOSTILE                                                               \
    "n\xc3\xb3mbre \xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81 \x1b[31m\"\\\x01\x7f\xff\xc3( " \
    "\xe2\x80\xae</script> a name that is longer than any column should ever have to be"

static inline void example_hostile(struct stored_run *run)
{
    json_t *points = json_pack("[{s:s, s:{s:i}}, {s:s, s:{s:i}}]", "label", "jobs=1", "settings",
                               "jobs", 1, "label", "jobs=100", "settings", "jobs", 100);

    example_run_init(run,
                     example_run_json("hostile\nname \xe2\x80\xae", "interrupted",
                                      json_pack("[s]", "none"), points, 12),
                     5);
    example_ok(&run->repetitions[0], 1, 1, "none", "none", "jobs=100", 0, 5e9, 0, 0.01);
    example_ok(&run->repetitions[1], 2, 1, EXAMPLE_HOSTILE, "nginx", "jobs=100", 1, 1e9, 0.5, 0.7);
    example_ok(&run->repetitions[2], 3, 1, "none", "none", "jobs=1", 0, 4e9, 0, 0.8);
    example_failed(&run->repetitions[3], 4, 1, EXAMPLE_HOSTILE, "nginx", "jobs=1", 1,
                   "relay (hop 1): exited with status 1 \x1b[2J \xff");
    example_ok(&run->repetitions[4], 5, 2, "none", "none", "jobs=1", 0, 4.1e9, 0, 0.8);
    run->repetitions[4].captures = json_pack(
        "[n, i, {si, s[i], ss}, {ss, ss, s[si], s[s]}]", 5, "capture", 1, "files", 2, "notes", "x",
        "capture", "\x1b[2J", "event", "\xe2\x80\xae\n", "notes", "\x1b[31m", 3, "files", "../x");
    strings_add(&run->damaged, "repetitions/0006: series.tsv: line 3: cut short");
}

static inline void example_release(struct stored_run *run)
{
    for (size_t i = 0; i < run->n_repetitions; i++)
        record_release(&run->repetitions[i]);
    free(run->repetitions);
    free(run->path);
    free(run->id);
    json_decref(run->run);
    strings_release(&run->damaged);
    for (size_t i = 0; i < run->n_lost; i++) {
        free(run->lost[i].arm);
        free(run->lost[i].point);
    }
    free(run->lost);
    *run = (struct stored_run){0};
}

#endif
