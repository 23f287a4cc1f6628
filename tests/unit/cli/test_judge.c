/* SPDX-License-Identifier: Apache-2.0 */
/* What `bench check` says of machines that this one is not. */
#include "cli/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"

/* All findings, one "LEVEL subject: text | mend" per line. */
static char *told(struct findings *f)
{
    static const char *const names[] = {"OK", "WARN", "MISSING"};
    struct text t = {0};

    for (size_t i = 0; i < f->count; i++)
        text_add(&t, "%s %s: %s%s%s\n", names[f->items[i].level], f->items[i].subject,
                 f->items[i].text, f->items[i].mend ? " | " : "",
                 f->items[i].mend ? f->items[i].mend : "");
    findings_release(f);
    return text_take(&t);
}

static void assert_told(struct findings *f, const char *expected)
{
    cleanup_free char *text = told(f);

    assert_string_equal(text, expected);
}

static const struct bench_plugin text_plugin = {.kind = BENCH_REPORTER, .name = "text"};
static const struct bench_plugin nginx_plugin = {.kind = BENCH_RELAY, .name = "nginx"};

static void plugins(void **state)
{
    struct plugin items[] = {
        {.path = "/p/text.so", .info = &text_plugin},
        {.path = "/p/nginx.so", .info = &nginx_plugin},
        {.path = "/q/nginx.so", .info = &nginx_plugin, .reason = "shadowed by '/p/nginx.so'"},
        {.path = "/p/bad.so", .reason = "hook 'describe' is missing"},
    };
    char *unreadable[] = {"/r: Permission denied", NULL};
    const struct registry r = {.plugins = items, .count = 4, .unreadable = {unreadable, 1, 0}};
    struct findings f = {0};

    (void)state;
    judge_plugins(&r, true, &f);
    assert_told(
        &f, "MISSING plugins: no workload was found | 'make' builds them beside the program; "
            "BENCH_PLUGIN_PATH names other places\n"
            "OK plugins: relays: nginx\n"
            "OK plugins: reporters: text\n"
            "WARN plugins: '/p/bad.so' is refused: hook 'describe' is missing | compile it against "
            "this bench's headers, or remove the file\n"
            "WARN plugins: '/q/nginx.so' is not used: shadowed by '/p/nginx.so' | remove one of "
            "the two\n"
            "WARN plugins: not searched: /r: Permission denied | correct BENCH_PLUGIN_PATH, or its "
            "permissions\n");
}

/* An installed bench beside the one that was built. */
static void plugins_found_twice(void **state)
{
    struct plugin items[] = {
        {.path = "/p/text.so", .info = &text_plugin},
        {.path = "/q/text.so", .info = &text_plugin, .reason = "shadowed by '/p/text.so'"},
        {.path = "/p/nginx.so", .info = &nginx_plugin},
        {.path = "/q/nginx.so", .info = &nginx_plugin, .reason = "shadowed by '/p/nginx.so'"},
    };
    const struct registry r = {.plugins = items, .count = 4};
    struct findings f = {0};

    (void)state;
    judge_plugins(&r, true, &f);
    assert_told(&f,
                "MISSING plugins: no workload was found | 'make' builds them beside the program; "
                "BENCH_PLUGIN_PATH names other places\n"
                "OK plugins: relays: nginx\n"
                "OK plugins: reporters: text\n"
                "WARN plugins: 2 plugins are not used, because others of their names were found "
                "first: '/q/text.so' is shadowed by '/p/text.so', and so on | remove one of each "
                "two\n");
}

