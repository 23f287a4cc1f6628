/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everything twice: with what privilege offers, and as an ordinary user has it (once without
 * PID namespaces, and once more really as 'nobody' where the tests run as root). */
#include <errno.h>
#include <grp.h>
#include <linux/perf_event.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <wchar.h>

#include "../../harness/stage.h"
#include "../../harness/leak.h"

#define MANY_SECONDS (30 * NS_PER_S)

static int with_everything(void **state)
{
    struct stage *s = xcalloc(1, sizeof(*s));

    stage_open(s);
    *state = s;
    return 0;
}

static int without_namespaces(void **state)
{
    with_everything(state);
    ((struct stage *)*state)->containment.pid_namespaces = false;
    return 0;
}

static int take_down(void **state)
{
    stage_close(*state);
    free(*state);
    return 0;
}

/* ---- at the gate ---- */

static void test_held_until_released(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    cleanup_free pid_t *pids = NULL;
    cleanup_free char *path = NULL, *comm = NULL, *ran = NULL;

    actor_argv(&a, "/bin/sh", "-c", "echo yes >ran", NULL);
    actor_spawn(s, &a, (struct role_spec){0});
    actor_hold(&a);
    assert_int_equal(role_update(a.role), ROLE_HELD);
    assert_int_equal(role_component_pid(a.role), 0);
    assert_int_equal(role_status(a.role), -1);
    assert_int_equal(role_pids(a.role, &pids), 0);
    path = xasprintf("/proc/%d/comm", (int)role_pid(a.role));
    comm = file_peek(path);
    assert_string_equal(comm, "bench-init");
    poll(NULL, 0, 20);
    assert_null(actor_output(&a, "ran"));
    actor_release(&a);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(role_status(a.role), 0);
    ran = actor_output(&a, "ran");
    assert_string_equal(ran, "yes");
    actor_gone(&a);
}

static void test_component_gets_a_clean_start(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    cleanup_free char *out = NULL, *err = NULL, *expected = NULL;
    sigset_t blocked, before;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    actor_argv(
        &a, "/bin/sh", "-c",
        "pwd; echo $WHO; cat; ls /proc/self/fd | tr '\\n' ' '; echo; "
        /* 32 and 33 are glibc's own: its posix_spawn (in make) leaves them ignored, and its
         * signal() lets nobody change that. */
        "grep -E 'Sig(Blk|Ign)' /proc/self/status | sed 's/0000000180000000/0000000000000000/';"
        "echo bad >&2",
        NULL);
    strings_add(&a.process.environment, "WHO=somebody");
    actor_start(s, &a);
    actor_await_state(&a, ROLE_EXITED);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    out = actor_output(&a, "stdout");
    err = actor_output(&a, "stderr");
    /* 3 is the directory that ls reads. */
    expected = xasprintf("%s\nsomebody\n0 1 2 3 \nSigBlk:\t0000000000000000\n"
                         "SigIgn:\t0000000000000000",
                         a.directory);
    assert_string_equal(out, expected);
    assert_string_equal(err, "bad");
    actor_gone(&a);
}

