/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "process/cgroup.h"

#define PERIOD (100 * NS_PER_MS)

/* What the tests share: the host, and an id of our own. */
struct fixture {
    struct cgroup_host host;
    char id[64];
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct bench_error err;

    cgroup_host_detect(&f->host);
    cgroup_owner_id(f->id, sizeof(f->id));
    if (cgroup_host_enter(&f->host, f->id, &err) < 0) {
        print_message("# %s\n", err.message);
        return -1;
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cleanup_free char *leaf = xasprintf("%s%s", f->host.v2_mount, f->host.leaf);
    int result = cgroup_destroy_tree(&f->host, f->id);

    cgroup_host_leave(&f->host);
    if (f->host.leaf[0] && access(leaf, F_OK) == 0)
        result = -1;
    free(f);
    return result;
}

static void need(const struct fixture *f, bool limit)
{
    if (limit ? f->host.can_limit : f->host.can_group)
        return;
    print_message("# SKIP %s\n", f->host.why_not);
    skip();
}

/* Each directory of the group ID/NAME that may exist on this host. */
static void places(const struct fixture *f, const char *id, const char *name, struct strings *out)
{
    const struct cgroup_host *h = &f->host;

    if (h->v2_mount[0])
        strings_addf(out, "%s%s/%s%s", h->v2_mount, h->parent, id, name);
    if (h->cpu == CGROUP_V1)
        strings_addf(out, "%s%s/%s%s", h->cpu_mount, h->cpu_parent, id, name);
    if (h->accounting == CGROUP_V1)
        strings_addf(out, "%s%s/%s%s", h->accounting_mount, h->accounting_parent, id, name);
}

static size_t existing(const struct fixture *f, const char *id, const char *name)
{
    cleanup_strings struct strings list = {0};
    size_t found = 0;
    struct stat st;

    places(f, id, name, &list);
    for (size_t i = 0; i < list.count; i++)
        found += stat(list.items[i], &st) == 0;
    return found;
}

static struct cgroup *make(const struct fixture *f, const char *name, double limit)
{
    struct cgroup *g = NULL;
    struct bench_error err = {0};

