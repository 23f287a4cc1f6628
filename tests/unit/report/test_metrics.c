/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "report/metric_table.h"
#include "report/metrics.h"

#include "documented.h"
#include "example.h"

struct fixture {
    struct repetition_record record;
    struct metric_pool pool;
    struct metric_set set;
};

static void release(struct fixture *f)
{
    metric_set_release(&f->set);
    metric_pool_release(&f->pool);
    record_release(&f->record);
}
#define cleanup_fixture __attribute__((cleanup(release)))

static struct fixture nginx(void)
{
    struct fixture f = {0};

    example_ok(&f.record, 1, 1, "nginx", "nginx", "", 2, 1e9, 0.75, 0.25);
    return f;
}

static void compute(struct fixture *f)
{
    metric_set_release(&f->set);
    metrics_compute(&f->record, &f->pool, &f->set);
}

static void assert_metric(const struct fixture *f, const char *name, double expected)
{
    const struct metric_value *v = metric_set_find(&f->set, name);

    if (!v)
        fail_msg("no metric '%s'", name);
    if (v->value.state != BENCH_OK || fabs(v->value.value - expected) > 1e-6 * fabs(expected))
        fail_msg("%s: %.9g in state %d, not %.9g", name, v->value.value, v->value.state, expected);
}

static void assert_state(const struct fixture *f, const char *name, enum bench_state state,
                         const char *reason)
{
    const struct metric_value *v = metric_set_find(&f->set, name);

    assert_non_null(v);
    assert_int_equal(v->value.state, state);
    if (reason)
        assert_string_equal(v->reason, reason);
    else
        assert_null(v->reason);
}

static void assert_none(const struct fixture *f, const char *name)
{
    assert_null(metric_set_find(&f->set, name));
}

/* Every figure of the example is per second of the window; warm-up and end run at twice the rate.
 */
static void only_the_window_counts(void **state)
{
    cleanup_fixture struct fixture f = nginx();

    (void)state;
    compute(&f);
    assert_metric(&f, "bits_per_second", 8e9);
    assert_metric(&f, "cpus_client", 0.3);
    assert_metric(&f, "cpus_relay_1", 0.75);
    assert_metric(&f, "cpus_relay", 1.5);
    assert_metric(&f, "cpus_user_relay_2", 0.25);
    assert_metric(&f, "cpus_system_relay_2", 0.5);
    assert_metric(&f, "cpu_seconds_per_gigabyte_relay_1", 0.75);
    assert_metric(&f, "cpu_seconds_per_gigabyte_relay", 1.5);
    assert_metric(&f, "rss_bytes_relay_1", (10 << 20) + EXAMPLE_END);
    assert_metric(&f, "throttled_seconds_relay_2", 0.06);
    assert_metric(&f, "throttled_share_relay_1", 0.05);
    assert_metric(&f, "system_idle_share", 0.25);
    assert_metric(&f, "system_kernel_share", 0.45);
    assert_metric(&f, "tcp_segments_sent", 60000);
    assert_metric(&f, "tcp_retransmits", 0);
    assert_metric(&f, "errors_client", 0);
    assert_metric(&f, "connections_per_second", 0);
    assert_metric(&f, "bench_cpus", 0.002);
    assert_metric(&f, "others_cpus", 2.7 - 0.3 - 1.5 - 0.4 - 0.002);
}

/* A wrapped tool's window ends between samples: both neighbours outside stay outside. */
static void window_between_samples(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    struct metric_window w;

    (void)state;
    f.record.window_begin_ns += EXAMPLE_TICK / 2;
    f.record.window_end_ns -= EXAMPLE_TICK / 2;
    w = metric_window(&f.record);
    assert_int_equal(w.first, EXAMPLE_BEGIN + 1);
    assert_int_equal(w.last, EXAMPLE_END - 1);
    assert_true(fabs(w.seconds - 2.8) < 1e-9);
    compute(&f);
    assert_metric(&f, "bits_per_second", 8e9);
    assert_metric(&f, "throttled_share_relay_1", 0.05);
}

