/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "environment/facts.h"

static void this_machine_is_described(void **state)
{
    struct cgroup_host host;
    int64_t begin;
    struct utsname u;
    json_t *facts;

    (void)state;
    cgroup_host_detect(&host);
    begin = clock_now();
    facts = facts_collect(&host);
    print_message("# facts take %.1f ms\n", (double)(clock_now() - begin) / 1e6);
    assert_int_equal(uname(&u), 0);
    assert_string_equal(json_string_value(json_object_get(facts, "kernel")), u.release);
    assert_string_equal(json_string_value(json_object_get(facts, "machine")), u.machine);
    assert_int_equal(json_integer_value(json_object_get(facts, "cpus_online")),
                     sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(json_array_size(json_object_get(facts, "tcp_rmem")), 3);
    assert_int_equal(json_array_size(json_object_get(facts, "port_range")), 2);
    assert_int_equal(json_array_size(json_object_get(facts, "load")), 3);
    assert_true(json_is_boolean(json_object_get(facts, "pmu")));
    assert_true(json_integer_value(json_object_get(facts, "memory_bytes")) > 1 << 20);
    assert_true(json_is_integer(json_object_get(json_object_get(facts, "loopback"), "mtu")));
    json_decref(facts);
}

static void no_name_of_the_host_is_kept(void **state)
{
    struct cgroup_host host;
    char name[256] = "";
    json_t *facts;
    char *text;

    (void)state;
    cgroup_host_detect(&host);
    facts = facts_collect(&host);
    text = json_dumps(facts, 0);
    assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
    if (strlen(name) > 3) /* a name like "a" would be found in any text */
        assert_null(strstr(text, name));
    free(text);
    json_decref(facts);
}

static void every_fact_is_documented(void **state)
{
    json_t *facts = facts_collect_below("", NULL), *value;
    struct bench_error err = {0};
    const char *key;
    char *doc;

    (void)state;
    if (file_read(AT_FDCWD, "docs/store-format.md", 1 << 20, &doc, NULL, &err) < 0)
        fail_msg("%s (run tests from the top of the tree)", err.message);
    json_object_foreach(facts, key, value)
    {
        char *quoted = xasprintf("`%s`", key);

        if (!strstr(doc, quoted))
            fail_msg("docs/store-format.md lacks %s", quoted);
        free(quoted);
    }
    free(doc);
    json_decref(facts);
}

/* Another machine, as files. */
static void put(const char *root, const char *path, const char *text)
{
    char *full = xasprintf("%s%s", root, path), *copy = xstrdup(full);
    struct bench_error err = {0};

    if (directory_make(AT_FDCWD, dirname(copy), &err) < 0 ||
        file_write(AT_FDCWD, full, text, strlen(text), &err) < 0)
        fail_msg("%s", err.message);
    free(copy);
    free(full);
}

#define CPU "/sys/devices/system/cpu/"

static const char *const server[][2] = {
    {"/etc/os-release", "NAME=\"X\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"},
    {"/proc/cpuinfo", "processor\t: 0\nmodel name\t: Xeon Gold\nmicrocode\t: 0x2b\n"
                      "flags\t\t: fpu vme\n\nprocessor\t: 1\nmodel name\t: other\n"},
    {"/proc/loadavg", "1.25 0.50 0.25 1/200 42\n"},
    {"/proc/pressure/cpu", "some avg10=6.21 avg60=2.35 avg300=0.59 total=5117510\n"},
    {"/proc/stat", "cpu  10 0 10 960 10 0 0 10 0 0\ncpu0 1 2 3\n"},
    {"/proc/meminfo", "MemTotal:       32594 kB\nMemFree: 1 kB\nMemAvailable:   1024 kB\n"},
    {"/proc/sys/kernel/randomize_va_space", "0\n"},
    {"/proc/sys/net/ipv4/tcp_congestion_control", "bbr\n"},
    {"/proc/sys/net/ipv4/tcp_available_congestion_control", "reno bbr cubic\n"},
    {"/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t33554432\n"},
    {CPU "online", "0-3\n"},
    {CPU "cpu0/topology/thread_siblings_list", "0,2\n"},
    {CPU "cpu1/topology/thread_siblings_list", "1,3\n"},
    {CPU "cpu2/topology/thread_siblings_list", "0,2\n"},
    {CPU "cpu3/topology/thread_siblings_list", "1,3\n"},
    {CPU "cpu0/cpufreq/scaling_governor", "performance\n"},
    {CPU "cpu1/cpufreq/scaling_governor", "powersave\n"},
    {CPU "cpu2/cpufreq/scaling_governor", "performance\n"},
    {CPU "cpu3/cpufreq/scaling_governor", "powersave\n"},
    {CPU "intel_pstate/no_turbo", "0\n"},
    {CPU "vulnerabilities/meltdown", "Not affected\n"},
    {CPU "vulnerabilities/spectre_v2", "Mitigation: Retpolines\n"},
    {"/sys/devices/system/node/online", "0-1\n"},
    {"/sys/devices/system/node/node0/cpulist", "0,2\n"},
    {"/sys/devices/system/node/node1/cpulist", "1,3\n"},
    {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"},
    {"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
};

static json_t *collect_server(void)
{
    char root[] = "/tmp/bench-test-facts-XXXXXX";
    json_t *facts;

    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < ARRAY_SIZE(server); i++)
        put(root, server[i][0], server[i][1]);
    facts = facts_collect_below(root, NULL);
    directory_remove(AT_FDCWD, root, NULL);
    return facts;
}

static void expect(const json_t *facts, const char *name, json_t *value)
{
    if (!json_equal(json_object_get(facts, name), value)) {
        char *got = json_dumps(json_object_get(facts, name), JSON_ENCODE_ANY);

        fail_msg("%s is %s", name, got);
    }
    json_decref(value);
}

static void another_machine_is_described(void **state)
{
    json_t *facts = collect_server();

    (void)state;
    expect(facts, "os", json_string("Debian GNU/Linux 12 (bookworm)"));
    expect(facts, "cpu_model", json_string("Xeon Gold"));
    expect(facts, "microcode", json_string("0x2b"));
    expect(facts, "hypervisor", json_false());
    expect(facts, "cpus_online", json_integer(4));
    expect(facts, "smt_siblings", json_pack("[s,s]", "0,2", "1,3"));
    expect(facts, "numa_nodes", json_pack("{s:s,s:s}", "0", "0,2", "1", "1,3"));
    expect(facts, "governor", json_pack("[s,s]", "performance", "powersave"));
    expect(facts, "turbo", json_true());
    expect(facts, "mitigations", json_pack("{s:s}", "spectre_v2", "Mitigation: Retpolines"));
    expect(facts, "clocksource", json_string("hpet"));
    expect(facts, "memory_bytes", json_integer(32594 * 1024));
    expect(facts, "memory_available_bytes", json_integer(1 << 20));
    expect(facts, "transparent_hugepages", json_string("always"));
    expect(facts, "randomize_va_space", json_integer(0));
    expect(facts, "congestion", json_string("bbr"));
    expect(facts, "congestion_available", json_pack("[s,s,s]", "reno", "bbr", "cubic"));
    expect(facts, "tcp_rmem", json_pack("[i,i,i]", 4096, 131072, 33554432));
    expect(facts, "load", json_pack("[f,f,f]", 1.25, 0.5, 0.25));
    expect(facts, "cpu_pressure", json_real(6.21 / 100));
    expect(facts, "steal", json_real(0.01));
    expect(facts, "cgroup", json_null());
    json_decref(facts);
}

static void what_cannot_be_read_is_null(void **state)
{
    static const char *const unreadable[] = {"os",
                                             "cpu_model",
                                             "hypervisor",
                                             "cpus_online",
                                             "smt_siblings",
                                             "numa_nodes",
                                             "governor",
                                             "turbo",
                                             "clocksource",
                                             "memory_bytes",
                                             "transparent_hugepages",
                                             "randomize_va_space",
                                             "congestion",
                                             "congestion_available",
                                             "tcp_wmem",
                                             "somaxconn",
                                             "load",
                                             "cpu_pressure",
                                             "steal",
                                             "boot_id",
                                             "perf_event_paranoid"};
    json_t *facts = facts_collect_below("/nonexistent", NULL);
    struct strings warnings = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++) {
        if (!json_is_null(json_object_get(facts, unreadable[i])))
            fail_msg("%s is not null", unreadable[i]);
    }
    json_object_set_new(facts, "pmu", json_null());
    facts_warnings(facts, &warnings);
    assert_int_equal(warnings.count, 1);
    assert_string_equal(warnings.items[0], "loopback: no NIC in this result");
    strings_release(&warnings);
    json_decref(facts);
}

static void what_matters_is_warned_about_in_order(void **state)
{
    static const char *const expected[] = {
        "load average 1.25 at start: something else was running",
        "the host's congestion control is 'bbr', which slows loopback 2 to 3 times; 'network: "
        "isolated' is not affected",
        "clock source 'hpet': reading the time is slow, for the relays too",
        "ASLR is off: every repetition has the same memory layout, which can favour one arm "
        "(kernel.randomize_va_space=2 turns it on)",
        "CPU governor 'powersave': the clock follows the load ('cpupower frequency-set -g "
        "performance' fixes it)",
        "the hypervisor took 1% of the CPU time since boot (steal)",
        "virtual machine: neighbours share the hardware unseen",
        "3 CPUs: client, relays and server compete for them",
        "SMT is on (CPUs 0,2 share a core): roles on siblings slow each other, 'cpus:' keeps them "
        "apart",
        "2 NUMA nodes: speed depends on placement, 'cpus:' fixes it",
        "transparent huge pages are 'always': memory figures depend on luck",
        "turbo is on: the clock follows temperature and load",
        "no hardware counters: cycles, instructions and cache misses cannot be counted here",
        "loopback: no NIC in this result",
    };
    json_t *facts = collect_server();
    struct strings warnings = {0};

    (void)state;
    json_object_set_new(facts, "pmu", json_false());
    json_object_set_new(facts, "hypervisor", json_true());
    json_object_set_new(facts, "cpus_online", json_integer(3));
    facts_warnings(facts, &warnings);
    assert_int_equal(warnings.count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_string_equal(warnings.items[i], expected[i]);
    strings_release(&warnings);
    json_decref(facts);
}

static void a_good_machine_has_only_loopback_against_it(void **state)
{
    json_t *facts = json_pack(
        "{s:[f,f,f], s:s, s:s, s:i, s:[s], s:f, s:b, s:i, s:[], s:{s:s}, s:s, s:b, s:b, s:{}}",
        "load", 0.1, 3.0, 3.0, "congestion", "cubic", "clocksource", "tsc", "randomize_va_space", 2,
        "governor", "performance", "steal", 0.0, "hypervisor", 0, "cpus_online", 16, "smt_siblings",
        "numa_nodes", "0", "0-15", "transparent_hugepages", "madvise", "turbo", 0, "pmu", 1,
        "loopback");
    struct strings warnings = {0};

    (void)state;
    assert_non_null(facts);
    facts_warnings(facts, &warnings);
    assert_int_equal(warnings.count, 1);
    strings_release(&warnings);
    json_decref(facts);
}

static void facts_of_a_wrong_type_warn_of_nothing(void **state)
{
    json_t *facts = collect_server(), *value;
    struct strings warnings = {0};
    const char *key;
    void *next;

    (void)state;
    json_object_foreach_safe(facts, next, key, value)
        json_object_set_new(facts, key, json_pack("[[]]"));
    facts_warnings(facts, &warnings);
    assert_int_equal(warnings.count, 0);
    json_object_clear(facts);
    facts_warnings(facts, &warnings);
    facts_warnings(NULL, &warnings);
    assert_int_equal(warnings.count, 0);
    strings_release(&warnings);
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_is_described),
        cmocka_unit_test(no_name_of_the_host_is_kept),
        cmocka_unit_test(every_fact_is_documented),
        cmocka_unit_test(another_machine_is_described),
        cmocka_unit_test(what_cannot_be_read_is_null),
        cmocka_unit_test(what_matters_is_warned_about_in_order),
        cmocka_unit_test(a_good_machine_has_only_loopback_against_it),
        cmocka_unit_test(facts_of_a_wrong_type_warn_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
