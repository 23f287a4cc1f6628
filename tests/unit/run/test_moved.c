/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "run/moved.h"

#define NONE SERIES_MISSING
#define JOBS 10000

/* One sample a second, the window from the second to the last; columns client.connections,
 * server.connections, server.bytes_received; no operations are done. */
static void fill(struct repetition_record *r, const int64_t (*rows)[3], size_t n)
{
    static const char *const names[] = {"client.connections", "server.connections",
                                        "server.bytes_received"};

    *r = (struct repetition_record){.delivered = "server", .window_begin_ns = 2 * NS_PER_S};
    for (size_t i = 0; i < 3; i++)
        if (rows[0][i] != NONE)
            series_add_column(&r->series, names[i], SERIES_COUNTER, BENCH_OK, NULL);
    if (rows[0][2] != NONE)
        series_add_column(&r->series, "server.operations", SERIES_COUNTER, BENCH_OK, NULL);
    for (size_t k = 0; k < n; k++) {
        int64_t *row = series_add_row(&r->series, (int64_t)(k + 1) * NS_PER_S);

        for (size_t i = 0, c = 0; i < 3; i++) {
            if (rows[0][i] == NONE)
                continue;
            row[c++] = rows[k][i];
            if (i == 2)
                row[c] = 0;
        }
    }
}

static void assert_hint(const int64_t (*rows)[3], size_t n, const char *hint)
{
    struct repetition_record r;
    struct bench_error err = {0};

    fill(&r, rows, n);
    assert_false(moved_anything(&r));
    moved_hint(&r, JOBS, "DIR", &err);
    assert_string_equal(err.hint, hint);
    series_release(&r.series);
}

#define ASSERT_HINT(hint, ...)                                   \
    do {                                                         \
        static const int64_t rows[][3] = __VA_ARGS__;            \
        assert_hint(rows, sizeof(rows) / sizeof(rows[0]), hint); \
    } while (0)

static void it_says_how_far_the_connections_got(void **state)
{
    (void)state;
    ASSERT_HINT("the client had begun on 5000 of 10000 connections after 2 s: with a longer "
                "'warmup' it may get to all",
                {{0, 0, 0}, {2000, 0, 0}, {5000, 0, 0}});
    ASSERT_HINT("the client had its 10000 connections after 1 s, and 8000 had reached the server "
                "after 4 s: the relay was still connecting; with a 'warmup' of 10 s it may get to "
                "all",
                {{0, 0, 0}, {JOBS, 100, 0}, {JOBS, 3000, 0}, {JOBS, 5000, 0}, {JOBS, 8000, 0}});
    ASSERT_HINT("the client had its 10000 connections after 1 s, but only 9990 had reached the "
                "server, and for 3 s no more came: look for a limit of the relay, such as its "
                "descriptors ('ulimit -n')",
                {{0, 0, 0}, {JOBS, 9990, 0}, {JOBS, 9990, 0}, {JOBS, 9990, 0}, {JOBS, 9990, 0}});
    ASSERT_HINT("the client had its 10000 connections after 2 s, and none had reached the server "
                "after 3 s: is the relay connected to it? its output is in 'DIR'",
                {{0, 0, 0}, {5000, 0, 0}, {JOBS, 0, 0}, {JOBS, 0, 0}});
    ASSERT_HINT(
        "all 10000 connections had reached the server after 2 s, but no data in 3 s: with a "
        "longer 'warmup' it may; what the relay printed is in 'DIR'",
        {{0, 0, 0}, {JOBS, 2000, 0}, {JOBS, JOBS, 0}, {JOBS, JOBS, 0}});
    ASSERT_HINT(
        "the client had its 10000 connections after 1 s; the server does not count them: is "
        "the relay connected to it? its output is in 'DIR'",
        {{0, NONE, 0}, {JOBS, NONE, 0}, {JOBS, NONE, 0}});
    ASSERT_HINT("is the relay connected to the server? its output is in 'DIR'",
                {{NONE, 0, 0}, {NONE, 0, 0}, {NONE, 0, 0}});
}

static void only_what_is_counted_can_have_stood_still(void **state)
{
    static const int64_t still[][3] = {{0, 0, 5}, {1, 1, 7}, {1, 1, 7}};
    static const int64_t moving[][3] = {{0, 0, 5}, {1, 1, 7}, {1, 1, 8}};
    static const int64_t uncounted[][3] = {{0, 0, NONE}, {1, 1, NONE}, {1, 1, NONE}};
    struct repetition_record r;

    (void)state;
    fill(&r, still, 3);
    assert_false(moved_anything(&r));
    series_release(&r.series);
    fill(&r, moving, 3);
    assert_true(moved_anything(&r));
    series_release(&r.series);
    fill(&r, uncounted, 3);
    assert_true(moved_anything(&r));
    series_release(&r.series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_how_far_the_connections_got),
        cmocka_unit_test(only_what_is_counted_can_have_stood_still),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
