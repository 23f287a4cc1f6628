/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Nothing outlives the bench." The test plays the user: it starts this program again as a bench
 * ("victim") that spawns and stops roles without end, kills it with SIGKILL at some moment, and
 * looks for what is left.
 */
#include <errno.h>
#include <grp.h>
#include <sys/wait.h>

#include "../../harness/stage.h"
#include "../../harness/leak.h"

#include "base/random.h"

enum { NOBODY = 65534 };

/* ---- the victim: a bench that goes on until it is killed ---- */

static void set_up_family(struct stage *s, struct actor a[3])
{
    actor_fake(s, &a[0], "fork_grandchildren", "0", "stay");
    actor_fake(s, &a[1], "fork_grandchildren", "0", "exit");
    actor_fake(s, &a[2], "ignore_term", NULL, NULL);
    for (int i = 0; i < 3; i++) {
        strings_add(&a[i].process.directories, "scratch");
        actor_spawn(s, &a[i], (struct role_spec){0});
    }
}

/* One line on stdout once the containment stands; then one more per family that runs. */
static void play_victim(struct stage *s)
{
    cleanup_free char *link = NULL;

    for (bool first = true;; first = false) {
        struct actor a[3] = {0};

        set_up_family(s, a);
        for (int i = 0; i < 3; i++)
            actor_hold(&a[i]);
        if (first) {
            char namespace[64] = "";

            link = xasprintf("/proc/%d/ns/net", (int)role_pid(a[0].role));
            if (!network_isolated(s->network) ||
                readlink(link, namespace, sizeof(namespace) - 1) < 0)
                strcpy(namespace, "-");
            printf("held %s\n", namespace);
            fflush(stdout);
        }
        for (int i = 0; i < 3; i++)
            actor_release(&a[i]);
        actor_await_output(&a[0], "ready");
        puts("running");
        fflush(stdout);
        for (int i = 0; i < 3; i++)
            role_stop(a[i].role, 20 * NS_PER_MS, NULL, NULL);
        for (int i = 0; i < 3; i++)
            actor_gone(&a[i]);
    }
}

static void victim(void **state)
{
    struct stage *s = *state;

    printf("start %s %s\n", s->containment.id, s->directory);
    fflush(stdout);
    play_victim(s);
}

static int open_stage(void **state)
{
    struct stage *s = xcalloc(1, sizeof(*s));

    stage_open(s);
    s->containment.pid_namespaces &= !getenv("WITHOUT_NAMESPACES");
    *state = s;
    return 0;
}

static int close_stage(void **state)
{
    stage_close(*state);
    free(*state);
    return 0;
}

/* ---- the killer ---- */

struct hunt {
    pid_t pid;
    FILE *output;
    char marker[96], id[64], namespace[64];
    char tmp[64];       /* made by the killer, so that nothing is lost when the victim dies early */
    char directory[64]; /* the victim's, in `tmp` */
};