/* As a container's runtime would be asked: may /proc be mounted in a namespace? */
static bool may_mount_proc(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
            _exit(1);
        pid = fork();
        if (pid == 0)
            _exit(mount("proc", "/proc", "proc", 0, NULL) < 0);
        _exit(waitpid(pid, &status, 0) < 0 || status != 0);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Its own number leads to itself. */
static void test_proc_shows_the_components_namespace(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    cleanup_free char *out = NULL;

    if (s->containment.pid_namespaces && !may_mount_proc()) {
        print_message("# SKIP '/proc' cannot be mounted here\n");
        skip();
    }
    actor_argv(&a, "/bin/sh", "-c", "tr '\\0' ' ' </proc/$$/cmdline; ls -d /proc/$$/task/$$",
               NULL);
    actor_start(s, &a);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(role_status(a.role), 0);
    out = actor_output(&a, "stdout");
    assert_non_null(strstr(out, "/bin/sh -c tr"));
    actor_gone(&a);
}

/* Sees the processes that the bench sees; contained all the same. */
static void test_without_a_pid_namespace(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    cleanup_free char *out = NULL;
    char line[] = "from the bench\n";
    int pair[2], init, component, stray;

    assert_int_equal(pipe(pair), 0);
    actor_argv(&a, "/bin/sh", "-c",
               "read line; setsid sleep 1000 & echo $PPID $$ $! $line; exec sleep 1000", NULL);
    actor_spawn(s, &a, (struct role_spec){.input = pair[0], .host_pids = true});
    actor_hold(&a);
    actor_release(&a);
    assert_int_equal(write(pair[1], line, strlen(line)), strlen(line));
    actor_await_output(&a, "from the bench");
    out = actor_output(&a, "stdout");
    assert_int_equal(sscanf(out, "%d %d %d", &init, &component, &stray), 3);
    assert_int_equal(init, role_pid(a.role));
    assert_int_equal(component, role_component_pid(a.role));
    assert_int_equal(kill(stray, 0), 0);
    actor_gone(&a);
    assert_int_equal(kill(stray, 0), -1);
    close(pair[0]);
    close(pair[1]);
}

static void test_counter_sees_the_component(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof(attr),
        .config = PERF_COUNT_SW_TASK_CLOCK,
        .inherit = 1,
        .exclude_kernel = 1,
    };
    uint64_t count = 0;
    int fd;

    actor_argv(&a, "/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done", NULL);
    actor_spawn(s, &a, (struct role_spec){0});
    actor_hold(&a);
    fd = (int)syscall(SYS_perf_event_open, &attr, role_pid(a.role), -1, -1, 0);
    if (fd < 0) {
        print_message("# SKIP perf_event_open: %s\n", strerror(errno));
        actor_gone(&a);
        skip();
    }
    actor_release(&a);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
    close(fd);
    assert_true(count > 5 * (uint64_t)NS_PER_MS); /* of about 50 ms; the init alone uses 0.1 */
    actor_gone(&a);
}

/* The third number counts time slices: it stands still while the init blocks. */
static long long slices(pid_t pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/schedstat", (int)pid);
    cleanup_free char *text = file_peek(path);
    long long n = -1;

    if (text)
        sscanf(text, "%*d %*d %lld", &n);
    return n;
}

static void test_init_sleeps_while_the_component_runs(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    long long before;

    actor_argv(&a, "/bin/sh", "-c", "echo ready; while :; do :; done", NULL);
    actor_start(s, &a);
    actor_await_output(&a, "ready");
    poll(NULL, 0, 100); /* it rests after what was printed, and looks again */
    before = slices(role_pid(a.role));
    assert_true(before > 0);
    poll(NULL, 0, 100);
    assert_int_equal(slices(role_pid(a.role)), before);
    actor_gone(&a);
}

/* ---- failing starts ---- */

static void test_exec_failure_is_explained(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};

    actor_argv(&a, "/nonexistent/relay", NULL);
    actor_spawn(s, &a, (struct role_spec){0});
    actor_hold(&a);
    assert_int_equal(role_release(a.role, &err), -1);
    assert_string_equal(err.message,
                        "cannot execute '/nonexistent/relay': No such file or directory");
    assert_int_equal(err.kind, BENCH_ERROR_ENVIRONMENT);
    memset(&err, 0, sizeof(err));
    assert_int_equal(role_error(a.role, &err), -1);
    assert_string_equal(err.message,
                        "cannot execute '/nonexistent/relay': No such file or directory");
    actor_gone(&a);
}