static void too_few_samples(void **state)
{
    cleanup_fixture struct fixture f = nginx();

    (void)state;
    f.record.window_begin_ns = f.record.window_end_ns - EXAMPLE_TICK / 2;
    compute(&f);
    assert_state(&f, "bits_per_second", BENCH_FAILED, "fewer than two samples in the window");
    assert_state(&f, "rss_bytes_client", BENCH_FAILED, "fewer than two samples in the window");
    f.record.window_begin_ns = f.record.window_end_ns = 0;
    assert_true(metric_window(&f.record).seconds == 0);
    f.record.window_begin_ns = INT64_MAX - 1;
    f.record.window_end_ns = INT64_MAX;
    assert_true(metric_window(&f.record).seconds == 0);
}

static void a_missing_sample_is_not_zero(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    struct series *s = &f.record.series;
    int column = series_find(s, "relay_1.cpu_ns");

    (void)state;
    assert_true(column >= 0);
    s->values[EXAMPLE_END * s->n_columns + (size_t)column] = SERIES_MISSING;
    compute(&f);
    assert_state(&f, "cpus_relay_1", BENCH_FAILED, "a sample in the window is missing");
    assert_state(&f, "cpus_relay", BENCH_FAILED, "a sample in the window is missing");
    assert_metric(&f, "cpus_relay_2", 0.75);
}

static void a_counter_that_goes_back_is_no_number(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    struct series *s = &f.record.series;
    int column = series_find(s, "relay_1.cpu_ns");

    (void)state;
    s->values[(EXAMPLE_END - 1) * s->n_columns + (size_t)column] = 0;
    compute(&f);
    assert_state(&f, "cpus_relay_1", BENCH_FAILED, "the counter went back in the window");
    assert_metric(&f, "cpus_relay_2", 0.75);
}

/* One sample that reads a tenth of a tick's CPU time too much: one rate up, the next one down. */
static void variation_from_sample_to_sample(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    struct series *s = &f.record.series;
    int column = series_find(s, "client.cpu_ns");
    int64_t *value;

    (void)state;
    assert_true(column >= 0);
    compute(&f);
    assert_metric(&f, "cpus_cv_client", 0);
    value = &s->values[(EXAMPLE_BEGIN + 9) * s->n_columns + (size_t)column];
    *value += 3000000;
    compute(&f);
    assert_metric(&f, "cpus_cv_client", 0.1 * sqrt(2.0 / (EXAMPLE_END - EXAMPLE_BEGIN - 1)));
    *value = SERIES_MISSING;
    compute(&f);
    assert_state(&f, "cpus_cv_client", BENCH_FAILED, "a sample in the window is missing");
}

static void what_does_not_apply_is_left_out(void **state)
{
    cleanup_fixture struct fixture f = {0};

    (void)state;
    example_ok(&f.record, 1, 1, "none", "none", "", 0, 1e9, 0, 0.5);
    compute(&f);
    assert_none(&f, "cpus_relay");
    assert_none(&f, "cpus_relay_1");
    assert_none(&f, "throttled_share_client");
    assert_none(&f, "operations_per_second"); /* a stream counts none: that is no rate of 0 */
    assert_none(&f, "cpu_seconds_per_operation_client");
    assert_none(&f, "latency_p50_seconds");
    f.record.ok = false;
    compute(&f);
    assert_int_equal(f.set.count, 0);
}