static void start_victim(struct hunt *h, bool namespaces, bool other_user)
{
    int pipe_ends[2];

    memset(h, 0, sizeof(*h));
    leak_marker(h->marker, sizeof(h->marker));
    strcpy(h->tmp, "/tmp/bench-hunt-XXXXXX");
    assert_non_null(mkdtemp(h->tmp));
    assert_int_equal(chmod(h->tmp, 0777), 0);
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    fflush(stdout);
    h->pid = fork();
    if (h->pid == 0) {
        putenv(h->marker);
        setenv("TMPDIR", h->tmp, 1);
        if (!namespaces)
            setenv("WITHOUT_NAMESPACES", "1", 1);
        dup2(pipe_ends[1], 1);
        if (other_user && (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            _exit(126);
        execl("/proc/self/exe", "victim", "victim", (char *)NULL);
        _exit(126);
    }
    close(pipe_ends[1]);
    h->output = fdopen(pipe_ends[0], "r");
}

/* Reads what the victim tells until `word` begins a line. False at the end of its output. */
static bool listen_for(struct hunt *h, const char *word)
{
    char line[256];

    while (fgets(line, sizeof(line), h->output)) {
        sscanf(line, "start %63s %63s", h->id, h->directory);
        sscanf(line, "held %63s", h->namespace);
        if (strncmp(line, word, strlen(word)) == 0)
            return true;
    }
    return false;
}

static bool any_scratch(const char *directory, char *out, size_t size)
{
    for (int i = 0; i < 1000; i++) {
        snprintf(out, size, "%s/t%d/scratch", directory, i);
        if (access(out, F_OK) == 0)
            return true;
    }
    return false;
}

/* Kills and checks. That reading the output ends proves that nobody else holds it: `bench | less`
 * comes back. */
static void kill_and_look(struct hunt *h)
{
    char left[400] = "";
    bool found;

    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    while (listen_for(h, "no such line"))
        ;
    fclose(h->output);
    if (strcmp(h->namespace, "-") == 0)
        h->namespace[0] = '\0';
    found = leak_anything(h->marker, h->id, h->namespace, 10, left, sizeof(left));
    if (!found && h->directory[0])
        found = any_scratch(h->directory, left, sizeof(left));
    directory_remove(AT_FDCWD, h->tmp, NULL);
    if (found)
        fail_msg("left after kill -9: %s", left);
}

static void hunt_at_random(bool namespaces, bool other_user, int times)
{
    struct random random = {random_seed()};

    for (int i = 0; i < times; i++) {
        struct hunt h;
        /* About a third of the moments fall into the containment's own start. */
        uint64_t wait_us = random_below(&random, i % 3 == 0 ? 20000 : 150000);

        start_victim(&h, namespaces, other_user);
        if (i % 3 != 0 && !listen_for(&h, "start"))
            fail_msg("the victim did not start");
        usleep((useconds_t)wait_us);
        kill_and_look(&h);
    }
}

static void test_killed_at_random_moments(void **state)
{
    (void)state;
    hunt_at_random(true, false, 10);
}

static void test_killed_at_random_moments_without_namespaces(void **state)
{
    (void)state;
    hunt_at_random(false, false, 10);
}

static void test_killed_at_random_moments_as_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("# SKIP not root: the other tests ran as an ordinary user\n");
        skip();
    }
    hunt_at_random(true, true, 6);
}

/* The moment at which there is most to leave behind. */
static void test_killed_while_everything_runs(void **state)
{
    (void)state;
    for (int namespaces = 0; namespaces < 2; namespaces++) {
        struct hunt h;

        start_victim(&h, namespaces, false);
        assert_true(listen_for(&h, "running"));
        kill_and_look(&h);
    }
}

/* ---- the harness itself must be able to see a leak ---- */

static void test_harness_sees_a_leak(void **state)
{
    char marker[96], left[400] = "", expected[64];
    pid_t pid;

    (void)state;
    leak_marker(marker, sizeof(marker));
    assert_false(leak_process(marker, left, sizeof(left)));
    pid = fork();
    if (pid == 0) {
        putenv(marker);
        execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(126);
    }
    for (int i = 0; i < 2000 && !leak_process(marker, left, sizeof(left)); i++)
        usleep(5000); /* until it has exec'ed */
    snprintf(expected, sizeof(expected), "process %d (sleep)", (int)pid);
    assert_string_equal(left, expected);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_false(leak_process(marker, left, sizeof(left)));
}

static void test_harness_sees_groups_and_namespaces(void **state)
{
    struct stage *s = *state;
    char left[400] = "", link[64] = "";
    struct actor a = {0};

    if (!s->containment.host.can_group) {
        print_message("# SKIP no control groups: %s\n", s->containment.host.why_not);
        skip();
    }
    actor_fake(s, &a, "hang", NULL, NULL);
    actor_start(s, &a);
    assert_true(leak_group(s->containment.id, left, sizeof(left)));
    assert_true(readlink("/proc/self/ns/net", link, sizeof(link) - 1) > 0);
    assert_true(leak_namespace(link, left, sizeof(left)));
    actor_gone(&a);
}

/* ---- orderly ends ---- */

static void test_start_and_stop_leave_nothing(void **state)
{
    struct bench_error err = {0};
    struct containment c;
    char left[400], path[64];

    (void)state;
    stage_expect_ok(containment_start(&c, &err), &err);
    assert_int_equal(strncmp(c.id, "bench-", 6), 0);
    assert_int_equal(kill(c.guardian, 0), 0);
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)c.guardian);
    stage_expect_ok(containment_stop(&c, &err), &err);
    assert_int_equal(access(path, F_OK), -1);
    assert_false(leak_group(c.id, left, sizeof(left)));
}

