/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "capture/series.h"

static void expect(struct bench_value got, double value, enum bench_state state)
{
    assert_int_equal(got.state, state);
    if (state == BENCH_OK || state == BENCH_SCALED)
        assert_true(got.value == value);
    else
        assert_true(isnan(got.value)); /* absent is never 0 */
}

static void rows_start_missing_and_keep_their_place(void **state)
{
    struct series s = {0};
    size_t a = series_add_column(&s, "a.ns", SERIES_COUNTER, BENCH_OK, NULL);
    size_t b = series_add_column(&s, "b.bytes", SERIES_GAUGE, BENCH_OK, NULL);

    (void)state;
    for (int i = 0; i < 1000; i++)
        series_add_row(&s, i * 100)[a] = i * i;
    assert_int_equal(s.n_rows, 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(s.times[i], i * 100);
        assert_true(series_at(&s, i, a) == (int64_t)(i * i));
        assert_true(series_at(&s, i, b) == SERIES_MISSING);
    }
    assert_true(series_at(&s, 1000, a) == SERIES_MISSING);
    assert_true(series_at(&s, 0, 2) == SERIES_MISSING);
    series_release(&s);
    assert_null(s.columns);
}

static void a_column_may_come_last(void **state)
{
    const int64_t values[] = {7, SERIES_MISSING, INT64_MAX};
    struct series s = {0};

    (void)state;
    series_add_column(&s, "a.ns", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&s, "b.ns", SERIES_COUNTER, BENCH_OK, NULL);
    for (int i = 0; i < 3; i++) {
        int64_t *row = series_add_row(&s, i);

        row[0] = i;
        row[1] = 10 + i;
    }
    series_append_column(&s, "c.count", SERIES_COUNTER, "a note", values);
    assert_int_equal(series_find(&s, "c.count"), 2);
    assert_string_equal(s.columns[2].reason, "a note");
    for (size_t i = 0; i < 3; i++) {
        assert_true(series_at(&s, i, 0) == (int64_t)i);
        assert_true(series_at(&s, i, 1) == (int64_t)(10 + i));
        assert_true(series_at(&s, i, 2) == values[i]);
    }
    /* Rows still may follow. */
    assert_true(series_add_row(&s, 3)[2] == SERIES_MISSING);
    assert_true(series_at(&s, 2, 1) == 12);
    series_release(&s);
}

static void columns_are_found_by_their_whole_name(void **state)
{
    struct series s = {0};

    (void)state;
    series_add_column(&s, "relay_1.cpu_ns", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&s, "relay_10.cpu_ns", SERIES_COUNTER, BENCH_NOT_SUPPORTED, "no PMU");
    assert_int_equal(series_find(&s, "relay_10.cpu_ns"), 1);
    assert_int_equal(series_find(&s, "relay_1.cpu"), -1);
    assert_string_equal(s.columns[1].reason, "no PMU");
    assert_null(s.columns[0].reason);
    series_release(&s);
}

/* Rows: 10, 30, missing, 25. */
static void fill(struct series *s, const char *name, enum bench_state state)
{
    size_t c = series_add_column(s, name, SERIES_GAUGE, state, NULL);

    series_add_row(s, 0)[c] = 10;
    series_add_row(s, 1)[c] = 30;
    series_add_row(s, 2);
    series_add_row(s, 3)[c] = 25;
}

static void delta_is_last_minus_first(void **state)
{
    struct series s = {0};

    (void)state;
    fill(&s, "x", BENCH_OK);
    expect(series_delta(&s, "x", 0, 1), 20, BENCH_OK);
    expect(series_delta(&s, "x", 0, 3), 15, BENCH_OK);
    expect(series_delta(&s, "x", 1, 3), -5, BENCH_OK);
    expect(series_delta(&s, "x", 3, 3), 0, BENCH_OK);
    expect(series_delta(&s, "x", 0, 2), 0, BENCH_FAILED); /* an end is missing */
    expect(series_delta(&s, "x", 2, 3), 0, BENCH_FAILED);
    expect(series_delta(&s, "x", 0, 4), 0, BENCH_FAILED); /* no such row */
    expect(series_delta(&s, "y", 0, 1), 0, BENCH_ABSENT);
    series_release(&s);
}

