/* SPDX-License-Identifier: Apache-2.0 */
#include "environment/facts.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/units.h"
#include "capture/events.h"
#include "process/around.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

/* Where facts are read from. */
struct source {
    const char *root; /* before /proc, /sys and /etc */
    const struct cgroup_host *cgroup;
};

/* A reader gives a new reference, null for what cannot be known. `path` and `key` belong to readers
 * that serve several facts. */
struct fact {
    const char *name;
    json_t *(*read)(const struct source *s, const struct fact *f);
    const char *path;
    const char *key;
};

/* --- helpers ------------------------------------------------------------------------------- */

static char *peek(const struct source *s, const char *path)
{
    cleanup_free char *full = xasprintf("%s%s", s->root, path);

    return file_peek(full);
}

static json_t *integer_or_null(const char *text)
{
    int64_t n;

    return text && parse_integer(text, &n, NULL) == 0 ? json_integer(n) : json_null();
}

/* The rest of the first line of `text` that begins with `key`, behind blanks, a colon or '=';
 * without quotes. Caller frees. */
static char *line_value(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && strchr(" \t:=", line[length]) && line[length]) {
            const char *value = line + length + strspn(line + length, " \t:=\"");

            return xstrndup(value, strcspn(value, "\"\n"));
        }
    }
    return NULL;
}

/* --- readers of files: a whole one, a number, a list, or a line of one ---------------------- */

static json_t *read_text(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, f->path);

    return json_text(text);
}

static json_t *read_integer(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, f->path);

    return integer_or_null(text);
}

/* The words of a file; null without it. */
static json_t *read_list(const struct source *s, const struct fact *f,
                         json_t *(*read)(const char *))
{
    cleanup_free char *text = peek(s, f->path);
    cleanup_strings struct strings words = {0};
    json_t *array;

    if (!text)
        return json_null();
    strings_split(&words, text, " \t\n");
    array = json_array();
    for (size_t i = 0; i < words.count; i++)
        json_array_append_new(array, read(words.items[i]));
    return array;
}

static json_t *read_integers(const struct source *s, const struct fact *f)
{
    return read_list(s, f, integer_or_null);
}

static json_t *read_words(const struct source *s, const struct fact *f)
{
    return read_list(s, f, json_text);
}

static json_t *read_line(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, f->path);
    cleanup_free char *value = line_value(text, f->key);

    return json_text(value);
}

/* "MemTotal:  32594 kB" → bytes */
static json_t *read_kilobytes(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, f->path);
    cleanup_free char *value = line_value(text, f->key);

    return value ? json_integer(strtoll(value, NULL, 10) * 1024) : json_null();
}

/* "always [madvise] never" → "madvise" */
static json_t *read_chosen(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, f->path);
    cleanup_free char *chosen = NULL;
    const char *open = text ? strchr(text, '[') : NULL;

    if (!open)
        return json_null();
    chosen = xstrndup(open + 1, strcspn(open + 1, "]"));
    return json_text(chosen);
}

/* --- readers of one fact each ---------------------------------------------------------------- */

static json_t *read_kernel(const struct source *s, const struct fact *f)
{
    struct utsname u;

    (void)s, (void)f;
    return uname(&u) == 0 ? json_text(u.release) : json_null();
}

static json_t *read_kernel_build(const struct source *s, const struct fact *f)
{
    struct utsname u;

    (void)s, (void)f;
    return uname(&u) == 0 ? json_text(u.version) : json_null();
}

static json_t *read_machine(const struct source *s, const struct fact *f)
{
    struct utsname u;

    (void)s, (void)f;
    return uname(&u) == 0 ? json_text(u.machine) : json_null();
}

/* The CPUs of a list file ("0-3,8"), one bit each. */
static int peek_cpus(const struct source *s, const char *path, uint64_t ret[UNITS_CPU_WORDS])
{
    cleanup_free char *list = peek(s, path);

    return list ? parse_cpus(list, ret, NULL) : -1;
}

static int online(const struct source *s, uint64_t ret[UNITS_CPU_WORDS])
{
    return peek_cpus(s, "/sys/devices/system/cpu/online", ret);
}

