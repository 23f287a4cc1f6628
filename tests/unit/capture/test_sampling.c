/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "capture/events.h"
#include "capture/sampling.h"

static bool cycles, clocks, privileged;

/* A machine as the test wants it. */
static int open_fake(const char *event, bool *ret_user_only, struct bench_error *err)
{
    if (strcmp(event, "cycles") == 0 ? cycles : clocks) {
        *ret_user_only = !privileged;
        return 0;
    }
    error_set(err, BENCH_ERROR_ENVIRONMENT, "event '%s': not here", event);
    error_hint(err, "buy one");
    return -1;
}

static void expect(const char *event, const char *unit, bool user_only, const char *instead,
                   const char *mend)
{
    struct bench_error err = {0};
    struct sampling s;

    assert_int_equal(sampling_choose_by(&s, open_fake, &err), 0);
    assert_string_equal(s.event, event);
    assert_string_equal(s.unit, unit);
    assert_int_equal(s.user_only, user_only);
    assert_string_equal(s.instead ? s.instead : "", instead);
    assert_string_equal(s.mend ? s.mend : "", mend);
    sampling_release(&s);
}

#define UNSEEN                                                                              \
    "the kernel's own code is not sampled, because '/proc/sys/kernel/perf_event_paranoid' " \
    "forbids it"
#define LET "run as root, or let every user: sysctl kernel.perf_event_paranoid=1"

static void the_best_rung_is_taken(void **state)
{
    struct bench_error err = {0};
    struct sampling s;

    (void)state;
    cycles = clocks = privileged = true;
    expect("cycles", "cycles", false, "", "");
    privileged = false;
    expect("cycles:u", "cycles", true, UNSEEN, LET);
    cycles = false;
    expect("cpu-clock:u", "ns", true, "event 'cycles': not here; " UNSEEN, LET);
    privileged = true;
    expect("cpu-clock", "ns", false, "event 'cycles': not here", "buy one");
    clocks = false;
    assert_int_equal(sampling_choose_by(&s, open_fake, &err), -1);
    assert_string_equal(err.message, "event 'cpu-clock': not here");
}

/* What the kernel says here: the same as event_have_pmu(). */
static void this_machine(void **state)
{
    struct bench_error err = {0};
    struct sampling s;

    (void)state;
    if (sampling_choose(&s, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(strncmp(s.event, "cycles", 6) == 0, event_have_pmu());
    sampling_release(&s);
}

static void the_users_choice_is_never_replaced(void **state)
{
    struct bench_error err = {0};
    struct sampling s;

    (void)state;
    assert_int_equal(sampling_take(&s, "cpu-clock:u", &err), 0);
    assert_string_equal(s.event, "cpu-clock:u");
    assert_string_equal(s.unit, "ns");
    assert_null(s.instead);
    sampling_release(&s);
    assert_int_equal(sampling_take(&s, "page-faults", &err), 0);
    assert_string_equal(s.unit, "events");
    sampling_release(&s);
    /* perf alone knows. */
    assert_int_equal(sampling_take(&s, "cpu/mem-loads,ldlat=30/P", &err), 0);
    assert_string_equal(s.event, "cpu/mem-loads,ldlat=30/P");
    sampling_release(&s);
    if (event_have_pmu())
        return;
    assert_int_equal(sampling_take(&s, "cycles", &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_non_null(strstr(err.message, "no hardware performance counters"));
}

static void branch_records_need_a_pmu(void **state)
{
    struct sampling s = {.event = "cpu-clock"};
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(sampling_branches(&s, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_int_equal(
        strncmp(err.message, "the CPU's branch records cannot be had: event 'cpu-clock'", 57), 0);
    assert_non_null(strstr(err.hint, "use 'call_graph: fp' or 'dwarf'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_rung_is_taken),
        cmocka_unit_test(this_machine),
        cmocka_unit_test(the_users_choice_is_never_replaced),
        cmocka_unit_test(branch_records_need_a_pmu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