static void test_guardian_ignores_polite_signals(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct bench_error err = {0};
    struct containment c;
    int status;

    (void)state;
    stage_expect_ok(containment_start(&c, &err), &err);
    while (true) { /* its name is set before its signals, its descriptors after them */
        cleanup_free char *path = xasprintf("/proc/%d/fd/4", (int)c.guardian);
        cleanup_free char *cwd = xasprintf("/proc/%d/cwd", (int)c.guardian);
        char link[8] = "";

        if (readlink(cwd, link, sizeof(link) - 1) == 1 && access(path, F_OK) < 0)
            break;
        usleep(1000);
    }
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        kill(c.guardian, signals[i]);
    usleep(20000);
    assert_int_equal(waitpid(c.guardian, &status, WNOHANG), 0);
    assert_int_equal(getsid(c.guardian), c.guardian);
    stage_expect_ok(containment_stop(&c, &err), &err);
}

static void test_forgotten_group_is_named_killed_and_removed(void **state)
{
    struct bench_error err = {0};
    struct containment c;
    struct cgroup *group;
    char left[400];
    pid_t pid;
    int status;

    (void)state;
    stage_expect_ok(containment_start(&c, &err), &err);
    if (!c.host.can_group) {
        containment_stop(&c, NULL);
        print_message("# SKIP no control groups: %s\n", c.host.why_not);
        skip();
    }
    stage_expect_ok(cgroup_new(&group, &c.host, c.id, "lost", 0, 100 * NS_PER_MS, &err), &err);
    pid = fork();
    if (pid == 0) {
        if (cgroup_attach_self(group, NULL) < 0)
            _exit(1);
        pause();
        _exit(2);
    }
    for (int i = 0; i < 1000; i++) {
        pid_t *pids = NULL;
        size_t n = cgroup_pids(group, &pids);

        free(pids);
        if (n > 0)
            break;
        usleep(1000);
    }
    cgroup_close(group);
    assert_int_equal(containment_stop(&c, &err), -1);
    assert_non_null(strstr(err.message, "/lost' was left; killed and removed"));
    assert_false(leak_group(c.id, left, sizeof(left)));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, SIGKILL);
}

/* A bench and its guardian were both killed: the next start sweeps. */
static void test_start_sweeps_what_an_earlier_bench_left(void **state)
{
    struct bench_error err = {0};
    struct containment c;
    struct hunt h;
    char path[64], left[400];
    cleanup_free char *children = NULL;
    pid_t guardian = 0;

    (void)state;
    start_victim(&h, true, false);
    assert_true(listen_for(&h, "running"));
    /* The guardian is the first child of the victim that lives on. */
    kill(h.pid, SIGSTOP);
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)h.pid, (int)h.pid);
    children = file_peek(path);
    for (char *p = children, *end; p && *p && !guardian; p = end) {
        pid_t child = (pid_t)strtol(p, &end, 10);
        cleanup_free char *comm_path = xasprintf("/proc/%d/comm", (int)child);
        cleanup_free char *comm = file_peek(comm_path);

        if (end == p)
            break;
        if (comm && strcmp(comm, "bench-guardian") == 0)
            guardian = child;
    }
    assert_true(guardian > 0);
    kill(guardian, SIGKILL);
    kill(h.pid, SIGKILL);
    waitpid(h.pid, NULL, 0);
    stage_expect_ok(containment_start(&c, &err), &err);
    stage_expect_ok(containment_stop(&c, &err), &err);
    fclose(h.output);
    directory_remove(AT_FDCWD, h.tmp, NULL);
    if (leak_anything(h.marker, h.id, "", 5, left, sizeof(left)))
        fail_msg("left: %s", left);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest victims[] = {cmocka_unit_test(victim)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harness_sees_a_leak),
        cmocka_unit_test_setup_teardown(test_harness_sees_groups_and_namespaces, open_stage,
                                        close_stage),
        cmocka_unit_test(test_start_and_stop_leave_nothing),
        cmocka_unit_test(test_guardian_ignores_polite_signals),
        cmocka_unit_test(test_forgotten_group_is_named_killed_and_removed),
        cmocka_unit_test(test_killed_while_everything_runs),
        cmocka_unit_test(test_start_sweeps_what_an_earlier_bench_left),
        cmocka_unit_test(test_killed_at_random_moments),
        cmocka_unit_test(test_killed_at_random_moments_without_namespaces),
        cmocka_unit_test(test_killed_at_random_moments_as_nobody),
    };

    if (argc > 1 && strcmp(argv[1], "victim") == 0)
        return cmocka_run_group_tests_name("victim", victims, open_stage, close_stage);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