static void events(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    const struct metric_value *v;

    (void)state;
    compute(&f);
    assert_metric(&f, "task_clock_relay_1", 2.25);
    assert_metric(&f, "task_clock_per_byte_relay_1", 0.75e-9);
    assert_metric(&f, "context_switches_relay_1", 12000);
    assert_metric(&f, "context_switches_per_byte_relay_1", 4e-6);
    assert_none(&f, "context_switches_per_operation_relay_1");
    v = metric_set_find(&f.set, "task_clock_relay_1");
    assert_string_equal(v->metric->unit, "s");
    assert_string_equal(v->metric->role, "relay_1");
    assert_string_equal(v->metric->event, "task-clock");
    assert_string_equal(v->metric->stem, "task_clock");
    v = metric_set_find(&f.set, "page_faults_relay_2");
    assert_int_equal(v->value.state, BENCH_SCALED);
    assert_true(fabs(v->value.value - 60) < 1e-9); /* 30 counted in half of the time */
    v = metric_set_find(&f.set, "page_faults_per_byte_relay_2");
    assert_int_equal(v->value.state, BENCH_SCALED);
    assert_state(&f, "cycles_relay_1", BENCH_NOT_SUPPORTED, "no hardware PMU on this machine");
    assert_state(&f, "cycles_per_byte_server", BENCH_NOT_SUPPORTED,
                 "no hardware PMU on this machine");
    assert_state(&f, "ipc_relay_1", BENCH_NOT_SUPPORTED, "no hardware PMU on this machine");
    assert_none(&f, "cycles_enabled_ns_relay_1");
}

/* An ordinary user's counts leave out the kernel: a number that must not pass for the whole. */
static void events_of_user_space_only(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    int column = series_find(&f.record.series, "relay_1.event:context-switches");
    const struct metric_value *v;

    (void)state;
    assert_true(column >= 0);
    f.record.series.columns[column].reason = xstrdup("user only");
    compute(&f);
    v = metric_set_find(&f.set, "context_switches_relay_1");
    assert_true(v->value.state == BENCH_OK && v->reason);
    assert_string_equal(v->reason, "user only");
    v = metric_set_find(&f.set, "context_switches_per_byte_relay_1");
    assert_true(v->value.state == BENCH_OK && v->reason);
    assert_string_equal(v->reason, "user only");
    assert_null(metric_set_find(&f.set, "context_switches_relay_2")->reason);
}

static void hardware_events(void **state)
{
    cleanup_fixture struct fixture f = {0};
    struct example e = {0};

    (void)state;
    example_record(&f.record, 1, 1, "nginx", "nginx", "", 1);
    example_role(&e, "server", 0.5, 1e9);
    example_event(&e, "relay_1", "instructions:u", 3e9, 1);
    example_event(&e, "relay_1", "cycles:u", 2e9, 1);
    example_event(&e, "relay_1", "L1-dcache-load-misses", 1e6, 0);
    example_event(&e, "relay_1", "syscalls:sys_enter_write", 500, 1);
    example_series(&e, &f.record.series);
    compute(&f);
    assert_metric(&f, "ipc_relay_1", 1.5);
    assert_metric(&f, "instructions_u_per_byte_relay_1", 3);
    assert_metric(&f, "syscalls_sys_enter_write_relay_1", 1500);
    assert_state(&f, "l1_dcache_load_misses_relay_1", BENCH_NOT_COUNTED,
                 "the counter never ran in the window");
    assert_none(&f, "ipc_server");
}

/* A tool's totals speak of its own window, which need not start or end at a sample. */
static void totals_of_a_tool(void **state)
{
    cleanup_fixture struct fixture f = nginx();

    (void)state;
    f.record.window_begin_ns += EXAMPLE_TICK / 2; /* 2.95 s */
    record_add_total(&f.record, "bytes", 5.9e9);
    record_add_total(&f.record, "operations", 2950);
    record_add_total(&f.record, "latency_p99_seconds", 0.002);
    record_add_total(&f.record, "cpus_client", 0.9);
    record_add_total(&f.record, "server.kernel_bytes_received", 1);
    compute(&f);
    assert_metric(&f, "bits_per_second", 16e9);
    assert_metric(&f, "operations_per_second", 1000);
    assert_metric(&f, "latency_p99_seconds", 0.002);
    assert_metric(&f, "cpus_client", 0.9);
    assert_metric(&f, "cpu_seconds_per_gigabyte_relay", 0.75);
    assert_metric(&f, "cpu_seconds_per_operation_relay_1", 0.75e-3);
    assert_metric(&f, "context_switches_per_operation_relay_1", 4);
    assert_none(&f, "server.kernel_bytes_received");
    record_add_total(&f.record, "latency_max_seconds", NAN);
    compute(&f);
    assert_state(&f, "latency_max_seconds", BENCH_FAILED, "the tool's own figure is not a number");
}

