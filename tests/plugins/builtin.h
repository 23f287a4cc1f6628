/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the built-in workload share. Include it after cmocka.h. */
#ifndef TESTS_BUILTIN_H
#define TESTS_BUILTIN_H

#include <time.h>

#include "ends.h"

#define PATIENCE (60 * NS_PER_S)

static inline void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * NS_PER_MS}, NULL);
}

/* Until the condition holds; a test that waits in vain fails. */
#define wait_until(condition)                           \
    do {                                                \
        int64_t deadline_ = clock_now() + PATIENCE;     \
        while (!(condition) && clock_now() < deadline_) \
            pause_ms(2);                                \
        assert_true(condition);                         \
    } while (0)

static inline void open_with(struct workload *w, const char *const *options)
{
    struct bench_error err = {0};

    if (workload_open(w, "builtin", &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; options && options[i]; i += 2)
        if (workload_set(w, options[i], options[i + 1], &err) < 0)
            fail_msg("%s", err.message);
}

static inline void assert_ended(const struct end *e, int code, const char *message)
{
    assert_int_equal(e->pid, 0);
    assert_string_equal(e->page->message, message);
    assert_true(WIFEXITED(e->status));
    assert_int_equal(WEXITSTATUS(e->status), code);
}

static inline void assert_counts_are_the_kernels(const struct end *e)
{
    assert_int_equal(end_sum(e, bytes_sent), end_sum(e, kernel_bytes_sent));
    assert_int_equal(end_sum(e, bytes_received), end_sum(e, kernel_bytes_received));
}

#endif
