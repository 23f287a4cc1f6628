/* SPDX-License-Identifier: Apache-2.0 */
/* A record that uses every member, a plan by hand, a directory to work in, and their comparison. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/store.h"

/* A fresh working directory, removed by sample_leave(). */
static inline int sample_enter(void **state)
{
    char *path = xstrdup("/tmp/bench-test-store-XXXXXX");

    *state = mkdtemp(path);
    return chdir(path);
}

static inline int sample_leave(void **state)
{
    int r = chdir("/") | directory_remove(AT_FDCWD, *state, NULL);

    free(*state);
    return r;
}

static inline void sample_series(struct series *s)
{
    series_add_column(s, "relay_1.cpu_ns", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(s, "server.rss_bytes", SERIES_GAUGE, BENCH_SCALED, "a\ttab, a\nline, a \\");
    series_add_column(s, "relay_1.event:cycles", SERIES_COUNTER, BENCH_NOT_SUPPORTED, "-");
    series_add_column(s, "server.event:page-faults", SERIES_COUNTER, BENCH_FAILED, "");
    for (int i = 0; i < 20; i++) {
        int64_t *row = series_add_row(s, INT64_C(8812000000000) + i * INT64_C(100000001));

        row[0] = i == 7 ? INT64_MAX : i * INT64_C(9007199254740993); /* beyond a double */
        row[1] = i == 3 ? SERIES_MISSING : -i;
        row[3] = INT64_MIN + 1;
    }
}

static inline void sample_record(struct repetition_record *r, uint32_t index, const char *arm)
{
    struct record_role *role;

    *r = (struct repetition_record){
        .index = index,
        .block = (index + 1) / 2,
        .arm = xstrdup(arm),
        .relay = xstrdup("nginx"),
        .point = xstrdup("jobs=10 hops=2"),
        .purpose = xstrdup(PURPOSE_MEASURE),
        .hops = 2,
        .seed = UINT64_MAX - index,
        .delivered = xstrdup("server"),
        .network = xstrdup("isolated"),
        .congestion = xstrdup("reno"),
        .ok = index % 2,
        .started_wall_ns = INT64_C(1763621384123456789),
        .wall_minus_monotonic_ns = INT64_C(1763612572123456789),
        .clock_step_ns = -1234,
        .total_ns = INT64_C(7400000001),
        .warmup_ns = INT64_C(2000000003),
        .window_begin_ns = INT64_C(8812000000000),
        .window_end_ns = INT64_C(8813900000019),
        .captures = json_pack("[{ss,ss,s[s]}]", "capture", "record", "role", "relay_1", "files",
                              "record-relay_1.perf.data"),
    };
    if (!r->ok) {
        r->error.kind = BENCH_ERROR_ENVIRONMENT;
        strcpy(r->error.message, "relay 'nginx' (hop 1): ended with status 1");
        strcpy(r->error.detail, "nginx: [emerg] bind() failed\nnginx: \"quoted\"\n");
        strcpy(r->error.hint, "look at its configuration");
    }
    record_warn(r, "relay 'nginx' (hop 1): wrote %d MiB to stderr", 20);
    record_warn(r, "relay 'nginx' (hop 1): wrote %d MiB to stderr", 20);
    record_warn(r, "the client's last line was cut");
    record_add_role(r, "server");
    role = record_add_role(r, "relay_1");
    strings_add(&role->argv, "/usr/sbin/nginx");
    strings_add(&role->argv, "");
    strings_add(&role->argv, "daemon off; # Ünïcödé");
    strings_add(&role->environment, "LD_LIBRARY_PATH=/opt/new/lib");
    role->cpu_limit = 0.1 + 0.2;
    role->cpu_period_ns = 100000000;
    role->cpus = xstrdup("0-1");
    role->status = 0x0f;
    role->forced = true;
    role->binaries = json_pack("[{s:s, s:I, s:n}]", "path", "/usr/sbin/nginx", "size",
                               (json_int_t)1272632, "build_id");
    record_add_total(r, "operations", 1e18 + 1.0 / 3);
    record_add_total(r, "server.bytes_received", 0);
    record_add_latency(r, "service", histogram_new());
    record_add_latency(r, "response", histogram_new());
    histogram_record(r->latencies[1].histogram, 48700, 3);
    histogram_record(r->latencies[1].histogram, 60 * NS_PER_S, 1);
    sample_series(&r->series);
}

static inline void assert_text_equal(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_true(a == b);
}

static inline void assert_strings_equal(const struct strings *a, const struct strings *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_string_equal(a->items[i], b->items[i]);
}

static inline void assert_series_equal(const struct series *a, const struct series *b)
{
    assert_int_equal(a->n_columns, b->n_columns);
    assert_int_equal(a->n_rows, b->n_rows);
    for (size_t i = 0; i < a->n_columns; i++) {
        assert_string_equal(a->columns[i].name, b->columns[i].name);
        assert_int_equal(a->columns[i].kind, b->columns[i].kind);
        assert_int_equal(a->columns[i].state, b->columns[i].state);
        assert_text_equal(a->columns[i].reason, b->columns[i].reason);
    }
    for (size_t i = 0; i < a->n_rows; i++)
        assert_true(a->times[i] == b->times[i]);
    for (size_t i = 0; i < a->n_rows * a->n_columns; i++)
        assert_true(a->values[i] == b->values[i]);
}

static inline void assert_role_equal(const struct record_role *a, const struct record_role *b)
{
    assert_string_equal(a->name, b->name);
    assert_strings_equal(&a->argv, &b->argv);
    assert_strings_equal(&a->environment, &b->environment);
    assert_true(a->cpu_limit == b->cpu_limit);
    assert_true(a->cpu_period_ns == b->cpu_period_ns);
    assert_text_equal(a->cpus, b->cpus);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->forced, b->forced);
    assert_true(a->binaries ? json_equal(a->binaries, b->binaries) : !b->binaries);
}