/* What a relay counts itself has the relay's own names, for each hop. */
static void statistics_of_a_relay(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    const struct metric_value *v;

    (void)state;
    record_add_total(&f.record, "statistic_accepts_relay_1", 7);
    record_add_total(&f.record, "statistic_bytes_in_relay_2", 8);
    record_add_total(&f.record, "statistic_accepts_relay_9", 9); /* there is no such hop */
    compute(&f);
    assert_metric(&f, "statistic_accepts_relay_1", 7);
    assert_metric(&f, "statistic_bytes_in_relay_2", 8);
    assert_none(&f, "statistic_accepts_relay_9");
    v = metric_set_find(&f.set, "statistic_bytes_in_relay_2");
    assert_string_equal(v->metric->stem, "statistic_bytes_in");
    assert_string_equal(v->metric->role, "relay_2");
    assert_null(v->metric->event); /* nothing that a capture counted */
    assert_int_equal(v->metric->rank, 2);
}

static void rates_of_a_tool_count_too(void **state)
{
    cleanup_fixture struct fixture f = nginx();

    (void)state;
    record_add_total(&f.record, "bits_per_second", 16e9);
    record_add_total(&f.record, "operations_per_second", 500);
    compute(&f);
    assert_metric(&f, "bits_per_second", 16e9);
    assert_metric(&f, "operations_per_second", 500);
    assert_metric(&f, "cpu_seconds_per_gigabyte_relay", 0.75);
    assert_metric(&f, "cpu_seconds_per_operation_relay", 3e-3);
}

static void metrics_are_made_once(void **state)
{
    cleanup_fixture struct fixture f = nginx();
    struct metric_set again;

    (void)state;
    compute(&f);
    metrics_compute(&f.record, &f.pool, &again);
    assert_int_equal(again.count, f.set.count);
    assert_int_equal(f.pool.count, f.set.count);
    for (size_t i = 0; i < again.count; i++)
        assert_ptr_equal(again.items[i].metric, f.set.items[i].metric);
    for (size_t i = 1; i < f.pool.count; i++)
        assert_true(strcmp(f.pool.items[i - 1]->name, f.pool.items[i]->name) < 0);
    metric_set_release(&again);
}

/* docs/measurement.md holds this table; BENCH_UPDATE_GOLDEN=1 writes it there. */
static char *documented_table(void)
{
    static const char *const better[] = {"", "higher", "lower"};
    const struct metric_row *row;
    struct text t = {0};

    text_add(&t, "| metric | unit | better | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; (row = metric_row(i)); i++) {
        const struct bench_metric *m = &row->metric;
        const char *unit = strcmp(m->unit, "1") == 0 ? "" : m->unit;

        text_add(&t, "| `%s` | %s | %s | %s |\n", m->name, unit, better[m->direction], m->meaning);
    }
    return text_take(&t);
}

static void is_documented(void **state)
{
    cleanup_free char *expected = documented_table();

    (void)state;
    check_documented("metrics", expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_window_counts),
        cmocka_unit_test(window_between_samples),
        cmocka_unit_test(too_few_samples),
        cmocka_unit_test(a_missing_sample_is_not_zero),
        cmocka_unit_test(a_counter_that_goes_back_is_no_number),
        cmocka_unit_test(variation_from_sample_to_sample),
        cmocka_unit_test(what_does_not_apply_is_left_out),
        cmocka_unit_test(events),
        cmocka_unit_test(events_of_user_space_only),
        cmocka_unit_test(hardware_events),
        cmocka_unit_test(totals_of_a_tool),
        cmocka_unit_test(statistics_of_a_relay),
        cmocka_unit_test(rates_of_a_tool_count_too),
        cmocka_unit_test(metrics_are_made_once),
        cmocka_unit_test(is_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