static bool has_cpu(const uint64_t cpus[UNITS_CPU_WORDS], int cpu)
{
    return cpus[cpu / 64] >> (cpu % 64) & 1;
}

static json_t *read_cpus_online(const struct source *s, const struct fact *f)
{
    uint64_t cpus[UNITS_CPU_WORDS];
    int n = 0;

    (void)f;
    if (online(s, cpus) < 0)
        return json_null();
    for (size_t i = 0; i < UNITS_CPU_WORDS; i++)
        n += __builtin_popcountll(cpus[i]);
    return json_integer(n);
}

/* What the file f->path (with %d for the CPU) says for the online CPUs, each text once. */
static json_t *read_per_cpu(const struct source *s, const struct fact *f)
{
    cleanup_strings struct strings seen = {0};
    uint64_t cpus[UNITS_CPU_WORDS];
    json_t *array;

    if (online(s, cpus) < 0)
        return json_null();
    for (int cpu = 0; cpu < UNITS_CPU_WORDS * 64; cpu++) {
        cleanup_free char *path = NULL, *text = NULL;

        if (!has_cpu(cpus, cpu))
            continue;
        path = xasprintf("/sys/devices/system/cpu/cpu%d/%s", cpu, f->path);
        text = peek(s, path);
        if (text && !strings_has(&seen, text))
            strings_add(&seen, text);
    }
    if (seen.count == 0)
        return json_null();
    array = json_array();
    for (size_t i = 0; i < seen.count; i++)
        json_array_append_new(array, json_text(seen.items[i]));
    return array;
}

/* The lists of CPUs that share a core; empty when none do. */
static json_t *read_smt(const struct source *s, const struct fact *f)
{
    json_t *all = read_per_cpu(s, f), *list, *shared;
    size_t i;

    if (!json_is_array(all))
        return all;
    shared = json_array();
    json_array_foreach(all, i, list) if (strpbrk(json_string_value(list), ",-"))
        json_array_append(shared, list);
    json_decref(all);
    return shared;
}

/* Node → its CPUs. */
static json_t *read_numa(const struct source *s, const struct fact *f)
{
    uint64_t nodes[UNITS_CPU_WORDS];
    json_t *object;

    (void)f;
    if (peek_cpus(s, "/sys/devices/system/node/online", nodes) < 0)
        return json_null();
    object = json_object();
    for (int node = 0; node < UNITS_CPU_WORDS * 64; node++) {
        cleanup_free char *path = NULL, *list = NULL, *name = NULL;

        if (!has_cpu(nodes, node))
            continue;
        path = xasprintf("/sys/devices/system/node/node%d/cpulist", node);
        name = xasprintf("%d", node);
        list = peek(s, path);
        json_object_set_new(object, name, json_text(list));
    }
    return object;
}

static json_t *read_turbo(const struct source *s, const struct fact *f)
{
    cleanup_free char *intel = peek(s, "/sys/devices/system/cpu/intel_pstate/no_turbo");
    cleanup_free char *other = peek(s, "/sys/devices/system/cpu/cpufreq/boost");

    (void)f;
    if (intel)
        return json_boolean(strcmp(intel, "0") == 0);
    return other ? json_boolean(strcmp(other, "1") == 0) : json_null();
}

/* The vulnerabilities that affect this CPU, and what is done about each. */
static json_t *read_mitigations(const struct source *s, const struct fact *f)
{
    static const char *const names[] = {
        "gather_data_sampling",
        "indirect_target_selection",
        "itlb_multihit",
        "l1tf",
        "mds",
        "meltdown",
        "mmio_stale_data",
        "reg_file_data_sampling",
        "retbleed",
        "spec_rstack_overflow",
        "spec_store_bypass",
        "spectre_v1",
        "spectre_v2",
        "srbds",
        "tsa",
        "tsx_async_abort",
        "vmscape",
    };
    json_t *object = json_object();

    (void)f;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *path = xasprintf("/sys/devices/system/cpu/vulnerabilities/%s", names[i]);
        cleanup_free char *text = peek(s, path);

        if (text && strcmp(text, "Not affected") != 0)
            json_object_set_new(object, names[i], json_text(text));
    }
    return object;
}