static inline void assert_record_equal(const struct repetition_record *a,
                                       const struct repetition_record *b)
{
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->block, b->block);
    assert_string_equal(a->arm, b->arm);
    assert_string_equal(a->relay, b->relay);
    assert_string_equal(a->point, b->point);
    assert_string_equal(a->purpose, b->purpose);
    assert_int_equal(a->hops, b->hops);
    assert_true(a->seed == b->seed);
    assert_text_equal(a->delivered, b->delivered);
    assert_text_equal(a->network, b->network);
    assert_text_equal(a->congestion, b->congestion);
    assert_int_equal(a->ok, b->ok);
    assert_int_equal(a->error.kind, b->error.kind);
    assert_string_equal(a->error.message, b->error.message);
    assert_string_equal(a->error.detail, b->error.detail);
    assert_string_equal(a->error.hint, b->error.hint);
    assert_int_equal(a->warnings.count, 2);
    assert_strings_equal(&a->warnings, &b->warnings);
    assert_true(a->started_wall_ns == b->started_wall_ns);
    assert_true(a->wall_minus_monotonic_ns == b->wall_minus_monotonic_ns);
    assert_true(a->clock_step_ns == b->clock_step_ns);
    assert_true(a->total_ns == b->total_ns);
    assert_true(a->warmup_ns == b->warmup_ns);
    assert_true(a->window_begin_ns == b->window_begin_ns);
    assert_true(a->window_end_ns == b->window_end_ns);
    assert_true(json_equal(a->captures, b->captures));
    assert_int_equal(a->n_roles, b->n_roles);
    for (size_t i = 0; i < a->n_roles; i++)
        assert_role_equal(&a->roles[i], &b->roles[i]);
    assert_int_equal(a->n_latencies, b->n_latencies);
    for (size_t i = 0; i < a->n_latencies; i++) {
        assert_string_equal(a->latencies[i].name, b->latencies[i].name);
        assert_memory_equal(a->latencies[i].histogram, b->latencies[i].histogram,
                            sizeof(struct histogram));
    }
    assert_int_equal(a->n_totals, b->n_totals);
    for (size_t i = 0; i < a->n_totals; i++) {
        assert_string_equal(a->totals[i].metric, b->totals[i].metric);
        assert_true(a->totals[i].value == b->totals[i].value);
    }
    assert_series_equal(&a->series, &b->series);
    assert_text_equal(a->directory, b->directory);
}

#endif
