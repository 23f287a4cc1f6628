/* SPDX-License-Identifier: Apache-2.0 */
/* What a client was asked to send, against what it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "run/asked.h"

/* A window of 2 s, in which the series counts what is given, and a tool when it tells. */
struct window {
    int64_t due, done, bytes;
    double tool_requests, tool_bytes; /* 0: none */
};

static struct repetition_record *recorded(const struct window *w)
{
    struct repetition_record *r = xcalloc(1, sizeof(*r));
    int64_t *row;

    r->delivered = xstrdup("server");
    r->window_begin_ns = NS_PER_S;
    r->window_end_ns = 3 * NS_PER_S;
    series_add_column(&r->series, "client.due", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&r->series, "client.operations", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&r->series, "server.bytes_received", SERIES_COUNTER, BENCH_OK, NULL);
    for (int64_t s = 0; s < 5; s++) { /* warm-up and what comes after the window count as much */
        row = series_add_row(&r->series, s * NS_PER_S);
        row[0] = s * w->due / 2;
        row[1] = s * w->done / 2;
        row[2] = s * w->bytes / 2;
    }
    if (w->tool_requests > 0)
        record_add_total(r, "operations", w->tool_requests);
    if (w->tool_bytes > 0)
        record_add_total(r, "bytes", w->tool_bytes);
    return r;
}

/* `message` NULL: it is fine; `warning` NULL: it warns of nothing. */
static void compares(struct asked asked, struct window w, const char *message, const char *warning)
{
    struct repetition_record *r = recorded(&w);
    struct bench_error err = {0};

    asked.jobs = asked.jobs ? asked.jobs : 1;
    assert_int_equal(asked_compare(&asked, r, &err), message ? -1 : 0);
    assert_string_equal(err.message, message ? message : "");
    assert_int_equal(r->warnings.count, warning ? 1 : 0);
    if (warning)
        assert_string_equal(r->warnings.items[0], warning);
    record_release(r);
    free(r);
}

static void requests_at_a_rate(void **state)
{
    (void)state;
    compares((struct asked){.requests = 100}, (struct window){.tool_requests = 200}, NULL, NULL);
    compares((struct asked){.requests = 1, .jobs = 10}, (struct window){.tool_requests = 40},
             "INVALID: the client did 20 requests/s where 1 were asked for", NULL);
    /* One more of each connection, at an edge of the window. */
    compares((struct asked){.requests = 100, .jobs = 100}, (struct window){.tool_requests = 300},
             NULL, NULL);
    /* Fewer: the report judges. */
    compares((struct asked){.requests = 100}, (struct window){.tool_requests = 20}, NULL, NULL);
    /* Without a tool the schedule counts: what was due before is answered in the window, too. */
    compares((struct asked){.requests = 1000, .own = true},
             (struct window){.due = 2000, .done = 4000}, NULL, NULL);
    compares((struct asked){.requests = 1000, .own = true},
             (struct window){.due = 3000, .done = 2000},
             "INVALID: the client did 1500 requests/s where 1000 were asked for", NULL);
    /* 0: in a closed loop nothing was asked for. */
    compares((struct asked){.requests = 0}, (struct window){.tool_requests = 1e6}, NULL, NULL);
}

static void bits_at_a_rate(void **state)
{
    (void)state;
    compares((struct asked){.bits = 1e9}, (struct window){.tool_bytes = 250e6}, NULL, NULL);
    compares((struct asked){.bits = 1e9}, (struct window){.tool_bytes = 200e6}, NULL,
             "saturated: 80.0% of the 1.00 Gbit/s that were asked for were moved");
    compares((struct asked){.bits = 1e9}, (struct window){.tool_bytes = 500e6},
             "INVALID: the client did 2.00 Gbit/s where 1.00 Gbit/s were asked for", NULL);
    /* A stall is made up for. */
    compares((struct asked){.bits = 1e9, .own = true}, (struct window){.bytes = 500000000}, NULL,
             NULL);
    compares((struct asked){.bits = 1e9, .own = true}, (struct window){.bytes = 100000000}, NULL,
             "saturated: 40.0% of the 1.00 Gbit/s that were asked for were moved");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_at_a_rate),
        cmocka_unit_test(bits_at_a_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
