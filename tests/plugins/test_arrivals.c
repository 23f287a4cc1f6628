/* SPDX-License-Identifier: Apache-2.0 */
/* When requests of an open loop are due. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../plugins/workloads/builtin/arrivals.c"

enum { MANY = 100000 };

static void test_constant_arrivals_do_not_drift(void **state)
{
    struct arrivals a;

    (void)state;
    arrivals_init(&a, 3, false, 1);
    for (int i = 1; i <= MANY; i++) {
        assert_int_equal(a.number, i - 1);
        assert_true(fabs(a.due_ns - i * (1e9 / 3)) < 1);
        arrivals_next(&a);
    }
}

/* Times between them are exponential: mean and standard deviation 1/rate, 1/e of them longer. */
static void test_poisson_arrivals(void **state)
{
    struct arrivals a;
    double last = 0, sum = 0, squares = 0;
    int longer = 0;

    (void)state;
    arrivals_init(&a, 1000, true, 42);
    for (int i = 0; i < MANY; i++) {
        double gap_ms = (a.due_ns - last) * 1e-6;

        assert_true(gap_ms >= 0);
        last = a.due_ns;
        sum += gap_ms;
        squares += gap_ms * gap_ms;
        longer += gap_ms > 1;
        arrivals_next(&a);
    }
    assert_true(fabs(sum / MANY - 1) < 0.02);
    assert_true(fabs(squares / MANY - 2) < 0.1);
    assert_true(fabs((double)longer / MANY - exp(-1)) < 0.01);
}

static void test_the_seed_determines_them(void **state)
{
    struct arrivals a, same, other;
    int different = 0;

    (void)state;
    arrivals_init(&a, 500, true, 7);
    arrivals_init(&same, 500, true, 7);
    arrivals_init(&other, 500, true, 8);
    for (int i = 0; i < 1000; i++) {
        assert_true(a.due_ns == same.due_ns);
        different += a.due_ns != other.due_ns;
        arrivals_next(&a);
        arrivals_next(&same);
        arrivals_next(&other);
    }
    assert_true(different > 990);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant_arrivals_do_not_drift),
        cmocka_unit_test(test_poisson_arrivals),
        cmocka_unit_test(test_the_seed_determines_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