/* The CPU's own word; null where the architecture has no such flag. */
static json_t *read_hypervisor(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, "/proc/cpuinfo");
    cleanup_free char *flags = line_value(text, "flags");
    cleanup_strings struct strings words = {0};

    (void)f;
    if (!flags)
        return json_null();
    strings_split(&words, flags, " ");
    return json_boolean(strings_has(&words, "hypervisor"));
}

static json_t *read_load(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, "/proc/loadavg");
    double load[3];

    (void)f;
    if (!text || sscanf(text, "%lf %lf %lf", &load[0], &load[1], &load[2]) != 3)
        return json_null();
    return json_pack("[f,f,f]", load[0], load[1], load[2]);
}

/* Share of the last 10 s in which a task waited for a CPU. */
static json_t *read_pressure(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, "/proc/pressure/cpu");
    double percent;

    (void)f;
    if (!text || sscanf(text, "some avg10=%lf", &percent) != 1)
        return json_null();
    return json_real(percent / 100);
}

/* Share of all CPU time since boot that the hypervisor gave to others. */
static json_t *read_steal(const struct source *s, const struct fact *f)
{
    cleanup_free char *text = peek(s, "/proc/stat");
    unsigned long long t[8], sum = 0;

    (void)f;
    if (!text || sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
                        &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
        return json_null();
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        sum += t[i];
    return sum ? json_real((double)t[7] / (double)sum) : json_null();
}

static json_t *limit_json(rlim_t n)
{
    return n == RLIM_INFINITY ? json_string("unlimited") : json_integer((json_int_t)n);
}

static json_t *read_nofile(const struct source *s, const struct fact *f)
{
    struct rlimit limit;

    (void)s, (void)f;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return json_null();
    return json_pack("{s:o,s:o}", "soft", limit_json(limit.rlim_cur), "hard",
                     limit_json(limit.rlim_max));
}

static json_t *offload(int fd, uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq request = {.ifr_name = "lo", .ifr_data = (char *)&value};

    return ioctl(fd, SIOCETHTOOL, &request) == 0 ? json_boolean(value.data) : json_null();
}

/* Of the host's loopback; an isolated network starts with the same. */
static json_t *read_loopback(const struct source *s, const struct fact *f)
{
    cleanup_free char *mtu = peek(s, "/sys/class/net/lo/mtu");
    cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)f;
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "mtu", integer_or_null(mtu), "tso",
                     offload(fd, ETHTOOL_GTSO), "gso", offload(fd, ETHTOOL_GGSO), "gro",
                     offload(fd, ETHTOOL_GGRO), "tx_checksum", offload(fd, ETHTOOL_GTXCSUM));
}

static json_t *read_pmu(const struct source *s, const struct fact *f)
{
    (void)s, (void)f;
    return json_boolean(event_have_pmu());
}

static json_t *read_cgroup(const struct source *s, const struct fact *f)
{
    char text[128];

    (void)f;
    return s->cgroup ? json_text(cgroup_host_describe(s->cgroup, text, sizeof(text))) : json_null();
}

static json_t *read_privileged(const struct source *s, const struct fact *f)
{
    (void)s, (void)f;
    return json_boolean(geteuid() == 0);
}

/* Those of the control groups around the bench, all that can be seen of them together. Their names
 * are left out: they may be those of people. */
static json_t *read_cpu_quota(const struct source *s, const struct fact *f)
{
    struct cgroup_around around;
    struct around_usage usage;

    (void)f;
    if (!s->cgroup || s->cgroup->cpu == CGROUP_NONE)
        return json_null();
    cgroup_around_open(&around, s->cgroup);
    cgroup_around_read(&around, &usage);
    cgroup_around_close(&around);
    return json_pack("{s:f,s:I,s:I,s:I,s:I}", "cpus", usage.cpus, "period_us",
                     (json_int_t)usage.period_us, "throttled_ns", (json_int_t)usage.throttled_ns,
                     "periods", (json_int_t)usage.periods, "throttled_periods",
                     (json_int_t)usage.throttled_periods);
}

/* Roles inherit both. */
static json_t *read_nice(const struct source *s, const struct fact *f)
{
    int nice;

    (void)s, (void)f;
    errno = 0;
    nice = getpriority(PRIO_PROCESS, 0);
    return nice == -1 && errno ? json_null() : json_integer(nice);
}

