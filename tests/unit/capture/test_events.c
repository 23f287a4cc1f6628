/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/events.h"
#include "capture/tracefs.h"

static struct perf_event_attr encode(const char *name)
{
    struct bench_error err = {0};
    struct perf_event_attr attr;

    if (event_encode(name, &attr, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    assert_int_equal(attr.size, sizeof(attr));
    assert_int_equal(attr.disabled, 0);
    assert_int_equal(attr.inherit, 0);
    return attr;
}

static void expect(const char *name, uint32_t type, uint64_t config, uint64_t config1)
{
    struct perf_event_attr attr = encode(name);

    if (attr.type != type || attr.config != config || attr.config1 != config1)
        fail_msg("%s: type %u config %#llx config1 %#llx", name, attr.type,
                 (unsigned long long)attr.config, (unsigned long long)attr.config1);
}

static void generic_names_have_the_kernels_numbers(void **state)
{
    (void)state;
    expect("cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0);
    expect("cpu-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0);
    expect("instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 0);
    expect("cache-references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, 0);
    expect("cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 0);
    expect("branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 0);
    expect("branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, 0);
    expect("ref-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES, 0);
    expect("task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, 0);
    expect("context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 0);
    expect("cs", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 0);
    expect("cpu-migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, 0);
    expect("page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 0);
    expect("L1-dcache-load-misses", PERF_TYPE_HW_CACHE, 0x10000, 0);
    expect("LLC-load-misses", PERF_TYPE_HW_CACHE, 0x10002, 0);
    expect("dTLB-loads", PERF_TYPE_HW_CACHE, 3, 0);
}

static void raw_events_are_hexadecimal(void **state)
{
    (void)state;
    expect("r1c0", PERF_TYPE_RAW, 0x1c0, 0);
    expect("r0000", PERF_TYPE_RAW, 0, 0);
    expect("r1c0:u", PERF_TYPE_RAW, 0x1c0, 0);
}

/* Needs no such CPU: LIBPFM_ENCODE_INACTIVE is set in main(). */
static void events_of_other_cpus_encode_exactly(void **state)
{
    (void)state;
    expect("spr::MEM_LOAD_RETIRED:L3_MISS", PERF_TYPE_RAW, 0x20d1, 0);
    expect("skl::INST_RETIRED:ANY_P", PERF_TYPE_RAW, 0xc0, 0);
    expect("skl::MEM_TRANS_RETIRED:LOAD_LATENCY:ldlat=30", PERF_TYPE_RAW, 0x1cd, 0x1e);
    expect("amd64_fam19h_zen4::RETIRED_INSTRUCTIONS", PERF_TYPE_RAW, 0xc0, 0);
    expect("spr::MEM_LOAD_RETIRED:L3_MISS:u", PERF_TYPE_RAW, 0x20d1, 0);
}

static void modifiers_select_the_mode(void **state)
{
    static const struct {
        const char *name;
        unsigned no_user, no_kernel, no_hv, precise;
    } rows[] = {
        {"cycles", 0, 0, 0, 0},     {"cycles:u", 0, 1, 1, 0},
        {"cycles:k", 1, 0, 1, 0},   {"cycles:uk", 0, 0, 1, 0},
        {"cycles:ku", 0, 0, 1, 0},  {"cycles:h", 1, 1, 0, 0},
        {"cycles:p", 0, 0, 0, 1},   {"cycles:pp", 0, 0, 0, 2},
        {"cycles:upp", 0, 1, 1, 2}, {"page-faults:u", 0, 1, 1, 0},
        {"r1c0:k", 1, 0, 1, 0},     {"skl::INST_RETIRED:ANY_P:u", 0, 1, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct perf_event_attr attr = encode(rows[i].name);

        if (attr.exclude_user != rows[i].no_user || attr.exclude_kernel != rows[i].no_kernel ||
            attr.exclude_hv != rows[i].no_hv || attr.precise_ip != rows[i].precise)
            fail_msg("%s: !u %d !k %d !h %d p %d", rows[i].name, attr.exclude_user,
                     attr.exclude_kernel, attr.exclude_hv, attr.precise_ip);
    }
}

static void expect_usage(const char *name, const char *message, const char *hint)
{
    struct perf_event_attr attr = {.type = 77};
    struct bench_error err = {0};

    assert_int_equal(event_encode(name, &attr, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
    assert_int_equal(attr.type, 77); /* untouched */
}

static void a_misspelled_event_gets_the_nearest_name(void **state)
{
    static const char modifiers[] =
        "modifiers are u (user), k (kernel), h (hypervisor) and p (precise), as in 'cycles:u'; a "
        "unit mask or attribute must be one of the event's";

    (void)state;
    expect_usage("cycels", "unknown event 'cycels'", "did you mean 'cycles'?");
    expect_usage("task_clock", "unknown event 'task_clock'", "did you mean 'task-clock'?");
    expect_usage("LLC-load-mises", "unknown event 'LLC-load-mises'",
                 "did you mean 'LLC-load-misses'?");
    expect_usage("dTLB-load", "unknown event 'dTLB-load'", "did you mean 'dTLB-loads'?");
    expect_usage("", "unknown event ''", "'bench list events' shows all");
    expect_usage("nonsense-of-all-kinds", "unknown event 'nonsense-of-all-kinds'",
                 "'bench list events' shows all");
    expect_usage("cycles:z", "event 'cycles:z': invalid event attribute", modifiers);
    expect_usage("cycles:", "event 'cycles:': invalid event attribute", modifiers);
    expect_usage("cycles:pppp", "event 'cycles:pppp': invalid event attribute", modifiers);
}

static bool no_tracefs(void)
{
    if (tracefs_access() == TRACEFS_READABLE)
        return false;
    print_message("# SKIP tracefs cannot be read here\n");
    return true;
}

static void tracepoints_come_from_tracefs(void **state)
{
    struct perf_event_attr attr;

    (void)state;
    if (no_tracefs())
        skip();
    attr = encode("syscalls:sys_enter_write");
    assert_int_equal(attr.type, PERF_TYPE_TRACEPOINT);
    assert_int_equal(attr.config, tracefs_id("syscalls", "sys_enter_write"));
    assert_true(attr.config > 0);
    assert_true(attr.config != encode("sched:sched_switch").config);
    attr = encode("syscalls:sys_enter_write:u");
    assert_int_equal(attr.exclude_kernel, 1);
}

static void a_misspelled_tracepoint_gets_the_nearest_name(void **state)
{
    (void)state;
    if (no_tracefs())
        skip();
    expect_usage("syscalls:sys_enter_wriet", "unknown event 'syscalls:sys_enter_wriet'",
                 "did you mean 'syscalls:sys_enter_write'?");
    expect_usage("sycalls:sys_enter_write", "unknown event 'sycalls:sys_enter_write'",
                 "did you mean 'syscalls:sys_enter_write'?");
    /* A name never leaves the tree. */
    expect_usage("..:id", "unknown event '..:id'", "'bench list events' shows all");
    expect_usage("../../kernel:x", "unknown event '../../kernel:x'",
                 "'bench list events' shows all");
    assert_int_equal(tracefs_id("sched/sched_switch", ".."), -1);
    assert_int_equal(tracefs_id("sched", ""), -1);
}

static void explanations_say_what_stands_in_the_way(void **state)
{
    struct perf_event_attr hardware = {.type = PERF_TYPE_HARDWARE};
    struct perf_event_attr software = {.type = PERF_TYPE_SOFTWARE};
    struct perf_event_attr precise = {.type = PERF_TYPE_SOFTWARE, .precise_ip = 2};
    struct bench_error err = {0};

    (void)state;
    assert_int_equal(event_explain("x", &hardware, ENOENT, &err), BENCH_NOT_SUPPORTED);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    if (event_have_pmu()) {
        assert_string_equal(err.message, "event 'x': this CPU does not count it");
    } else {
        assert_string_equal(err.message,
                            "event 'x': this machine has no hardware performance counters (no "
                            "'cpu' PMU in '/sys/bus/event_source/devices')");
        assert_string_equal(err.hint, "run on bare metal, or give the virtual machine a PMU (KVM: "
                                      "'-cpu host,pmu=on')");
    }
    assert_int_equal(event_explain("x", &software, ENOENT, &err), BENCH_NOT_SUPPORTED);
    assert_string_equal(err.message, "event 'x': this kernel does not count it");
    assert_string_equal(err.hint, "");
    assert_int_equal(event_explain("x", &software, EINVAL, &err), BENCH_NOT_SUPPORTED);
    assert_string_equal(
        err.message,
        "event 'x': the kernel rejects its parameters on this machine (type 1, config 0x0)");
    assert_int_equal(event_explain("x", &precise, EOPNOTSUPP, &err), BENCH_NOT_SUPPORTED);
    assert_string_equal(err.message, "event 'x': its PMU cannot count it this way (precise)");
    assert_string_equal(err.hint, "leave out the modifier ':p'");
    assert_int_equal(event_explain("x", &software, ENOSYS, &err), BENCH_NOT_SUPPORTED);
    assert_int_equal(event_explain("x", &software, EMFILE, &err), BENCH_FAILED);
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    assert_string_equal(err.hint, "raise the limit (ulimit -n), or name fewer events or roles");
    assert_int_equal(event_explain("x", &software, EBUSY, &err), BENCH_FAILED);
    assert_int_equal(event_explain("x", &software, ESRCH, &err), BENCH_FAILED);
    assert_string_equal(err.message, "event 'x': the process has ended");
    assert_int_equal(event_explain("x", &software, E2BIG, &err), BENCH_FAILED);
    assert_string_equal(err.message, "event 'x': cannot open it: Argument list too long");
}

/* Runs `check` as an ordinary user in a child; its return value says how it went. */
static int as_ordinary_user(int (*check)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(setgid(65534) < 0 || setuid(65534) < 0 ? 99 : check());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int open_own(const char *name, bool *ret_user_only, enum bench_state *ret_state,
                    struct bench_error *err)
{
    struct perf_event_attr attr;

    if (event_encode(name, &attr, err) < 0)
        return -2;
    return event_open(name, &attr, 0, ret_user_only, ret_state, err);
}

static int ordinary_user(void)
{
    struct bench_error err = {0};
    enum bench_state state = BENCH_OK;
    bool user_only = false;
    char expected[256];

    if (open_own("page-faults", &user_only, &state, &err) < 0 || !user_only)
        return 1;
    if (open_own("task-clock", &user_only, &state, &err) < 0 || user_only)
        return 2; /* it runs in both modes, whatever is excluded */
    /* User-only it would open and stay 0. */
    if (open_own("context-switches", &user_only, &state, &err) != -1 ||
        state != BENCH_NOT_SUPPORTED)
        return 3;
    snprintf(expected, sizeof(expected),
             "event 'context-switches': not permitted: '/proc/sys/kernel/perf_event_paranoid' is "
             "%d and this user lacks CAP_PERFMON",
             event_paranoid());
    if (strcmp(err.message, expected) != 0)
        return 4;
    if (strcmp(err.hint, "run as root or with CAP_PERFMON, or let every user: sysctl "
                             "kernel.perf_event_paranoid=1") != 0)
        return 5;
    if (tracefs_access() != TRACEFS_READABLE &&
        (open_own("sched:sched_switch", &user_only, &state, &err) != -2 ||
         err.kind != BENCH_ERROR_ENVIRONMENT ||
         !strstr(err.message, "tracepoints are listed in '/sys/kernel/tracing', which ")))
        return 6;
    return 0;
}

static void an_ordinary_user_gets_user_mode_or_a_reason(void **state)
{
    (void)state;
    if (geteuid() != 0 || event_paranoid() != 2) {
        print_message("# SKIP needs root and perf_event_paranoid 2\n");
        skip();
    }
    assert_int_equal(as_ordinary_user(ordinary_user), 0);
}

static void hardware_events_count_or_say_why_not(void **state)
{
    struct bench_error err = {0};
    enum bench_state opened = BENCH_OK;
    bool user_only;
    int fd = open_own("cycles:u", &user_only, &opened, &err);

    (void)state;
    if (event_have_pmu()) {
        assert_true(fd >= 0);
        close(fd);
    } else {
        assert_int_equal(fd, -1);
        assert_int_equal(opened, BENCH_NOT_SUPPORTED);
        assert_non_null(strstr(err.message, "no hardware performance counters"));
    }
}

struct seen {
    size_t hardware, software, cache, tracepoint;
    bool task_clock, write;
};

static void see(void *context, const char *kind, const char *name, bool usable, const char *help)
{
    struct seen *seen = context;

    assert_non_null(help);
    seen->hardware += strcmp(kind, "hardware") == 0;
    seen->cache += strcmp(kind, "cache") == 0;
    seen->tracepoint += strcmp(kind, "tracepoint") == 0;
    if (strcmp(kind, "software") == 0) {
        seen->software++;
        encode(name);
    }
    if (strcmp(kind, "hardware") == 0 || strcmp(kind, "cache") == 0)
        encode(name);
    if (strcmp(name, "task-clock") == 0)
        seen->task_clock = usable;
    if (strcmp(name, "syscalls:sys_enter_write") == 0)
        seen->write = usable;
}

static void the_list_holds_names_that_encode(void **state)
{
    struct seen seen = {0};

    (void)state;
    event_list(see, &seen);
    assert_int_equal(seen.hardware, 10);
    assert_int_equal(seen.software, 8);
    assert_true(seen.cache >= 20);
    assert_true(seen.task_clock);
    if (tracefs_access() == TRACEFS_READABLE) {
        assert_true(seen.tracepoint > 100);
        assert_true(seen.write);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generic_names_have_the_kernels_numbers),
        cmocka_unit_test(raw_events_are_hexadecimal),
        cmocka_unit_test(events_of_other_cpus_encode_exactly),
        cmocka_unit_test(modifiers_select_the_mode),
        cmocka_unit_test(a_misspelled_event_gets_the_nearest_name),
        cmocka_unit_test(tracepoints_come_from_tracefs),
        cmocka_unit_test(a_misspelled_tracepoint_gets_the_nearest_name),
        cmocka_unit_test(explanations_say_what_stands_in_the_way),
        cmocka_unit_test(an_ordinary_user_gets_user_mode_or_a_reason),
        cmocka_unit_test(hardware_events_count_or_say_why_not),
        cmocka_unit_test(the_list_holds_names_that_encode),
    };

    setenv("LIBPFM_ENCODE_INACTIVE", "1", 1); /* read once, by pfm_initialize() */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
