/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "stats/verdict.h"

#define L 0.029558802241544404 /* ln 1.03 */

static struct stats_comparison between(double low, double low90, double high90, double high)
{
    return (struct stats_comparison){
        .paired = true,
        .n = 16,
        .least = 6,
        .alpha = 0.05,
        .interval = {(low + high) / 2, true, low, high, 1},
        .equivalence = {(low + high) / 2, true, low90, high90, 1},
    };
}

static void says(struct stats_comparison c, size_t failed, const char *rate, const char *cost)
{
    struct stats_verdict v;
    char *text;

    stats_verdict(&c, 0.03, failed, &v);
    text = stats_verdict_text(&v, STATS_SPEED, BENCH_HIGHER_IS_BETTER);
    assert_string_equal(text, rate);
    free(text);
    text = stats_verdict_text(&v, STATS_LEVEL, BENCH_LOWER_IS_BETTER);
    assert_string_equal(text, cost);
    free(text);
}

static void the_table(void **state)
{
    (void)state;
    says(between(L, .04, .06, .07), 0, "FASTER (by at least 3%)", "HIGHER (by at least 3%)");
    says(between(-.07, -.06, -.04, -L), 0, "SLOWER (by at least 3%)", "LOWER (by at least 3%)");
    says(between(L - 1e-9, .04, .06, .07), 0, "FASTER (size uncertain)", "HIGHER (size uncertain)");
    says(between(-.07, -.05, -.02, -1e-9), 0, "SLOWER (size uncertain)", "LOWER (size uncertain)");
    says(between(-.02, -.015, .015, .02), 0, "SAME within 3%", "SAME within 3%");
    /* The 90% interval alone must lie within. */
    says(between(-.04, -.029, .029, .04), 0, "SAME within 3%", "SAME within 3%");
    says(between(.001, .002, .02, .03), 0, "differs, negligible (within 3%)",
         "differs, negligible (within 3%)");
    says(between(.001, .002, .0296, .03), 0, "FASTER (size uncertain)", "HIGHER (size uncertain)");
    /* 16 (.08 / ln 1.03)² = 117.2; from −.04 to .03 it is 89.7 */
    says(between(-.05, -.03, .03, .05), 0,
         "INCONCLUSIVE (about 118 blocks would decide, 17 if it is as estimated)",
         "INCONCLUSIVE (about 118 blocks would decide, 17 if it is as estimated)");
    says(between(-.04, -.02, .03, .04), 0,
         "INCONCLUSIVE (about 90 blocks would decide, 17 if it is as estimated)",
         "INCONCLUSIVE (about 90 blocks would decide, 17 if it is as estimated)");
    /* An end that touches 0 excludes nothing. */
    says(between(-.15, -.1, .1, .15), 0,
         "INCONCLUSIVE (more than 1000 blocks would decide, 184 if it is as estimated)",
         "INCONCLUSIVE (more than 1000 blocks would decide, 184 if it is as estimated)");
    says(between(0, .01, .03, .04), 0, "INCONCLUSIVE (about 17 blocks would decide)",
         "INCONCLUSIVE (about 17 blocks would decide)");
}

static void a_time_is_faster_when_it_is_less(void **state)
{
    struct stats_comparison c = between(.04, .05, .06, .07);
    struct stats_verdict v;
    char *text;

    (void)state;
    stats_verdict(&c, 0.005, 0, &v);
    text = stats_verdict_text(&v, STATS_SPEED, BENCH_LOWER_IS_BETTER);
    assert_string_equal(text, "SLOWER (by at least 0.5%)");
    free(text);
    text = stats_verdict_text(&v, STATS_SPEED, BENCH_NEUTRAL);
    assert_string_equal(text, "HIGHER (by at least 0.5%)");
    free(text);
}

static void failures(void **state)
{
    struct stats_comparison c = between(.04, .05, .06, .07);

    (void)state;
    c.n = 20;
    says(c, 2, "FASTER (by at least 3%)", "HIGHER (by at least 3%)");
    says(c, 3, "FAILED", "FAILED");
    says(between(-.03, -.02, .03, INFINITY), 1, "INCONCLUSIVE", "INCONCLUSIVE");
    says(between(.04, .05, .06, INFINITY), 1, "FASTER (by at least 3%)", "HIGHER (by at least 3%)");
}

