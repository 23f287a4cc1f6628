/* SPDX-License-Identifier: Apache-2.0 */
#include "study/judges.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "stats/sides.h"

enum { BLOCKS = 40 };
static struct stats_outcome blocks[BLOCKS][TRIAL_MOST_ARMS];

/* n blocks on a machine that drifts; the arms' values are 100, and `bad` and `candidate` times
 * that, half of a percent up and down. */
static struct trial_seen see(size_t n, double bad, double candidate)
{
    struct trial_seen seen = {.metric = "m", .direction = BENCH_HIGHER_IS_BETTER, .n = n};

    for (size_t i = 0; i < n; i++) {
        double machine = 100 + (double)i, noise = 1 + ((i * 7) % 11 - 5.0) / 1000;

        blocks[i][JUDGED_GOOD] = (struct stats_outcome){.value = machine};
        blocks[i][JUDGED_BAD] = (struct stats_outcome){.value = machine * bad * noise};
        blocks[i][JUDGED_CANDIDATE] = (struct stats_outcome){.value = machine * candidate / noise};
    }
    seen.blocks = blocks;
    return seen;
}

static void break_arm(struct trial_seen *seen, size_t block, size_t arm)
{
    blocks[block][arm] = (struct stats_outcome){.failed = true, .value = NAN};
    seen->failed[arm]++;
}

static struct judge_ends ends(size_t most, double error)
{
    return (struct judge_ends){.error = error, .margin = 0.03, .most = most};
}

/* --- good and bad ---------------------------------------------------------------------------- */

static void looks_at_the_planned_times(void **state)
{
    struct judge_ends q = ends(40, 0.05);
    struct trial_seen seen = see(4, 1, 1);

    (void)state;
    assert_int_equal(judge_ends_least(), 10);
    assert_int_equal(judge_ends(&q, &seen), 6); /* the others did not count */
    seen = see(13, 1.031, 1);
    assert_int_equal(judge_ends(&q, &seen), 7);
}

static void stops_at_a_difference(void **state)
{
    struct judge_ends q = ends(40, 0.05);
    struct trial_seen seen = see(10, 0.8, 1);

    (void)state;
    assert_int_equal(judge_ends(&q, &seen), 0);
    assert_int_equal(q.verdict.finding, STATS_BEYOND);
    assert_int_equal(q.verdict.sign, -1);
    assert_true(fabs(q.comparison.interval.estimate - log(0.8)) < 0.005);
}

static void stops_where_there_is_none(void **state)
{
    struct judge_ends q = ends(40, 0.05);
    struct trial_seen seen = see(10, 1, 1);

    (void)state;
    assert_int_equal(judge_ends(&q, &seen), 0);
    assert_int_equal(q.verdict.finding, STATS_SAME);
}

/* A change of the margin's size is seen, and never shown to be as large as that. */
static void never_shows_what_is_no_larger_than_the_margin(void **state)
{
    struct judge_ends q = ends(40, 0.05);
    struct trial_seen seen;

    (void)state;
    for (size_t n = 10; n <= 40; n += 10) {
        seen = see(n, 1.03, 1);
        assert_int_equal(judge_ends(&q, &seen), n < 40 ? 10 : 0);
        assert_int_equal(q.verdict.finding, STATS_DIFFERENT);
    }
    q = ends(15, 0.05);
    seen = see(10, 1.03, 1);
    assert_int_equal(judge_ends(&q, &seen), 0); /* the next look would be behind the most */
}

/* Ten signs cannot be as sure as that. */
static void a_lower_error_takes_more_blocks(void **state)
{
    struct judge_ends q = ends(40, 0.01);
    struct trial_seen seen = see(10, 0.8, 1);

    (void)state;
    assert_int_equal(judge_ends(&q, &seen), 10);
    seen = see(20, 0.8, 1);
    assert_int_equal(judge_ends(&q, &seen), 0);
    assert_int_equal(q.verdict.finding, STATS_BEYOND);
}

static void ends_that_say_nothing(void **state)
{
    struct judge_ends q = ends(40, 0.05);
    struct trial_seen seen = see(10, 0.8, 1);

    (void)state;
    break_arm(&seen, 3, JUDGED_BAD);
    assert_int_equal(judge_ends(&q, &seen), 10); /* nine blocks are left */
    assert_int_equal(q.verdict.finding, STATS_INCONCLUSIVE);
    break_arm(&seen, 4, JUDGED_BAD);
    assert_int_equal(judge_ends(&q, &seen), 0);
    assert_int_equal(q.verdict.finding, STATS_FAILED);
    /* A metric that this workload does not have is not waited for. */
    seen = see(10, NAN, 1);
    assert_int_equal(judge_ends(&q, &seen), 0);
    assert_int_equal(q.verdict.finding, STATS_FAILED);
}

/* --- a commit -------------------------------------------------------------------------------- */

static struct judge_commit commit(double error)
{
    return (struct judge_commit){
        .effect = log(0.8), .spread = 0.005, .error = error, .most = BLOCKS};
}

static void answers_as_soon_as_it_may(void **state)
{
    struct judge_commit q = commit(0.01);
    size_t least = stats_sides_least(0.01);
    struct trial_seen seen;

    (void)state;
    seen = see(least - 3, 0.8, 1);
    assert_int_equal(judge_commit(&q, &seen), 3);
    assert_int_equal(q.answer, WALK_UNDECIDED);
    seen = see(least, 0.8, 1);
    assert_int_equal(judge_commit(&q, &seen), 0);
    assert_int_equal(q.answer, WALK_LIKE_GOOD);
    seen = see(least, 0.8, 0.8);
    assert_int_equal(judge_commit(&q, &seen), 0);
    assert_int_equal(q.answer, WALK_LIKE_BAD);
}

/* Bets are small where the difference is: it takes longer, and ends. */
static void a_commit_stays_undecided(void **state)
{
    struct judge_commit q = commit(0.01);
    struct trial_seen seen;

    (void)state;
    q.spread = 10;
    seen = see(BLOCKS - 1, 0.8, 1);
    assert_int_equal(judge_commit(&q, &seen), 1);
    seen = see(BLOCKS, 0.8, 1);
    assert_int_equal(judge_commit(&q, &seen), 0);
    assert_int_equal(q.answer, WALK_UNDECIDED);
}

static void what_fails_twice_is_broken(void **state)
{
    struct judge_commit q = commit(0.01);
    struct trial_seen seen = see(BLOCKS / 2, 0.8, 1);

    (void)state;
    break_arm(&seen, 0, JUDGED_CANDIDATE);
    assert_int_equal(judge_commit(&q, &seen), 0);
    assert_int_equal(q.answer, WALK_LIKE_GOOD);
    break_arm(&seen, 1, JUDGED_CANDIDATE);
    assert_int_equal(judge_commit(&q, &seen), 0);
    assert_int_equal(q.answer, WALK_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_the_planned_times),
        cmocka_unit_test(stops_at_a_difference),
        cmocka_unit_test(stops_where_there_is_none),
        cmocka_unit_test(never_shows_what_is_no_larger_than_the_margin),
        cmocka_unit_test(a_lower_error_takes_more_blocks),
        cmocka_unit_test(ends_that_say_nothing),
        cmocka_unit_test(answers_as_soon_as_it_may),
        cmocka_unit_test(a_commit_stays_undecided),
        cmocka_unit_test(what_fails_twice_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
