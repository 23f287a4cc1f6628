/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "process/descriptors.h"

static void it_counts_what_is_open(void **state)
{
    struct descriptors before, after;
    struct rlimit limit;
    int fds[3];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(descriptors_read(getpid(), &before));
    for (int i = 0; i < 3; i++)
        fds[i] = open("/dev/null", O_RDONLY);
    assert_true(descriptors_read(getpid(), &after));
    assert_int_equal(after.open, before.open + 3);
    assert_int_equal(after.limit, limit.rlim_cur);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    assert_false(descriptors_read(-1, &after));
}

static void few_left_is_exhausted(void **state)
{
    (void)state;
    assert_true(descriptors_exhausted(&(struct descriptors){20000, 20000}));
    assert_true(descriptors_exhausted(&(struct descriptors){19990, 20000}));
    assert_false(descriptors_exhausted(&(struct descriptors){18000, 20000}));
    assert_false(descriptors_exhausted(&(struct descriptors){5, UINT64_MAX}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_what_is_open),
        cmocka_unit_test(few_left_is_exhausted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