static void what_cannot_be_told(void **state)
{
    struct stats_comparison c;
    struct stats_verdict v;

    (void)state;
    stats_compare((double[]){1, 2, 3, 4, 5}, 5, 0.05, 1, &c);
    says(c, 0, "INCONCLUSIVE (needs 6 blocks)", "INCONCLUSIVE (needs 6 blocks)");
    stats_compare(NULL, 0, 0.05, 3, &c);
    says(c, 0, "INCONCLUSIVE (needs 7 blocks)", "INCONCLUSIVE (needs 7 blocks)");
    stats_compare((double[]){1, 2, 3, 4, 5, NAN, 7}, 7, 0.05, 1, &c);
    says(c, 0, "INCONCLUSIVE", "INCONCLUSIVE");
    stats_compare_unpaired((double[]){1, 2, 3}, 3, (double[]){1, 2, 3, 4}, 4, 0.05, 1, &c);
    says(c, 0, "INCONCLUSIVE (needs 4 repetitions of each)",
         "INCONCLUSIVE (needs 4 repetitions of each)");
    /* Three are enough where the other side has six. */
    stats_compare_unpaired((double[]){1, 2, 3}, 3, (double[]){1, 1, 2, 2, 3, 3}, 6, 0.05, 1, &c);
    stats_verdict(&c, 0.03, 0, &v);
    assert_true(c.interval.has_interval && v.finding == STATS_INCONCLUSIVE && !v.too_few);
    c = between(.04, .05, .06, .07);
    stats_verdict(&c, 0, 0, &v);
    assert_true(v.finding == STATS_INCONCLUSIVE && v.needed == 0);
    stats_verdict(&c, NAN, 0, &v);
    assert_true(v.finding == STATS_INCONCLUSIVE && v.needed == 0);
}

/* Over all kinds of samples: a difference is claimed when, and only when, the interval excludes 0;
 * and what would decide an open question is never less than what did not. */
static void verdict_and_interval_agree(void **state)
{
    struct random r = {.state = 8812};
    size_t seen[6] = {0}, hopeful = 0;

    (void)state;
    for (size_t trial = 0; trial < 20000; trial++) {
        size_t n = 5 + random_below(&r, 16), m = 1 + random_below(&r, 4);
        double d[20], shift = (double)random_below(&r, 13) - 6;
        double spread = (double)(1 + random_below(&r, 12));
        struct stats_comparison c;
        struct stats_verdict v;

        for (size_t i = 0; i < n; i++)
            d[i] = random_below(&r, 40)
                       ? 0.01 * shift + 0.0005 * spread * ((double)random_below(&r, 100) - 49.5)
                       : INFINITY;
        stats_compare(d, n, 0.05, m, &c);
        stats_verdict(&c, 0.03, 0, &v);
        seen[v.finding]++;
        assert_int_equal(v.sign != 0, c.interval.low > 0 || c.interval.high < 0);
        assert_true(v.sign == 0 || (v.sign > 0) == (c.interval.estimate > 0));
        assert_int_equal(v.sign == 0, v.finding == STATS_SAME || v.finding == STATS_INCONCLUSIVE);
        assert_int_equal(v.too_few, n < c.least);
        assert_true(v.finding == STATS_INCONCLUSIVE ? v.needed == 0 || v.needed >= n
                                                    : v.needed == 0);
        assert_true(v.if_as_estimated == 0 ||
                    (v.finding == STATS_INCONCLUSIVE && v.if_as_estimated > n));
        hopeful += v.if_as_estimated > 0 && v.if_as_estimated < v.needed;
    }
    for (size_t f = STATS_INCONCLUSIVE; f <= STATS_BEYOND; f++)
        assert_true(seen[f] > 100);
    assert_true(hopeful > 100);
}

/* With so many blocks, and the estimate where it is, there is a verdict; with one less, none. */
static void what_would_decide_if_it_is_as_estimated(void **state)
{
    struct random r = {.state = 7};
    size_t tried = 0;

    (void)state;
    says(between(-.11, -.06, .42, .474), 0,
         "INCONCLUSIVE (more than 1000 blocks would decide, 42 if it is as estimated)",
         "INCONCLUSIVE (more than 1000 blocks would decide, 42 if it is as estimated)");
    while (tried < 2000) {
        double estimate = ((double)random_below(&r, 1000) - 500) / 5000;
        double low = (1 + (double)random_below(&r, 1000)) / 5000, low90 = low * .8;
        double high = (1 + (double)random_below(&r, 1000)) / 5000, high90 = high * .8;
        struct stats_comparison c =
            between(estimate - low, estimate - low90, estimate + high90, estimate + high);
        struct stats_verdict v, then;

        c.interval.estimate = c.equivalence.estimate = estimate;
        stats_verdict(&c, 0.03, 0, &v);
        if (v.if_as_estimated == 0 || v.if_as_estimated == c.n + 1)
            continue;
        tried++;
        for (size_t less = 0; less < 2; less++) {
            double n = (double)(v.if_as_estimated - less);
            double by = sqrt((double)c.n / n) * (1 - 1e-9 + 2e-9 * (double)less);
            struct stats_comparison more = between(estimate - low * by, estimate - low90 * by,
                                                   estimate + high90 * by, estimate + high * by);

            more.n = (size_t)n;
            stats_verdict(&more, 0.03, 0, &then);
            assert_int_equal(then.finding == STATS_INCONCLUSIVE, less);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(a_time_is_faster_when_it_is_less),
        cmocka_unit_test(failures),
        cmocka_unit_test(what_cannot_be_told),
        cmocka_unit_test(verdict_and_interval_agree),
        cmocka_unit_test(what_would_decide_if_it_is_as_estimated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
