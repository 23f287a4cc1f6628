/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../harness/calibration.h"
#include "base/memory.h"

/* What a share of `trials` may differ from the truth by chance: four standard errors. Means of
 * blocks vary by less than a tenth. */
static double chance(double share, size_t trials)
{
    if (share > 1)
        return share / 10;
    share = fmin(fmax(share, 0.01), 0.99);
    return 4 * sqrt(share * (1 - share) / (double)trials);
}

static void holds(void **state)
{
    const struct calibration *c = *state;
    size_t trials = c->trials / 20;
    double got = c->measure(trials);

    if (got < c->low - chance(c->low, trials) || got > c->high + chance(c->high, trials))
        fail_msg("%g, must be %g to %g", got, c->low, c->high);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(calibrations)];

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
        tests[i] = (struct CMUnitTest){.name = calibrations[i].what,
                                       .test_func = holds,
                                       .initial_state = (void *)&calibrations[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
