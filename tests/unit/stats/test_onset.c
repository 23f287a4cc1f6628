/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "stats/onset.h"

enum { TICKS = 100, MOST = 12 };

/* Stationary AR(1) about 100 with the standard deviation `sd`. */
static void noise(struct random *r, double *x, size_t n, double phi, double sd)
{
    double state = lab_normal(r);

    for (size_t i = 0; i < n; i++) {
        x[i] = 100 + sd * state;
        state = phi * state + sqrt(1 - phi * phi) * lab_normal(r);
    }
}

static void slow_down(double *x, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static void a_step_is_cut_where_it_is(void **state)
{
    double x[TICKS];
    struct onset m;

    (void)state;
    for (size_t i = 0; i < TICKS; i++)
        x[i] = i < 20 ? 50 : 100;
    stats_onset(x, TICKS, &m);
    assert_true(m.judged && m.cut == 20 && m.trend == 1);
    assert_true(m.before == 50 && m.rest == 100 && fabs(m.shift + 0.1) < 1e-12);
    slow_down(x, 20, 4);
    stats_onset(x, TICKS, &m);
    assert_true(m.cut == 20 && m.trend == -1 && fabs(m.shift - 0.2) < 1e-12);
}

/* 1, 2, 3, 4 and then 5 and 6 in turn: of sums of squares about two means the split behind 3 leaves
 * 2 before and 6.12 after it, that behind 4 leaves 5 and 4, that behind 2 leaves 0.5 and 12.5. */
static void a_ramp_is_split_within(void **state)
{
    double x[20];
    struct onset m;

    (void)state;
    for (size_t i = 0; i < 20; i++)
        x[i] = i < 4 ? (double)i + 1 : 5 + (double)(i % 2);
    stats_onset(x, 20, &m);
    assert_int_equal(m.cut, 3);
    assert_int_equal(m.trend, 1);
    assert_true(m.before == 2 && fabs(m.rest - 92.0 / 17) < 1e-12);
    assert_true(fabs(m.shift - (4.9 / (92.0 / 17) - 1)) < 1e-12);
}

/* A level that hardly varies at its end does not draw the split there. */
static void a_quiet_end_is_no_split(void **state)
{
    double x[50];
    struct onset m;

    (void)state;
    for (size_t i = 0; i < 50; i++)
        x[i] = i < 20 ? (i % 2 ? 24 : 16) : i == 29 ? 33 : 40;
    stats_onset(x, 50, &m);
    assert_true(m.cut == 20 && m.trend == 1);
}

/* Where it ends, up to three quarters of the whole; behind these little is left to compare with. */
static void a_long_start_is_found(void **state)
{
    double x[TICKS];
    struct onset m;

    (void)state;
    for (size_t i = 0; i < TICKS; i++)
        x[i] = i < 70 ? 50 : 100;
    stats_onset(x, TICKS, &m);
    assert_true(m.cut == 70 && m.trend == 1);
    for (size_t i = 0; i < 90; i++)
        x[i] = 50;
    stats_onset(x, TICKS, &m);
    assert_true(m.cut <= 75);
}

static void what_cannot_be_judged(void **state)
{
    double x[TICKS];
    struct onset m;

    (void)state;
    for (size_t i = 0; i < TICKS; i++)
        x[i] = i < 5 ? 1 : 2;
    stats_onset(x, ONSET_LEAST - 1, &m);
    assert_true(!m.judged && m.trend == 0 && isnan(m.shift));
    stats_onset(NULL, 0, &m);
    assert_true(!m.judged);
    x[7] = NAN;
    stats_onset(x, TICKS, &m);
    assert_true(!m.judged && m.trend == 0);
}

/* Constant, silent, and a start that moves the mean by less than half a percent. */
static void small_is_steady(void **state)
{
    double x[TICKS] = {0};
    struct onset m;

    (void)state;
    stats_onset(x, TICKS, &m);
    assert_true(m.judged && m.trend == 0);
    for (size_t i = 0; i < TICKS; i++)
        x[i] = 1e12;
    stats_onset(x, TICKS, &m);
    assert_true(m.trend == 0 && m.shift == 0);
    for (size_t i = 0; i < TICKS; i++)
        x[i] = i < 4 ? 90 : 100;
    stats_onset(x, TICKS, &m);
    assert_true(m.cut == 4 && m.trend == 0);
}

/* How often a run of `repetitions` stationary series is called unsteady. */
static double alarms(size_t ticks, double phi, size_t repetitions)
{
    enum { RUNS = 2000 };
    struct random r = {.state = 8812};
    size_t n = 0;

    for (size_t run = 0; run < RUNS; run++) {
        struct onset m[MOST];

        for (size_t i = 0; i < repetitions; i++) {
            double x[TICKS];

            noise(&r, x, ticks, phi, 10);
            stats_onset(x, ticks, &m[i]);
        }
        n += stats_onset_majority(m, repetitions) != 0;
    }
    return (double)n / RUNS;
}

static void noise_raises_no_alarm(void **state)
{
    (void)state;
    for (size_t ticks = ONSET_LEAST; ticks <= TICKS; ticks *= 2) {
        assert_true(alarms(ticks, 0, 1) < 0.01);
        assert_true(alarms(ticks, 0.5, 1) < 0.02);
        assert_true(alarms(ticks, 0.8, 1) < 0.1); /* one repetition cannot know better */
        assert_true(alarms(ticks, 0.5, 6) < 0.001);
        assert_true(alarms(ticks, 0.8, 6) < 0.02);
    }
}

/* A fifth of the window at 80% in noise of 5%: found in nearly every series. */
static void a_slow_start_is_found(void **state)
{
    struct random r = {.state = 8812};
    size_t found = 0;

    (void)state;
    for (size_t run = 0; run < 100; run++) {
        struct onset m[6];

        for (size_t i = 0; i < 6; i++) {
            double x[TICKS];

            noise(&r, x, TICKS, 0.3, 5);
            slow_down(x, 20, 0.8);
            stats_onset(x, TICKS, &m[i]);
            found += m[i].trend > 0;
        }
        assert_int_equal(stats_onset_majority(m, 6), 1);
    }
    assert_true(found > 590);
}

static void a_majority_agrees(void **state)
{
    const struct onset low = {.judged = true, .trend = 1}, high = {.judged = true, .trend = -1};
    const struct onset steady = {.judged = true}, unknown = {0};

    (void)state;
    assert_int_equal(stats_onset_majority(NULL, 0), 0);
    assert_int_equal(stats_onset_majority(&unknown, 1), 0);
    assert_int_equal(stats_onset_majority((struct onset[]){low, low, steady}, 3), 1);
    assert_int_equal(stats_onset_majority((struct onset[]){low, steady}, 2), 0);
    assert_int_equal(stats_onset_majority((struct onset[]){low, high, steady}, 3), 0);
    assert_int_equal(stats_onset_majority((struct onset[]){unknown, unknown, high}, 3), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_cut_where_it_is), cmocka_unit_test(a_ramp_is_split_within),
        cmocka_unit_test(a_quiet_end_is_no_split),   cmocka_unit_test(a_long_start_is_found),
        cmocka_unit_test(what_cannot_be_judged),     cmocka_unit_test(small_is_steady),
        cmocka_unit_test(noise_raises_no_alarm),     cmocka_unit_test(a_slow_start_is_found),
        cmocka_unit_test(a_majority_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