static void programs(void **state)
{
    const struct bench_program packaged = {.name = "nginx", .apt = "nginx", .dnf = "nginx-core"};
    const struct bench_program built = {.name = "skrouterd"};
    struct findings f = {0};

    (void)state;
    judge_program(&packaged, &nginx_plugin, "/usr/sbin/nginx", "nginx/1.22.1", &f);
    judge_program(&packaged, &nginx_plugin, "/usr/sbin/nginx", NULL, &f);
    judge_program(&packaged, &nginx_plugin, NULL, NULL, &f);
    judge_program(&built, &nginx_plugin, NULL, NULL, &f);
    assert_told(&f, "OK programs: nginx: nginx/1.22.1, '/usr/sbin/nginx'\n"
                    "OK programs: nginx: '/usr/sbin/nginx'\n"
                    "WARN programs: 'nginx' not found: the relay 'nginx' cannot be used | apt "
                    "install nginx, or dnf install nginx-core\n"
                    "WARN programs: 'skrouterd' not found: the relay 'nginx' cannot be used | not "
                    "packaged: build it, and put it on PATH\n");
}

static void containment(void **state)
{
    struct machine m = {.pid_namespaces = true};
    struct findings f = {0};

    (void)state;
    judge_containment(&m, &f);
    m.pid_namespaces = false;
    judge_containment(&m, &f);
    error_set(&m.containment_error, BENCH_ERROR_ENVIRONMENT, "'/proc' does not show this process");
    error_hint(&m.containment_error, "mount it");
    judge_containment(&m, &f);
    assert_told(&f, "OK containment: PID namespaces: no process outlives the bench, however it "
                    "ends\n"
                    "WARN containment: no PID namespaces: what the bench leaves when it is killed "
                    "is ended a moment later, by its guardian | run as root, or in a user "
                    "namespace: unshare -Ur bench …\n"
                    "MISSING containment: '/proc' does not show this process | mount it\n");
    /* What was not tried is not judged. */
    judge_cgroups(&m, &(struct needs){.cpu_limit = 1}, &f);
    judge_network(&m, &f);
    assert_int_equal(f.count, 0);
}

static void cgroups(void **state)
{
    struct cgroup_host host = {.cpu = CGROUP_V2,
                               .accounting = CGROUP_V2,
                               .can_limit = true,
                               .why_not = "no delegation",
                               .remedy = "systemd-run --scope -p Delegate=yes"};
    struct machine m = {.cgroups = &host};
    const struct needs none = {0}, half = {.cpu_limit = 0.5};
    struct findings f = {0};

    (void)state;
    judge_cgroups(&m, &none, &f);
    judge_cgroups(&m, &half, &f);
    host.can_limit = false;
    judge_cgroups(&m, &none, &f);
    error_set(&m.limit_error, BENCH_ERROR_ENVIRONMENT, "cannot limit");
    judge_cgroups(&m, &half, &f);
    assert_told(&f, "OK cgroups: v2: CPU limits can be set\n"
                    "OK cgroups: v2: a limit of 0.5 CPUs was set and read back\n"
                    "WARN cgroups: v2: no CPU limits (this scenario asks for none): no delegation "
                    "| systemd-run --scope -p Delegate=yes\n"
                    "MISSING cgroups: cannot limit\n");
}

static void network(void **state)
{
    struct machine m = {.isolated = true, .congestion = "reno"};
    struct findings f = {0};

    (void)state;
    judge_network(&m, &f);
    m.isolated = false;
    m.congestion = "bbr";
    judge_network(&m, &f);
    m.root = true;
    m.congestion = "cubic";
    judge_network(&m, &f);
    error_set(&m.network_error, BENCH_ERROR_ENVIRONMENT, "no congestion control 'x'");
    judge_network(&m, &f);
    assert_told(&f, "OK network: a network of its own for each repetition, congestion control "
                    "'reno'\n"
                    "WARN network: the host's network is used: its settings and its other traffic "
                    "are part of every result | run as root, or in a user namespace: unshare -Ur "
                    "bench …\n"
                    "WARN network: congestion control 'bbr' makes loopback 2 to 3 times slower | "
                    "sysctl net.ipv4.tcp_congestion_control=cubic\n"
                    "WARN network: the host's network is used: its settings and its other traffic "
                    "are part of every result | 'network: isolated' in the scenario\n"
                    "MISSING network: no congestion control 'x'\n");
}