static void test_impossible_cpu_is_explained(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};
    uint64_t cpus[16] = {[15] = UINT64_C(1) << 63};

    actor_argv(&a, "/bin/true", NULL);
    actor_spawn(s, &a, (struct role_spec){.cpus = cpus});
    actor_hold(&a);
    assert_int_equal(role_release(a.role, &err), -1);
    assert_string_equal(err.message, "cannot run on the wanted CPUs: Invalid argument");
    assert_non_null(strstr(err.hint, "'cpus'"));
    actor_gone(&a);
}

/* sched_setaffinity() would leave out the CPU that is not there and say nothing. */
static void test_cpu_too_many_is_explained(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};
    uint64_t cpus[16] = {[15] = UINT64_C(1) << 63};
    cpu_set_t allowed;

    sched_getaffinity(0, sizeof(allowed), &allowed);
    for (unsigned cpu = 0; cpu < 1023; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            cpus[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    actor_argv(&a, "/bin/true", NULL);
    actor_spawn(s, &a, (struct role_spec){.cpus = cpus});
    actor_hold(&a);
    assert_int_equal(role_release(a.role, &err), -1);
    assert_string_equal(err.message, "cannot run on all of the wanted CPUs");
    actor_gone(&a);
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* Wherever the descriptors run out: said with what to do, and none is lost. */
static void test_too_few_descriptors_are_explained(void **state)
{
    struct stage *s = *state;
    struct bench_process process = {.stop_signal = SIGTERM, .program = (char *)"/bin/true"};
    struct role_spec spec = {
        .name = "server", .process = &process, .directory = s->directory, .network = s->network};
    struct role *role = NULL;
    struct bench_error err = {0};
    struct rlimit before;
    size_t descriptors, failures = 0;
    int next;

    stage_expect_ok(cgroup_new(&spec.cgroup, &s->containment.host, s->containment.id, "x", 0,
                               100 * NS_PER_MS, &err),
                    &err);
    getrlimit(RLIMIT_NOFILE, &before);
    descriptors = open_descriptors();
    next = dup(STDERR_FILENO);
    close(next);
    for (rlim_t room = 0; room < 32 && !role; room++) {
        struct rlimit low = {.rlim_cur = (rlim_t)next + room, .rlim_max = before.rlim_max};
        int rc;

        setrlimit(RLIMIT_NOFILE, &low);
        rc = role_spawn(&role, &s->containment, &spec, &err);
        setrlimit(RLIMIT_NOFILE, &before);
        if (rc == 0)
            break;
        failures++;
        assert_int_equal(err.kind, BENCH_ERROR_RUN);
        assert_string_equal(err.hint, "raise the limit on open files: 'ulimit -n'");
    }
    assert_non_null(role);
    assert_true(failures > 5);
    role_free(role);
    assert_int_equal(open_descriptors(), descriptors);
    stage_expect_ok(cgroup_remove(spec.cgroup, &err), &err);
    cgroup_close(spec.cgroup);
}

static void test_unwritable_directory_is_explained(void **state)
{
    struct stage *s = *state;
    struct bench_process process = {.stop_signal = SIGTERM, .program = (char *)"/bin/true"};
    struct bench_error err = {0};
    struct role_spec spec = {.name = "server",
                             .process = &process,
                             .directory = "/nonexistent/place",
                             .network = s->network};
    struct role *role = NULL;

    stage_expect_ok(cgroup_new(&spec.cgroup, &s->containment.host, s->containment.id, "x", 0,
                               100 * NS_PER_MS, &err),
                    &err);
    assert_int_equal(role_spawn(&role, &s->containment, &spec, &err), -1);
    assert_null(role);
    assert_string_equal(err.message,
                        "cannot open directory '/nonexistent/place': No such file or directory");
    stage_expect_ok(cgroup_remove(spec.cgroup, &err), &err);
    cgroup_close(spec.cgroup);
}

static void test_death_at_start_shows_last_words(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};
    struct pollfd p;

    actor_fake(s, &a, "die_at_start", "1", NULL);
    actor_start(s, &a);
    p = (struct pollfd){.fd = role_fd(a.role), .events = POLLIN};
    if (role_update(a.role) != ROLE_EXITED)
        assert_int_equal(poll(&p, 1, 10000), 1);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(WEXITSTATUS(role_status(a.role)), 3);
    assert_int_equal(role_error(a.role, &err), -1);
    assert_string_equal(err.message, "'die_at_start' ended early with exit status 3");
    assert_int_equal(err.kind, BENCH_ERROR_RUN);
    assert_string_equal(err.detail, "line 1 of the complaint\n[and 199 more lines like this]\n"
                                    "fatal: no such luck\n");
    assert_non_null(strstr(err.hint, a.directory));
    actor_gone(&a);
}

static void test_death_by_signal_is_named(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};

    actor_argv(&a, "/bin/sh", "-c", "echo only on stdout; kill -SEGV $$", NULL);
    actor_start(s, &a);
    actor_await_state(&a, ROLE_EXITED);
    role_error(a.role, &err);
    assert_string_equal(err.message, "'sh' was killed by signal 11 (Segmentation fault)");
    assert_string_equal(err.detail, "only on stdout\n");
    actor_gone(&a);
}

