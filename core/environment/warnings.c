/* SPDX-License-Identifier: Apache-2.0 */
#include "environment/facts.h"

#include <string.h>

#include "base/memory.h"
#include "base/units.h"

/* Measured or documented points beyond which a fact shows in results. */
#define LOAD_AT_START 0.5
#define STEAL_SHARE 0.001
#define FEW_CPUS 4

/* Each looks at its fact and adds at most one sentence. A fact that is null or of another type, as
 * in a run that was stored by another version, warns of nothing. */
typedef void (*warn_fn)(const json_t *fact, struct strings *ret);

static void warn_load(const json_t *fact, struct strings *ret)
{
    double load = json_number_value(json_array_get(fact, 0));

    if (load > LOAD_AT_START)
        strings_addf(ret, "load average %.2f at start: something else was running", load);
}

/* What the quota is used for, a window tells: see report/around.h. */
static void warn_quota(const json_t *fact, struct strings *ret)
{
    double cpus = json_number_value(json_object_get(fact, "cpus"));

    if (cpus > 0)
        strings_addf(ret,
                     "bench and all its roles together may use %.3g CPU%s: a control group around "
                     "bench has that CPU quota (raise cpu.max or cpu.cfs_quota_us, '--cpus' of the "
                     "container or CPUQuota= of the unit, or start bench elsewhere)",
                     cpus, cpus == 1 ? "" : "s");
}

static void warn_nice(const json_t *fact, struct strings *ret)
{
    json_int_t nice = json_integer_value(fact);

    if (nice)
        strings_addf(
            ret,
            "nice %d is inherited by every role: %s ('renice -n 0 -p $$' in the shell that "
            "starts bench)",
            (int)nice,
            nice > 0 ? "all other processes come before them"
                     : "they come before all other processes");
}

static void warn_policy(const json_t *fact, struct strings *ret)
{
    const char *policy = json_string_value(fact);

    if (!policy || strcmp(policy, "SCHED_OTHER") == 0)
        return;
    if (strcmp(policy, "SCHED_IDLE") == 0 || strcmp(policy, "SCHED_BATCH") == 0)
        strings_addf(ret,
                     "scheduling policy %s is inherited by every role: all other processes come "
                     "before them ('chrt -o -p 0 $$' in the shell that starts bench)",
                     policy);
    else
        strings_addf(ret,
                     "scheduling policy %s is inherited by every role: no CPU limit holds for it, "
                     "and a busy role keeps its CPU ('chrt -o -p 0 $$' in the shell that starts "
                     "bench)",
                     policy);
}

/* Fewer than there are: a cpuset of a control group, or taskset. */
static void warn_allowed(const json_t *facts, struct strings *ret)
{
    const char *list = json_string_value(json_object_get(facts, "cpus_allowed"));
    json_int_t online = json_integer_value(json_object_get(facts, "cpus_online"));
    uint64_t cpus[UNITS_CPU_WORDS] = {0};
    int n = 0;

    if (!list || parse_cpus(list, cpus, NULL) < 0)
        return;
    for (size_t i = 0; i < UNITS_CPU_WORDS; i++)
        n += __builtin_popcountll(cpus[i]);
    if (n > 0 && n < online)
        strings_addf(ret, "a cpuset or affinity around bench leaves it %d of %d CPUs: %s", n,
                     (int)online, list);
}

/* bbr paces by its estimate of a bandwidth that loopback does not have. */
static void warn_congestion(const json_t *fact, struct strings *ret)
{
    const char *name = json_string_value(fact);

    if (name && strncmp(name, "bbr", 3) == 0)
        strings_addf(ret,
                     "the host's congestion control is '%s', which slows loopback 2 to 3 times; "
                     "'network: isolated' is not affected",
                     name);
}

static void warn_aslr(const json_t *fact, struct strings *ret)
{
    if (json_is_integer(fact) && json_integer_value(fact) == 0)
        strings_add(ret, "ASLR is off: every repetition has the same memory layout, which can "
                         "favour one arm (kernel.randomize_va_space=2 turns it on)");
}