static void counters_of_a_good_machine(void **state)
{
    const struct machine m = {.pmu = true, .paranoid = 1, .tracefs = TRACEFS_READABLE};
    struct findings f = {0};

    (void)state;
    judge_counters(&m, &f);
    assert_told(&f, "OK counters: this machine counts in hardware\n"
                    "OK counters: perf_event_paranoid is 1\n"
                    "OK counters: tracepoints can be counted\n");
}

static void counters_of_an_ordinary_user_in_a_vm(void **state)
{
    const struct machine m = {.paranoid = 2, .tracefs = TRACEFS_DENIED};
    struct findings f = {0};

    (void)state;
    judge_counters(&m, &f);
    assert_told(&f, "WARN counters: no hardware counters: cycles, instructions and cache events "
                    "are 'not supported' | use a machine, or a kind of virtual machine, that has a "
                    "PMU\n"
                    "WARN counters: perf_event_paranoid is 2: counts leave out the kernel, where a "
                    "relay spends most of its time | run as root, or let every user: sysctl "
                    "kernel.perf_event_paranoid=1\n"
                    "WARN counters: tracefs is not for this user: events such as "
                    "'syscalls:sys_enter_write' are 'not supported' | run as root\n");
}

static void sampling_of_a_server(void **state)
{
    const struct machine m = {.sampling = {.event = "cycles"}, .memory = {.kind = "PEBS"}};
    struct findings f = {0};

    (void)state;
    judge_sampling(&m, NULL, &f);
    assert_told(&f, "OK sampling: 'record' samples by 'cycles'\n"
                    "OK sampling: 'c2c' and 'mem' sample memory accesses by PEBS\n"
                    "OK sampling: 'syscalls' counts system calls by BPF\n");
}

static void sampling_in_a_vm(void **state)
{
    struct machine m = {
        .sampling = {.event = "cpu-clock:u", .instead = (char *)"no PMU", .mend = (char *)"buy"}};
    struct findings f = {0};

    (void)state;
    error_set(&m.perf_error, BENCH_ERROR_ENVIRONMENT, "'perf' is not found");
    error_hint(&m.perf_error, "install it");
    error_set(&m.memory_error, BENCH_ERROR_ENVIRONMENT, "no accesses");
    judge_sampling(&m, NULL, &f);
    error_set(&m.sampling_error, BENCH_ERROR_ENVIRONMENT, "nothing opens");
    error_set(&m.switches_error, BENCH_ERROR_ENVIRONMENT, "no switches");
    error_set(&m.calls_error, BENCH_ERROR_ENVIRONMENT, "no BPF");
    error_hint(&m.calls_error, "run as root");
    judge_sampling(&m, NULL, &f);
    assert_told(
        &f, "WARN sampling: 'record', 'c2c', 'mem', 'offcpu': 'perf' is not found | install it\n"
            "WARN sampling: 'record' samples by 'cpu-clock:u': no PMU | buy\n"
            "WARN sampling: 'c2c' and 'mem': no accesses\n"
            "OK sampling: 'syscalls' counts system calls by BPF\n"
            "WARN sampling: 'record', 'c2c', 'mem', 'offcpu': 'perf' is not found | install it\n"
            "WARN sampling: 'record': nothing opens\n"
            "WARN sampling: 'c2c' and 'mem': no accesses\n"
            "WARN sampling: 'offcpu': no switches\n"
            "WARN sampling: 'syscalls': no BPF | run as root\n");
}

static void paranoia(void **state)
{
    struct machine m = {.pmu = true, .paranoid = 4, .tracefs = TRACEFS_MISSING};
    struct findings f = {0};

    (void)state;
    judge_counters(&m, &f);
    m.root = true;
    m.tracefs = TRACEFS_READABLE;
    judge_counters(&m, &f);
    m.paranoid = -2;
    judge_counters(&m, &f);
    assert_told(&f, "OK counters: this machine counts in hardware\n"
                    "WARN counters: perf_event_paranoid is 4: ordinary users count nothing | run "
                    "as root, or let every user: sysctl kernel.perf_event_paranoid=1\n"
                    "WARN counters: tracefs is not there: events such as "
                    "'syscalls:sys_enter_write' are 'not supported' | mount -t tracefs tracefs "
                    "/sys/kernel/tracing\n"
                    "OK counters: this machine counts in hardware\n"
                    "OK counters: perf_event_paranoid is 4, which does not bind root\n"
                    "OK counters: tracepoints can be counted\n"
                    "OK counters: this machine counts in hardware\n"
                    "WARN counters: this kernel has no performance events: the capture 'stat' "
                    "counts nothing | use a kernel with CONFIG_PERF_EVENTS\n"
                    "OK counters: tracepoints can be counted\n");
}

