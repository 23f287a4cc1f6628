/* SPDX-License-Identifier: Apache-2.0 */
#include "study/walk.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../harness/lab.h"
#include "stats/compare.h"
#include "stats/sides.h"

static void asks(const struct walk *w, size_t commit, double error)
{
    size_t asked = 0;
    double share = 0;

    assert_true(walk_next(w, &asked, &share));
    assert_int_equal(asked, commit);
    assert_true(fabs(share - error) < 1e-12);
}

static void ends(const struct walk *w, size_t good, size_t bad)
{
    size_t commit;
    double error;

    assert_false(walk_next(w, &commit, &error));
    assert_int_equal(w->good, good);
    assert_int_equal(w->bad, bad);
}

/* Eight candidates, three questions, each with a third. */
static void halves(void **state)
{
    struct walk w;

    (void)state;
    walk_begin(&w, 8, 0.06);
    assert_int_equal(walk_left(&w), 3);
    asks(&w, 4, 0.02);
    walk_tell(&w, WALK_LIKE_GOOD);
    asks(&w, 6, 0.02);
    walk_tell(&w, WALK_LIKE_BAD);
    asks(&w, 5, 0.02);
    walk_tell(&w, WALK_LIKE_BAD);
    ends(&w, 4, 5);
    assert_true(fabs(w.error) < 1e-12);
    walk_release(&w);
}

static void nothing_to_ask(void **state)
{
    struct walk w;

    (void)state;
    walk_begin(&w, 1, 0.05);
    ends(&w, 0, 1);
    walk_release(&w);
}

/* A broken commit costs no error, an undecided one its share; neither is asked about again. */
static void steps_around(void **state)
{
    struct walk w;

    (void)state;
    walk_begin(&w, 8, 0.06);
    asks(&w, 4, 0.02);
    walk_tell(&w, WALK_BROKEN);
    asks(&w, 2, 0.02);
    walk_tell(&w, WALK_UNDECIDED);
    asks(&w, 6, 0.04 / 3);
    walk_tell(&w, WALK_LIKE_BAD);
    asks(&w, 3, 0.04 * 2 / 3 / 3);
    walk_tell(&w, WALK_LIKE_GOOD);
    asks(&w, 5, 0.04 * 4 / 9 / 2);
    walk_tell(&w, WALK_BROKEN);
    ends(&w, 3, 6);
    walk_release(&w);
}

/* Neighbours of a broken commit are mostly broken as well: few are tried of half a history. */
static void leaves_a_broken_stretch(void **state)
{
    struct walk w;
    size_t commit, broken = 0;
    double error;

    (void)state;
    walk_begin(&w, 1000, 0.05);
    while (walk_next(&w, &commit, &error)) {
        if (commit >= 300 && commit < 800) {
            walk_tell(&w, WALK_BROKEN);
            broken++;
        } else {
            walk_tell(&w, commit < 270 ? WALK_LIKE_GOOD : WALK_LIKE_BAD);
        }
    }
    ends(&w, 269, 270);
    assert_in_range(broken, 1, 10);
    walk_release(&w);
}

/* --- a simulated history ---------------------------------------------------------------------- */

enum { TRIALS = 400, MOST_BLOCKS = 40 };
static const double effect = -0.05, stated = 0.05;

static enum walk_answer measure(struct lab *l, const struct stats_comparison *known, bool is_bad,
                                double error)
{
    enum stats_side side = STATS_UNDECIDED;
    struct stats_sides s;

    stats_sides_begin(&s, known->interval.estimate, stats_spread(known), error);
    while (side == STATS_UNDECIDED && s.n < MOST_BLOCKS) {
        double y[3];

        lab_block(l, (double[]){0, is_bad ? effect : 0, effect}, 3, y);
        side = stats_sides_tell(&s, y[1] - y[0], y[1] - y[2]);
    }
    return side == STATS_LIKE_GOOD  ? WALK_LIKE_GOOD
           : side == STATS_LIKE_BAD ? WALK_LIKE_BAD
                                    : WALK_UNDECIDED;
}

/* Good and bad as they are compared beforehand. */
static void compare_ends(struct lab *l, struct stats_comparison *ret)
{
    double d[10];

    do {
        lab_pairs(l, effect, 10, d);
        stats_compare(d, 10, 0.05, 1, ret);
    } while (ret->interval.high >= 0); /* nothing was shown: nobody bisects */
}

/* 2 to 200 commits; every tenth does not build. Wrong is an answer without the culprit in it. */
static void keeps_the_stated_error(void **state)
{
    struct lab l = LAB(20261120);
    size_t wrong = 0, found = 0;

    (void)state;
    l.noise_sd = 0.01;
    l.drift_sd = 0.02;
    for (size_t t = 0; t < TRIALS; t++) {
        size_t n = 2 + random_below(&l.random, 199), culprit = 1 + random_below(&l.random, n);
        struct stats_comparison known;
        struct walk w;
        size_t commit;
        double error, spent = 0;

        compare_ends(&l, &known);
        walk_begin(&w, n, stated);
        while (walk_next(&w, &commit, &error)) {
            bool broken = random_below(&l.random, 10) == 0;

            spent += broken ? 0 : error;
            walk_tell(&w, broken ? WALK_BROKEN : measure(&l, &known, commit >= culprit, error));
        }
        assert_true(spent <= stated * (1 + 1e-9));
        wrong += culprit <= w.good || culprit > w.bad;
        found += w.bad - w.good == 1 && w.bad == culprit;
        walk_release(&w);
    }
    assert_in_range(wrong, 0, (size_t)(stated * TRIALS));
    assert_in_range(found, TRIALS * 6 / 10, TRIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves),
        cmocka_unit_test(nothing_to_ask),
        cmocka_unit_test(steps_around),
        cmocka_unit_test(leaves_a_broken_stretch),
        cmocka_unit_test(keeps_the_stated_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