static void test_garbage_is_made_printable(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};
    mbstate_t shift = {0};
    const char *p = err.detail;

    actor_fake(s, &a, "garbage", "1", "exit");
    actor_start(s, &a);
    actor_await_state(&a, ROLE_EXITED);
    role_error(a.role, &err);
    assert_string_equal(err.message, "'garbage' ended early with exit status 5");
    assert_true(strlen(err.detail) > 1);
    for (; *p; p++)
        assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
    /* Without a locale every byte is a character, so this needs one to mean anything. */
    p = err.detail;
    if (setlocale(LC_CTYPE, "C.UTF-8"))
        assert_true(mbsrtowcs(NULL, &p, 0, &shift) != (size_t)-1);
    actor_gone(&a);
}

/* ---- output ---- */

/* Ends with its last words after so much that only the begin and the end of it can be kept. */
static void test_output_is_kept_within_bounds(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};
    struct strings said = {0};
    cleanup_free char *text = NULL, *marker = NULL;
    size_t length;

    actor_argv(&a, "/bin/sh", "-c",
               "echo first >&2; yes some words again and again | head -c 8999991 >&2;"
               "echo last words >&2; exit 3",
               NULL);
    actor_start(s, &a);
    actor_await_state(&a, ROLE_EXITED);
    role_error(a.role, &err);
    assert_non_null(strstr(err.detail, "more lines like this]\nlast words\n"));
    assert_int_equal(role_stop(a.role, 0, NULL, &err), 0);
    role_describe_output(a.role, &said);
    assert_int_equal(said.count, 1);
    marker =
        xasprintf("wrote 8.6 MiB to stderr, of which '%s/stderr' has the first and the last MiB",
                  a.directory);
    assert_string_equal(said.items[0], marker);
    strings_release(&said);
    free(marker);
    marker = xasprintf("%s/stderr", a.directory);
    assert_int_equal(file_read(AT_FDCWD, marker, 3 << 20, &text, &length, NULL), 0);
    assert_in_range(length, 2 << 20, (2 << 20) + 100);
    assert_int_equal(strncmp(text, "first\nsome words", 16), 0);
    assert_non_null(strstr(text, "\n[bench: 6902856 bytes are left out here]\n"));
    assert_string_equal(text + length - 12, "\nlast words\n");
    actor_gone(&a);
}

static void test_a_result_is_kept_whole(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct strings said = {0};
    cleanup_free char *path = NULL;
    struct stat st;

    actor_argv(&a, "/bin/sh", "-c", "head -c 9000000 /dev/zero", NULL);
    actor_spawn(s, &a, (struct role_spec){.whole_stdout = true});
    actor_hold(&a);
    actor_release(&a);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(role_stop(a.role, 0, NULL, NULL), 0);
    role_describe_output(a.role, &said);
    assert_int_equal(said.count, 0);
    path = xasprintf("%s/stdout", a.directory);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 9000000);
    actor_gone(&a);
}