static void warn_governor(const json_t *fact, struct strings *ret)
{
    const json_t *item;
    size_t i;

    json_array_foreach(fact, i, item)
    {
        const char *name = json_string_value(item);

        if (name && strcmp(name, "performance") != 0) {
            strings_addf(ret,
                         "CPU governor '%s': the clock follows the load ('cpupower frequency-set "
                         "-g performance' fixes it)",
                         name);
            return;
        }
    }
}

/* The others cost a system call and a device access per reading. */
static void warn_clocksource(const json_t *fact, struct strings *ret)
{
    static const char *const fast[] = {
        "tsc",      "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page",
        "timebase", "tod",       "riscv_clocksource"};
    const char *name = json_string_value(fact);

    if (!name)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(fast); i++)
        if (strcmp(name, fast[i]) == 0)
            return;
    strings_addf(ret, "clock source '%s': reading the time is slow, for the relays too", name);
}

static void warn_steal(const json_t *fact, struct strings *ret)
{
    double share = json_number_value(fact);

    if (share > STEAL_SHARE)
        strings_addf(ret, "the hypervisor took %.2g%% of the CPU time since boot (steal)",
                     100 * share);
}

static void warn_hypervisor(const json_t *fact, struct strings *ret)
{
    if (json_is_true(fact))
        strings_add(ret, "virtual machine: neighbours share the hardware unseen");
}

static void warn_cpus(const json_t *fact, struct strings *ret)
{
    json_int_t n = json_integer_value(fact);

    if (n > 0 && n < FEW_CPUS)
        strings_addf(ret, "%d CPU%s: client, relays and server compete for %s", (int)n,
                     n == 1 ? "" : "s", n == 1 ? "it" : "them");
}

static void warn_smt(const json_t *fact, struct strings *ret)
{
    const char *first = json_string_value(json_array_get(fact, 0));

    if (first)
        strings_addf(ret,
                     "SMT is on (CPUs %s share a core): roles on siblings slow each other, 'cpus:' "
                     "keeps them apart",
                     first);
}

static void warn_numa(const json_t *fact, struct strings *ret)
{
    size_t n = json_object_size(fact);

    if (n > 1)
        strings_addf(ret, "%zu NUMA nodes: speed depends on placement, 'cpus:' fixes it", n);
}

static void warn_hugepages(const json_t *fact, struct strings *ret)
{
    const char *mode = json_string_value(fact);

    if (mode && strcmp(mode, "always") == 0)
        strings_add(ret, "transparent huge pages are 'always': memory figures depend on luck");
}

static void warn_turbo(const json_t *fact, struct strings *ret)
{
    if (json_is_true(fact))
        strings_add(ret, "turbo is on: the clock follows temperature and load");
}

static void warn_pmu(const json_t *fact, struct strings *ret)
{
    if (json_is_false(fact))
        strings_add(ret, "no hardware counters: cycles, instructions and cache misses cannot be "
                         "counted here");
}

/* True of every run until roles are placed on other hosts. */
static void warn_loopback(const json_t *fact, struct strings *ret)
{
    if (json_is_object(fact))
        strings_add(ret, "loopback: no NIC in this result");
}

/* Most important first. */
static const struct {
    const char *fact;
    warn_fn warn;
} warnings[] = {
    {"cpu_quota", warn_quota},
    {"scheduling_policy", warn_policy},
    {"nice", warn_nice},
    {"load", warn_load},
    {"congestion", warn_congestion},
    {"clocksource", warn_clocksource},
    {"randomize_va_space", warn_aslr},
    {"governor", warn_governor},
    {"steal", warn_steal},
    {"hypervisor", warn_hypervisor},
    {"cpus_online", warn_cpus},
    {"smt_siblings", warn_smt},
    {"numa_nodes", warn_numa},
    {"transparent_hugepages", warn_hugepages},
    {"turbo", warn_turbo},
    {"pmu", warn_pmu},
    {"loopback", warn_loopback},
};

void facts_warnings(const json_t *facts, struct strings *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(warnings); i++) {
        const json_t *fact = json_object_get(facts, warnings[i].fact);

        if (fact)
            warnings[i].warn(fact, ret);
    }
    warn_allowed(facts, ret);
}