/* A counter that falls says nothing about the window, also where it ends above its begin. */
static void a_counter_that_goes_back_is_no_number(void **state)
{
    struct series s = {0};
    size_t counter = series_add_column(&s, "x", SERIES_COUNTER, BENCH_OK, NULL);
    size_t gauge = series_add_column(&s, "y", SERIES_GAUGE, BENCH_OK, NULL);
    static const int64_t values[] = {10, 30, SERIES_MISSING, 25, 60};
    double rates[4];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        int64_t *row = series_add_row(&s, (int64_t)i);

        row[counter] = row[gauge] = values[i];
    }
    expect(series_delta(&s, "x", 0, 1), 20, BENCH_OK);
    expect(series_delta(&s, "x", 0, 3), 0, BENCH_FAILED);
    expect(series_delta(&s, "x", 0, 4), 0, BENCH_FAILED);
    expect(series_delta(&s, "x", 3, 4), 35, BENCH_OK);
    expect(series_delta(&s, "y", 0, 3), 15, BENCH_OK);
    assert_true(series_goes_back(&s, "x", 0, 4));
    assert_false(series_goes_back(&s, "x", 0, 2));
    assert_false(series_goes_back(&s, "y", 0, 4));
    assert_int_equal(series_rates(&s, "x", 0, 4, rates), BENCH_FAILED);
    series_release(&s);
}

static void counters_keep_every_digit(void **state)
{
    struct series s = {0};
    size_t c = series_add_column(&s, "x", SERIES_COUNTER, BENCH_OK, NULL);

    (void)state;
    series_add_row(&s, 0)[c] = INT64_MAX - 3;
    series_add_row(&s, 1)[c] = INT64_MAX;
    expect(series_delta(&s, "x", 0, 1), 3, BENCH_OK);
    series_release(&s);
}

static void a_column_without_numbers_gives_its_state(void **state)
{
    static const enum bench_state states[] = {BENCH_NOT_COUNTED, BENCH_NOT_SUPPORTED, BENCH_FAILED};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct series s = {0};

        fill(&s, "x", states[i]);
        expect(series_delta(&s, "x", 0, 1), 0, states[i]);
        expect(series_maximum(&s, "x", 0, 1), 0, states[i]);
        series_release(&s);
    }
}

static void a_scaled_column_stays_scaled(void **state)
{
    struct series s = {0};

    (void)state;
    fill(&s, "x", BENCH_SCALED);
    expect(series_delta(&s, "x", 0, 1), 20, BENCH_SCALED);
    series_release(&s);
}

static void a_maximum_leaves_gaps_out(void **state)
{
    struct series s = {0};

    (void)state;
    fill(&s, "x", BENCH_OK);
    expect(series_maximum(&s, "x", 0, 3), 30, BENCH_OK);
    expect(series_maximum(&s, "x", 2, 3), 25, BENCH_OK);
    expect(series_maximum(&s, "x", 2, 2), 0, BENCH_FAILED);
    expect(series_maximum(&s, "y", 0, 3), 0, BENCH_ABSENT);
    series_release(&s);
}

/* Rows of 100 ns: 10, 30, missing, 25. */
static void rates_are_per_second(void **state)
{
    struct series s = {0};
    double rates[3];

    (void)state;
    fill(&s, "x", BENCH_OK);
    assert_int_equal(series_rates(&s, "x", 0, 1, rates), BENCH_OK);
    assert_true(fabs(rates[0] - 20 / ((double)(s.times[1] - s.times[0]) * 1e-9)) < 1e-3);
    assert_int_equal(series_rates(&s, "x", 0, 3, rates), BENCH_FAILED);
    assert_int_equal(series_rates(&s, "y", 0, 1, rates), BENCH_ABSENT);
    assert_int_equal(series_rates(&s, "x", 1, 1, rates), BENCH_OK);
    series_release(&s);
}

static void an_empty_series_is_valid(void **state)
{
    struct series s = {0};

    (void)state;
    expect(series_delta(&s, "x", 0, 0), 0, BENCH_ABSENT);
    series_add_column(&s, "x", SERIES_COUNTER, BENCH_OK, NULL);
    expect(series_delta(&s, "x", 0, 0), 0, BENCH_FAILED);
    series_release(&s);
    series_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_start_missing_and_keep_their_place),
        cmocka_unit_test(a_column_may_come_last),
        cmocka_unit_test(columns_are_found_by_their_whole_name),
        cmocka_unit_test(delta_is_last_minus_first),
        cmocka_unit_test(a_counter_that_goes_back_is_no_number),
        cmocka_unit_test(counters_keep_every_digit),
        cmocka_unit_test(a_column_without_numbers_gives_its_state),
        cmocka_unit_test(a_scaled_column_stays_scaled),
        cmocka_unit_test(a_maximum_leaves_gaps_out),
        cmocka_unit_test(rates_are_per_second),
        cmocka_unit_test(an_empty_series_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