static json_t *read_policy(const struct source *s, const struct fact *f)
{
    static const char *const names[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",      "SCHED_BATCH",
                                        NULL,          "SCHED_IDLE", "SCHED_DEADLINE"};
    int policy = sched_getscheduler(0);

    (void)s, (void)f;
    policy &= ~SCHED_RESET_ON_FORK;
    return policy >= 0 && (size_t)policy < ARRAY_SIZE(names) ? json_text(names[policy])
                                                             : json_null();
}

/* --- the table ----------------------------------------------------------------------------- */

#define CPU "/sys/devices/system/cpu/"
#define IPV4 "/proc/sys/net/ipv4/"

static const struct fact facts[] = {
    {"kernel", read_kernel, NULL, NULL},
    {"kernel_build", read_kernel_build, NULL, NULL},
    {"machine", read_machine, NULL, NULL},
    {"os", read_line, "/etc/os-release", "PRETTY_NAME"},
    {"boot_id", read_text, "/proc/sys/kernel/random/boot_id", NULL},
    {"hypervisor", read_hypervisor, NULL, NULL},
    {"cpu_model", read_line, "/proc/cpuinfo", "model name"},
    {"microcode", read_line, "/proc/cpuinfo", "microcode"},
    {"cpus_online", read_cpus_online, NULL, NULL},
    {"cpus_allowed", read_line, "/proc/self/status", "Cpus_allowed_list"},
    {"cpus_isolated", read_text, CPU "isolated", NULL},
    {"smt_siblings", read_smt, "topology/thread_siblings_list", NULL},
    {"numa_nodes", read_numa, NULL, NULL},
    {"governor", read_per_cpu, "cpufreq/scaling_governor", NULL},
    {"frequency_driver", read_per_cpu, "cpufreq/scaling_driver", NULL},
    {"turbo", read_turbo, NULL, NULL},
    {"mitigations", read_mitigations, NULL, NULL},
    {"clocksource", read_text, CLOCKSOURCE, NULL},
    {"memory_bytes", read_kilobytes, "/proc/meminfo", "MemTotal"},
    {"memory_available_bytes", read_kilobytes, "/proc/meminfo", "MemAvailable"},
    {"transparent_hugepages", read_chosen, "/sys/kernel/mm/transparent_hugepage/enabled", NULL},
    {"randomize_va_space", read_integer, "/proc/sys/kernel/randomize_va_space", NULL},
    {"congestion", read_text, IPV4 "tcp_congestion_control", NULL},
    {"congestion_available", read_words, IPV4 "tcp_available_congestion_control", NULL},
    {"tcp_rmem", read_integers, IPV4 "tcp_rmem", NULL},
    {"tcp_wmem", read_integers, IPV4 "tcp_wmem", NULL},
    {"somaxconn", read_integer, "/proc/sys/net/core/somaxconn", NULL},
    {"port_range", read_integers, IPV4 "ip_local_port_range", NULL},
    {"loopback", read_loopback, NULL, NULL},
    {"open_files", read_nofile, NULL, NULL},
    {"cpu_quota", read_cpu_quota, NULL, NULL},
    {"nice", read_nice, NULL, NULL},
    {"scheduling_policy", read_policy, NULL, NULL},
    {"privileged", read_privileged, NULL, NULL},
    {"perf_event_paranoid", read_integer, "/proc/sys/kernel/perf_event_paranoid", NULL},
    {"pmu", read_pmu, NULL, NULL},
    {"cgroup", read_cgroup, NULL, NULL},
    {"load", read_load, NULL, NULL},
    {"cpu_pressure", read_pressure, NULL, NULL},
    {"steal", read_steal, NULL, NULL},
};

json_t *facts_collect_below(const char *root, const struct cgroup_host *h)
{
    const struct source source = {.root = root, .cgroup = h};
    json_t *object = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        json_object_set_new(object, facts[i].name, facts[i].read(&source, &facts[i]));
    return object;
}

char *facts_clocksource(void)
{
    return file_peek(CLOCKSOURCE);
}

json_t *facts_collect(const struct cgroup_host *h)
{
    return facts_collect_below("", h);
}