/* A soft limit is for programs that cannot do with more; a role is one that may need it. */
static void test_descriptors_up_to_the_hard_limit(void **state)
{
    struct stage *s = *state;
    struct rlimit before, low;
    struct actor a = {0};
    cleanup_free char *out = NULL, *expected = NULL;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    actor_argv(&a, "/bin/sh", "-c", "ulimit -Sn", NULL);
    actor_start(s, &a);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    out = actor_output(&a, "stdout");
    expected = xasprintf(
        "%llu", (unsigned long long)(before.rlim_max < 1 << 20 ? before.rlim_max : 1 << 20));
    assert_string_equal(out, expected);
    actor_gone(&a);
}

/* ---- main ---- */

static int count_and_wait(const struct bench_child *child)
{
    const int *step = child->state;

    atomic_store(&child->page->slots, 1);
    atomic_store(&child->page->slot[0].bytes_sent, (uint64_t)child->role->jobs * (uint64_t)*step);
    pause();
    return 0;
}

static int fail_politely(const struct bench_child *child)
{
    snprintf(child->page->message, sizeof(child->page->message), "no server at port %u",
             child->role->connect.port);
    return -1;
}

static void test_main_counts_in_the_page(void **state)
{
    struct stage *s = *state;
    struct actor a = {.process.main = count_and_wait};
    struct bench_role role = {.size = sizeof(role), .jobs = 6};
    cleanup_free char *path = NULL, *comm = NULL;
    bool forced = true;
    int step = 7;

    actor_spawn(s, &a, (struct role_spec){.name = "client", .role = &role, .state = &step});
    actor_hold(&a);
    assert_int_equal(role_page(a.role)->size, sizeof(struct bench_page));
    actor_release(&a);
    while (!atomic_load(&role_page(a.role)->slots))
        sched_yield();
    while (!atomic_load(&role_page(a.role)->slot[0].bytes_sent))
        sched_yield();
    assert_int_equal(atomic_load(&role_page(a.role)->slot[0].bytes_sent), 42);
    path = xasprintf("/proc/%d/comm", (int)role_component_pid(a.role));
    comm = file_peek(path);
    assert_string_equal(comm, "bench-client");
    assert_int_equal(role_stop(a.role, MANY_SECONDS, &forced, NULL), 0);
    assert_false(forced);
    assert_int_equal(role_status(a.role), SIGTERM);
    actor_gone(&a);
}

static void test_main_tells_why_it_failed(void **state)
{
    struct stage *s = *state;
    struct actor a = {.process.main = fail_politely};
    struct bench_role role = {.size = sizeof(role), .connect = {.port = 77}};
    struct bench_error err = {0};

    actor_spawn(s, &a, (struct role_spec){.name = "client", .role = &role});
    actor_hold(&a);
    actor_release(&a);
    actor_await_state(&a, ROLE_EXITED);
    role_error(a.role, &err);
    assert_string_equal(err.message, "'client' failed: no server at port 77");
    actor_gone(&a);
}

