/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"

/* The first outputs of splitmix64 for seed 1234567, as published with the algorithm. */
static void known_values(void **state)
{
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct random r = {.state = 1234567};

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_true(random_next(&r) == expected[i]);
}

static void below_is_below(void **state)
{
    struct random r = {.state = 1};
    size_t seen[7] = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(random_below(&r, 1), 0);
    for (int i = 0; i < 70000; i++) {
        uint64_t x = random_below(&r, 7);

        assert_true(x < 7);
        seen[x]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400); /* 10000 ± 4 sigma */
    for (int i = 0; i < 1000; i++)
        assert_true(random_below(&r, UINT64_MAX) < UINT64_MAX);
}

/* Each of the 24 orders of four things comes up about equally often: the sum of squared deviations
 * stays below the 99.9% quantile of chi-squared with 23 degrees of freedom. */
static void shuffles_are_uniform(void **state)
{
    enum { ROUNDS = 24000, ORDERS = 24 };
    struct random r = {.state = 42};
    size_t seen[256] = {0};
    double chi2 = 0;
    int orders = 0;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        size_t items[4] = {0, 1, 2, 3};

        random_shuffle(&r, items, 4);
        seen[items[0] << 6 | items[1] << 4 | items[2] << 2 | items[3]]++;
    }
    for (int i = 0; i < 256; i++)
        if (seen[i]) {
            double off = (double)seen[i] - (double)ROUNDS / ORDERS;

            chi2 += off * off / ((double)ROUNDS / ORDERS);
            orders++;
        }
    assert_int_equal(orders, ORDERS);
    assert_true(chi2 < 49.73);
    assert_true(chi2 > 5); /* and it is random, not a rotation */
}

static void shuffle_of_few(void **state)
{
    struct random r = {.state = 1};
    size_t one[1] = {7};

    (void)state;
    random_shuffle(&r, one, 1);
    random_shuffle(&r, one, 0);
    assert_int_equal(one[0], 7);
}

static void seeds_differ(void **state)
{
    (void)state;
    assert_true(random_seed() != random_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),         cmocka_unit_test(below_is_below),
        cmocka_unit_test(shuffles_are_uniform), cmocka_unit_test(shuffle_of_few),
        cmocka_unit_test(seeds_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