    if (cgroup_new(&g, &f->host, f->id, name, limit, PERIOD, &err) < 0)
        fail_msg("%s", err.message);
    return g;
}

static void drop(struct cgroup *g)
{
    struct bench_error err = {0};

    if (cgroup_remove(g, &err) < 0)
        fail_msg("%s", err.message);
    cgroup_close(g);
}

/* A child in the group that runs `work` and waits to be killed. */
static pid_t start(struct cgroup *g, void (*work)(void))
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (cgroup_attach_self(g, NULL) < 0)
            _exit(1);
        if (work)
            work();
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static int64_t own_cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void burn_50ms(void)
{
    while (own_cpu() < 50 * NS_PER_MS)
        ;
}

/* Two, so that without a limit they would use two CPUs. */
static void spin_twice(void)
{
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            for (;;)
                own_cpu();
}

static void nine_processes(void)
{
    for (int i = 0; i < 3; i++)
        fork();
    signal(SIGTERM, SIG_IGN);
    setsid();
}

static void test_detect(void **state)
{
    struct fixture *f = *state;
    char text[64];

    assert_true(f->host.can_limit || f->host.why_not[0]);
    assert_true(f->host.can_limit || f->host.remedy[0]);
    assert_true(strlen(cgroup_host_describe(&f->host, text, sizeof(text))) > 0);
    print_message("# %s, cpu '%s', accounting '%s', parent '%s', leaf '%s'\n", text,
                  f->host.cpu_mount, f->host.accounting_mount, f->host.parent, f->host.leaf);
    if (f->host.can_group)
        assert_true(f->host.accounting_mount[0] == '/' || f->host.cpu_mount[0] == '/');
}

/* Never silently ignored. Root takes another user's place for it. */
static void test_limit_without_privilege(void **state)
{
    cleanup_free char *message = NULL;
    uid_t self = geteuid();
    struct bench_error err = {0};
    struct cgroup_host h;
    struct cgroup *g = NULL;

    (void)state;
    if (self == 0)
        assert_int_equal(seteuid(65534), 0);
    cgroup_host_detect(&h);
    if (self == 0)
        assert_int_equal(seteuid(0), 0);
    if (h.can_limit) {
        print_message("# SKIP this user's group is delegated\n");
        skip();
    }
    message = xasprintf("a CPU limit of '0.5' cannot be set: %s", h.why_not);
    assert_int_equal(cgroup_new(&g, &h, "bench-0-0-0", "x", 0.5, PERIOD, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message, message);
    assert_true(strlen(h.why_not) > 0 && strlen(h.remedy) > 0);
    assert_true(strncmp(err.hint, h.remedy, strlen(h.remedy)) == 0);
    assert_null(g);
}

static void test_describe(void **state)
{
    struct cgroup_host h = {.cpu = CGROUP_V1, .accounting = CGROUP_V2};
    char text[64];

    (void)state;
    assert_string_equal(cgroup_host_describe(&h, text, sizeof(text)),
                        "hybrid (limits v1, accounting v2)");
    h.cpu = CGROUP_V2;
    assert_string_equal(cgroup_host_describe(&h, text, sizeof(text)), "v2");
    h.cpu = CGROUP_NONE;
    assert_string_equal(cgroup_host_describe(&h, text, sizeof(text)), "v2, accounting only");
    h.accounting = CGROUP_NONE;
    assert_string_equal(cgroup_host_describe(&h, text, sizeof(text)), "none");
    h.cpu = h.accounting = CGROUP_V1;
    assert_string_equal(cgroup_host_describe(&h, text, sizeof(text)), "v1");
}

static void test_usage_grows(void **state)
{
    struct fixture *f = *state;
    struct cgroup_usage before, after;
    struct cgroup *g;
    pid_t pid;

    need(f, false);
    g = make(f, "usage", 0);
    cgroup_read(g, &before);
    assert_int_equal(before.cpu_ns.state, BENCH_OK);
    pid = start(g, burn_50ms);
    cgroup_read(g, &after);
    end(pid);
    assert_int_equal(after.user_ns.state, BENCH_OK);
    assert_int_equal(after.system_ns.state, BENCH_OK);
    assert_true(after.cpu_ns.value - before.cpu_ns.value >= 40e6);
    /* Without a limit nothing is throttled, and that is known. */
    assert_int_equal(after.throttled_ns.state, BENCH_OK);
    assert_true(after.throttled_ns.value == 0);
    drop(g);
    assert_int_equal(existing(f, f->id, "/usage"), 0);
}

/* No group is made in a hierarchy that is not needed. */
static void test_only_what_is_needed(void **state)
{
    struct fixture *f = *state;
    struct cgroup *g;

    need(f, true);
    g = make(f, "free", 0);
    assert_int_equal(existing(f, f->id, "/free"), 1);
    drop(g);
    g = make(f, "held", 0.5);
    assert_int_equal(existing(f, f->id, "/held"),
                     f->host.cpu == f->host.accounting && f->host.cpu == CGROUP_V2 ? 1 : 2);
    drop(g);
}

static void assert_file(const struct fixture *f, const char *group, const char *file,
                        const char *expected)
{
    cleanup_free char *path =
        xasprintf("%s%s/%s/%s/%s", f->host.cpu_mount, f->host.cpu_parent, f->id, group, file);
    cleanup_free char *value = file_peek(path);

    assert_non_null(value);
    assert_string_equal(value, expected);
}

static void test_limit_is_in_the_kernel(void **state)
{
    struct fixture *f = *state;
    struct bench_error err = {0};
    struct cgroup *g;

    need(f, true);
    g = make(f, "quarter", 0.25);
    if (f->host.cpu == CGROUP_V2) {
        assert_file(f, "quarter", "cpu.max", "25000 100000");
    } else {
        assert_file(f, "quarter", "cpu.cfs_period_us", "100000");
        assert_file(f, "quarter", "cpu.cfs_quota_us", "25000");
    }
    drop(g);
    /* More than there are CPUs is nothing unusual. */
    drop(make(f, "many", 4096));
    assert_int_equal(cgroup_new(&g, &f->host, f->id, "short", 1, NS_PER_MS, &err), 0);
    drop(g);
    assert_int_equal(cgroup_new(&g, &f->host, f->id, "long", 0.001, NS_PER_S, &err), 0);
    drop(g);
}

static void test_impossible_limits(void **state)
{
    struct fixture *f = *state;
    struct bench_error err = {0};
    struct cgroup *g = NULL;

    assert_int_equal(cgroup_new(&g, &f->host, f->id, "x", 0.009, PERIOD, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_string_equal(err.message, "a CPU limit of '0.009' is too small");
    assert_string_equal(err.hint,
                        "the smallest possible is 0.01 with a period of 100ms, and 0.001 with 1s");
    assert_int_equal(cgroup_new(&g, &f->host, f->id, "x", -1, PERIOD, &err), -1);
    assert_string_equal(err.message, "a CPU limit of '-1' is not possible");
    assert_int_equal(cgroup_new(&g, &f->host, f->id, "x", 1, NS_PER_MS - 1000, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_USAGE);
    assert_int_equal(cgroup_new(&g, &f->host, f->id, "x", 1, 2 * NS_PER_S, &err), -1);
    assert_string_equal(err.message, "a CPU period of '2s' is not possible");
    assert_string_equal(err.hint, "the kernel takes 1ms to 1s; 100ms is usual");
    assert_null(g);
    assert_int_equal(existing(f, f->id, "/x"), 0);
}

/* What the kernel refuses leaves no group behind. */
static void test_refused_by_the_kernel(void **state)
{
    struct fixture *f = *state;
    struct bench_error err = {0};
    struct cgroup *g = NULL;

    need(f, true);
    assert_int_equal(cgroup_new(&g, &f->host, f->id, "huge", 1e13, PERIOD, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_non_null(strstr(err.message, "CPU limit of '1e+13'"));
    assert_non_null(strstr(err.message, "Invalid argument"));
    assert_int_equal(existing(f, f->id, "/huge"), 0);
}

/*
 * Spinning processes use no more than their limit in a window, which is extended while they do: on
 * a machine that stalls, the kernel notices an overrun late and takes it back from the periods that
 * follow. Without a limit no window would be long enough.
 */
static bool within_limit(struct cgroup *g, double limit, int64_t begin, double begin_ns)
{
    const struct timespec second = clock_timespec(NS_PER_S);

    for (int i = 0; i < 6; i++) {
        struct cgroup_usage u;
        double used, allowed;

        nanosleep(&second, NULL);
        cgroup_read(g, &u);
        used = u.cpu_ns.value - begin_ns;
        allowed = limit * 1.03 * (double)(clock_now() - begin);
        /* What was left of the period that the window began in, and a slice of 5 ms per CPU. */
        allowed += limit * PERIOD + 10e6;
        print_message("# limit %.2f: %.0f of %.0f ms, throttled in %.0f of %.0f periods, %.0f ms\n",
                      limit, used / 1e6, allowed / 1e6, u.throttled_periods.value, u.periods.value,
                      u.throttled_ns.value / 1e6);
        assert_int_equal(u.throttled_ns.state, BENCH_OK);
        assert_int_equal(u.periods.state, BENCH_OK);
        assert_true(u.throttled_periods.value <= u.periods.value);
        if (used <= allowed)
            return true;
    }
    return false;
}

/* Never more than the quota, however noisy the machine; how close to it is check-measures' matter.
 */
static void test_limit_holds(void **state)
{
    static const double limits[] = {0.25, 0.5};
    struct fixture *f = *state;

    need(f, true);
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct cgroup *g = make(f, "spin", limits[i]);
        pid_t pid = start(g, spin_twice);
        struct cgroup_usage first;
        int64_t begin = clock_now();
        bool holds;

        cgroup_read(g, &first);
        holds = within_limit(g, limits[i], begin, first.cpu_ns.value);
        cgroup_kill(g);
        end(pid);
        drop(g);
        assert_true(holds);
    }
}

static void test_kill_reaches_grandchildren(void **state)
{
    struct fixture *f = *state;
    struct bench_error err = {0};
    struct cgroup *g;
    pid_t *pids, pid;

    need(f, false);
    g = make(f, "family", 0);
    pid = start(g, nine_processes);
    assert_true(cgroup_pids(g, &pids) >= 1);
    free(pids);
    cgroup_kill(g);
    waitpid(pid, NULL, 0);
    if (cgroup_remove(g, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(existing(f, f->id, "/family"), 0);
    assert_int_equal(cgroup_pids(g, &pids), 0);
    free(pids);
    cgroup_close(g);
}

/* Removing a busy group is an error; its processes stay where they are, under their limit. */
static void test_busy_group_stays(void **state)
{
    struct fixture *f = *state;
    struct bench_error err = {0};
    cleanup_free char *expected = NULL;
    struct cgroup *g;
    pid_t *pids, pid;

    need(f, false);
    g = make(f, "busy", f->host.can_limit ? 0.5 : 0);
    pid = start(g, NULL);
    assert_int_equal(cgroup_remove(g, &err), -1);
    expected = xasprintf("control group '%s/busy' cannot be removed: process '%d' is in it", f->id,
                         (int)pid);
    assert_string_equal(err.message, expected);
    assert_int_equal(cgroup_pids(g, &pids), 1);
    assert_int_equal(pids[0], pid);
    free(pids);
    if (f->host.can_limit) {
        cleanup_free char *path =
            xasprintf("%s%s/%s/busy/cgroup.procs", f->host.cpu_mount, f->host.cpu_parent, f->id);
        cleanup_free char *members = file_peek(path);

        assert_non_null(members);
        assert_int_equal(atoi(members), pid);
    }
    cgroup_kill(g);
    waitpid(pid, NULL, 0);
    drop(g);
}

static void test_born_inside(void **state)
{
    struct fixture *f = *state;
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
    struct cgroup *g;
    pid_t *pids, pid;
    int status;

    need(f, false);
    if (!f->host.v2_mount[0]) {
        print_message("# SKIP no version 2 tree\n");
        skip();
    }
    g = make(f, "born", 0);
    args.cgroup = (uint64_t)cgroup_birth_fd(g);
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    assert_true(pid >= 0);
    if (pid == 0) {
        if (cgroup_attach_self(g, NULL) < 0)
            _exit(1);
        _exit(cgroup_pids(g, &pids) == 1 && pids[0] == getpid() ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    drop(g);
}

/* "ID/7/relay_1": the directory between goes with its last group. */
static void test_deeper_names(void **state)
{
    struct fixture *f = *state;
    struct cgroup *a, *b;

    need(f, false);
    a = make(f, "7/relay_1", f->host.can_limit ? 1 : 0);
    b = make(f, "7/relay_2", 0);
    assert_true(existing(f, f->id, "/7/relay_1") >= 1);
    drop(a);
    assert_int_equal(existing(f, f->id, "/7/relay_1"), 0);
    assert_true(existing(f, f->id, "/7/relay_2") == 1);
    drop(b);
    assert_int_equal(existing(f, f->id, "/7"), 0);
}

static void test_disabled(void **state)
{
    struct cgroup_host h = {.why_not = "no permission", .remedy = "run as root"};
    struct bench_error err = {0};
    struct cgroup_usage u;
    struct cgroup *g = NULL;
    pid_t *pids;

    (void)state;
    assert_int_equal(cgroup_new(&g, &h, "bench-0-0-0", "x", 1, PERIOD, &err), -1);
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    assert_string_equal(err.message, "a CPU limit of '1' cannot be set: no permission");
    assert_string_equal(err.hint, "run as root; or measure without a limit: cpu_limit: 0");
    assert_null(g);

    assert_int_equal(cgroup_new(&g, &h, "bench-0-0-0", "x", 0, PERIOD, &err), 0);
    assert_int_equal(cgroup_birth_fd(g), -1);
    assert_int_equal(cgroup_attach_self(g, &err), 0);
    cgroup_read(g, &u);
    assert_int_equal(u.cpu_ns.state, BENCH_NOT_SUPPORTED);
    assert_int_equal(u.user_ns.state, BENCH_NOT_SUPPORTED);
    assert_int_equal(u.throttled_ns.state, BENCH_NOT_SUPPORTED);
    assert_int_equal(u.periods.state, BENCH_NOT_SUPPORTED);
    assert_int_equal(cgroup_pids(g, &pids), 0);
    assert_null(pids);
    cgroup_kill(g);
    assert_int_equal(cgroup_remove(g, &err), 0);
    cgroup_close(g);
    cgroup_close(NULL);
    assert_int_equal(cgroup_destroy_tree(&h, "bench-0-0-0"), 0);
    assert_int_equal(cgroup_sweep_stale(&h), 0);
}

static void test_destroy_nested_tree(void **state)
{
    struct fixture *f = *state;
    cleanup_strings struct strings list = {0};
    struct cgroup *g;
    pid_t pid;
    int status;

    need(f, false);
    g = make(f, "nest", f->host.can_limit ? 0.5 : 0);
    pid = start(g, nine_processes);
    /* Groups that the component itself made, and a process in the innermost. */
    places(f, f->id, "/nest/a", &list);
    places(f, f->id, "/nest/a/b", &list);
    for (size_t i = 0; i < list.count; i++)
        mkdir(list.items[i], 0755);
    assert_true(existing(f, f->id, "/nest/a/b") >= 1);
    assert_int_equal(cgroup_destroy_tree(&f->host, f->id), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(existing(f, f->id, ""), 0);
    cgroup_close(g);
    assert_int_equal(cgroup_destroy_tree(&f->host, f->id), 0);
}

/* An id as a process had it that has ended. */
static void id_of_the_dead(char *out, size_t size)
{
    int channel[2];
    ssize_t length;
    pid_t pid;

    assert_int_equal(pipe2(channel, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        char id[64];

        cgroup_owner_id(id, sizeof(id));
        _exit(write(channel[1], id, strlen(id)) < 0);
    }
    waitpid(pid, NULL, 0);
    length = read(channel[0], out, size - 1);
    assert_true(length > 0);
    out[length] = '\0';
    close(channel[0]);
    close(channel[1]);
}

static void test_sweep(void **state)
{
    struct fixture *f = *state;
    unsigned long long namespace, begin;
    char dead[64], reused[64], foreign[64], claimed[64], shifted[64];
    struct cgroup_claim claims[2];
    struct cgroup *g, *orphan;
    struct bench_error err;
    pid_t pid;
    int owner, status;

    need(f, false);
    id_of_the_dead(dead, sizeof(dead));
    assert_int_equal(sscanf(f->id, "bench-%llu-%d-%llu", &namespace, &owner, &begin), 3);
    assert_int_equal(owner, getpid());
    /* Our pid, but another process's start: the pid was used again. */
    snprintf(reused, sizeof(reused), "bench-%llu-%d-%llu", namespace, owner, begin + 1);
    /* Another PID namespace: only the claim tells. */
    snprintf(foreign, sizeof(foreign), "bench-%llu-%d-%llu", namespace + 1, owner, begin + 1);
    snprintf(claimed, sizeof(claimed), "bench-%llu-%d-%llu", namespace + 1, owner, begin + 2);
    /* Another time namespace: there our process has another start. */
    snprintf(shifted, sizeof(shifted), "bench-%llu-%d-%llu", namespace, owner, begin + 2);

    g = make(f, "alive", 0);
    assert_int_equal(cgroup_new(&orphan, &f->host, dead, "x", 0, PERIOD, &err), 0);
    pid = start(orphan, NULL);
    cgroup_close(orphan);
    assert_int_equal(cgroup_new(&orphan, &f->host, reused, "x", 0, PERIOD, &err), 0);
    cgroup_close(orphan);
    assert_int_equal(cgroup_new(&orphan, &f->host, foreign, "x", 0, PERIOD, &err), 0);
    cgroup_close(orphan);
    cgroup_claim(&f->host, claimed, &claims[0]);
    cgroup_claim(&f->host, shifted, &claims[1]);

    assert_true(cgroup_sweep_stale(&f->host) >= 3);
    assert_int_equal(existing(f, dead, ""), 0);
    assert_int_equal(existing(f, reused, ""), 0);
    assert_int_equal(existing(f, foreign, ""), 0);
    assert_true(existing(f, claimed, "") >= 1);
    assert_true(existing(f, shifted, "") >= 1);
    assert_int_equal(existing(f, f->id, "/alive"), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    for (int i = 0; i < 2; i++)
        cgroup_claim_release(&claims[i]);
    assert_true(cgroup_sweep_stale(&f->host) >= 2);
    assert_int_equal(existing(f, claimed, "") + existing(f, shifted, ""), 0);
    drop(g);
}

/* One hierarchy's directory of the group, with many below, so that its removal takes a while. */
static char *make_wide(const struct fixture *f, const char *id)
{
    cleanup_strings struct strings list = {0};

    places(f, id, "", &list);
    assert_int_equal(mkdir(list.items[0], 0755), 0);
    for (int i = 0; i < 200; i++) {
        cleanup_free char *below = xasprintf("%s/%d", list.items[0], i);

        assert_int_equal(mkdir(below, 0755), 0);
    }
    return xstrdup(list.items[0]);
}

static bool is_locked_by(const struct cgroup_claim *claim, const char *path)
{
    struct stat locked, there;

    for (size_t i = 0; i < ARRAY_SIZE(claim->fds); i++)
        if (claim->fds[i] >= 0 && fstat(claim->fds[i], &locked) == 0 && stat(path, &there) == 0 &&
            locked.st_dev == there.st_dev && locked.st_ino == there.st_ino)
            return true;
    return false;
}

/* A group that is claimed while it is swept is the new owner's as a whole, or made again. */
static void test_claim_during_sweep(void **state)
{
    struct fixture *f = *state;
    unsigned long long namespace, begin;
    cleanup_free char *path = NULL;
    struct cgroup_claim claim;
    struct stat whole, now;
    char id[64];
    pid_t pid;
    int owner;

    need(f, false);
    assert_int_equal(sscanf(f->id, "bench-%llu-%d-%llu", &namespace, &owner, &begin), 3);
    snprintf(id, sizeof(id), "bench-%llu-%d-%llu", namespace + 1, owner, begin + 3);
    path = make_wide(f, id);
    assert_int_equal(stat(path, &whole), 0);
    pid = fork();
    if (pid == 0) {
        cgroup_sweep_stale(&f->host);
        _exit(0);
    }
    assert_true(pid > 0);
    while (stat(path, &now) == 0 && now.st_ino == whole.st_ino && now.st_nlink == whole.st_nlink)
        ; /* the sweep has not begun on it */
    cgroup_claim(&f->host, id, &claim);
    waitpid(pid, NULL, 0);
    assert_true(is_locked_by(&claim, path));
    cgroup_destroy_tree(&f->host, id);
    cgroup_claim_release(&claim);
}

/* Below a group of ours stands another's: it is found as well. */
static void test_sweep_reaches_below(void **state)
{
    struct fixture *f = *state;
    cleanup_strings struct strings list = {0};
    char dead[64], outer[64];

    need(f, false);
    id_of_the_dead(dead, sizeof(dead));
    snprintf(outer, sizeof(outer), "test-%d", (int)getpid());
    places(f, outer, "", &list);
    for (size_t i = 0; i < list.count; i++) {
        cleanup_free char *inner = xasprintf("%s/%s", list.items[i], dead);

        if (mkdir(list.items[i], 0755) == 0)
            assert_int_equal(mkdir(inner, 0755), 0);
    }
    cgroup_sweep_stale(&f->host);
    for (size_t i = 0; i < list.count; i++)
        assert_true(rmdir(list.items[i]) == 0 || errno == ENOENT); /* it is empty again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detect),
        cmocka_unit_test(test_limit_without_privilege),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_usage_grows),
        cmocka_unit_test(test_only_what_is_needed),
        cmocka_unit_test(test_limit_is_in_the_kernel),
        cmocka_unit_test(test_impossible_limits),
        cmocka_unit_test(test_refused_by_the_kernel),
        cmocka_unit_test(test_limit_holds),
        cmocka_unit_test(test_kill_reaches_grandchildren),
        cmocka_unit_test(test_busy_group_stays),
        cmocka_unit_test(test_born_inside),
        cmocka_unit_test(test_deeper_names),
        cmocka_unit_test(test_disabled),
        cmocka_unit_test(test_destroy_nested_tree),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_claim_during_sweep),
        cmocka_unit_test(test_sweep_reaches_below),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
