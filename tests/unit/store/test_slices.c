/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "store/slices.h"

enum { CPU, RSS, BYTES, COLUMNS };

/* Time, CPU, memory, bytes. Three slices of 100 each; in between another arm's, from 250 to 350 and
 * from 550 to 650, in which 3 and 1 ns of CPU were used. */
static const int64_t rows[][1 + COLUMNS] = {
    {0, 0, 5, 0},        {100, 50, 6, 1000},  /* warm-up; slice 1 */
    {150, 70, 7, 1500},  {200, 90, 8, 2000},  /* its end */
    {250, 92, 9, 2010},  {350, 95, 9, 2010},  /* another's */
    {400, 100, 9, 2500}, {450, 120, 4, 3000}, /* slice 2 */
    {500, 140, 3, 3500}, {550, 141, 3, 3500}, /* its end; another's */
    {650, 142, 3, 3500}, {700, 150, 3, 4000}, /* slice 3 */
    {800, 190, 3, 5000}, {900, 191, 3, 5000}, /* its end, and what follows */
};

static void record_init(struct repetition_record *r, size_t n_slices)
{
    *r = (struct repetition_record){.window_begin_ns = 100, .window_end_ns = 800};
    record_add_role(r, "server");
    series_add_column(&r->series, "server.cpu_ns", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&r->series, "server.rss_bytes", SERIES_GAUGE, BENCH_OK, NULL);
    series_add_column(&r->series, "server.bytes_received", SERIES_COUNTER, BENCH_OK, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        memcpy(series_add_row(&r->series, rows[i][0]), &rows[i][1], COLUMNS * sizeof(int64_t));
    for (size_t i = 0; i < n_slices; i++)
        record_add_slice(r, 100 + 300 * (int64_t)i, 200 + 300 * (int64_t)i);
}

static void slices_become_one_window(void **state)
{
    static const int64_t expected[][1 + COLUMNS] = {
        {0, 0, 5, 0},        {100, 50, 6, 1000},  {150, 70, 7, 1500},  {200, 90, 8, 2000},
        {250, 110, 4, 2500}, {300, 130, 3, 3000}, {400, 170, 3, 4000}, {500, 171, 3, 4000},
    };
    struct repetition_record r;

    (void)state;
    record_init(&r, 3);
    for (int twice = 0; twice < 2; twice++) {
        record_join_slices(&r);
        assert_int_equal(r.series.n_rows, ARRAY_SIZE(expected));
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
            assert_int_equal(r.series.times[i], expected[i][0]);
            for (size_t c = 0; c < COLUMNS; c++)
                assert_int_equal(series_at(&r.series, i, c), expected[i][1 + c]);
        }
        assert_int_equal(r.window_begin_ns, 100);
        assert_int_equal(r.window_end_ns, 400);
        assert_int_equal(r.n_totals, 1);
    }
    assert_string_equal(r.totals[0].metric, "idle_cpus");
    assert_true(r.totals[0].value == 4.0 / 200);
    record_release(&r);
}

/* The window then has a hole in that column, and says so. */
static void what_a_gap_counted_may_be_unknown(void **state)
{
    struct repetition_record r;

    (void)state;
    record_init(&r, 3);
    r.series.values[6 * COLUMNS + BYTES] = SERIES_MISSING; /* begin of slice 2 */
    record_join_slices(&r);
    assert_int_equal(series_at(&r.series, 3, BYTES), 2000);
    for (size_t i = 4; i < r.series.n_rows; i++) {
        assert_true(series_at(&r.series, i, BYTES) == SERIES_MISSING);
        assert_true(series_at(&r.series, i, CPU) != SERIES_MISSING);
    }
    record_release(&r);
}

static void one_piece_stays_as_it_is(void **state)
{
    struct repetition_record r;

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        record_init(&r, n);
        record_join_slices(&r);
        assert_int_equal(r.series.n_rows, ARRAY_SIZE(rows));
        assert_int_equal(r.window_end_ns, 800);
        assert_int_equal(r.n_totals, 0);
        record_release(&r);
    }
}

/* Whatever a damaged file says. */
static void slices_that_the_series_does_not_have(void **state)
{
    struct repetition_record r;

    (void)state;
    for (size_t n = 2; n < 6; n++) {
        record_init(&r, n);
        record_join_slices(&r);
        assert_true(r.series.n_rows <= ARRAY_SIZE(rows));
        record_release(&r);
    }
    r = (struct repetition_record){0};
    record_add_slice(&r, 5, 6);
    record_add_slice(&r, 7, 8);
    record_join_slices(&r);
    assert_int_equal(r.series.n_rows, 0);
    record_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_become_one_window),
        cmocka_unit_test(what_a_gap_counted_may_be_unknown),
        cmocka_unit_test(one_piece_stays_as_it_is),
        cmocka_unit_test(slices_that_the_series_does_not_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