static void limits(void **state)
{
    struct machine m = {.open_files = 1024, .backlog = 4096, .ports = 28232};
    struct needs n = {.jobs = 480};
    struct findings f = {0};

    (void)state;
    judge_limits(&m, &n, &f);
    n.jobs = 30000;
    judge_limits(&m, &n, &f);
    m.open_files = m.backlog = m.ports = -1; /* unknown or unlimited */
    judge_limits(&m, &n, &f);
    assert_told(&f, "OK limits: open files, listen queue and local ports suffice for 480 "
                    "connections\n"
                    "WARN limits: 1024 open files, a relay of 30000 connections needs 60064: "
                    "connections will fail | ulimit -n, or LimitNOFILE= of the service\n"
                    "WARN limits: somaxconn is 4096, 30000 connections come at once: those that "
                    "find the queue full wait for a second | sysctl net.core.somaxconn=4096\n"
                    "WARN limits: 28232 local ports for 30000 connections: the rest will fail | "
                    "sysctl net.ipv4.ip_local_port_range='1024 65535'\n"
                    "OK limits: open files, listen queue and local ports suffice for 30000 "
                    "connections\n");
}

static void noise(void **state)
{
    json_t *quiet =
        json_pack("{s:[s],s:b,s:f,s:[f,f,f],s:b,s:s}", "governor", "performance", "turbo", 0,
                  "steal", 0.0, "load", 0.01, 0.0, 0.0, "pmu", 0, "congestion", "bbr");
    json_t *noisy = json_pack("{s:n,s:n,s:f,s:[f,f,f]}", "governor", "turbo", "steal", 0.0, "load",
                              3.0, 0., 0.);
    struct findings f = {0};

    (void)state;
    assert_non_null(quiet);
    assert_non_null(noisy);
    judge_noise(quiet, &f);
    judge_noise(noisy, &f);
    json_decref(quiet);
    json_decref(noisy);
    assert_told(&f, "OK noise: nothing was found that disturbs measurements\n"
                    "WARN noise: load average 3.00 at start: something else was running\n"
                    "WARN noise: cannot be seen here, and may disturb: governor, turbo\n");
}

static void counts_levels(void **state)
{
    struct findings f = {0};

    (void)state;
    finding_add(&f, FINDING_OK, "a", NULL, "x");
    finding_add(&f, FINDING_WARN, "a", "", "x");
    finding_add(&f, FINDING_WARN, "a", "y", "x");
    assert_int_equal(findings_count(&f, FINDING_OK), 1);
    assert_int_equal(findings_count(&f, FINDING_WARN), 2);
    assert_int_equal(findings_count(&f, FINDING_MISSING), 0);
    assert_told(&f, "OK a: x\nWARN a: x\nWARN a: x | y\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugins),
        cmocka_unit_test(plugins_found_twice),
        cmocka_unit_test(programs),
        cmocka_unit_test(containment),
        cmocka_unit_test(cgroups),
        cmocka_unit_test(network),
        cmocka_unit_test(counters_of_a_good_machine),
        cmocka_unit_test(counters_of_an_ordinary_user_in_a_vm),
        cmocka_unit_test(sampling_of_a_server),
        cmocka_unit_test(sampling_in_a_vm),
        cmocka_unit_test(paranoia),
        cmocka_unit_test(limits),
        cmocka_unit_test(noise),
        cmocka_unit_test(counts_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