static void test_affinity(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    uint64_t cpus[16] = {0};
    cpu_set_t allowed, got;
    unsigned last = 0;

    sched_getaffinity(0, sizeof(allowed), &allowed);
    for (unsigned cpu = 0; cpu < 1024; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            last = cpu;
    cpus[last / 64] = UINT64_C(1) << (last % 64);
    actor_fake(s, &a, "hang", NULL, NULL);
    actor_spawn(s, &a, (struct role_spec){.cpus = cpus});
    actor_hold(&a);
    actor_release(&a);
    assert_int_equal(sched_getaffinity(role_component_pid(a.role), sizeof(got), &got), 0);
    assert_int_equal(CPU_COUNT(&got), 1);
    assert_true(CPU_ISSET(last, &got));
    actor_gone(&a);
}

/* ---- the end ---- */

static void test_cooperative_stop(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    bool forced = true;

    actor_fake(s, &a, "hang", NULL, NULL);
    strings_add(&a.process.directories, "scratch");
    actor_start(s, &a);
    assert_int_equal(access(a.directory, F_OK), 0);
    assert_int_equal(role_stop(a.role, MANY_SECONDS, &forced, NULL), 0);
    assert_false(forced);
    assert_int_equal(role_status(a.role), SIGTERM);
    assert_int_equal(role_pid(a.role), 0);
    assert_null(actor_output(&a, "scratch"));
    actor_gone(&a);
}

static void test_stop_signal_of_the_description(void **state)
{
    struct stage *s = *state;
    struct actor a = {.process.stop_signal = SIGUSR1};

    actor_argv(&a, "/bin/sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done",
               NULL);
    actor_start(s, &a);
    actor_await_output(&a, "ready");
    assert_int_equal(role_stop(a.role, MANY_SECONDS, NULL, NULL), 0);
    assert_int_equal(role_status(a.role), 9 << 8);
    actor_gone(&a);
}

static void test_ignored_term_is_forced(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    bool forced = false;

    actor_fake(s, &a, "ignore_term", NULL, NULL);
    actor_start(s, &a);
    actor_await_output(&a, "ready");
    assert_int_equal(role_stop(a.role, 30 * NS_PER_MS, &forced, NULL), 0);
    assert_true(forced);
    assert_int_equal(role_status(a.role), SIGKILL);
    actor_gone(&a);
}

static void expect_nothing_left(const char *marker)
{
    char left[400];

    if (leak_process(marker, left, sizeof(left)))
        fail_msg("left: %s", left);
}

static void stop_a_family(struct stage *s, const char *mode)
{
    struct actor a = {0};
    cleanup_free pid_t *pids = NULL;
    char marker[96];

    leak_marker(marker, sizeof(marker));
    strings_add(&a.process.environment, marker);
    actor_fake(s, &a, "fork_grandchildren", "0", mode);
    actor_start(s, &a);
    actor_await_output(&a, "ready");
    assert_true(role_pids(a.role, &pids) >= 3);
    if (strcmp(mode, "exit") == 0)
        actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(role_stop(a.role, MANY_SECONDS, NULL, NULL), 0);
    expect_nothing_left(marker);
    actor_gone(&a);
}

static void test_grandchildren_go_too(void **state)
{
    stop_a_family(*state, "stay");
}

static void test_daemons_go_too(void **state)
{
    stop_a_family(*state, "exit");
}

static void test_stop_in_every_state(void **state)
{
    struct stage *s = *state;
    bool forced = true;

    for (int steps = 0; steps < 5; steps++) {
        struct actor a = {0};
        char marker[96];

        leak_marker(marker, sizeof(marker));
        strings_add(&a.process.environment, marker);
        actor_fake(s, &a, steps == 3 ? "die_at_start" : "hang", NULL, NULL);
        actor_spawn(s, &a, (struct role_spec){0});
        if (steps > 0)
            actor_hold(&a);
        if (steps > 1)
            actor_release(&a);
        if (steps == 3)
            actor_await_state(&a, ROLE_EXITED);
        if (steps < 4) {
            assert_int_equal(role_stop(a.role, MANY_SECONDS, &forced, NULL), 0);
            assert_false(forced);
            assert_int_equal(role_update(a.role), ROLE_EXITED);
            assert_int_equal(role_stop(a.role, MANY_SECONDS, &forced, NULL), 0); /* again */
        }
        actor_gone(&a); /* the last one stops by being freed */
        expect_nothing_left(marker);
    }
}

static void test_death_of_the_init(void **state)
{
    struct stage *s = *state;
    struct actor a = {0};
    struct bench_error err = {0};
    char marker[96];

    leak_marker(marker, sizeof(marker));
    strings_add(&a.process.environment, marker);
    actor_fake(s, &a, "ignore_term", NULL, NULL);
    actor_start(s, &a);
    kill(role_pid(a.role), SIGKILL);
    actor_await_state(&a, ROLE_EXITED);
    role_error(a.role, &err);
    assert_string_equal(err.message, "'ignore_term' was killed by signal 9 (Killed)");
    assert_int_equal(role_stop(a.role, MANY_SECONDS, NULL, &err), 0);
    actor_gone(&a);
    /* The component itself follows by its parent-death signal where no namespace takes it along. */
    if (leak_anything(marker, "", "", 5, err.detail, sizeof(err.detail)))
        fail_msg("left: %s", err.detail);
}

/* Without a namespace and without a control group they would have no parent of the bench; another role
 * and its family live on. */
static void test_death_of_the_init_takes_sessions_along(void **state)
{
    struct stage *s = *state;
    struct actor a = {0}, other = {0};
    char marker[96], others[96], left[400];

    leak_marker(marker, sizeof(marker));
    memcpy(others, marker, sizeof(marker));
    others[0] = 'O';
    strings_add(&a.process.environment, marker);
    strings_add(&other.process.environment, others);
    actor_argv(&a, "/bin/sh", "-c", "setsid sh -c 'setsid sleep 600 & wait' & echo ready; wait", NULL);
    actor_argv(&other, "/bin/sh", "-c", "setsid sleep 600 & echo ready; wait", NULL);
    actor_start(s, &a);
    actor_start(s, &other);
    actor_await_output(&a, "ready");
    actor_await_output(&other, "ready");
    kill(role_pid(a.role), SIGKILL);
    actor_await_state(&a, ROLE_EXITED);
    assert_int_equal(role_stop(a.role, MANY_SECONDS, NULL, NULL), 0);
    expect_nothing_left(marker);
    assert_int_equal(role_update(other.role), ROLE_RUNNING);
    assert_true(leak_process(others, left, sizeof(left)));
    actor_gone(&a);
    actor_gone(&other);
    expect_nothing_left(others);
}

static void test_graces_overlap(void **state)
{
    struct stage *s = *state;
    struct actor a[3] = {0};
    int64_t begin;

    for (int i = 0; i < 3; i++) {
        actor_fake(s, &a[i], "ignore_term", NULL, NULL);
        actor_start(s, &a[i]);
        actor_await_output(&a[i], "ready");
    }
    begin = clock_now();
    for (int i = 0; i < 3; i++)
        role_ask_to_stop(a[i].role);
    for (int i = 0; i < 3; i++)
        role_stop(a[i].role, 500 * NS_PER_MS, NULL, NULL);
    /* Not an assertion on speed: one after the other would take three times the grace. */
    assert_true(clock_now() - begin < 1500 * NS_PER_MS);
    for (int i = 0; i < 3; i++)
        actor_gone(&a[i]);
}

/* ---- figures for people ---- */

static void test_time_of_four_roles(void **state)
{
    struct stage *s = *state;
    struct actor a[4] = {0};
    int64_t t[5];

    t[0] = clock_now();
    for (int i = 0; i < 4; i++) {
        actor_fake(s, &a[i], "hang", NULL, NULL);
        actor_spawn(s, &a[i], (struct role_spec){0});
    }
    t[1] = clock_now();
    for (int i = 0; i < 4; i++)
        actor_hold(&a[i]);
    t[2] = clock_now();
    for (int i = 0; i < 4; i++)
        actor_release(&a[i]);
    t[3] = clock_now();
    for (int i = 0; i < 4; i++)
        role_ask_to_stop(a[i].role);
    for (int i = 0; i < 4; i++)
        assert_int_equal(role_stop(a[i].role, MANY_SECONDS, NULL, NULL), 0);
    t[4] = clock_now();
    print_message("# 4 roles: spawn %.1f ms, held %.1f ms, release %.1f ms, stop %.1f ms\n",
                  (double)(t[1] - t[0]) / 1e6, (double)(t[2] - t[1]) / 1e6,
                  (double)(t[3] - t[2]) / 1e6, (double)(t[4] - t[3]) / 1e6);
    for (int i = 0; i < 4; i++)
        actor_gone(&a[i]);
}

#define TESTS                                                                                 \
    cmocka_unit_test(test_held_until_released),                                               \
        cmocka_unit_test(test_component_gets_a_clean_start),                                  \
        cmocka_unit_test(test_proc_shows_the_components_namespace),                           \
        cmocka_unit_test(test_without_a_pid_namespace),                                       \
        cmocka_unit_test(test_counter_sees_the_component),                                    \
        cmocka_unit_test(test_init_sleeps_while_the_component_runs),                          \
        cmocka_unit_test(test_exec_failure_is_explained),                                     \
        cmocka_unit_test(test_impossible_cpu_is_explained),                                   \
        cmocka_unit_test(test_cpu_too_many_is_explained),                                     \
        cmocka_unit_test(test_too_few_descriptors_are_explained),                             \
        cmocka_unit_test(test_unwritable_directory_is_explained),                             \
        cmocka_unit_test(test_death_at_start_shows_last_words),                               \
        cmocka_unit_test(test_death_by_signal_is_named),                                      \
        cmocka_unit_test(test_garbage_is_made_printable),                                     \
        cmocka_unit_test(test_output_is_kept_within_bounds),                                  \
        cmocka_unit_test(test_a_result_is_kept_whole),                                        \
        cmocka_unit_test(test_descriptors_up_to_the_hard_limit),                              \
        cmocka_unit_test(test_main_counts_in_the_page),                                       \
        cmocka_unit_test(test_main_tells_why_it_failed), cmocka_unit_test(test_affinity),     \
        cmocka_unit_test(test_cooperative_stop),                                              \
        cmocka_unit_test(test_stop_signal_of_the_description),                                \
        cmocka_unit_test(test_ignored_term_is_forced),                                        \
        cmocka_unit_test(test_grandchildren_go_too), cmocka_unit_test(test_daemons_go_too),   \
        cmocka_unit_test(test_stop_in_every_state), cmocka_unit_test(test_death_of_the_init), \
        cmocka_unit_test(test_death_of_the_init_takes_sessions_along), \
        cmocka_unit_test(test_graces_overlap), cmocka_unit_test(test_time_of_four_roles)

static int run_plain(void)
{
    const struct CMUnitTest plain[] = {TESTS};

    return cmocka_run_group_tests_name("without namespaces", plain, without_namespaces, take_down);
}

/* The same program as another user: exec, so that /proc/self belongs to it. */
static void test_as_nobody(void **state)
{
    enum { NOBODY = 65534 };
    char output[] = "/tmp/bench-nobody-XXXXXX";
    cleanup_free char *text = NULL;
    int fd = mkstemp(output), status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        unlink(output);
        print_message("# SKIP not root: the other groups ran as an ordinary user\n");
        skip();
    }
    pid = fork();
    if (pid == 0) {
        dup2(fd, 1);
        dup2(fd, 2);
        if (setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0)
            execl("/proc/self/exe", "test_role", "plain", (char *)NULL);
        _exit(126);
    }
    waitpid(pid, &status, 0);
    close(fd);
    text = file_peek(output);
    unlink(output);
    if (status != 0)
        fail_msg("status %d:\n%s", status, text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest privileged[] = {TESTS};
    const struct CMUnitTest other_user[] = {cmocka_unit_test(test_as_nobody)};

    if (argc > 1 && strcmp(argv[1], "plain") == 0)
        return run_plain();
    return cmocka_run_group_tests_name("privileged", privileged, with_everything, take_down) +
           run_plain() + cmocka_run_group_tests_name("other user", other_user, NULL, NULL);
}
